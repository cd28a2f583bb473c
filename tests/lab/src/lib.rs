//! What `appctl`'s tests against real systemd are made of.

pub mod apps;
pub mod load;
