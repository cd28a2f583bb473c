//! What people see: colours, tables, errors. Plain text in a pipe.

pub(crate) mod error;
pub(crate) mod style;
