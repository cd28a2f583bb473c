//! From the first wait to readiness, or not.

use appctl::contract::ShimState;

use super::super::event::AdapterMessage;
use super::super::{Action, Event, Exit, Millis, Notified, Proof};
use super::{HELLO, LISTENING, Story, exited};
use crate::backoff::Record;

#[test]
fn each_proof_makes_ready_and_no_other_does() {
    let proofs = [
        (Proof::Notify, Event::Notified(Notified::Ready)),
        (Proof::Listening, Event::Adapter(1, LISTENING)),
        (Proof::Message, Event::Adapter(1, AdapterMessage::Ready)),
        (Proof::Http, Event::Probed(Ok(()))),
        (Proof::Message, Event::Message),
    ];
    for (proof, _) in &proofs {
        for (other, event) in &proofs {
            let story = Story::running(*proof).then(event.clone());
            assert_eq!(
                story.done.contains(&"READY".to_owned()),
                proof == other,
                "{proof:?} {event:?}"
            );
        }
    }
}

#[test]
fn an_app_counts_as_started_when_it_is_still_alive() {
    Story::running(Proof::Started(500))
        .wait(499)
        .did("")
        .wait(1)
        .did("READY, remember 0+");
}

#[test]
fn the_readiness_deadline_is_failure() {
    for proof in [Proof::Notify, Proof::Listening, Proof::Http, Proof::Message] {
        let story = Story::running(proof)
            .wait(59_999)
            .did("")
            .wait(1)
            .did("status failed, signal");
        let story = story.wait(4_999).did("").wait(1).did("kill");
        story
            .then(Event::AppExited {
                exit: Exit::Signal(9),
                leftovers: false,
            })
            .did("remember 1, status failed, end: exited with status 75");
    }
}

#[test]
fn the_signal_of_a_crash_is_told_until_the_next() {
    for (exit, signal) in [
        (Exit::Signal(31), Some(31)),
        (Exit::Code(159), Some(31)),
        (Exit::Code(1), None),
    ] {
        let leftovers = false;
        let machine = Story::running(Proof::Listening)
            .then(Event::AppExited { exit, leftovers })
            .machine;
        let told = [ShimState::Failed, ShimState::Starting].map(|state| machine.life.status(state).signal);
        assert_eq!((told, machine.life.record.signal), ([signal; 2], signal), "{exit}");
    }
}

#[test]
fn an_app_that_asks_for_time_gets_it_and_systemd_is_told() {
    let story = Story::running(Proof::Notify)
        .wait(50_000)
        .then(Event::Notified(Notified::Extend(20_000)));
    story
        .did("extend 30000")
        .wait(19_999)
        .did("")
        .wait(1)
        .did("status failed, signal");
}

#[test]
fn an_app_that_asks_for_ever_more_time_gets_as_much_again_and_no_more() {
    let ask = |story: Story| story.then(Event::Notified(Notified::Extend(Millis::MAX)));
    let mut story = ask(Story::running(Proof::Notify)).did("extend 130000");
    for _ in 0..11 {
        story = ask(story.wait(10_000)).forget();
    }
    let story = ask(story.wait(9_999)).did("extend 10001");
    story.wait(1).did("status failed, signal");
}

#[test]
fn a_wrong_port_is_warned_of_once() {
    let mut story = Story::running(Proof::Started(1_000)).wait(1_000);
    let mut warnings = 0;
    for port in 4_000..4_100 {
        let (machine, actions) = story
            .machine
            .step(Event::Adapter(1, AdapterMessage::Elsewhere { port }), story.now);
        (story.machine, warnings) = (machine, warnings + actions.len());
    }
    assert_eq!(warnings, 1);
}

#[test]
fn the_probe_is_repeated_until_it_passes() {
    let story = Story::running(Proof::Http)
        .says(1, LISTENING)
        .did("")
        .says(1, AdapterMessage::Probe)
        .wait(0)
        .did("probe");
    let story = story
        .then(Event::Probed(Err("503".to_owned())))
        .wait(99)
        .did("")
        .wait(1)
        .did("probe");
    let story = story.wait(10_000).did("probe");
    story.then(Event::Probed(Ok(()))).did("READY, accept, remember 0+");
}

#[test]
fn only_what_is_ready_takes_connections() {
    let story = Story::running(Proof::Message).says(1, HELLO).did("");
    let story = story.says(1, LISTENING).did("").then(Event::Message);
    story.did("READY, accept, remember 0+").says(2, HELLO).did("accept");
    let story = Story::running(Proof::Listening).says(1, LISTENING);
    story.did("READY, remember 0+").says(2, HELLO).did("");
}

#[test]
fn the_last_answer_of_a_failed_probe_is_what_the_operator_reads() {
    let story = Story::running(Proof::Http).says(1, AdapterMessage::Probe).wait(0);
    let story = story
        .then(Event::Probed(Err("its probe was answered with 503".to_owned())))
        .wait(60_000);
    assert_eq!(
        story.machine.life.remark.as_deref(),
        Some("not ready after 60.0 s: its probe was answered with 503")
    );
}

#[test]
fn a_port_that_no_socket_holds_fails_fast_and_tells_what_to_type() {
    let story = Story::running(Proof::Listening)
        .says(1, AdapterMessage::Elsewhere { port: 4000 })
        .wait(1_999)
        .did("status starting");
    let story = story.wait(1).did("status failed, stop 1 2000 3750, signal");
    let remark = story.machine.life.remark.clone();
    let said = "web listens on port 4000, but its socket holds 3000: \
        set listen = 4000 in /etc/appctl/apps/web.toml and run \"appctl apply web\"";
    assert_eq!(remark.as_deref(), Some(said));
    story
        .then(exited(0))
        .did("remember 1, status failed, end: exited with status 78");
}

#[test]
fn a_second_port_beside_a_right_one_is_fine() {
    let story = Story::running(Proof::Notify)
        .says(1, AdapterMessage::Elsewhere { port: 9_100 })
        .wait(1_000)
        .says(1, LISTENING)
        .did("status starting, status starting");
    assert_eq!(story.machine.life.elsewhere, None);
    story
        .says(1, AdapterMessage::Elsewhere { port: 9_200 })
        .wait(50_000)
        .did("");
}

#[test]
fn an_end_that_nobody_asked_for_is_a_crash_whatever_the_status() {
    for code in [0, 1, 78] {
        let end = format!("remember 1, status failed, end: exited with status {code}");
        Story::running(Proof::Notify).then(exited(code)).did(&end);
        Story::running(Proof::Message)
            .then(Event::Message)
            .forget()
            .then(exited(code))
            .did(&end);
    }
}

#[test]
fn after_a_second_crash_the_next_start_waits_and_systemd_is_asked_for_patience() {
    let record = Record {
        crashes: 5,
        reason: "exited with status 3".to_owned(),
        ..Record::default()
    };
    let story = Story::after(Proof::Notify, record).did("extend 70800, status backing-off");
    story.wait(799).did("").wait(1).did("spawn");
}

#[test]
fn a_long_wait_says_how_much_of_it_is_left() {
    let record = Record {
        crashes: 40,
        reason: "exited with status 3".to_owned(),
        ..Record::default()
    };
    let mut story = Story::after(Proof::Notify, record).forget();
    story.now += 5_000;
    let (_, actions) = story.machine.step(Event::Tick, story.now);
    let Some(Action::Status(status)) = actions.first() else {
        panic!("no status in {actions:?}")
    };
    assert_eq!(status.state, ShimState::BackingOff);
    assert_eq!(
        status.remark.as_deref(),
        Some("exited with status 3; next start in 25.0 s")
    );
}

#[test]
fn a_stop_ends_the_wait_before_a_start() {
    let record = Record {
        crashes: 40,
        ..Record::default()
    };
    Story::after(Proof::Notify, record)
        .forget()
        .then(Event::Terminate)
        .did("STOPPING, remember 0, end: exited with status 0");
}

#[test]
fn what_cannot_be_started_counts_as_a_crash() {
    let refused = Event::Refused {
        code: 78,
        reason: "started without its sockets".to_owned(),
    };
    Story::of(Proof::Notify)
        .then(refused)
        .did("spawn, remember 1, status failed, end: exited with status 78");
}
