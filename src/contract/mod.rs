//! What the programs promise each other. Pure.

mod note;
mod quoted;
mod span;
mod status;
pub mod times;

pub use note::{Level, MESSAGE_ID, Note};
pub use quoted::{quote, unquote};
pub use span::Span;
pub use status::signal_of_status;
