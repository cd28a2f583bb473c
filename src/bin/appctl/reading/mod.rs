//! What other accounts may change is opened by a process that has their rights or the operator's, never by root.

mod person;
mod reader;

pub(crate) use person::Person;
pub(crate) use reader::Reader;
