//! How things look on the operator's terminal.

pub(crate) mod report;
