//! A directory as a value: relative paths, and the text or the link's target of each.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Files and symbolic links (`-> target`), sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<String, String>);

impl Tree {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        )
    }

    /// Empty when there is no such directory: git keeps none that is empty.
    pub(crate) fn read(directory: &Path) -> Self {
        let mut tree = Self::default();
        tree.add(directory, "");
        tree
    }

    fn add(&mut self, directory: &Path, prefix: &str) {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("an entry has a name").to_string_lossy();
            let name = format!("{prefix}{name}");
            if let Ok(target) = fs::read_link(&path) {
                self.0.insert(name, format!("-> {}", target.display()));
            } else if path.is_dir() {
                self.add(&path, &format!("{name}/"));
            } else {
                self.0.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }

    pub(crate) fn write(&self, directory: &Path) {
        if directory.exists() {
            fs::remove_dir_all(directory).expect("ours");
        }
        for (path, text) in &self.0 {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().expect("below the directory")).expect("ours");
            match text.strip_prefix("-> ") {
                Some(target) => symlink(target, path).expect("ours"),
                None => fs::write(path, text).expect("ours"),
            }
        }
    }

    /// What is missing, too much or different in `made`.
    pub(crate) fn difference(&self, made: &Self) -> Option<String> {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(made.0.keys()).collect();
        let different = names.into_iter().filter(|name| self.0.get(*name) != made.0.get(*name));
        let show = |text: Option<&String>| text.map_or("(nothing)", String::as_str).to_owned();
        let each = different.map(|name| {
            format!(
                "{name}: wanted\n{}\nmade\n{}",
                show(self.0.get(name)),
                show(made.0.get(name))
            )
        });
        Some(each.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
    }
}
