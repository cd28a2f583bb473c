//! What a changed file means for a running app, told from its units before and after. Pure.

use appctl::spec::AppSpec;
use appctl::unit::{self, Host, UnitFile};

use super::diff;

/// What must happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The files are equal.
    Nothing,
    /// Only comments and spelling differ: no unit does.
    Text,
    /// Units are read again, and no process notices.
    Reload,
    /// Instances are added or removed.
    Scale,
    /// Instances are replaced, one after the other.
    Roll,
    /// The socket is closed and opened, so the app stops for a moment.
    Rebind,
    /// The app is down since such a change was interrupted.
    Finish,
}

/// The units of one app, before and after.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) kind: Kind,
    /// Lines of the diff, unit by unit.
    pub(super) diff: Vec<(String, Vec<diff::Line>)>,
}

impl Change {
    /// Compares `old`, in force, with `new`.
    pub(super) fn between((old, old_text): (&AppSpec, &str), (new, new_text): (&AppSpec, &str), host: &Host) -> Self {
        let (before, after) = (unit::render(old, host), unit::render(new, host));
        let mut names: Vec<&str> = before.iter().chain(&after).map(|unit| unit.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut kind = if old_text == new_text && old.env == new.env {
            Kind::Nothing
        } else {
            Kind::Text
        };
        let mut diff = Vec::new();
        for name in names {
            let (one, two) = (text(&before, name), text(&after, name));
            if one != two {
                kind = kind.max(kind_of(name, old, new, host));
                diff.push((name.to_owned(), diff::lines(&one, &two)));
            }
        }
        let variables = variables(&old.env, &new.env);
        if !variables.is_empty() {
            kind = kind.max(Kind::Roll);
            diff.push((format!("{}.env", new.name), variables));
        }
        Self { kind, diff }
    }
}

/// Names only: values may be secrets.
fn variables(old: &[(String, String)], new: &[(String, String)]) -> Vec<diff::Line> {
    let missing = |from: &[(String, String)], one: &(String, String)| !from.contains(one);
    let line = |name: &str| format!("{name}=\u{2026}");
    let removed = old.iter().filter(|one| missing(new, one));
    let added = new.iter().filter(|one| missing(old, one));
    removed
        .map(|(name, _)| diff::Line::Removed(line(name)))
        .chain(added.map(|(name, _)| diff::Line::Added(line(name))))
        .collect()
}

fn text(units: &[UnitFile], name: &str) -> String {
    units
        .iter()
        .find(|unit| unit.name == name)
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// What a change of one unit asks for.
fn kind_of(name: &str, old: &AppSpec, new: &AppSpec, host: &Host) -> Kind {
    if name == unit::socket_name(&new.name) {
        Kind::Rebind
    } else if name == unit::template_name(&new.name) {
        Kind::Roll
    } else if old.instances.count(host.cpus) != new.instances.count(host.cpus) {
        Kind::Scale
    } else {
        Kind::Reload
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Kind};
    use appctl::spec::{AppName, parse};
    use appctl::unit::{Host, SystemdVersion};

    fn kind(old: &str, new: &str) -> Kind {
        let name: AppName = "myapp".parse().expect("a name");
        let host = Host {
            systemd: SystemdVersion::OLDEST,
            cpus: 4,
            source: "/x.toml".into(),
            foreign: Vec::new(),
        };
        let spec = |text: &str| parse(&name, text).expect("a good file");
        Change::between((&spec(old), old), (&spec(new), new), &host).kind
    }

    #[test]
    fn only_what_changed_is_touched() {
        let old = "exec = 'node x.js'\ninstances = 2\nlisten = 3000\n";
        assert_eq!(kind(old, old), Kind::Nothing);
        assert_eq!(kind(old, &format!("# why\n{old}")), Kind::Text);
        assert_eq!(kind(old, &old.replace("= 2", "= 3")), Kind::Scale);
        assert_eq!(kind(old, &old.replace("x.js", "y.js")), Kind::Roll);
        assert_eq!(
            kind(old, &old.replace("x.js", "y.js").replace("= 2", "= 3")),
            Kind::Roll
        );
        assert_eq!(kind(old, &old.replace("3000", "3001")), Kind::Rebind);
        assert_eq!(kind(old, &old.replace("listen = 3000", "")), Kind::Rebind);
        assert_eq!(kind(old, &old.replace("= 2", "= 'max-2'")), Kind::Text);
    }
}
