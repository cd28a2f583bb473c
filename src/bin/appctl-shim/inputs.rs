//! The fds of the shim, and what becoming readable means on each: one `poll`, events out. Decides nothing; sleeps for
//! ever when nothing happens.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use appctl::contract::shim_args::{Ready, RunArgs};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::child::Child;
use crate::control::Control;
use crate::ipc::Ipc;
use crate::machine::{Event, Millis, PeerId};
use crate::notes::Notes;
use crate::outbox::Outbox;
use crate::probe::Probe;
use crate::relay::Relay;
use crate::share::Share;
use crate::sockets::{self, Sockets};
use crate::store::Store;
use crate::variables::Variables;
use crate::{clock, dispositions, env_files, environment, notify, variables};

/// At a deadline, what was said before it still counts: the words on a new connection are two readings away.
const ROUNDS: usize = 2;

/// More than the shim has signals: an app that sends them faster than they are read must not keep the shim busy.
const SIGNALS: usize = 16;

/// Everything the shim holds.
pub(crate) struct Shim {
    pub(crate) args: RunArgs,
    pub(crate) sockets: Sockets,
    pub(crate) store: Store,
    /// `$RUNTIME_DIRECTORY` of the instance.
    pub(crate) runtime: Option<PathBuf>,
    pub(crate) child: Option<Child>,
    pub(crate) control: Option<Control>,
    pub(crate) ipc: Option<Ipc>,
    pub(crate) probe: Option<Probe>,
    pub(crate) notes: Notes,
    pub(crate) outbox: Outbox,
    /// What the app would have to do without.
    pub(crate) missing: Option<String>,
    pub(crate) share: Share,
    /// What files of variables say that PID 1 has not read.
    pub(crate) variables: Variables,
    relay: Option<Relay>,
    signals: SignalFd,
}

#[derive(Clone, Copy)]
enum Source {
    Listener,
    Peer(PeerId),
    Relay,
    Ipc,
    Probe,
    Signals,
}

impl Shim {
    pub(crate) fn new(args: RunArgs) -> io::Result<Self> {
        let ours = dispositions::ours();
        ours.thread_block()?;
        let signals = SignalFd::with_flags(&ours, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        // Orphans of the app come to us, so that a stop can wait for them.
        prctl::set_child_subreaper(true)?;
        let (sockets, record) = sockets::inherit(args.options.sockets);
        let runtime = env_files::runtime();
        let at = |name: &str, wanted: bool| runtime.as_ref().filter(|_| wanted).map(|place| place.join(name));
        let (variables, missing) = match variables::read(&args.options.read_env_files) {
            Ok(variables) => {
                let missing = missing(&args, runtime.as_deref(), &variables);
                (variables, missing)
            }
            Err(problem) => (Variables::new(), Some(problem)),
        };
        let control = at("control.sock", args.options.adapter.is_some());
        let relay = at("notify.sock", args.options.ready == Ready::Notify);
        Ok(Self {
            control: control.map(|path| named(&path, Control::bind(&path))).transpose()?,
            relay: relay.map(|path| named(&path, Relay::bind(&path))).transpose()?,
            store: Store::new(record),
            notes: Notes::new(&args.options.journal, args.app.as_str()),
            outbox: Outbox::default(),
            share: Share::default(),
            missing,
            variables,
            args,
            sockets,
            runtime,
            signals,
            child: None,
            ipc: None,
            probe: None,
        })
    }

    /// Sleeps until something happened or `deadline` passed, and tells what. It may turn out to be nothing.
    pub(crate) fn wait(&mut self, deadline: Option<Millis>, events: &mut VecDeque<Event>) {
        let due = || deadline.is_some_and(|at| at <= clock::now());
        let until = [deadline, self.share.due(), self.outbox.due()]
            .into_iter()
            .flatten()
            .min();
        for _ in 0..ROUNDS {
            let hit = self.readable(until);
            let quiet = hit.is_empty();
            for source in hit {
                self.read(source, events);
            }
            if quiet || !due() {
                break;
            }
        }
        self.share.go_on(clock::now());
        self.outbox.take(clock::now()).iter().for_each(notify::send);
        if due() {
            events.push_back(Event::Tick);
        }
    }

    /// Signals last: what a process said before it died must not be heard after its death.
    fn readable(&self, deadline: Option<Millis>) -> Vec<Source> {
        let (sources, fds): (Vec<_>, Vec<_>) = self.watched().unzip();
        let mut fds: Vec<_> = fds.into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        // An interrupted or failed poll is an early return; the loop comes back.
        let _ = poll(&mut fds, timeout(deadline));
        let hit = sources.into_iter().zip(&fds).filter(|(_, fd)| fd.any() == Some(true));
        hit.map(|(source, _)| source).collect()
    }

    fn watched(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
        let control = self.control.iter();
        let peers = control
            .clone()
            .flat_map(Control::peers)
            .map(|(id, fd)| (Source::Peer(id), fd));
        let listener = control
            .filter(|control| control.accepts())
            .map(|control| (Source::Listener, control.as_fd()));
        let relay = self.relay.iter().map(|relay| (Source::Relay, relay.as_fd()));
        let ipc = self.ipc.iter().map(|ipc| (Source::Ipc, ipc.as_fd()));
        let probe = self.probe.iter().map(|probe| (Source::Probe, probe.as_fd()));
        let signals = std::iter::once((Source::Signals, self.signals.as_fd()));
        peers
            .chain(listener)
            .chain(relay)
            .chain(ipc)
            .chain(probe)
            .chain(signals)
    }

    fn read(&mut self, source: Source, events: &mut VecDeque<Event>) {
        match source {
            Source::Listener => self.control.iter_mut().for_each(Control::accept),
            Source::Peer(id) => {
                let control = self.control.iter_mut();
                control.for_each(|control| control.read(id, |event| events.push_back(event)));
            }
            Source::Relay => {
                let said = self.relay.iter().flat_map(Relay::receive);
                events.extend(said.map(Event::Notified));
            }
            Source::Ipc => events.extend(self.read_ipc()),
            Source::Probe => events.extend(self.read_probe()),
            Source::Signals => self.read_signals(events),
        }
    }

    fn read_ipc(&mut self) -> Option<Event> {
        if let Ok(ready) = self.ipc.as_mut()?.read() {
            return ready.then_some(Event::Message);
        }
        self.ipc = None;
        None
    }

    fn read_probe(&mut self) -> Option<Event> {
        let verdict = self.probe.as_mut()?.read()?;
        self.probe = None;
        Some(Event::Probed(verdict))
    }

    fn read_signals(&mut self, events: &mut VecDeque<Event>) {
        for _ in 0..SIGNALS {
            let Ok(Some(info)) = self.signals.read_signal() else {
                return;
            };
            let number = i32::try_from(info.ssi_signo).unwrap_or(0);
            match Signal::try_from(number) {
                Ok(Signal::SIGCHLD) => events.extend(self.child.as_mut().and_then(Child::reap)),
                Ok(Signal::SIGTERM | Signal::SIGINT) => events.push_back(Event::Terminate),
                Ok(_) => events.push_back(Event::Forward(number)),
                Err(_) => {}
            }
        }
    }
}

fn missing(args: &RunArgs, runtime: Option<&Path>, own: &Variables) -> Option<String> {
    let number = || environment::incremented(args, |name| variables::get(own, name)).err();
    env_files::problem(&args.options.env_files, runtime).or_else(number)
}

fn named<T>(path: &Path, bound: io::Result<T>) -> io::Result<T> {
    bound.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Never a busy loop: a deadline in the future waits for a millisecond at least.
fn timeout(deadline: Option<Millis>) -> PollTimeout {
    let Some(at) = deadline else { return PollTimeout::NONE };
    let left = i32::try_from(at.saturating_sub(clock::now())).unwrap_or(i32::MAX);
    PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
}
