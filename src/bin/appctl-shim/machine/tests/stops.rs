//! Stop requests, and what passes through while the app serves.

use super::super::event::{AdapterMessage, Beat};
use super::super::{Event, Exit, Proof};
use super::{HELLO, LISTENING, Story, exited};

#[test]
fn a_stop_drains_every_adapter_that_listened_before_it_signals() {
    let story = Story::running(Proof::Listening)
        .says(1, HELLO)
        .says(2, LISTENING)
        .says(3, LISTENING);
    let story = story
        .forget()
        .then(Event::Terminate)
        .did("STOPPING, stop 1 2000 28000, stop 2 2000 28000, stop 3 2000 28000");
    let story = story
        .says(2, AdapterMessage::Stopped)
        .says(3, AdapterMessage::Stopped)
        .says(2, AdapterMessage::Drained { served: 0, cut: 0 })
        .did("");
    let story = story
        .says(3, AdapterMessage::Drained { served: 0, cut: 0 })
        .did("signal");
    story
        .then(Event::AppExited {
            exit: Exit::Signal(15),
            leftovers: false,
        })
        .did("remember 0, end: was killed by SIGTERM");
}

#[test]
fn a_stop_escalates_in_its_time() {
    let story = Story::running(Proof::Listening)
        .says(1, LISTENING)
        .forget()
        .then(Event::Terminate)
        .forget();
    let story = story
        .wait(28_999)
        .did("")
        .wait(1)
        .did("signal")
        .wait(999)
        .did("")
        .wait(1)
        .did("kill");
    story.wait(5_000).did("remember 0, end: was killed by SIGKILL");
}

/// It accepts before its adapter has been heard, so a signal at once could cut what it has accepted.
#[test]
fn an_app_that_was_starting_is_listened_to_before_it_is_signalled() {
    let asked = || Story::running(Proof::Listening).then(Event::Terminate).did("STOPPING");
    asked().wait(299).did("").wait(1).did("signal");
    let heard = asked().says(1, HELLO).did("stop 1 2000 28000");
    let heard = heard.says(1, LISTENING).did("stop 1 2000 28000").wait(300).did("");
    heard
        .says(1, AdapterMessage::Drained { served: 0, cut: 0 })
        .did("signal");
}

/// It is ready by the clock, and may serve before that.
#[test]
fn so_is_one_whose_time_has_not_come_yet() {
    let asked = Story::running(Proof::Started(500))
        .then(Event::Terminate)
        .did("STOPPING");
    asked.wait(299).did("").wait(1).did("signal");
}

#[test]
fn without_an_adapter_that_listened_the_signal_goes_out_at_once() {
    Story::running(Proof::Notify)
        .then(Event::Terminate)
        .did("STOPPING, signal");
    let npm_only = Story::running(Proof::Notify).says(1, HELLO).then(Event::Terminate);
    npm_only.did("STOPPING, stop 1 2000 28000, signal");
}

#[test]
fn a_message_comes_before_the_signal_where_the_app_wants_one() {
    let asked = || {
        Story::that_wants_a_message()
            .then(Event::Terminate)
            .did("STOPPING, message")
    };
    asked().then(exited(0)).did("remember 0, end: exited with status 0");
    asked()
        .wait(14_999)
        .did("")
        .wait(1)
        .did("signal")
        .wait(15_000)
        .did("kill");
    asked().then(Event::Unheard).did("signal");
    let left = Event::AppExited {
        exit: Exit::Code(0),
        leftovers: true,
    };
    asked().then(left).did("signal");
}

#[test]
fn an_adapter_that_comes_late_is_told_too_and_one_that_goes_is_not_waited_for() {
    let story = Story::running(Proof::Listening)
        .says(1, LISTENING)
        .then(Event::Terminate)
        .forget();
    let story = story.wait(1_000).says(2, HELLO).did("stop 2 2000 27000");
    story.then(Event::Closed(1)).did("signal");
}

#[test]
fn a_second_request_to_stop_changes_nothing() {
    Story::running(Proof::Notify)
        .then(Event::Terminate)
        .forget()
        .then(Event::Terminate)
        .did("");
}

#[test]
fn a_stop_during_a_readiness_failure_is_a_stop() {
    let story = Story::running(Proof::Notify)
        .wait(60_000)
        .forget()
        .then(Event::Terminate)
        .did("STOPPING");
    story.then(exited(0)).did("remember 0, end: exited with status 0");
}

#[test]
fn what_the_main_process_leaves_behind_is_signalled_too_and_waited_for() {
    let left = Event::AppExited {
        exit: Exit::Code(3),
        leftovers: true,
    };
    let story = Story::running(Proof::Notify)
        .then(Event::Terminate)
        .forget()
        .then(left)
        .did("signal");
    story
        .then(Event::GroupGone)
        .did("remember 0, end: exited with status 3");
}

#[test]
fn signals_meant_for_the_app_reach_it_while_it_serves() {
    let story = Story::running(Proof::Message)
        .then(Event::Forward(1))
        .did("forward 1")
        .then(Event::Message)
        .forget();
    story
        .then(Event::Forward(10))
        .did("forward 10")
        .then(Event::Terminate)
        .forget()
        .then(Event::Forward(10))
        .did("");
}

#[test]
fn the_watchdog_is_fed_by_event_loops_only() {
    let beat = AdapterMessage::Beat(Beat::default());
    let story = Story::running(Proof::Listening)
        .says(1, HELLO)
        .says(2, LISTENING)
        .forget();
    story.says(1, beat.clone()).did("").says(2, beat).did("watchdog");
}
