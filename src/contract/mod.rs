//! What the programs promise each other. Pure.

pub mod exit_status;
mod note;
mod quoted;
pub mod shim_args;
mod span;
pub mod times;

pub use note::{Level, MESSAGE_ID, Note};
pub use quoted::{quote, unquote};
pub use span::Span;
