//! What a readiness probe asks for.

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::problem::Findings;

/// Path and query of a request line.
pub(in crate::spec) struct ProbePath;

impl ProbePath {
    const LONGEST: usize = 1024;
}

impl Kind for ProbePath {
    type Value = String;

    fn what(&self) -> String {
        "a path on the app, as in \"/health\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<String> {
        let text = given.text(&self.what(), findings)?;
        let why = match text {
            _ if text.contains("://") && !text.starts_with('/') => {
                "only the path is expected: each instance is asked itself"
            }
            _ if !text.starts_with('/') => "a path on the app begins with \"/\"",
            _ if !text.bytes().all(|b| b.is_ascii_graphic()) => "write spaces and other than ASCII as %XX, as in a URL",
            _ if text.contains('#') => "a fragment (\"#\") is never sent",
            _ if text.len() > Self::LONGEST => "a path this long is refused (1024 bytes at most)",
            _ => return Some(text.to_owned()),
        };
        given.refuse(why, findings);
        None
    }

    fn schema(&self) -> Json {
        Json::pattern("^/[!\"$-~]*$")
    }
}
