//! One value, or an array of them.

use toml::Spanned;
use toml::de::DeValue;

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::problem::Findings;

/// One value of a kind, or an array of them, possibly empty.
pub(in crate::spec) struct OneOrMany<K>(pub(in crate::spec) K);

impl<K: Kind> Kind for OneOrMany<K> {
    type Value = Vec<Spanned<K::Value>>;

    fn what(&self) -> String {
        format!("{}, or an array of these", self.0.what())
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Self::Value> {
        let single = std::slice::from_ref(given.value);
        let values = match given.value.get_ref() {
            DeValue::Array(values) => &values[..],
            _ => single,
        };
        let read = |value| {
            let one = self.0.read(&Given { key: given.key, value }, findings)?;
            Some(Spanned::new(value.span(), one))
        };
        Some(values.iter().filter_map(read).collect())
    }

    fn schema(&self) -> Json {
        let list = Json::Object(vec![("type", Json::text("array")), ("items", self.0.schema())]);
        Json::any_of([self.0.schema(), list])
    }
}
