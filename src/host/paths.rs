//! Which tree this process works on.

use std::io;
use std::path::PathBuf;

use crate::contract::paths::ROOT_VARIABLE;
use crate::release::Layout;

/// The machine's own tree, or the one that `APPCTL_ROOT` names.
pub fn layout() -> io::Result<Layout> {
    match std::env::var_os(ROOT_VARIABLE).filter(|root| !root.is_empty()) {
        Some(root) => Ok(Layout::below(std::path::absolute(PathBuf::from(root))?)),
        None => Ok(Layout::below("/")),
    }
}
