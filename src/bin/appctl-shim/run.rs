//! `appctl-shim run`: reads the command line, wires the parts, turns the loop. Decides nothing.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::process::ExitCode;

use appctl::contract::exit_status;
use appctl::contract::shim_args::{RunArgs, Usage};

use crate::clock;
use crate::dispositions;
use crate::inputs::Shim;
use crate::log;
use crate::machine::{Event, Exit, Level, Machine, Proof, Rules};
use crate::notify;

/// Runs one instance to its end.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    dispositions::shut();
    let args = match RunArgs::parse(words) {
        Ok(args) => args,
        Err(problem) => return usage(&problem),
    };
    let exit = match Shim::new(args) {
        Ok(shim) => turn(shim).restartable(),
        Err(error) => {
            log::line(Level::Error, &format!("cannot start: {error}"));
            Exit::Code(exit_status::OS_ERROR.into())
        }
    };
    log::settle();
    dispositions::end_as(exit)
}

/// Says what is wrong with the command line.
pub(crate) fn usage(problem: &Usage) -> ExitCode {
    log::line(Level::Error, &problem.to_string());
    match problem {
        Usage::Instance(_) => ExitCode::from(exit_status::NO_INSTANCE),
        Usage::Unknown(_) | Usage::Value(_) | Usage::Shape | Usage::NeedsAdapter(_) | Usage::NeedsSockets => {
            ExitCode::from(exit_status::USAGE)
        }
    }
}

/// The loop: sleep until something happens, let the machine answer, do what it says.
fn turn(mut shim: Shim) -> Exit {
    let record = shim.store.load();
    let (mut machine, mut actions) = Machine::begin(rules(&shim.args, &shim), record, clock::now());
    let mut events = VecDeque::new();
    loop {
        // What an action brings about comes before what else has happened meanwhile.
        let mut answers = Vec::new();
        for action in actions {
            match shim.perform(action) {
                Ok(None) => {}
                Ok(Some(event)) => answers.push(event),
                Err(end) => return end,
            }
        }
        answers.into_iter().rev().for_each(|event| events.push_front(event));
        while events.is_empty() {
            shim.wait(machine.deadline(), &mut events);
        }
        let event: Event = events.pop_front().expect("the loop above ends when there is one");
        (machine, actions) = machine.step(event, clock::now());
    }
}

fn rules(args: &RunArgs, shim: &Shim) -> Rules {
    let options = &args.options;
    Rules {
        app: args.app.to_string(),
        proof: Proof::of(&options.ready),
        ready_timeout: options.ready_timeout,
        stop_timeout: options.stop_timeout,
        linger: options.linger,
        stop_message: options.stop_message,
        backoff: options.backoff.into(),
        held: shim.sockets.for_people(),
        blocked_after: options.watchdog,
        watchdog: notify::watchdog_expected(),
    }
}
