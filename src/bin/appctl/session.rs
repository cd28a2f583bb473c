//! What changes one app: the app held by its lock, the way to systemd, and the operation that the journal is told of.

use appctl::host::bus::Systemd;
use appctl::release::AppPaths;
use appctl::spec::{AppName, AppSpec};

use crate::context::Context;
use crate::operation::UnderWay;
use crate::rolling::{Hold, Roll};

/// One app that is ours to change until this is dropped.
pub(crate) struct Session<'c> {
    /// Where things are, and how to print.
    pub(crate) context: &'c Context,
    /// The way to systemd.
    pub(crate) systemd: &'c Systemd,
    /// The app.
    pub(crate) app: AppName,
    /// Told before the lock is let go of.
    pub(crate) operation: UnderWay<'c>,
    /// Its lock.
    pub(crate) hold: Hold,
}

impl<'c> Session<'c> {
    /// Takes the app's lock, or says who has it: [`crate::exit::Exit::BUSY`].
    pub(crate) fn take(context: &'c Context, systemd: &'c Systemd, app: &AppName, verb: &str) -> anyhow::Result<Self> {
        Ok(Self::of(context, systemd, app, Hold::take(context, app, verb)?))
    }

    /// Of an app that is held already.
    pub(crate) fn of(context: &'c Context, systemd: &'c Systemd, app: &AppName, hold: Hold) -> Self {
        Self {
            context,
            systemd,
            app: app.clone(),
            operation: UnderWay::new(context, app, &hold.owner().verb),
            hold,
        }
    }

    /// Its files.
    pub(crate) fn paths(&self) -> AppPaths<'_> {
        self.context.layout.of(&self.app)
    }

    /// The way to another release of it.
    pub(crate) fn roll<'s>(&'s self, spec: &'s AppSpec) -> Roll<'s> {
        let (context, systemd, hold) = (self.context, self.systemd, &self.hold);
        Roll {
            context,
            systemd,
            spec,
            hold,
        }
    }

    /// Does what `body` does, for the journal to be told how that ended.
    pub(crate) fn carry_out<T>(
        &self,
        body: impl Future<Output = anyhow::Result<T>>,
    ) -> impl Future<Output = anyhow::Result<T>> {
        self.operation.carry_out(body)
    }
}
