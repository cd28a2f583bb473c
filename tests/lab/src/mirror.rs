//! Where packages come from: the same archive and proxy this machine's apt uses. See sources.list(5), apt.conf(5).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const DEFAULT: &str = "http://deb.debian.org/debian";

/// The archive this machine is configured for, or the public one.
pub(crate) fn archive() -> String {
    let mut texts = source_files()
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    texts
        .find_map(|text| debian_uri(&text))
        .unwrap_or_else(|| DEFAULT.to_owned())
}

/// apt's proxy settings as `KEY "VALUE"` options.
pub(crate) fn proxy_options() -> Vec<String> {
    let dump = Command::new("apt-config")
        .args(["dump", "--format", "%f \"%v\";%n"])
        .output();
    let text = dump
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines()
        .filter(|line| is_proxy(line))
        .map(|line| line.trim_end_matches(';').to_owned())
        .collect()
}

fn is_proxy(line: &str) -> bool {
    let key = line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    key.starts_with("acquire::") && key.contains("::proxy") && !line.contains("\"\"")
}

fn source_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir("/etc/apt/sources.list.d")
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| is_source(path))
                .collect()
        })
        .unwrap_or_default();
    files.sort();
    files.insert(0, PathBuf::from("/etc/apt/sources.list"));
    files
}

fn is_source(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "list" || extension == "sources")
}

/// The first archive URI whose path ends in `/debian`: not the security archive, not another vendor's.
fn debian_uri(text: &str) -> Option<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"));
    let uris = lines
        .flat_map(str::split_whitespace)
        .filter(|word| word.contains("://"));
    uris.map(|uri| uri.trim_end_matches('/'))
        .find(|uri| uri.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_archive_of_either_format_and_not_the_security_one() {
        let deb822 = "Types: deb\nURIs: http://a.test/debian-security\n\nTypes: deb\nURIs: http://a.test/debian/\n";
        assert_eq!(debian_uri(deb822).as_deref(), Some("http://a.test/debian"));
        let one_line = "# deb http://old.test/debian x main\ndeb [arch=amd64] https://b.test/debian bookworm main\n";
        assert_eq!(debian_uri(one_line).as_deref(), Some("https://b.test/debian"));
    }

    #[test]
    fn ignores_other_vendors() {
        assert_eq!(debian_uri("URIs: https://deb.vendor.test/node_20.x\n"), None);
    }

    #[test]
    fn knows_a_proxy_setting_from_the_rest() {
        assert!(is_proxy("Acquire::http::Proxy \"http://p.test:3142\";"));
        assert!(!is_proxy("Acquire::http::Proxy \"\";"));
        assert!(!is_proxy("Acquire::Retries \"3\";"));
    }
}
