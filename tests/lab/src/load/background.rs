//! Runs a plan on a thread of its own with a current-thread runtime: one core at most, and none of the caller's time.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use super::clock::{Budget, Stop, thread_cpu};
use super::identity::Run;
use super::lane::{Lane, Shared};
use super::ledger::Ledger;
use super::plan::Plan;
use super::report::Report;
use super::stream::Sources;
use super::tally::Tally;

/// A run in the background. Dropping it stops the run without a report.
#[derive(Debug)]
pub struct Load {
    stop: watch::Sender<bool>,
    tally: Arc<Tally>,
    finished: oneshot::Receiver<()>,
    thread: JoinHandle<Report>,
}

impl Load {
    /// Starts the run.
    ///
    /// # Panics
    /// When the plan is out of bounds ([`Plan::check`]): a mistake in the test that made it.
    pub fn start(plan: Plan) -> Self {
        plan.check().expect("a plan within its bounds");
        let (stop, stopped) = watch::channel(false);
        let (finish, finished) = oneshot::channel();
        let tally = Arc::new(Tally::default());
        let counter = Arc::clone(&tally);
        let thread = thread::Builder::new()
            .name("strict-load".into())
            .spawn(move || {
                let report = work(plan, Stop::new(stopped), counter);
                // Nobody listens when the run was not awaited.
                let _ = finish.send(());
                report
            })
            .expect("a thread can be started");
        Self {
            stop,
            tally,
            finished,
            thread,
        }
    }

    /// Proper answers so far.
    pub fn answered(&self) -> u64 {
        self.tally.answered()
    }

    /// Losses so far: everything but proper answers and what was declined.
    pub fn lost(&self) -> u64 {
        self.tally.lost()
    }

    /// Starts no further request, waits for those under way, reports.
    pub fn stop(self) -> Report {
        self.stop.send_replace(true);
        self.wait()
    }

    /// Waits for the plan's own end, reports.
    ///
    /// # Panics
    /// When the client itself panicked.
    pub fn wait(self) -> Report {
        let report = self.thread.join().expect("the client ends by itself");
        drop(self.stop);
        report
    }
}

/// Runs the plan to its end. Dropping the future stops it.
///
/// # Panics
/// As [`Load::start`].
pub async fn run(plan: Plan) -> Report {
    let mut load = Load::start(plan);
    // An error means that the thread is gone, and `wait` says why.
    let _ = (&mut load.finished).await;
    load.wait()
}

fn work(plan: Plan, stop: Stop, tally: Arc<Tally>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a current-thread runtime can be built");
    LocalSet::new().block_on(&runtime, drive(plan, stop, tally))
}

async fn drive(plan: Plan, stop: Stop, tally: Arc<Tally>) -> Report {
    let (start, cpu) = (Instant::now(), thread_cpu());
    let (duration, requests) = plan.bounds();
    let driver = plan.shape.driver(plan.shape.template(&plan.path));
    let shared = Rc::new(Shared {
        ledger: RefCell::new(Ledger::new(Run::random(), start)),
        budget: Budget::new(duration, requests),
        sources: Sources::default(),
        tally,
        plan,
    });
    let mut lanes = JoinSet::new();
    for number in 0..shared.plan.connections {
        lanes.spawn_local(driver(Lane::new(Rc::clone(&shared), stop.clone(), number)));
    }
    lanes.join_all().await;
    let shared = Rc::into_inner(shared).expect("the lanes have ended");
    let (seconds, cpu_seconds) = (
        start.elapsed().as_secs_f64(),
        thread_cpu().saturating_sub(cpu).as_secs_f64(),
    );
    report(&shared.plan, shared.ledger.into_inner(), seconds, cpu_seconds)
}

fn report(plan: &Plan, ledger: Ledger, seconds: f64, cpu_seconds: f64) -> Report {
    Report {
        target: plan.target.to_string(),
        shape: plan.shape.to_string(),
        seconds,
        latency: ledger.latency.summary(),
        counts: ledger.counts,
        pids: ledger.pids,
        releases: ledger.releases,
        connections: ledger.connections,
        told_close: ledger.told_close,
        idle_fins: ledger.idle_fins,
        idle_rsts: ledger.idle_rsts,
        cpu_seconds,
        losses: ledger.losses,
    }
}
