//! A source that other accounts may change while it is read: a process with their rights, or the operator's, opens it and
//! hands open files to root, which names nothing in there by a path.

mod channel;
mod descriptors;
mod locate;
mod message;
mod received;
mod serve;
mod steady;

pub use channel::{Channel, LIMIT, Packet};
pub use locate::{Located, PathError, locate};
pub use message::{Items, Message};
pub use received::{Received, broken};
pub use serve::{Ask, Opened, serve};
