//! A path inside every release that leads out of it, to what releases have in common.

use std::path::PathBuf;

use crate::spec::Shared;
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::path;
use crate::spec::problem::Findings;

/// A relative path of names; a slash at the end says that it is a directory.
pub(in crate::spec) struct SharedPath;

impl Kind for SharedPath {
    type Value = Shared;

    fn what(&self) -> String {
        "a path inside the release such as \"uploads/\" or \".env\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Shared> {
        let text = given.text(&self.what(), findings)?;
        let path = text.strip_suffix('/').unwrap_or(text);
        if path.is_empty() || text.starts_with(['/', '~']) {
            let help = "write it relative to the app's directory: \"uploads/\"";
            given.advise(
                format_args!("{text:?} is not a path inside the release"),
                help,
                findings,
            );
            return None;
        }
        // The same rules as for absolute paths: shortest form, no control characters.
        if let Err(error) = path::check(&format!("/{path}")) {
            given.refuse(error, findings);
            return None;
        }
        Some(Shared {
            path: PathBuf::from(path),
            directory: path.len() < text.len(),
        })
    }

    fn schema(&self) -> Json {
        Json::pattern("^[^/~]")
    }
}
