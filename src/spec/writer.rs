//! The text of a new app's file, with comments; [`super::parse()`] reads it back as the same app.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::words::is_plain;
use super::{EnvFile, Instances, Listen, words};

/// What an operator decides when an app is installed. Paths are UTF-8, as TOML is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApp {
    /// Program and arguments, never empty.
    pub exec: Vec<String>,
    /// How many instances.
    pub instances: Instances,
    /// A system account; `None` for one of its own.
    pub user: Option<String>,
    /// Its group, when it is not the user's own.
    pub group: Option<String>,
    /// What it listens on; empty for a worker.
    pub listen: Vec<Listen>,
    /// Where it runs in place; `None` for releases.
    pub directory: Option<PathBuf>,
    /// Variables, name and value, in this order.
    pub env: Vec<(String, String)>,
    /// Files of variables; later ones override earlier ones.
    pub env_files: Vec<EnvFile>,
}

impl NewApp {
    /// The text of `NAME.toml`.
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "#:schema /usr/share/appctl/appctl.schema.json\n\
             # One app of appctl. `appctl check` checks this file, `appctl apply` puts a change in force.\n",
        );
        self.main(&mut text);
        self.place(&mut text);
        self.variables(&mut text);
        text
    }

    fn main(&self, text: &mut String) {
        item(text, "What to run, without a shell.", "exec", &exec(&self.exec));
        let instances = match self.instances {
            Instances::Fixed(number) => number.to_string(),
            Instances::Max { less: 0 } => quoted("max"),
            Instances::Max { less } => quoted(&format!("max-{less}")),
        };
        let doc = "How many instances: a number, \"max\" (one for each processor) or \"max-1\".";
        item(text, doc, "instances", &instances);
        if !self.listen.is_empty() {
            let doc = "Held by systemd, so that it stays open while instances come and go.";
            item(text, doc, "listen", &one_or_many(self.listen.iter().map(address)));
        }
    }

    fn place(&self, text: &mut String) {
        match &self.user {
            Some(user) => item(text, "The account the app runs as.", "user", &quoted(user)),
            None => text.push_str("\n# The app runs as an account of its own; to name another: user = \"...\"\n"),
        }
        if let Some(group) = &self.group {
            line(text, "group", &quoted(group));
        }
        if self.user.as_deref() == Some("root") {
            line(text, "allow_root", "true");
        }
        if let Some(directory) = &self.directory {
            item(
                text,
                "The app runs in place: there are no releases to roll back to.",
                "directory",
                &quoted(&directory.to_string_lossy()),
            );
        }
    }

    fn variables(&self, text: &mut String) {
        if !self.env_files.is_empty() {
            let files = self.env_files.iter().map(|file| {
                quoted(&format!(
                    "{}{}",
                    if file.optional { "-" } else { "" },
                    file.path.display()
                ))
            });
            item(
                text,
                "Files of NAME=value lines; a leading \"-\" means that the file may be missing.",
                "env_file",
                &one_or_many(files),
            );
        }
        if !self.env.is_empty() {
            text.push_str("\n# Variables of the app.\n[env]\n");
            self.env
                .iter()
                .for_each(|(name, value)| line(text, name, &quoted(value)));
        }
    }
}

fn item(text: &mut String, doc: &str, key: &str, value: &str) {
    text.push_str("\n# ");
    text.push_str(doc);
    text.push('\n');
    line(text, key, value);
}

fn line(text: &mut String, key: &str, value: &str) {
    text.extend([key, " = ", value, "\n"]);
}

/// One string when every word means itself, else an array.
fn exec(words: &[String]) -> String {
    let line = words::quote_words(words);
    if words.iter().all(|word| is_plain(word)) && !line.contains('\'') {
        return quoted(&line);
    }
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

fn address(listen: &Listen) -> String {
    match listen {
        Listen::Tcp { host: None, port } => port.to_string(),
        other => quoted(&other.to_string()),
    }
}

fn one_or_many(values: impl Iterator<Item = String>) -> String {
    let values: Vec<_> = values.collect();
    match &values[..] {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// A basic string of TOML.
pub(super) fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            // Writing to a String cannot fail.
            c if c.is_control() => drop(write!(text, "\\u{:04X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
