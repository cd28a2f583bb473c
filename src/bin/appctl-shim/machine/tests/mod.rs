//! The machine as short stories, and as properties that no order of events can break.

mod properties;
mod starts;
mod stops;
mod watchdog;

use super::event::AdapterMessage;
use super::{Action, Event, Exit, Machine, Millis, Proof, Rules};
use crate::backoff::{Policy, Record};

const HELLO: AdapterMessage = AdapterMessage::Hello { pid: 7 };
const LISTENING: AdapterMessage = AdapterMessage::Listening { address: String::new() };

fn rules(proof: Proof) -> Rules {
    Rules {
        app: "web".to_owned(),
        proof,
        ready_timeout: 60_000,
        stop_timeout: 30_000,
        linger: 2_000,
        stop_message: false,
        backoff: Policy {
            delay: 100,
            longest: 30_000,
            reset_after: 10_000,
        },
        held: "3000".to_owned(),
        blocked_after: Some(30_000),
        watchdog: true,
    }
}

/// A machine and everything it did, in short words.
struct Story {
    machine: Machine,
    now: Millis,
    done: Vec<String>,
}

impl Story {
    fn of(proof: Proof) -> Self {
        Self::after(proof, Record::default())
    }

    fn after(proof: Proof, record: Record) -> Self {
        let (machine, actions) = Machine::begin(rules(proof), record, 1_000);
        let mut story = Self {
            machine,
            now: 1_000,
            done: Vec::new(),
        };
        story.note(&actions);
        story
    }

    /// A started app.
    fn running(proof: Proof) -> Self {
        Self::of(proof).then(Event::Spawned { pid: 7, release: None }).forget()
    }

    /// The same, to be stopped by a message.
    fn that_wants_a_message() -> Self {
        let mut story = Self::of(Proof::Notify);
        story.machine.life.rules.stop_message = true;
        story.then(Event::Spawned { pid: 7, release: None }).forget()
    }

    fn note(&mut self, actions: &[Action]) {
        self.done.extend(actions.iter().filter_map(short));
    }

    fn then(mut self, event: Event) -> Self {
        let (machine, actions) = self.machine.step(event, self.now);
        self.machine = machine;
        self.note(&actions);
        self
    }

    fn says(self, peer: u32, message: AdapterMessage) -> Self {
        self.then(Event::Adapter(peer, message))
    }

    /// Time passes, up to the next deadline at the latest.
    fn wait(mut self, span: Millis) -> Self {
        self.now += span;
        self.then(Event::Tick)
    }

    fn forget(mut self) -> Self {
        self.done.clear();
        self
    }

    #[track_caller]
    fn did(self, expected: &str) -> Self {
        assert_eq!(self.done.join(", "), expected);
        self.forget()
    }
}

fn short(action: &Action) -> Option<String> {
    Some(match action {
        Action::Spawn => "spawn".to_owned(),
        Action::Remember(record) => format!("remember {}{}", record.crashes, if record.running { "+" } else { "" }),
        Action::Ready(_) => "READY".to_owned(),
        Action::Stopping(_) => "STOPPING".to_owned(),
        Action::Status(status) => format!("status {}", status.state),
        Action::Extend(span) => format!("extend {span}"),
        Action::Watchdog => "watchdog".to_owned(),
        Action::Note(_) => return None,
        Action::TellStop { peer, linger, timeout } => format!("stop {peer} {linger} {timeout}"),
        Action::Trace(peer) => format!("trace {peer}"),
        Action::Probe => "probe".to_owned(),
        Action::Accept => "accept".to_owned(),
        Action::MessageApp => "message".to_owned(),
        Action::StopApp => "signal".to_owned(),
        Action::KillApp => "kill".to_owned(),
        Action::Forward(signal) => format!("forward {signal}"),
        Action::Finish(exit) => format!("end: {exit}"),
    })
}

fn exited(code: i32) -> Event {
    Event::AppExited {
        exit: Exit::Code(code),
        leftovers: false,
    }
}
