//! Reads one table of the file key by key; a key that the table does not have is a problem with a suggestion.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::{Given, Key, Kind, Section, type_of};
use super::problem::Findings;
use super::suggest;

/// The values of one [`Section`].
pub(super) struct Fields<'d> {
    values: Option<&'d DeTable<'d>>,
}

impl<'d> Fields<'d> {
    /// The file itself; says which keys it does not know.
    pub(super) fn root(section: &'static Section, table: &'d DeTable<'d>, findings: &mut Findings<'_>) -> Self {
        refuse_unknown(section, table, findings);
        Self { values: Some(table) }
    }

    /// A table that is absent.
    pub(super) fn none() -> Self {
        Self { values: None }
    }

    /// A table in it; one without values when it is absent or no table.
    pub(super) fn section(&self, section: &'static Section, findings: &mut Findings<'_>) -> Self {
        let Some(value) = self.value(section.name) else {
            return Self { values: None };
        };
        let DeValue::Table(table) = value.get_ref() else {
            let found = type_of(value.get_ref());
            let message = format!("`{}` must be a table, not {found}", section.name);
            let keys = suggest::names(section).join(", ");
            findings.advise(
                value.span(),
                message,
                format!(
                    "write [{}] on a line of its own and its keys below: {keys}",
                    section.name
                ),
            );
            return Self { values: None };
        };
        refuse_unknown(section, table, findings);
        Self { values: Some(table) }
    }

    /// The value of a key and where it stands; `None` when it is absent or wrong.
    pub(super) fn take<K: Kind>(&self, key: &Key<K>, findings: &mut Findings<'_>) -> Option<Spanned<K::Value>> {
        let value = self.value(key.name)?;
        let read = key.kind.read(&Given { key: key.name, value }, findings)?;
        Some(Spanned::new(value.span(), read))
    }

    /// The value of a key, or its default.
    pub(super) fn take_or_default<K: Kind>(&self, key: &Key<K>, findings: &mut Findings<'_>) -> K::Value {
        let value = self.take(key, findings).map(Spanned::into_inner);
        value
            .or_else(|| key.default_value())
            .expect("the table gives this key a default that its kind reads")
    }

    /// Where a key's value stands, whether or not it is right.
    pub(super) fn span<K>(&self, key: &Key<K>) -> Option<Range<usize>> {
        self.value(key.name).map(Spanned::span)
    }

    fn value(&self, name: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.values?.get(name)
    }
}

fn refuse_unknown(section: &'static Section, table: &DeTable<'_>, findings: &mut Findings<'_>) {
    for key in table.keys() {
        if !section.keys.iter().any(|known| known.name() == key.get_ref()) {
            let place = if section.name.is_empty() {
                String::new()
            } else {
                format!(" in [{}]", section.name)
            };
            let message = format!("unknown key `{}`{place}", key.get_ref().escape_debug());
            findings.advise(key.span(), message, suggest::for_key(section, key.get_ref()));
        }
    }
}
