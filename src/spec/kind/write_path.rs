//! A path outside the app's own directories that it may write.

use std::path::PathBuf;

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::path;
use crate::spec::problem::Findings;

/// An absolute path in its shortest form, not the root of everything.
pub(in crate::spec) struct WritePath;

impl Kind for WritePath {
    type Value = PathBuf;

    fn what(&self) -> String {
        "an absolute path such as \"/srv/uploads\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<PathBuf> {
        let text = given.text(&self.what(), findings)?;
        if text == "/" {
            let help = "name the directories that the app writes to, or set level = \"off\"";
            given.advise("\"/\" would make the whole system writable", help, findings);
            return None;
        }
        match path::check(text) {
            Ok(()) => Some(PathBuf::from(text)),
            Err(error) => {
                given.refuse(error, findings);
                None
            }
        }
    }

    fn schema(&self) -> Json {
        Json::pattern("^/.")
    }
}
