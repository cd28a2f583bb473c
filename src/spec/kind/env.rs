//! The `[env]` table.

use toml::Spanned;
use toml::de::{DeString, DeValue};

use crate::spec::env;
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind, decimal, type_of};
use crate::spec::problem::Findings;

const NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// A table of variables; values are strings, whole numbers, true or false. In the file's order.
pub(in crate::spec) struct Variables;

impl Kind for Variables {
    type Value = Vec<(String, String)>;

    fn what(&self) -> String {
        "a table of variables such as { NODE_ENV = \"production\" }".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Self::Value> {
        let DeValue::Table(table) = given.value.get_ref() else {
            given.mismatch(&self.what(), findings);
            return None;
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        Some(
            entries
                .into_iter()
                .filter_map(|(name, value)| variable(name, value, findings))
                .collect(),
        )
    }

    fn schema(&self) -> Json {
        Json::Object(vec![
            ("type", Json::text("object")),
            ("propertyNames", Json::Object(vec![("pattern", Json::text(NAME))])),
            (
                "additionalProperties",
                Json::Object(vec![("type", Json::texts(["string", "integer", "boolean"]))]),
            ),
        ])
    }
}

/// The name of one variable.
pub(in crate::spec) struct VariableName;

impl Kind for VariableName {
    type Value = String;

    fn what(&self) -> String {
        "the name of a variable such as \"METRICS_PORT\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<String> {
        let text = given.text(&self.what(), findings)?;
        if !env::is_variable_name(text) || env::reserved(text).is_some() {
            let message = format!("`{}` must be {}, not {text:?}", given.key, self.what());
            findings.add(given.value.span(), message);
            return None;
        }
        Some(text.to_owned())
    }

    fn schema(&self) -> Json {
        Json::pattern(NAME)
    }
}

fn variable(
    name: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings<'_>,
) -> Option<(String, String)> {
    let named = checked_name(name, findings);
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => decimal(number),
        DeValue::Boolean(flag) => flag.to_string(),
        other => {
            let message = format!(
                "the value of a variable must be a string, a whole number or a boolean, not {}",
                type_of(other)
            );
            findings.advise(value.span(), message, "write it in quotes");
            return None;
        }
    };
    if text.contains('\0') {
        findings.add(value.span(), "a variable cannot contain a NUL character");
        return None;
    }
    if name.get_ref().len() + 1 + text.len() > env::LONGEST {
        findings.add(
            value.span(),
            "the name and the value of a variable can have at most 128 KiB together, the kernel's limit",
        );
        return None;
    }
    named.map(|name| (name, text))
}

fn checked_name(name: &Spanned<DeString<'_>>, findings: &mut Findings<'_>) -> Option<String> {
    let text = name.get_ref();
    if !env::is_variable_name(text) {
        let message = format!(
            "the name of a variable can contain only letters, digits and `_`, and must not begin with a \
                digit: {text:?}"
        );
        findings.add(name.span(), message);
        return None;
    }
    if let Some(why) = env::reserved(text) {
        findings.advise(name.span(), format!("`{text}` cannot be set: {why}"), "remove the line");
        return None;
    }
    Some(text.to_string())
}
