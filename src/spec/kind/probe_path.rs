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
        "a path such as \"/health\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<String> {
        let text = given.text(&self.what(), findings)?;
        let why = match text {
            _ if text.contains("://") && !text.starts_with('/') => {
                "write only the path: each instance is probed on a socket of its own"
            }
            _ if !text.starts_with('/') => "a path must begin with \"/\"",
            _ if !text.bytes().all(|b| b.is_ascii_graphic()) => "write spaces and non-ASCII characters as %XX",
            _ if text.contains('#') => "remove the fragment (\"#\"): HTTP never sends it",
            _ if text.len() > Self::LONGEST => "a path can have at most 1024 bytes",
            _ => return Some(text.to_owned()),
        };
        given.refuse(why, findings);
        None
    }

    fn schema(&self) -> Json {
        Json::pattern("^/[!\"$-~]*$")
    }
}
