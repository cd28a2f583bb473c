//! Directory trees that root copies and removes although others may write in them: every step goes through an open
//! directory, and no link is ever followed, openat(2).

mod beneath;
mod content;
mod copy;
mod error;
mod ignore;
mod link;
mod remove;
mod share;
#[cfg(test)]
mod tests;
mod walk;

pub use beneath::{open_beneath, read_beneath};
pub use content::Before;
pub use copy::{Access, Bounds, Copied, Owner, Plan, copy};
pub use error::TreeError;
pub use ignore::Ignore;
pub use link::stays_inside;
pub use remove::remove;
pub use share::{Linked, Shared, share};
