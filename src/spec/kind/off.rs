//! Something that can be turned off.

use toml::de::DeValue;

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::problem::Findings;

/// `"off"`, or what the other kind takes.
pub(in crate::spec) struct OrOff<K>(pub(in crate::spec) K);

impl<K: Kind> Kind for OrOff<K> {
    type Value = Option<K::Value>;

    fn what(&self) -> String {
        format!("{}, or \"off\"", self.0.what())
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Self::Value> {
        match given.value.get_ref() {
            DeValue::String(text) if text == "off" => Some(None),
            DeValue::String(_) | DeValue::Integer(_) => self.0.read(given, findings).map(Some),
            _ => {
                given.mismatch(&self.what(), findings);
                None
            }
        }
    }

    fn schema(&self) -> Json {
        Json::any_of([Json::pattern("^off$"), self.0.schema()])
    }
}
