//! The machine as a table of short stories, and as properties that no order of events can break.

use appctl::observe::ShimState;
use proptest::prelude::*;

use super::{Action, Event, Exit, Machine, Millis, Notified, Proof, Rules, Said};
use crate::backoff::{Policy, Record};

fn rules(proof: Proof) -> Rules {
    Rules {
        app: "web".to_owned(),
        proof,
        ready_timeout: 60_000,
        stop_timeout: 30_000,
        linger: 2_000,
        backoff: Policy {
            delay: 100,
            longest: 30_000,
            reset_after: 10_000,
        },
        held: "3000".to_owned(),
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
        story.note(actions);
        story
    }

    /// A started app.
    fn running(proof: Proof) -> Self {
        Self::of(proof).then(Event::Spawned { pid: 7, release: None }).forget()
    }

    fn note(&mut self, actions: Vec<Action>) {
        self.done.extend(actions.iter().filter_map(short));
    }

    fn then(mut self, event: Event) -> Self {
        let (machine, actions) = self.machine.step(event, self.now);
        self.machine = machine;
        self.note(actions);
        self
    }

    fn says(self, peer: u32, said: Said) -> Self {
        self.then(Event::Said(peer, said))
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
        Action::Log(..) => return None,
        Action::TellStop { peer, linger, timeout } => format!("stop {peer} {linger} {timeout}"),
        Action::Probe => "probe".to_owned(),
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

#[test]
fn each_proof_makes_ready_and_no_other_does() {
    let proofs = [
        (Proof::Notify, Event::Notified(Notified::Ready)),
        (Proof::Listening, Event::Said(1, Said::Listening)),
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
            .did("remember 1, end: exited with status 75");
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
fn the_probe_is_repeated_until_it_passes() {
    let story = Story::running(Proof::Http)
        .says(1, Said::Listening)
        .did("")
        .says(1, Said::Probe)
        .wait(0)
        .did("probe");
    let story = story
        .then(Event::Probed(Err("503".to_owned())))
        .wait(99)
        .did("")
        .wait(1)
        .did("probe");
    let story = story.wait(10_000).did("probe");
    story.then(Event::Probed(Ok(()))).did("READY, remember 0+");
}

#[test]
fn the_last_answer_of_a_failed_probe_is_what_the_operator_reads() {
    let story = Story::running(Proof::Http).says(1, Said::Probe).wait(0);
    let story = story
        .then(Event::Probed(Err("its probe was answered with 503".to_owned())))
        .wait(60_000);
    assert_eq!(
        story.machine.remark.as_deref(),
        Some("not ready after 60.0 s: its probe was answered with 503")
    );
}

#[test]
fn a_port_that_no_socket_holds_fails_fast_and_tells_what_to_type() {
    let story = Story::running(Proof::Listening)
        .says(1, Said::Elsewhere(4000))
        .wait(1_999)
        .did("");
    let story = story.wait(1).did("status failed, stop 1 2000 3750, signal");
    let remark = story.machine.remark.clone();
    let said = "web listens on port 4000, but its socket holds 3000: \
        set listen = 4000 in /etc/appctl/apps/web.toml and run \"appctl apply web\"";
    assert_eq!(remark.as_deref(), Some(said));
    story.then(exited(0)).did("remember 1, end: exited with status 78");
}

#[test]
fn a_second_port_beside_a_right_one_is_fine() {
    let story = Story::running(Proof::Notify)
        .says(1, Said::Elsewhere(9_100))
        .wait(1_000)
        .says(1, Said::Listening);
    story.says(1, Said::Elsewhere(9_200)).wait(50_000).did("");
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

#[test]
fn a_stop_drains_every_adapter_that_listened_before_it_signals() {
    let story = Story::running(Proof::Listening)
        .says(1, Said::Hello)
        .says(2, Said::Listening)
        .says(3, Said::Listening);
    let story = story
        .forget()
        .then(Event::Terminate)
        .did("STOPPING, stop 1 2000 28000, stop 2 2000 28000, stop 3 2000 28000");
    let story = story
        .says(2, Said::Stopped)
        .says(3, Said::Stopped)
        .says(2, Said::Drained { cut: 0 })
        .did("");
    let story = story.says(3, Said::Drained { cut: 0 }).did("signal");
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
        .says(1, Said::Listening)
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

#[test]
fn without_an_adapter_that_listened_the_signal_goes_out_at_once() {
    Story::running(Proof::Notify)
        .then(Event::Terminate)
        .did("STOPPING, signal");
    let npm_only = Story::running(Proof::Notify)
        .says(1, Said::Hello)
        .then(Event::Terminate);
    npm_only.did("STOPPING, stop 1 2000 28000, signal");
}

#[test]
fn an_adapter_that_comes_late_is_told_too_and_one_that_goes_is_not_waited_for() {
    let story = Story::running(Proof::Listening)
        .says(1, Said::Listening)
        .then(Event::Terminate)
        .forget();
    let story = story.wait(1_000).says(2, Said::Hello).did("stop 2 2000 27000");
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
    let beat = Said::Beat { in_flight: 0 };
    let story = Story::running(Proof::Listening)
        .says(1, Said::Hello)
        .says(2, Said::Listening)
        .forget();
    story.says(1, beat.clone()).did("").says(2, beat).did("watchdog");
}

fn any_said() -> impl Strategy<Value = Said> {
    prop_oneof![
        Just(Said::Hello),
        Just(Said::Listening),
        any::<u16>().prop_map(Said::Elsewhere),
        Just(Said::Probe),
        Just(Said::Stopped),
        any::<u32>().prop_map(|cut| Said::Drained { cut }),
        any::<u32>().prop_map(|in_flight| Said::Beat { in_flight }),
    ]
}

fn any_exit() -> impl Strategy<Value = Exit> {
    prop_oneof![(0..256).prop_map(Exit::Code), (1..65).prop_map(Exit::Signal)]
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Tick),
        2 => Just(Event::Terminate),
        1 => (1..32).prop_map(Event::Forward),
        1 => any::<u32>().prop_map(|pid| Event::Spawned { pid, release: None }),
        1 => (any::<bool>(), any_exit()).prop_map(|(leftovers, exit)| Event::AppExited { exit, leftovers }),
        1 => Just(Event::GroupGone),
        8 => (0..4_u32, any_said()).prop_map(|(peer, said)| Event::Said(peer, said)),
        1 => (0..4_u32).prop_map(Event::Closed),
        1 => prop_oneof![
            Just(Notified::Ready),
            "[a-z]{0,9}".prop_map(Notified::Status),
            any::<u32>().prop_map(|span| Notified::Extend(span.into())),
            Just(Notified::Watchdog),
        ].prop_map(Event::Notified),
        1 => Just(Event::Message),
        1 => any::<bool>().prop_map(|good| Event::Probed(if good { Ok(()) } else { Err("503".to_owned()) })),
    ]
}

fn any_proof() -> impl Strategy<Value = Proof> {
    let listed = vec![
        Proof::Notify,
        Proof::Listening,
        Proof::Http,
        Proof::Message,
        Proof::Started(1_000),
    ];
    proptest::sample::select(listed)
}

/// One event with the time that passed before it, and what it led to.
struct Step {
    now: Millis,
    event: Event,
    actions: Vec<Action>,
}

fn play(proof: Proof, crashes: u32, events: Vec<(u32, Event)>) -> (Machine, Vec<Step>) {
    let mut now = 1_000;
    let (mut machine, actions) = Machine::begin(
        rules(proof),
        Record {
            crashes,
            ..Record::default()
        },
        now,
    );
    let mut steps = vec![Step {
        now,
        event: Event::Tick,
        actions,
    }];
    for (span, event) in events {
        now += Millis::from(span);
        let actions;
        (machine, actions) = machine.step(event.clone(), now);
        steps.push(Step { now, event, actions });
    }
    (machine, steps)
}

fn count(steps: &[Step], wanted: impl Fn(&Action) -> bool) -> usize {
    steps
        .iter()
        .flat_map(|step| &step.actions)
        .filter(|action| wanted(action))
        .count()
}

fn first(steps: &[Step], wanted: impl Fn(&Action) -> bool) -> Option<usize> {
    steps.iter().position(|step| step.actions.iter().any(&wanted))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens(
        proof in any_proof(),
        crashes in 0..5_u32,
        events in proptest::collection::vec((0..20_000_u32, any_event()), 0..60)
    ) {
        let (_, steps) = play(proof, crashes, events);
        let asked = steps.iter().position(|step| step.event == Event::Terminate);
        let finished = first(&steps, |action| matches!(action, Action::Finish(_)));

        // The app is started once in a shim's life, and never after a stop request.
        let spawned = first(&steps, |action| matches!(action, Action::Spawn));
        prop_assert!(count(&steps, |action| matches!(action, Action::Spawn)) <= 1);
        prop_assert!(asked.is_none_or(|asked| spawned.is_none_or(|spawned| spawned < asked)));

        // READY at most once, and never once a stop was asked for.
        let ready = first(&steps, |action| matches!(action, Action::Ready(_)));
        prop_assert!(count(&steps, |action| matches!(action, Action::Ready(_))) <= 1);
        prop_assert!(asked.is_none_or(|asked| ready.is_none_or(|ready| ready < asked)));

        // STOPPING exactly once, in answer to the request, unless the shim was already at its end.
        let stopping = first(&steps, |action| matches!(action, Action::Stopping(_)));
        let alive_when_asked = asked.filter(|asked| finished.is_none_or(|finished| *asked <= finished));
        prop_assert_eq!(stopping, alive_when_asked);
        prop_assert_eq!(count(&steps, |action| matches!(action, Action::Stopping(_))), usize::from(stopping.is_some()));

        // The end is the end.
        if let Some(finished) = finished {
            prop_assert!(steps[finished + 1..].iter().all(|step| step.actions.is_empty()));
        }
    }

    #[test]
    fn a_kill_comes_after_the_signal_and_not_before_the_deadline(
        events in proptest::collection::vec((0..9_000_u32, any_event()), 0..80)
    ) {
        let (_, steps) = play(Proof::Listening, 0, events);
        let kill = first(&steps, |action| matches!(action, Action::KillApp));
        let signal = first(&steps, |action| matches!(action, Action::StopApp));
        if let Some(kill) = kill {
            prop_assert!(signal.is_some_and(|signal| signal < kill));
            let is_failure = |action: &Action| matches!(action, Action::Status(status) if status.state == ShimState::Failed);
            let failed = first(&steps, is_failure);
            let stopping = first(&steps, |action| matches!(action, Action::Stopping(_)));
            let (from, budget) = match (failed, stopping) {
                (Some(failed), _) => (steps[failed].now, 5_000),
                (None, Some(stopping)) => (steps[stopping].now, 30_000),
                (None, None) => return Err(TestCaseError::fail("killed without a reason")),
            };
            prop_assert!(steps[kill].now >= from + budget);
        }
    }

    #[test]
    fn the_app_is_not_signalled_while_an_adapter_drains(
        events in proptest::collection::vec((0..200_u32, any_event()), 0..60)
    ) {
        let (_, steps) = play(Proof::Listening, 0, events);
        let stopping = first(&steps, |action| matches!(action, Action::Stopping(_)));
        let signal = first(&steps, |action| matches!(action, Action::StopApp));
        if let (Some(stopping), Some(signal)) = (stopping, signal) {
            let mut peers = super::Peers::default();
            steps[..=signal].iter().for_each(|step| peers.note(&step.event));
            prop_assert!(peers.drained() || steps[signal].now >= steps[stopping].now + 29_000 || signal < stopping);
        }
    }

    #[test]
    fn an_app_that_never_answers_is_ended_all_the_same(
        proof in any_proof(),
        crashes in 0..5_u32,
        events in proptest::collection::vec((0..20_000_u32, any_event()), 0..30)
    ) {
        let (mut machine, _) = play(proof, crashes, events);
        let mut now = 10_000_000;
        let mut ended = machine.deadline().is_none();
        (machine, _) = machine.step(Event::Terminate, now);
        for _ in 0..10 {
            let Some(deadline) = machine.deadline() else { ended = true; break };
            now = now.max(deadline);
            (machine, _) = machine.step(Event::Tick, now);
        }
        prop_assert!(ended && machine.deadline().is_none());
    }
}
