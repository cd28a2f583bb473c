//! Directory trees that root copies and removes although others may write in them: every step goes through an open
//! directory, and no link is ever followed, openat(2).

mod copy;
mod error;
mod link;
mod remove;
#[cfg(test)]
mod tests;
mod walk;

pub use copy::{Bounds, Copied, Owner, copy};
pub use error::TreeError;
pub use remove::remove;
