//! Which code is live: ids, order, layout, and what is known of each release. Pure.

mod choose;
mod id;
mod layout;
mod manifest;
mod origin;

pub use choose::Stock;
pub use id::{InvalidReleaseId, ReleaseId};
pub use layout::{AppPaths, Layout};
pub use manifest::{Entry, Manifest, hex};
pub use origin::{Origin, Sort};
