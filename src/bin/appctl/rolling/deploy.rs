//! Another release of an app: for `deploy` and `rollback`, and what of an earlier one has to be settled first.

use std::time::Duration;

use appctl::drive::{Order, Survey, Swap, Switching};
use appctl::host::bus::Systemd;
use appctl::host::record::{self, Last};
use appctl::host::{pins, releases, survey};
use appctl::release::ReleaseId;
use appctl::rollout::{Canary, Event, Policy, Request, Verb, plan};
use appctl::spec::{AppName, AppSpec};

use super::{Hold, Interrupts, carry_out, reopen};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::units;

/// Which release, and how.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `Deploy` or `Rollback`.
    pub(crate) verb: Verb,
    /// The release that is to be live.
    pub(crate) to: ReleaseId,
    /// Instances that go first, and how long they are watched.
    pub(crate) canary: Option<Canary>,
    /// How long all are watched at the end.
    pub(crate) bake: Duration,
}

/// What is needed to roll.
pub(crate) struct Roll<'a> {
    pub(crate) context: &'a Context,
    pub(crate) systemd: &'a Systemd,
    pub(crate) spec: &'a AppSpec,
    pub(crate) hold: &'a Hold,
}

impl Roll<'_> {
    /// Makes a release live on all instances. An app that is stopped starts with it the next time.
    pub(crate) async fn switch(&self, target: &Target, interrupts: &mut Interrupts) -> anyhow::Result<()> {
        let (paths, app) = (self.context.layout.of(&self.spec.name), &self.spec.name);
        if !self.systemd.instance(&units::service(app)).await?.activity.is_up() {
            pins::make_live(paths, Some(&target.to))?;
            let text = format!("the app is stopped; it will start with release {}", target.to);
            self.context.say(app, &text);
            return Ok(());
        }
        // Left by nobody who is still to be heard of.
        pins::unpin_all(paths)?;
        let survey = survey::take(self.systemd, app, units::count(self.spec)).await?;
        let order = Order {
            spec: self.spec.clone(),
            request: request(self.spec, &survey, target),
            swap: Swap::Release(Switching {
                from: releases::live(paths),
                to: target.to.clone(),
                count: units::count(self.spec),
            }),
        };
        carry_out(order, self.hold, self.context, self.systemd, interrupts).await
    }

    /// An earlier rollout of a release that is still open: to the same release it is finished, and there is nothing more
    /// to do; to another one it is taken back first.
    pub(crate) async fn settle_earlier(&self, to: &ReleaseId, interrupts: &mut Interrupts) -> anyhow::Result<bool> {
        let app = &self.spec.name;
        let Some(last) = open_release(self.context, app)? else {
            return Ok(false);
        };
        let change = last.record.about.release.as_ref();
        let same = change.is_some_and(|change| change.to == *to) && !last.record.rollout.is_going_back();
        let (text, begin) = if same {
            ("continues", Event::Begin)
        } else {
            ("first takes back", Event::Abort)
        };
        let (verb, since) = (last.record.rollout.verb(), &last.record.about.started);
        self.context.say(app, &format!("{text} the {verb} that began {since}"));
        reopen(
            last,
            self.spec,
            begin,
            self.hold,
            self.context,
            self.systemd,
            interrupts,
        )
        .await?;
        Ok(same)
    }

    /// Whether every instance runs this release and nothing is under way.
    pub(crate) async fn is_live(&self, id: &ReleaseId) -> anyhow::Result<bool> {
        let (paths, app) = (self.context.layout.of(&self.spec.name), &self.spec.name);
        let survey = survey::take(self.systemd, app, units::count(self.spec)).await?;
        let same = survey.releases().all(|release| release == *id);
        let open = open_release(self.context, app)?.is_some();
        Ok(same && !open && releases::live(paths).as_ref() == Some(id))
    }
}

fn request(spec: &AppSpec, survey: &Survey, target: &Target) -> Request {
    let count = units::count(spec);
    let policy = Policy {
        surge: spec.surge,
        settle: spec.ready.settle,
    };
    Request {
        canary: target.canary,
        bake: target.bake,
        ..Request::new(target.verb, (count, count), true, survey.ailing(), policy)
    }
}

/// Says what would be done.
pub(crate) async fn show(context: &Context, systemd: &Systemd, spec: &AppSpec, target: &Target) -> anyhow::Result<()> {
    let survey = survey::take(systemd, &spec.name, units::count(spec)).await?;
    if survey.is_down() {
        context.say(
            &spec.name,
            "would only change the release of its next start, since the app is stopped",
        );
        return Ok(());
    }
    for step in plan(request(spec, &survey, target)) {
        context.say(&spec.name, &format!("would {step}"));
    }
    Ok(())
}

/// The last rollout of a release, while it waits for someone to finish it.
fn open_release(context: &Context, app: &AppName) -> anyhow::Result<Option<Last>> {
    let last = record::read(context.layout.of(app))?;
    Ok(last.filter(|last| last.record.about.release.is_some() && last.record.rollout.state().is_open()))
}

/// Nothing else may be rolled while instances of two releases run: exit code [`Exit::BUSY`].
pub(crate) fn refuse_open_release(context: &Context, app: &AppName) -> anyhow::Result<()> {
    let Some(last) = open_release(context, app)? else {
        return Ok(());
    };
    let (verb, about) = (last.record.rollout.verb(), &last.record.about);
    let (by, began) = (&about.driver.user, &about.started);
    let error = ExpectedError::new(
        Exit::BUSY,
        format!("{app}: the {verb} by {by} that began {began} is not finished"),
    );
    Err(error
        .help(format!(
            "appctl resume {app} finishes it, appctl abort {app} takes it back"
        ))
        .into())
}
