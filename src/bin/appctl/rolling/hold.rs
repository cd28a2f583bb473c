//! An app that is ours for the time of a rollout: the lock, and the name it is held under.

use std::time::Duration;

use appctl::drive::written;
use appctl::host::lock::{self, Lock, LockError, Owner};
use appctl::rollout::Driver;
use appctl::spec::AppName;
use jiff::Timestamp;

use super::Interrupts;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

/// How often a lock is tried that is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// An app held by this process. Let go of when dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    _lock: Lock,
    /// Who holds it.
    owner: Owner,
}

impl Hold {
    /// Takes an app's lock, or says who has it: [`Exit::BUSY`].
    pub(crate) fn take(context: &Context, app: &AppName, verb: &str) -> anyhow::Result<Self> {
        let owner = Owner {
            pid: std::process::id(),
            began: lock::began(std::process::id()).unwrap_or(0),
            user: who(),
            verb: verb.to_owned(),
            since: written(Timestamp::now()),
        };
        match Lock::take(context.layout.of(app), &owner) {
            Ok(lock) => Ok(Self { _lock: lock, owner }),
            Err(busy @ LockError::Busy(_)) => {
                let error = ExpectedError::new(Exit::BUSY, format!("{app}: {busy}"));
                Err(error.help(format!("appctl status {app} shows how far it is")).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Hold {
    /// Who holds it, and for what.
    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The process that holds it, as a rollout remembers it.
    pub(super) fn driver(&self) -> Driver {
        Driver {
            user: self.owner.user.clone(),
            pid: self.owner.pid,
            pid_began: self.owner.began,
        }
    }

    /// The same; waits for whoever has it when `wait` says so, until the operator wants to leave.
    pub(crate) async fn take_or_wait(
        context: &Context,
        app: &AppName,
        verb: &str,
        wait: bool,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<Self> {
        let mut told = false;
        loop {
            let busy = match Self::take(context, app, verb) {
                Err(error) if wait && Exit::of(&error) == Exit::BUSY => error,
                other => return other,
            };
            if !told {
                context.say(app, &format!("waiting: {busy}"));
                told = true;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = interrupts.next() => return Err(busy),
            }
        }
    }
}

/// The person behind this process, as far as sudo(8) tells.
pub(crate) fn who() -> String {
    let behind = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    behind.unwrap_or_else(|| {
        let uid = nix::unistd::getuid();
        let account = nix::unistd::User::from_uid(uid).ok().flatten();
        account.map_or_else(|| uid.to_string(), |account| account.name)
    })
}
