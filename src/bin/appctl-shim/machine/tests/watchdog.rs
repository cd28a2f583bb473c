//! An event loop that stands still, and everything that only looks like one. The interval is 30 s.

use super::super::event::{AdapterMessage, Beat};
use super::super::{Action, Event, Exit, Machine, Proof};
use super::{HELLO, LISTENING, Story, rules};
use crate::backoff::Record;

const BEAT: AdapterMessage = AdapterMessage::Beat(Beat {
    delay: 0,
    in_flight: 0,
    open: 0,
    responses: None,
});

/// Ready, with one event loop that has just beaten.
fn beating() -> Story {
    Story::running(Proof::Listening)
        .says(1, HELLO)
        .says(1, AdapterMessage::Traceable)
        .says(1, LISTENING)
        .says(1, BEAT)
        .forget()
}

fn killed() -> Event {
    Event::AppExited {
        exit: Exit::Signal(9),
        leftovers: false,
    }
}

#[test]
fn a_blocked_loop_is_asked_for_its_stack_and_killed_when_that_is_told() {
    let story = beating().wait(29_999).did("").wait(1).did("trace 1");
    let story = story
        .says(
            1,
            AdapterMessage::Stack {
                line: "at spin (app.js:1:2)".to_owned(),
            },
        )
        .did("")
        .says(1, AdapterMessage::Traced)
        .did("kill");
    story
        .then(killed())
        .did("remember 1, status failed, end: was killed by SIGKILL");
}

#[test]
fn the_log_says_for_how_long_and_where() {
    let mut story = beating();
    story.now += 30_100;
    let (machine, actions) = story.machine.step(Event::Tick, story.now);
    let (_, more) = machine.step(
        Event::Adapter(
            1,
            AdapterMessage::Stack {
                line: "at spin (app.js:1:2)".to_owned(),
            },
        ),
        story.now,
    );
    let logged = |actions: &[Action]| {
        let lines = actions.iter().filter_map(|action| {
            let Action::Note(note) = action else { return None };
            Some(note.to_string())
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(logged(&actions).contains("blocked for 30.1 s"), "{actions:?}");
    assert!(logged(&more).contains("at spin (app.js:1:2)"), "{more:?}");
}

#[test]
fn without_a_stack_it_is_killed_all_the_same() {
    beating()
        .wait(30_000)
        .did("trace 1")
        .wait(1_999)
        .did("")
        .wait(1)
        .did("kill");
    let mute = Story::running(Proof::Listening)
        .says(1, HELLO)
        .says(1, LISTENING)
        .says(1, BEAT)
        .forget();
    mute.wait(30_000).did("kill");
}

#[test]
fn one_that_beats_again_or_is_gone_is_not_killed() {
    let story = beating().wait(30_000).did("trace 1").says(1, BEAT).did("watchdog");
    story
        .wait(29_999)
        .did("")
        .says(1, BEAT)
        .did("watchdog")
        .wait(29_999)
        .did("");
    let gone = beating().wait(30_000).did("trace 1").then(Event::Closed(1));
    gone.wait(30_000).did("").wait(30_000).did("");
}

#[test]
fn one_that_listens_first_and_loads_then_has_as_long_as_a_start() {
    let story = Story::running(Proof::Listening)
        .says(1, HELLO)
        .says(1, AdapterMessage::Traceable)
        .says(1, LISTENING)
        .forget();
    story.wait(89_999).did("").wait(1).did("trace 1");
}

#[test]
fn a_stack_that_was_not_asked_for_kills_nobody() {
    beating()
        .says(1, AdapterMessage::Stack { line: "x".to_owned() })
        .says(1, AdapterMessage::Traced)
        .did("");
    let other = beating().says(2, HELLO).wait(30_000).did("trace 1");
    other
        .says(2, AdapterMessage::Traced)
        .did("")
        .says(2, BEAT)
        .did("")
        .wait(2_000)
        .did("kill");
}

#[test]
fn a_start_is_never_judged() {
    let story = Story::running(Proof::Http)
        .says(1, HELLO)
        .says(1, LISTENING)
        .says(1, BEAT)
        .forget();
    let story = story.wait(59_000).did("").then(Event::Probed(Ok(())));
    // The time before counts for nothing.
    story.forget().wait(29_999).did("");
}

#[test]
fn a_drain_is_never_judged() {
    beating()
        .then(Event::Terminate)
        .did("STOPPING, stop 1 2000 28000")
        .wait(28_999)
        .did("");
    let asked = beating().wait(30_000).did("trace 1").then(Event::Terminate);
    asked
        .did("STOPPING, stop 1 2000 28000")
        .says(1, AdapterMessage::Traced)
        .did("");
}

#[test]
fn a_time_in_which_the_shim_did_not_run_either_is_not_held_against_the_app() {
    let story = beating().wait(3_600_000).did("");
    story.wait(29_999).did("").wait(1).did("trace 1");
}

#[test]
fn without_an_interval_it_may_stand_still_for_ever() {
    let mut rules = rules(Proof::Listening);
    rules.blocked_after = None;
    let (mut machine, _) = Machine::begin(rules, Record::default(), 1_000);
    for said in [HELLO, AdapterMessage::Traceable, LISTENING, BEAT] {
        machine = machine.step(Event::Adapter(1, said), 1_000).0;
    }
    assert_eq!(machine.deadline(), None);
    assert_eq!(machine.step(Event::Tick, 90_000_000).1, []);
}
