//! A directory of this machine.

use std::path::PathBuf;

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::path;
use crate::spec::problem::Findings;

/// An absolute path in its shortest form.
pub(in crate::spec) struct Directory;

impl Kind for Directory {
    type Value = PathBuf;

    fn what(&self) -> String {
        "an absolute path".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<PathBuf> {
        let text = given.text(&self.what(), findings)?;
        match path::check(text) {
            Ok(()) => return Some(PathBuf::from(text)),
            Err(error) => given.refuse(error, findings),
        }
        None
    }

    fn schema(&self) -> Json {
        Json::pattern("^/")
    }
}
