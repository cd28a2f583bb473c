//! What the programs promise each other. Pure.

pub mod adapter;
mod entry;
pub mod exit_status;
mod note;
mod operation;
pub mod outcome;
pub mod paths;
mod quoted;
mod responses;
pub mod shim_args;
mod shim_status;
mod span;
pub mod times;

pub use entry::encode;
pub use note::{Level, MESSAGE_ID, Note};
pub use operation::{OPERATION_ID, Operation, Releases};
pub use quoted::{quote, unquote};
pub use responses::Responses;
pub use shim_status::{ShimState, ShimStatus};
pub use span::{Millis, Span};
