//! The machine's actions, performed. Decides nothing: every choice was made before.

use std::io;
use std::os::fd::RawFd;
use std::path::PathBuf;

use appctl::contract::adapter::ShimMessage;
use appctl::contract::exit_status::{NOT_NOW, WRONG_CONFIG};
use appctl::contract::shim_args::Ready;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;
use nix::unistd::close;

use crate::child::Child;
use crate::environment::{self, Facts};
use crate::inputs::Shim;
use crate::ipc::Ipc;
use crate::machine::{Action, Event, Exit};
use crate::outbox::Word;
use crate::probe::Probe;
use crate::{clock, directory, notify, variables};

impl Shim {
    /// Does it. Some actions are answered by an event; the error is the end of the shim.
    pub(crate) fn perform(&mut self, action: Action) -> Result<Option<Event>, Exit> {
        match action {
            Action::Spawn => return Ok(Some(self.spawn())),
            Action::Probe => return Ok(self.start_probe()),
            Action::Finish(exit) => {
                self.outbox.empty(clock::now()).iter().for_each(notify::send);
                self.notes.settle();
                return Err(exit);
            }
            Action::Remember(record) => self.store.save(&record),
            Action::Ready(status) => {
                self.tell(Word::Ready(status));
                if let Some(app) = self.child.as_ref().map(Child::pid) {
                    self.share.settle(app, clock::now());
                }
            }
            Action::Stopping(status) => self.tell(Word::Stopping(status)),
            Action::Status(status) => self.tell(Word::Status(status)),
            Action::Extend(span) => self.tell(Word::Extend(span)),
            Action::Watchdog => self.tell(Word::Watchdog),
            Action::Note(note) => self.notes.note(&note),
            Action::TellStop { peer, linger, timeout } => {
                let stop = ShimMessage::Stop { linger, timeout };
                self.control.iter_mut().for_each(|control| control.tell(peer, stop));
            }
            Action::Accept => _ = self.tell_adapters(ShimMessage::Accept),
            Action::MessageApp => return Ok(self.message_app()),
            Action::Trace(peer) => self.control.iter().for_each(|control| control.trace(peer)),
            Action::StopApp => self.stop_app(),
            Action::KillApp => self.child.iter().for_each(Child::kill_group),
            Action::Forward(number) => self.forward(number),
        }
        Ok(None)
    }

    fn tell(&mut self, word: Word) {
        self.outbox.put(word, clock::now()).iter().for_each(notify::send);
    }

    fn spawn(&mut self) -> Event {
        let refused = |code: u8, reason| Event::Refused {
            code: code.into(),
            reason,
        };
        if let Some(problem) = self.sockets.problem() {
            return refused(WRONG_CONFIG, problem.to_owned());
        }
        if let Some(problem) = &self.missing {
            return refused(WRONG_CONFIG, problem.clone());
        }
        let place = match self.enter() {
            Ok(place) => place,
            Err(problem) => return refused(WRONG_CONFIG, problem),
        };
        match self.spawn_in(place.as_ref()) {
            Ok(pid) => Event::Spawned {
                pid,
                release: self.release(place),
            },
            Err(error) => refused(NOT_NOW, format!("cannot start a process: {error}")),
        }
    }

    fn enter(&self) -> Result<Option<PathBuf>, String> {
        let Some(directory) = &self.args.options.directory else {
            return Ok(None);
        };
        let instance = self.args.instance.to_string();
        let chosen = directory::chosen(directory, self.args.app.as_str(), &instance)?;
        directory::enter(&chosen).map(Some)
    }

    fn release(&self, place: Option<PathBuf>) -> Option<String> {
        directory::release(&directory::state(), self.args.app.as_str(), &place?)
    }

    fn spawn_in(&mut self, place: Option<&PathBuf>) -> io::Result<u32> {
        let channel = self.args.wants_ipc().then(|| self.open_channel()).transpose()?;
        let facts = Facts {
            args: &self.args,
            runtime: self.runtime.as_deref(),
            listen: self.sockets.for_adapter(),
            names: self.sockets.fd_names(),
            port: self.sockets.port(),
            channel,
            directory: place.map(PathBuf::as_path),
        };
        let mut changes = environment::own(&self.variables);
        changes.extend(environment::changes(&facts, |name| {
            variables::get(&self.variables, name)
        }));
        self.sockets.set_inheritable(true)?;
        let child = Child::spawn(&self.args, &self.sockets, channel, changes);
        self.sockets.set_inheritable(false)?;
        channel.map(close).transpose()?;
        let child = self.child.insert(child?);
        Ok(child.pid())
    }

    /// The app's end gets a number above its sockets, and survives exec(2) until it is closed here.
    fn open_channel(&mut self) -> io::Result<RawFd> {
        let (ours, apps) = Ipc::pair()?;
        self.ipc = Some(ours);
        let above = 3 + RawFd::try_from(self.args.options.sockets).unwrap_or(0);
        Ok(fcntl(&apps, FcntlArg::F_DUPFD(above))?)
    }

    /// Over Node's IPC channel, and to adapters of apps that a launcher keeps from it.
    fn message_app(&mut self) -> Option<Event> {
        let sent = self.ipc.as_mut().is_some_and(|ipc| ipc.send_shutdown().is_ok());
        let told = self.tell_adapters(ShimMessage::Shutdown);
        (!sent && !told).then_some(Event::Unheard)
    }

    /// False when there is none.
    fn tell_adapters(&mut self, message: ShimMessage) -> bool {
        self.control.as_mut().is_some_and(|control| control.tell_all(message))
    }

    fn stop_app(&self) {
        // A signal that there is: nothing else is read from the command line.
        if let (Ok(signal), Some(child)) = (Signal::try_from(self.args.options.stop_signal), &self.child) {
            child.stop(signal);
        }
    }

    fn forward(&self, number: i32) {
        if let (Ok(signal), Some(child)) = (Signal::try_from(number), &self.child) {
            child.forward(signal);
        }
    }

    fn start_probe(&mut self) -> Option<Event> {
        let Ready::Http { path, status } = &self.args.options.ready else {
            return None;
        };
        let socket = self.runtime.as_ref()?.join("probe.sock");
        match Probe::start(&socket, path, *status) {
            Ok(probe) => {
                self.probe = Some(probe);
                None
            }
            Err(problem) => Some(Event::Probed(Err(problem))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use appctl::contract::shim_args::RunArgs;
    use nix::sys::signal::Signal;

    #[test]
    fn every_stop_signal_that_is_read_is_one() {
        let read = |number: i32| {
            let line = [
                format!("--stop-signal={number}"),
                "--".into(),
                "web".into(),
                "1".into(),
                "x".into(),
            ];
            RunArgs::parse(line.into_iter().map(OsString::from))
        };
        for number in -1..70 {
            assert_eq!(read(number).is_ok(), Signal::try_from(number).is_ok(), "{number}");
        }
    }
}
