//! What a key of the file is made of: its name, what its value may be, its default, its documentation.
//! The one table of them, [`super::keys`], drives the reader, the suggestions and the schema.

use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use super::json::Json;
use super::problem::Findings;

/// One key of a [`Section`].
pub(super) struct Key<K> {
    pub(super) name: &'static str,
    /// What the same thing is called elsewhere, for "did you mean".
    pub(super) aka: &'static [&'static str],
    pub(super) kind: K,
    /// The value when the key is absent, as TOML.
    pub(super) default: Option<&'static str>,
    pub(super) doc: &'static str,
}

/// What a value may be.
pub(super) trait Kind {
    /// What a value means once it is read.
    type Value;
    /// A noun phrase with its article: "a time span, as in \"30s\"".
    fn what(&self) -> String;
    /// Reads one value; says into `findings` what is wrong with it.
    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Self::Value>;
    /// What a value may be, as JSON Schema for editors.
    fn schema(&self) -> Json;
    /// The table, when the value may be one with keys of its own.
    fn table(&self) -> Option<&'static Section> {
        None
    }
}

/// A value as it stands under its key.
pub(super) struct Given<'v> {
    pub(super) key: &'static str,
    pub(super) value: &'v Spanned<DeValue<'v>>,
}

impl<'v> Given<'v> {
    /// The text of a string; anything else is a problem.
    pub(super) fn text(&self, what: &str, findings: &mut Findings<'_>) -> Option<&'v str> {
        if let DeValue::String(text) = self.value.get_ref() {
            return Some(text);
        }
        self.mismatch(what, findings);
        None
    }

    /// "`key` must be WHAT, not a string".
    pub(super) fn mismatch(&self, what: &str, findings: &mut Findings<'_>) {
        let found = type_of(self.value.get_ref());
        findings.add(self.value.span(), format!("`{}` must be {what}, not {found}", self.key));
    }

    /// "`key`: why" at the value.
    pub(super) fn refuse(&self, why: impl std::fmt::Display, findings: &mut Findings<'_>) {
        findings.add(self.value.span(), format!("`{}`: {why}", self.key));
    }

    /// The same, with advice.
    pub(super) fn advise(&self, why: impl std::fmt::Display, help: impl Into<String>, findings: &mut Findings<'_>) {
        findings.advise(self.value.span(), format!("`{}`: {why}", self.key), help);
    }
}

/// A type of TOML with its article.
pub(super) fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// The number an integer of TOML means; `None` when it is too large for any key.
pub(super) fn integer(value: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(value.as_str(), value.radix()).ok()
}

/// The same as text; as it is written when it is too large.
pub(super) fn decimal(value: &DeInteger<'_>) -> String {
    integer(value).map_or_else(|| value.to_string(), |number| number.to_string())
}

impl<K: Kind> Key<K> {
    /// The value when the key is absent.
    pub(super) fn default_value(&self) -> Option<K::Value> {
        let value = DeValue::parse(self.default?).ok()?;
        self.kind.read(
            &Given {
                key: self.name,
                value: &value,
            },
            &mut Findings::new("", Vec::new()),
        )
    }
}

/// A table of the file.
pub(super) struct Section {
    /// Empty for the file itself.
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) keys: &'static [&'static dyn Described],
}

/// What suggestions and the schema ask of a key or a section.
pub(super) trait Described: Sync {
    fn name(&self) -> &'static str;
    fn aka(&self) -> &'static [&'static str];
    fn schema(&self) -> Json;
    /// The section, when it is one.
    fn section(&self) -> Option<&Section> {
        None
    }
}

impl<K: Kind + Sync> Described for Key<K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn aka(&self) -> &'static [&'static str] {
        self.aka
    }

    fn schema(&self) -> Json {
        let mut members = vec![("description", Json::text(self.doc))];
        members.extend(self.kind.schema().into_members());
        if let Some(default) = self.default {
            members.push(("default", toml_to_json(default)));
        }
        Json::Object(members)
    }

    fn section(&self) -> Option<&Section> {
        self.kind.table()
    }
}

fn toml_to_json(text: &str) -> Json {
    match DeValue::parse(text).map(Spanned::into_inner) {
        Ok(DeValue::Boolean(flag)) => Json::Flag(flag),
        Ok(DeValue::String(text)) => Json::text(text),
        _ => text.parse().map_or(Json::text(text), Json::Number),
    }
}

impl Described for Section {
    fn name(&self) -> &'static str {
        self.name
    }

    fn aka(&self) -> &'static [&'static str] {
        &[]
    }

    fn schema(&self) -> Json {
        let properties = self.keys.iter().map(|key| (key.name(), key.schema()));
        let mut members = vec![
            ("description", Json::text(self.doc)),
            ("type", Json::text("object")),
            ("additionalProperties", Json::Flag(false)),
        ];
        if !self.required.is_empty() {
            members.push(("required", Json::texts(self.required.iter().copied())));
        }
        members.push(("properties", Json::Object(properties.collect())));
        Json::Object(members)
    }

    fn section(&self) -> Option<&Section> {
        Some(self)
    }
}
