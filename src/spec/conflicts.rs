//! Sockets that two apps both want: systemd would give them to the first, and the second would never start.

use std::collections::HashMap;
use std::path::Path;

use super::{AppName, AppSpec, Listen};

/// One address that two apps cannot both hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{app} cannot listen on {listen}: {other} listens on {other_listen}")]
pub struct Conflict {
    /// The later one of the two.
    pub app: AppName,
    /// The address of [`Conflict::app`].
    pub listen: Listen,
    /// The earlier one of the two, which keeps its address.
    pub other: AppName,
    /// The address of [`Conflict::other`].
    pub other_listen: Listen,
}

#[derive(PartialEq, Eq, Hash)]
enum Place<'a> {
    Port(u16),
    Path(&'a Path),
}

/// All conflicts between different apps, in the order of the list.
pub fn conflicts(apps: &[(&AppName, &AppSpec)]) -> Vec<Conflict> {
    let mut held: HashMap<Place<'_>, Vec<(&AppName, &Listen)>> = HashMap::new();
    let mut found = Vec::new();
    for (app, listen) in apps
        .iter()
        .flat_map(|(name, spec)| spec.listen.iter().map(move |listen| (*name, listen)))
    {
        let holders = held.entry(place(listen)).or_default();
        let taken = holders
            .iter()
            .find(|(other, held)| *other != app && held.overlaps(listen));
        found.extend(taken.map(|(other, held)| Conflict {
            app: app.clone(),
            listen: listen.clone(),
            other: (*other).clone(),
            other_listen: (*held).clone(),
        }));
        holders.push((app, listen));
    }
    found
}

fn place(listen: &Listen) -> Place<'_> {
    match listen {
        Listen::Tcp { port, .. } => Place::Port(*port),
        Listen::Unix(path) => Place::Path(path),
    }
}

#[cfg(test)]
mod tests {
    use super::conflicts;
    use crate::spec::{AppName, AppSpec, parse};

    fn app(name: &str, listen: &str) -> (AppName, AppSpec) {
        let name: AppName = name.parse().expect("a good name");
        let spec = parse(&name, &format!("exec = 'x'\nlisten = {listen}")).expect("a good file");
        (name, spec)
    }

    fn found(apps: &[(AppName, AppSpec)]) -> Vec<String> {
        let apps: Vec<_> = apps.iter().map(|(name, spec)| (name, spec)).collect();
        conflicts(&apps).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn apps_on_ports_of_their_own_get_along() {
        assert!(
            found(&[
                app("a", "[3000, '/run/a.sock']"),
                app("b", "3001"),
                app("c", "'127.0.0.1:3002'")
            ])
            .is_empty()
        );
        assert!(found(&[app("a", "'127.0.0.1:80'"), app("b", "'127.0.0.2:80'")]).is_empty());
    }

    #[test]
    fn each_clash_names_both_apps_and_both_addresses() {
        let apps = [
            app("a", "[80, '/run/a.sock']"),
            app("b", "['127.0.0.1:80', '/run/a.sock']"),
            app("c", "80"),
        ];
        let expected = [
            "b cannot listen on 127.0.0.1:80: a listens on 80",
            "b cannot listen on /run/a.sock: a listens on /run/a.sock",
            "c cannot listen on 80: a listens on 80",
        ];
        assert_eq!(found(&apps), expected);
    }
}
