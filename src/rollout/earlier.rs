//! A rollout that an earlier `appctl` has left in its format, which had no version number: as much of it as that one
//! kept, and no later process needs more in order to tell, resume or abort it.

use std::time::Duration;

use super::part::Part;
use super::phase::Phase;
use super::report::{Entry, Report, TaskName};
use super::{About, Canary, Driver, Policy, Progress, Record, Request, Rollout, Task, Watching};
use crate::spec::Instance;

impl From<Report> for Record {
    fn from(report: Report) -> Self {
        let rollout = rollout(&report);
        let driver = Driver {
            user: report.by,
            pid: report.pid,
            pid_began: report.pid_began,
        };
        let about = About {
            app: report.app,
            started: report.started,
            ended: report.ended,
            message: report.message,
            driver,
            release: report.release,
            responses_before: report.responses_before,
            errors_before: report.errors_before,
            shims: report.shims,
        };
        Self::new(about, rollout)
    }
}

fn rollout(report: &Report) -> Rollout {
    let part = |entry: &Entry| Part {
        progress: entry.progress,
        old: entry.old.clone(),
        new: entry.new.clone(),
    };
    let begun = report
        .instances
        .iter()
        .filter(|entry| entry.progress != Progress::Waiting);
    let fresh = Rollout::new(request(report));
    Rollout {
        state: report.state,
        phase: phase(report),
        parts: report
            .instances
            .iter()
            .map(|entry| (entry.instance, part(entry)))
            .collect(),
        surge_run: report.surge_run.clone(),
        promoted: report.promoted || fresh.promoted,
        unwatched: report.unwatched,
        begun: begun.map(task).collect(),
        staged: report.staged,
        going_back: report.going_back,
        ..fresh
    }
}

fn request(report: &Report) -> Request {
    let canary = Canary {
        count: report.canaries,
        bake: Duration::from_millis(report.canary_bake_ms),
    };
    let ailing = report.instances.iter().filter(|entry| entry.ailing);
    Request {
        verb: report.verb,
        tasks: report.instances.iter().map(task).collect(),
        policy: Policy {
            surge: report.surge,
            settle: Duration::from_millis(report.settle_ms),
        },
        switch: report.switch,
        ailing: ailing.map(|entry| entry.instance).collect(),
        canary: (canary.count > 0).then_some(canary),
        bake: Duration::from_millis(report.bake_ms),
    }
}

fn task(entry: &Entry) -> Task {
    match entry.task {
        TaskName::Restart => Task::Restart(entry.instance),
        TaskName::Start => Task::Start(entry.instance),
        TaskName::Stop => Task::Stop(entry.instance),
    }
}

/// The step it was at. Only its text was kept: it is the one, of all the steps it can have had, that has this text.
fn phase(report: &Report) -> Phase {
    match report.watching {
        Some(Watching::Canaries) => return Phase::Baking { canary: true },
        Some(Watching::All) => return Phase::Baking { canary: false },
        None => {}
    }
    let instances = report.instances.iter().map(|entry| entry.instance);
    let tasks = instances
        .chain([Instance::Surge])
        .flat_map(|who| [Task::Restart(who), Task::Start(who), Task::Stop(who)]);
    let others = [Phase::Staging, Phase::Settling, Phase::Committing, Phase::Undoing];
    let mut all = others.into_iter().chain(tasks.map(Phase::Running));
    let found = all.find(|phase| text(*phase, report.settle_ms) == report.step);
    found.unwrap_or(Phase::Fresh)
}

/// What a step was called then; not to change when [`super::Step`] words it otherwise.
fn text(phase: Phase, settle_ms: u64) -> String {
    let task = match phase {
        Phase::Staging => return "put the new state in place".to_owned(),
        Phase::Settling => return format!("watch it for {settle_ms} ms"),
        Phase::Committing => return "make the new state final".to_owned(),
        Phase::Undoing => return "put the old state back".to_owned(),
        Phase::Running(task) => task,
        Phase::Fresh | Phase::Baking { .. } => return String::new(),
    };
    let verb = match task {
        Task::Restart(_) => "restart",
        Task::Start(_) => "start",
        Task::Stop(_) => "stop",
    };
    match task.instance() {
        Instance::Surge => format!("{verb} the surge instance"),
        Instance::Number(n) => format!("{verb} instance {n}"),
    }
}
