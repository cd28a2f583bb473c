//! What an operator did with an app. `appctl` writes one structured entry to the journal when an operation has ended,
//! systemd.journal-fields(7); the text is for people and follows from the fields.

use std::fmt;

use super::outcome;
use crate::spec::{AppName, visible};

/// `MESSAGE_ID=` of these entries.
pub const OPERATION_ID: &str = "f173e2d23fb64411b9d9a30211dd903c";

/// One operation on one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The app.
    pub app: AppName,
    /// The verb of `appctl`, with the one below it: `deploy`, `env set`.
    pub verb: String,
    /// The person behind sudo(8), else the account that `appctl` ran as.
    pub by: String,
    /// Of an operation that changes the release. Which of the two runs in the end follows from the exit status.
    pub releases: Option<Releases>,
    /// The exit status of `appctl` as far as it is about this app, see [`outcome`].
    pub exit: u8,
}

/// From one release to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releases {
    /// Live before; `None` when none was.
    pub from: Option<String>,
    /// To be live after.
    pub to: String,
}

/// Levels of syslog(3).
const WARNING: u8 = 4;
const NOTICE: u8 = 5;

impl Operation {
    /// All fields of the entry.
    pub fn to_fields(&self) -> Vec<(&'static str, String)> {
        let priority = if self.exit == outcome::DONE { NOTICE } else { WARNING };
        let mut fields = vec![
            ("MESSAGE_ID", OPERATION_ID.to_owned()),
            ("MESSAGE", visible(&self.to_string())),
            ("PRIORITY", priority.to_string()),
            ("SYSLOG_IDENTIFIER", "appctl".to_owned()),
            // journalctl(1) and systemctl(1) show what root says about a unit among the unit's own lines.
            ("OBJECT_SYSTEMD_UNIT", format!("{}.service", self.app)),
            ("APPCTL_APP", self.app.to_string()),
            ("APPCTL_VERB", self.verb.clone()),
            ("APPCTL_BY", self.by.clone()),
            ("APPCTL_EXIT", self.exit.to_string()),
        ];
        if let Some(releases) = &self.releases {
            fields.extend(releases.from.iter().map(|from| ("APPCTL_FROM", from.clone())));
            fields.push(("APPCTL_TO", releases.to.clone()));
        }
        fields
    }

    /// The operation in an entry whose fields `get` reads; `None` when there is none.
    pub fn from_fields(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        get("MESSAGE_ID").filter(|id| id == OPERATION_ID)?;
        let from = get("APPCTL_FROM");
        Some(Self {
            app: get("APPCTL_APP")?.parse().ok()?,
            verb: get("APPCTL_VERB")?,
            by: get("APPCTL_BY")?,
            releases: get("APPCTL_TO").map(|to| Releases { from, to }),
            exit: get("APPCTL_EXIT")?.parse().ok()?,
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} by {}", self.verb, self.app, self.by)?;
        if let Some(Releases { from, to }) = &self.releases {
            match from {
                Some(from) => write!(f, ", from {from} to {to}")?,
                None => write!(f, ", to {to}")?,
            }
        }
        write!(f, ": {}", outcome::words(self.exit))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Operation, Releases};

    prop_compose! {
        fn any_operation()(
            app in "[a-z]{1,9}",
            (verb, by, exit) in any::<(String, String, u8)>(),
            releases in any::<Option<(Option<String>, String)>>(),
        ) -> Operation {
            let app = app.parse().expect("a name");
            let releases = releases.map(|(from, to)| Releases { from, to });
            Operation { app, verb, by, releases, exit }
        }
    }

    proptest! {
        #[test]
        fn what_appctl_writes_is_read_back(operation in any_operation()) {
            let fields = operation.to_fields();
            let map: BTreeMap<&str, String> = fields.iter().cloned().collect();
            prop_assert_eq!(map.len(), fields.len(), "a field twice");
            let steers = |c: char| c.is_control() && c != '\t';
            prop_assert!(!map["MESSAGE"].contains(steers), "{}", map["MESSAGE"]);
            prop_assert_eq!(Operation::from_fields(|name| map.get(name).cloned()), Some(operation));
        }
    }

    fn operation(releases: Option<(Option<&str>, &str)>, exit: u8) -> Operation {
        Operation {
            app: "web".parse().expect("a name"),
            verb: "deploy".to_owned(),
            by: "ann".to_owned(),
            releases: releases.map(|(from, to)| Releases {
                from: from.map(str::to_owned),
                to: to.to_owned(),
            }),
            exit,
        }
    }

    #[test]
    fn the_text_says_all_of_it() {
        assert_eq!(operation(None, 0).to_string(), "deploy web by ann: done");
        assert_eq!(
            operation(Some((None, "b")), 0).to_string(),
            "deploy web by ann, to b: done"
        );
        assert_eq!(
            operation(Some((Some("a"), "b")), 4).to_string(),
            "deploy web by ann, from a to b: the app did not come up; the old state was kept or put back"
        );
    }

    #[test]
    fn the_text_alone_is_no_operation() {
        let fields = operation(None, 0).to_fields();
        for missing in ["MESSAGE_ID", "APPCTL_APP", "APPCTL_VERB", "APPCTL_BY", "APPCTL_EXIT"] {
            let map: BTreeMap<&str, String> = fields.iter().filter(|(name, _)| *name != missing).cloned().collect();
            assert_eq!(
                Operation::from_fields(|name| map.get(name).cloned()),
                None,
                "without {missing}"
            );
        }
    }
}
