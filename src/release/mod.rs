//! Which code is live: ids, order, layout. Pure.

mod id;
mod layout;

pub use id::{InvalidReleaseId, ReleaseId};
pub use layout::Layout;
