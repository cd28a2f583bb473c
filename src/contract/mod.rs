//! What the programs promise each other. Pure.

mod entry;
pub mod exit_status;
mod note;
mod operation;
pub mod outcome;
mod quoted;
pub mod shim_args;
mod span;
pub mod times;

pub use entry::encode;
pub use note::{Level, MESSAGE_ID, Note};
pub use operation::{OPERATION_ID, Operation, Releases};
pub use quoted::{quote, unquote};
pub use span::Span;
