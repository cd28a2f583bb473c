//! A word, or a table of more.

use toml::de::DeValue;

use crate::spec::json::Json;
use crate::spec::key::{Described as _, Given, Kind, Section, type_of};
use crate::spec::keys::{LEVELS, SANDBOX_TABLE};
use crate::spec::problem::Findings;
use crate::spec::sandbox::{self, Sandbox};
use crate::spec::suggest;

/// A level alone, or `[sandbox]`.
pub(in crate::spec) struct SandboxKind;

impl Kind for SandboxKind {
    type Value = Sandbox;

    fn what(&self) -> String {
        LEVELS.what()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Sandbox> {
        match given.value.get_ref() {
            DeValue::Table(table) => Some(sandbox::table(table, findings)),
            DeValue::String(_) => LEVELS.read(given, findings).map(Sandbox::of),
            other => {
                let message = format!(
                    "`{}` must be {}, or a table, not {}",
                    given.key,
                    self.what(),
                    type_of(other)
                );
                let keys = suggest::names(&SANDBOX_TABLE).join(", ");
                let help = format!(
                    "for more than a level, write [{}] on a line of its own and its keys below: {keys}",
                    given.key
                );
                findings.advise(given.value.span(), message, help);
                None
            }
        }
    }

    fn schema(&self) -> Json {
        Json::any_of([LEVELS.schema(), SANDBOX_TABLE.schema()])
    }

    fn table(&self) -> Option<&'static Section> {
        Some(&SANDBOX_TABLE)
    }
}
