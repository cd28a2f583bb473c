//! What is in a sealed release: one line per entry. From it the next release knows which files it has in common with this
//! one, without reading them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// One entry of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A directory; what is in it has entries of its own.
    Directory,
    /// A link and what it says.
    Link(OsString),
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Whether it may be executed.
        executable: bool,
        /// SHA-256 of its content.
        digest: [u8; 32],
        /// When the file was last written, nanoseconds since 1970: a change by hand changes this, too.
        modified: i64,
    },
}

/// All entries of a release, by their paths in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    entries: BTreeMap<PathBuf, Entry>,
}

impl Manifest {
    /// Adds an entry, in place of one with the same path.
    pub fn add(&mut self, path: PathBuf, entry: Entry) {
        self.entries.insert(path, entry);
    }

    /// Notes an entry in the place of the entries at its path and below.
    pub fn replace(&mut self, path: &Path, entry: Entry) {
        self.entries.retain(|other, _| !other.starts_with(path));
        self.add(path.to_owned(), entry);
    }

    /// The entry at a path.
    pub fn get(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// What is in the release, without times: the same text, the same content.
    pub fn content(&self) -> String {
        let timeless = self.entries.iter().map(|(path, entry)| {
            let mut entry = entry.clone();
            if let Entry::File { modified, .. } = &mut entry {
                *modified = 0;
            }
            (path.clone(), entry)
        });
        let entries = timeless.collect();
        Self { entries }.to_text()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One line per entry, sorted by path: `d PATH`, `l PATH TARGET`, `f DIGEST SIZE TIME PATH`, `x` for what is executable.
    /// Bytes of names that are no plain characters are written `\xx`.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (path, entry) in &self.entries {
            let path = escape(path.as_os_str());
            // A String takes everything.
            _ = match entry {
                Entry::Directory => writeln!(text, "d {path}"),
                Entry::Link(target) => writeln!(text, "l {path} {}", escape(target)),
                Entry::File {
                    size,
                    executable,
                    digest,
                    modified,
                } => {
                    let kind = if *executable { 'x' } else { 'f' };
                    writeln!(text, "{kind} {} {size} {modified} {path}", hex(digest))
                }
            };
        }
        text
    }

    /// Reads what [`Manifest::to_text`] wrote; lines that make no sense are left out, and then count as different.
    pub fn parse(text: &str) -> Self {
        Self {
            entries: text.lines().filter_map(line).collect(),
        }
    }
}

fn line(line: &str) -> Option<(PathBuf, Entry)> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["d", path] => Some((unescape(path)?.into(), Entry::Directory)),
        ["l", path, target] => Some((unescape(path)?.into(), Entry::Link(unescape(target)?))),
        [kind @ ("f" | "x"), digest, size, modified, path] => {
            let entry = Entry::File {
                size: size.parse().ok()?,
                executable: kind == "x",
                digest: unhex(digest)?,
                modified: modified.parse().ok()?,
            };
            Some((unescape(path)?.into(), entry))
        }
        _ => None,
    }
}

/// Bytes as lower-case hexadecimal digits, two for each.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // A String takes everything.
        _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn escape(name: &OsStr) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.as_bytes() {
        // A String takes everything.
        _ = match byte {
            b'!'..=b'~' if *byte != b'\\' => {
                text.push((*byte).into());
                Ok(())
            }
            _ => write!(text, "\\{byte:02x}"),
        };
    }
    text
}

fn unescape(text: &str) -> Option<OsString> {
    let mut parts = text.split('\\');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(&part.as_bytes()[2..]);
    }
    Some(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::{Entry, Manifest};
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    #[test]
    fn any_name_survives_its_text() {
        let mut manifest = Manifest::default();
        let file = |digest| Entry::File {
            size: 7,
            executable: digest == 1,
            digest: [digest; 32],
            modified: -5,
        };
        let bytes = OsString::from_vec(vec![0xff, b'\n', b' ', b'\\', b'x']);
        manifest.add("a b/c\nd".into(), file(1));
        manifest.add(bytes.clone().into(), file(0xfe));
        manifest.add("ümlaut".into(), Entry::Directory);
        manifest.add("link".into(), Entry::Link(bytes));
        assert_eq!(Manifest::parse(&manifest.to_text()), manifest);
        assert_eq!(manifest.to_text().lines().count(), 4);
    }

    #[test]
    fn what_makes_no_sense_counts_as_absent() {
        let text = "f 00 1 1 short\nf\nx y z\nd ok\nd \\q\nl only\n";
        let manifest = Manifest::parse(text);
        assert_eq!(manifest.len(), 1);
        assert_eq!(manifest.get("ok".as_ref()), Some(&Entry::Directory));
    }
}
