//! Directory trees that root copies and removes although others may write in them: every step goes through an open
//! directory, no link is ever followed, openat(2), and a tree may be as deep as its maker likes. What reads (`walk`) is
//! apart from what writes (`copy`).

mod aside;
mod beneath;
mod content;
mod copy;
mod empty;
mod entry;
mod error;
mod group;
mod ignore;
mod kept;
mod link;
mod place;
mod planted;
mod remove;
mod share;
#[cfg(test)]
mod tests;
mod walk;

pub use beneath::{open_beneath, open_in, read_beneath};
pub use content::Before;
pub use copy::{Access, Bounds, Copied, Owner, Plan, copy};
pub use entry::{Kind, kind};
pub use error::TreeError;
pub use group::{give_to_group, group};
pub use ignore::{Ignore, Unusable};
pub use kept::{Flag, kept};
pub use link::means_the_same;
pub use planted::is_planted;
pub use remove::{Cleared, clear, remains, remove};
pub use share::{Linked, Shared, share};
pub use walk::{DEEPEST, Event, Walk};
