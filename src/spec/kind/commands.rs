//! Several commands, one after the other.

use toml::Spanned;
use toml::de::DeValue;

use super::Exec;
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::problem::Findings;

/// A command as for [`Exec`], or an array in which at least one command is an array itself; `[]` is none.
pub(in crate::spec) struct Commands;

impl Kind for Commands {
    type Value = Vec<Vec<String>>;

    fn what(&self) -> String {
        "a command such as \"npm ci\" or [\"npm\", \"ci\"], or an array of commands".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Self::Value> {
        let key = given.key;
        let one = |value| Exec.read(&Given { key, value }, findings);
        match given.value.get_ref() {
            DeValue::Array(items) if items.is_empty() => Some(Vec::new()),
            DeValue::Array(items) if items.iter().any(is_array) => one_of(items.iter(), one),
            DeValue::Array(_) | DeValue::String(_) => one_of([given.value], one),
            _ => {
                given.mismatch(&self.what(), findings);
                None
            }
        }
    }

    fn schema(&self) -> Json {
        let list = Json::Object(vec![("type", Json::text("array")), ("items", Exec.schema())]);
        Json::any_of([Exec.schema(), list])
    }
}

fn is_array(value: &Spanned<DeValue<'_>>) -> bool {
    matches!(value.get_ref(), DeValue::Array(_))
}

/// All of them are read, so that all problems are found.
fn one_of<'v>(
    values: impl IntoIterator<Item = &'v Spanned<DeValue<'v>>>,
    read: impl FnMut(&'v Spanned<DeValue<'v>>) -> Option<Vec<String>>,
) -> Option<Vec<Vec<String>>> {
    let read: Vec<_> = values.into_iter().map(read).collect();
    read.into_iter().collect()
}
