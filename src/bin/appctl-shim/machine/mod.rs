//! The life of one instance, as a pure state machine: `step(event, now)` gives the next state and what to do.
//! It knows no fd, no process and no clock; `inputs.rs` makes the events and `effects.rs` performs the actions.
//!
//! ```text
//!   Waiting ──────> Starting ──────> Ready
//!      │               │  │            │ │
//!      │               │  └──────┬─────┘ │
//!      v               v         v       v
//!    Done <────────────┴──── Stopping   Done
//! ```
//!
//! - **Waiting**: the app crashed before and its next start is not due; without crashes this passes at once. systemd is
//!   asked for patience, a stop ends it without the app ever being started.
//! - **Starting**: the app runs, its [`Proof`] is missing. The proof leads to Ready and to the only `READY=1`. The
//!   deadline, or a port that our sockets do not hold, leads to Stopping *as a failure*. The app's end is a crash.
//! - **Ready**: the app serves. Its end, with whatever status, is a crash: nobody asked for it.
//! - **Blocked**: a ready app's event loop has stood still for too long. Its stack is asked for, then it is killed; a beat
//!   meanwhile leads back to Ready. Neither a start nor a stop ever comes here.
//! - **Stopping**: `STOPPING=1` (if systemd asked), then its stages, each with its deadline: *draining*, while an
//!   adapter that listened has requests to finish; *told*, after a message where the app wants one; *signalled*, after
//!   the app's own stop signal; *killed*, after `SIGKILL`. The main process may end first: what is left of its group
//!   then gets the same signal and the same time.
//!   A readiness failure drains too (what was accepted is answered), in a shorter time.
//! - **Done**: nothing more happens. The shim ends the way the app did.
//!
//! A stop request works in every phase at once. Every phase answers every event: a new event does not compile until
//! each phase says what it means there.

mod blocked;
mod event;
mod peers;
mod ready;
mod report;
mod starting;
mod stopping;
#[cfg(test)]
mod tests;
mod waiting;
mod watch;

use appctl::contract::shim_args::Ready;
use appctl::observe::{ShimState, ShimStatus};

use blocked::Blocked;
pub(crate) use event::{Action, Event, Exit, Level, Millis, Note, Notified, PeerId, Said, Span};
use peers::Peers;
use report::Report;
use starting::Starting;
use stopping::Stopping;
use waiting::Waiting;
use watch::Watch;

use crate::backoff::{Policy, Record};

/// What proves that the app can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Its own `READY=1`.
    Notify,
    /// An adapter saw it listen on a socket of ours.
    Listening,
    /// Its answer on the instance's private socket.
    Http,
    /// `process.send("ready")`.
    Message,
    /// It is alive after this long.
    Started(Millis),
}

impl Proof {
    /// As the command line has it.
    pub(crate) fn of(ready: &Ready) -> Self {
        match ready {
            Ready::Notify => Self::Notify,
            Ready::Listening => Self::Listening,
            Ready::Http { .. } => Self::Http,
            Ready::Message => Self::Message,
            Ready::Started { after } => Self::Started(*after),
        }
    }

    /// Whether the app listens before it is ready: until then its siblings take what comes to the shared sockets.
    pub(crate) fn holds(self) -> bool {
        matches!(self, Self::Notify | Self::Http | Self::Message)
    }
}

/// What stays the same for the whole life.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The app's name, for messages.
    pub(crate) app: String,
    pub(crate) proof: Proof,
    pub(crate) ready_timeout: Millis,
    pub(crate) stop_timeout: Millis,
    pub(crate) linger: Millis,
    /// The app is told to stop by a message before it is by a signal.
    pub(crate) stop_message: bool,
    pub(crate) backoff: Policy,
    /// The held addresses, for messages; empty when there are none.
    pub(crate) held: String,
    /// How long the event loop of a ready app may stand still; `None`: for ever.
    pub(crate) blocked_after: Option<Millis>,
    /// systemd expects `WATCHDOG=1`.
    pub(crate) watchdog: bool,
}

/// Where in its life the instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting(Waiting),
    Starting(Starting),
    Ready,
    Blocked(Blocked),
    Stopping(Stopping),
    Done,
}

/// One instance.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    rules: Rules,
    phase: Phase,
    peers: Peers,
    watch: Watch,
    report: Report,
    record: Record,
    pid: Option<u32>,
    release: Option<String>,
    /// Why it failed, or what it waits for.
    remark: Option<String>,
    /// What the app says of itself.
    words: Option<String>,
    /// The port that it listens on, and its socket does not.
    elsewhere: Option<u16>,
    /// A wrong port was warned of.
    warned: bool,
}

impl Machine {
    /// A life begins; `record` is what the shim before left, if there was one.
    pub(crate) fn begin(rules: Rules, record: Record, now: Millis) -> (Self, Vec<Action>) {
        let record = rules.backoff.woken(record, now);
        let waiting = Waiting::new(now, rules.backoff.wait(record.crashes));
        let mut machine = Self {
            phase: Phase::Waiting(waiting),
            peers: Peers::default(),
            watch: Watch::default(),
            report: Report::default(),
            pid: None,
            release: None,
            remark: None,
            words: None,
            elsewhere: None,
            warned: false,
            rules,
            record,
        };
        let mut out = Vec::new();
        machine.phase = machine.arrive(waiting, now, &mut out);
        (machine, out)
    }

    /// One event, one answer.
    pub(crate) fn step(mut self, event: Event, now: Millis) -> (Self, Vec<Action>) {
        let mut out = Vec::new();
        self.peers.note(&event);
        self.watch.note(&event, now);
        self.phase = match self.phase {
            Phase::Waiting(waiting) => self.waiting(waiting, &event, now, &mut out),
            Phase::Starting(starting) => self.starting(starting, event, now, &mut out),
            Phase::Ready => self.ready(event, now, &mut out),
            Phase::Blocked(blocked) => self.blocked(blocked, event, now, &mut out),
            Phase::Stopping(stopping) => self.stopping(stopping, event, now, &mut out),
            Phase::Done => Phase::Done,
        };
        (self, out)
    }

    /// When [`Event::Tick`] is due. `None`: time means nothing now.
    pub(crate) fn deadline(&self) -> Option<Millis> {
        match self.phase {
            Phase::Waiting(waiting) => Some(waiting.deadline()),
            Phase::Starting(starting) => Some(starting.next_tick()),
            Phase::Stopping(stopping) => Some(stopping.deadline()),
            Phase::Blocked(blocked) => Some(blocked.deadline()),
            Phase::Ready => self.look_at(),
            Phase::Done => None,
        }
    }

    /// Until the next crash it tells how the last one went: who started the app again may ask only now.
    fn status(&self, state: ShimState) -> ShimStatus {
        let runs = matches!(state, ShimState::Starting | ShimState::Ready);
        let last = Some(&self.record).filter(|record| runs && record.crashes > 0);
        ShimStatus {
            state,
            pid: self.pid,
            release: self.release.clone(),
            responses: self.peers.responses(),
            elsewhere: self.elsewhere.or(last.and_then(|record| record.elsewhere)),
            words: self.words.clone(),
            signal: self.record.signal.filter(|_| self.record.crashes > 0),
            crashes: self.record.crashes,
            remark: self.remark.clone().or(last.map(|record| record.reason.clone())),
        }
    }

    /// The end of an app that nobody asked to end.
    fn crashed(&mut self, exit: Exit, reason: String, now: Millis, out: &mut Vec<Action>) -> Phase {
        self.record = self.note_crash(exit.signal(), &reason, now);
        self.pid = None;
        out.push(Action::Remember(self.record.clone()));
        out.push(Action::Note(Note::Crashed {
            crashes: self.record.crashes,
            reason: reason.clone(),
        }));
        self.remark = Some(reason);
        out.push(Action::Status(self.status(ShimState::Failed)));
        out.push(Action::Finish(exit));
        Phase::Done
    }

    fn note_crash(&self, signal: Option<i32>, reason: &str, now: Millis) -> Record {
        Record {
            elsewhere: self.elsewhere,
            signal,
            ..self.rules.backoff.crashed(&self.record, reason, now)
        }
    }

    /// The app's own words for `STATUS=`.
    fn quote(&mut self, state: ShimState, words: String, out: &mut Vec<Action>) {
        self.words = Some(words);
        out.push(Action::Status(self.status(state)));
    }

    /// `STATUS=` with a remark.
    fn say(&mut self, state: ShimState, remark: String, out: &mut Vec<Action>) {
        self.remark = Some(remark);
        out.push(Action::Status(self.status(state)));
    }

    /// `WATCHDOG=1` after a heartbeat, once every event loop that counts has shown life.
    fn beat(&mut self, out: &mut Vec<Action>) {
        if self.rules.watchdog && self.peers.all_beat() {
            out.push(Action::Watchdog);
        }
    }

    fn wrong_port(&self, port: u16) -> Note {
        let (app, held) = (&self.rules.app, &self.rules.held);
        let advice = format!(
            "{app} listens on port {port}, but its socket holds {held}: \
             set listen = {port} in /etc/appctl/apps/{app}.toml and run \"appctl apply {app}\""
        );
        Note::WrongPort { port, advice }
    }
}
