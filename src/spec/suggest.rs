//! "Did you mean": which known name an unknown one was probably meant to be.

use super::key::{Described, Section};
use super::keys;

/// Advice about an unknown key of a section: a similar key here, the same or a similar one in another section, or all.
pub(super) fn for_key(here: &'static Section, unknown: &str) -> String {
    if let Some(name) = within(here, unknown) {
        return did_you_mean(name);
    }
    let elsewhere = sections().filter(|section| !std::ptr::eq(*section, here));
    let found = elsewhere.filter_map(|section| Some((section, within(section, unknown)?)));
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(_, name)| *name != unknown);
    let Some((first, name)) = found.first() else {
        return format!("the keys here are {}", names(here).join(", "));
    };
    if first.name.is_empty() {
        return format!("`{name}` belongs above the first [table] of the file");
    }
    let places = found
        .iter()
        .filter(|(_, other)| other == name)
        .map(|(section, _)| format!("[{}]", section.name));
    format!("did you mean `{name}` in {}?", places.collect::<Vec<_>>().join(" or "))
}

/// Advice about a key of the same section.
pub(super) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// The names of a section's keys.
pub(super) fn names(section: &Section) -> Vec<&'static str> {
    section.keys.iter().map(|key| key.name()).collect()
}

/// The one of `known` that is close to `unknown`, if any.
pub(super) fn nearest<'k>(known: impl IntoIterator<Item = &'k str>, unknown: &str) -> Option<&'k str> {
    let unknown = unknown.to_ascii_lowercase();
    let allowed = |name: &str| (name.len().max(unknown.len()) / 3).max(1);
    let near = known
        .into_iter()
        .filter(|name| name.len().abs_diff(unknown.len()) <= allowed(name));
    let measured = near.map(|name| (distance(name.to_ascii_lowercase().as_bytes(), unknown.as_bytes()), name));
    measured
        .filter(|(far, name)| *far <= allowed(name))
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

fn sections() -> impl Iterator<Item = &'static Section> {
    std::iter::once(&keys::APP).chain(keys::APP.keys.iter().filter_map(|key| key.section()))
}

fn within(section: &Section, unknown: &str) -> Option<&'static str> {
    let same = |key: &&&'static dyn Described| {
        key.name() == unknown || key.aka().iter().any(|name| name.eq_ignore_ascii_case(unknown))
    };
    section
        .keys
        .iter()
        .find(same)
        .map(|key| key.name())
        .or_else(|| nearest(names(section), unknown))
}

/// Insertions, deletions, replacements and swaps of neighbours between two short texts.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn slips_of_the_finger_count_one() {
        for (a, b, far) in [
            ("", "", 0),
            ("user", "usr", 1),
            ("exec", "exce", 1),
            ("listen", "listens", 1),
            ("a", "b", 1),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), far, "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_close_is_suggested() {
        assert_eq!(nearest(["exec", "listen"], "lisen"), Some("listen"));
        assert_eq!(nearest(["exec", "listen"], "LISTEN"), Some("listen"));
        assert_eq!(nearest(["SIGTERM", "SIGINT"], "sigtrem"), Some("SIGTERM"));
        assert_eq!(nearest(["exec", "listen"], "colour"), None);
        assert_eq!(nearest(["exec"], &"x".repeat(100_000)), None);
    }
}
