//! A file of variables, `EnvironmentFile=` of systemd.exec(5).

use std::path::PathBuf;

use crate::spec::EnvFile;
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::path;
use crate::spec::problem::Findings;

/// An absolute path, behind a `-` when the file may be missing.
pub(in crate::spec) struct EnvFilePath;

impl Kind for EnvFilePath {
    type Value = EnvFile;

    fn what(&self) -> String {
        "an absolute path, with \"-\" before it when the file may be missing".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<EnvFile> {
        let text = given.text(&self.what(), findings)?;
        let path = text.strip_prefix('-').unwrap_or(text);
        if let Err(error) = path::check(path) {
            given.refuse(error, findings);
            return None;
        }
        if path.contains(['*', '?', '[']) {
            given.refuse(
                "name one file: systemd would read `*`, `?` and `[` as a pattern",
                findings,
            );
            return None;
        }
        Some(EnvFile {
            path: PathBuf::from(path),
            optional: path.len() < text.len(),
        })
    }

    fn schema(&self) -> Json {
        Json::pattern(r"^-?/[^*?\[]*$")
    }
}
