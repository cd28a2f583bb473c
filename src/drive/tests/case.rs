//! What is rolled, and how well the code is that is rolled out.

use std::collections::BTreeSet;
use std::time::Duration;

use super::dice::Dice;
use crate::drive::{Order, Swap, Switching, Texts};
use crate::release::ReleaseId;
use crate::rollout::{Canary, Policy, Request, Verb};
use crate::spec::{AppSpec, Instance, parse};

/// How code fares once it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    /// It comes up and stays up.
    Good,
    /// It never comes up.
    NeverUp,
    /// It comes up, and dies so many milliseconds later.
    Dies(u64),
    /// It comes up when it likes.
    Flaky,
}

/// One rollout.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) verb: Verb,
    pub(super) before: u16,
    pub(super) after: u16,
    pub(super) surge: bool,
    /// In milliseconds.
    pub(super) settle: u64,
    pub(super) bake: u64,
    pub(super) canaries: Option<usize>,
    /// Down before it began.
    pub(super) ailing: BTreeSet<Instance>,
    pub(super) old: Quality,
    pub(super) new: Quality,
}

pub(super) const OLD: &str = "20261122T101500Z";
pub(super) const NEW: &str = "20261122T101501Z";

impl Case {
    /// A plain one of 3 instances and good code.
    pub(super) fn plain(verb: Verb) -> Self {
        Self {
            verb,
            before: 3,
            after: if verb == Verb::Scale { 2 } else { 3 },
            surge: true,
            settle: 100,
            bake: 0,
            canaries: None,
            ailing: BTreeSet::new(),
            old: Quality::Good,
            new: Quality::Good,
        }
    }

    /// Any.
    pub(super) fn any(dice: &mut Dice) -> Self {
        let verbs = [
            Verb::RollingRestart,
            Verb::Apply,
            Verb::Scale,
            Verb::Deploy,
            Verb::Rollback,
        ];
        let verb = dice.pick(&verbs);
        let before = dice.pick(&[1, 2, 3, 4]);
        let after = match verb {
            Verb::Scale | Verb::Apply => dice.pick(&[1, 2, 3, 4]),
            _ => before,
        };
        let ailing = (1..=before).map(Instance::Number).filter(|_| dice.chance(80)).collect();
        let switches = matches!(verb, Verb::Deploy | Verb::Rollback);
        Self {
            verb,
            before,
            after,
            surge: dice.chance(800),
            settle: dice.pick(&[0, 100, 100]),
            bake: if switches { dice.pick(&[0, 300]) } else { 0 },
            canaries: (switches && dice.chance(300)).then_some(1),
            ailing,
            old: dice.pick(&[Quality::Good, Quality::Good, Quality::Good, Quality::Flaky]),
            new: dice.pick(&[
                Quality::Good,
                Quality::Good,
                Quality::Good,
                Quality::NeverUp,
                Quality::Dies(40),
                Quality::Dies(250),
                Quality::Flaky,
            ]),
        }
    }

    /// Whether the release changes.
    pub(super) fn is_release(&self) -> bool {
        matches!(self.verb, Verb::Deploy | Verb::Rollback)
    }

    /// What instances run before it and after it.
    pub(super) fn code(&self) -> (&'static str, &'static str) {
        match self.verb {
            Verb::RollingRestart => ("code", "code"),
            Verb::Apply | Verb::Scale => ("old", "new"),
            Verb::Deploy | Verb::Rollback => (OLD, NEW),
        }
    }

    pub(super) fn request(&self) -> Request {
        let policy = Policy {
            surge: self.surge,
            settle: Duration::from_millis(self.settle),
        };
        let (replace, ailing) = (self.verb != Verb::Scale, self.ailing.iter().copied().collect());
        Request {
            canary: self.canaries.map(|count| Canary {
                count,
                bake: Duration::from_millis(200),
            }),
            bake: Duration::from_millis(self.bake),
            ..Request::new(self.verb, (self.before, self.after), replace, ailing, policy)
        }
    }

    pub(super) fn order(&self) -> Order {
        let swap = match self.verb {
            Verb::RollingRestart => Swap::Nothing,
            Verb::Apply | Verb::Scale => Swap::Config {
                texts: Texts {
                    before: Some("old".into()),
                    after: Some("new".into()),
                    ..Texts::default()
                },
                wanted: self.verb == Verb::Scale,
            },
            Verb::Deploy | Verb::Rollback => Swap::Release(Switching {
                from: Some(id(OLD)),
                to: id(NEW),
                count: self.before,
            }),
        };
        Order {
            spec: spec(),
            request: self.request(),
            swap,
        }
    }
}

pub(super) fn id(text: &str) -> ReleaseId {
    text.parse().expect("an id")
}

/// An app with a command of the operator's around each instance.
pub(super) fn spec() -> AppSpec {
    let text = "exec = 'x'\n[deploy]\nbefore_instance = ['/bin/out']\nafter_instance = ['/bin/in']\n";
    parse(&"app".parse().expect("a name"), text).expect("a good file")
}
