//! `--allow`, `--write` and `--sandbox`: what an operator would write into the file by hand, comments and all else kept.

use std::path::{Path, PathBuf};

use appctl::spec::{Allowed, Level};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// What of a sandbox is to be opened.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Opened {
    /// First let the apps do something that their sandbox forbids, such as namespaces or debug; may be repeated
    #[arg(long, value_name = "WORD", requires = "names")]
    pub(crate) allow: Vec<Allowed>,

    /// First let the apps write to a path that their sandbox makes read-only; may be repeated
    #[arg(long, value_name = "PATH", requires = "names", value_parser = absolute)]
    pub(crate) write: Vec<PathBuf>,

    /// First set the level of their sandbox: standard, strict or off
    #[arg(long, value_name = "LEVEL", requires = "names")]
    pub(crate) sandbox: Option<Level>,
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    let is_absolute = path.is_absolute().then(|| path.to_owned());
    is_absolute.ok_or_else(|| "expected an absolute path".to_owned())
}

impl Opened {
    /// The text with it; `None` where nothing is asked for, or the text is no TOML.
    pub(super) fn written_into(&self, text: &str) -> Option<String> {
        if self.allow.is_empty() && self.write.is_empty() && self.sandbox.is_none() {
            return None;
        }
        let mut document: DocumentMut = text.parse().ok()?;
        let table = table(&mut document)?;
        if let Some(level) = self.sandbox {
            set(table, "level", level.word().into());
        }
        if self.sandbox == Some(Level::Off) {
            // It forbids nothing that these could open.
            table.remove("allow");
            table.remove("write");
        }
        let words = self.allow.iter().map(|allowed| allowed.word().to_owned());
        let paths = self.write.iter().map(|path| path.to_string_lossy().into_owned());
        add(table, "allow", words)?;
        add(table, "write", paths)?;
        Some(document.to_string())
    }
}

/// `sandbox` as a table: a word becomes one where it stands.
fn table(document: &mut DocumentMut) -> Option<&mut dyn TableLike> {
    let item = document.entry("sandbox").or_insert_with(|| Item::Table(Table::new()));
    if let Some(word) = item.as_str().map(str::to_owned) {
        let mut table = InlineTable::new();
        table.insert("level", word.into());
        let value = item.as_value_mut()?;
        let decor = value.decor().clone();
        *value = Value::InlineTable(table);
        *value.decor_mut() = decor;
    }
    item.as_table_like_mut()
}

fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
}

/// To a list, what is not in it yet.
fn add(table: &mut dyn TableLike, key: &str, values: impl Iterator<Item = String>) -> Option<()> {
    for value in values {
        let list = table
            .entry(key)
            .or_insert_with(|| Item::Value(Value::Array(Array::new())));
        let list = list.as_array_mut()?;
        if !list.iter().any(|old| old.as_str() == Some(&value)) {
            list.push(value);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Level, Opened};

    fn opened() -> Opened {
        Opened {
            allow: vec![Allowed::Namespaces],
            write: vec!["/srv/it's".into()],
            sandbox: None,
        }
    }

    fn with(opened: &Opened, text: &str) -> String {
        let text = opened.written_into(text).expect("a text");
        let name = "web".parse().expect("a name");
        appctl::spec::parse(&name, &text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        text
    }

    #[test]
    fn it_is_added_to_whatever_stands_there() {
        let exec = "exec = \"x\" # mine\nuser = \"work\"\n";
        let both = "allow = [\"namespaces\"]\nwrite = [\"/srv/it's\"]\n";
        for (before, after) in [
            ("", format!("\n[sandbox]\n{both}")),
            (
                "sandbox = \"strict\" # why\n",
                "sandbox = { level = \"strict\", allow = [\"namespaces\"], write = [\"/srv/it's\"] } # why\n".to_owned(),
            ),
            (
                "sandbox = { allow = [\"debug\"] }\n[stop]\ntimeout = \"5s\"\n",
                "sandbox = { allow = [\"debug\", \"namespaces\"] , write = [\"/srv/it's\"] }\n[stop]\ntimeout = \"5s\"\n".to_owned(),
            ),
            (
                "[sandbox]\n# what for\nallow = [\"namespaces\"]\n",
                format!("[sandbox]\n# what for\n{both}"),
            ),
        ] {
            assert_eq!(with(&opened(), &format!("{exec}{before}")), format!("{exec}{after}"));
        }
    }

    #[test]
    fn what_forbids_nothing_opens_nothing() {
        let off = Opened {
            sandbox: Some(Level::Off),
            ..Opened::default()
        };
        let text = "exec = \"x\"\nuser = \"work\"\n[sandbox]\nallow = [\"debug\"]\nwrite = [\"/srv\"]\n";
        assert_eq!(
            with(&off, text),
            "exec = \"x\"\nuser = \"work\"\n[sandbox]\nlevel = \"off\"\n"
        );
        assert_eq!(Opened::default().written_into(text), None);
    }
}
