//! Names of users and groups, as strict as systemd's own check for names it creates.

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::problem::Findings;

/// `[a-zA-Z_][a-zA-Z0-9_-]{0,30}`.
pub(in crate::spec) struct AccountName;

impl Kind for AccountName {
    type Value = String;

    fn what(&self) -> String {
        "the name of an account".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<String> {
        let text = given.text(&self.what(), findings)?;
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let why = match text.chars().next() {
            None => "a name must not be empty".to_owned(),
            Some('0'..='9') => "a name must begin with a letter or `_`; numeric IDs are not accepted".to_owned(),
            Some(first) if !good(first) => format!("a name must begin with a letter or `_`, not {first:?}"),
            _ => match text.chars().find(|c| !good(*c) && *c != '-') {
                Some(bad) => format!("a name can contain only a-z, A-Z, 0-9, `_` and `-`, not {bad:?}"),
                None if text.len() > 31 => format!(
                    "a name can have at most 31 characters; this one has \
                    {}",
                    text.len()
                ),
                None => return Some(text.to_owned()),
            },
        };
        given.refuse(why, findings);
        None
    }

    fn schema(&self) -> Json {
        Json::pattern("^[a-zA-Z_][a-zA-Z0-9_-]{0,30}$")
    }
}
