//! What holds whatever happens, in whatever order.

use appctl::contract::{Responses, ShimState};
use proptest::prelude::*;

use super::super::event::{AdapterMessage, Beat, Note};
use super::super::peers::Peers;
use super::super::{Action, Event, Exit, Machine, Millis, Notified, Proof};
use super::{HELLO, LISTENING, rules};
use crate::backoff::Record;

fn any_message() -> impl Strategy<Value = AdapterMessage> {
    prop_oneof![
        Just(HELLO),
        Just(LISTENING),
        Just(AdapterMessage::Ready),
        any::<u16>().prop_map(|port| AdapterMessage::Elsewhere { port }),
        Just(AdapterMessage::Probe),
        Just(AdapterMessage::Stopped),
        any::<(u32, u32)>().prop_map(|(served, cut)| AdapterMessage::Drained { served, cut }),
        any::<(u32, Option<(u64, u64)>)>().prop_map(|(in_flight, counts)| AdapterMessage::Beat(Beat {
            in_flight,
            responses: counts.map(|(all, errors)| Responses { all, errors }),
            ..Beat::default()
        })),
        Just(AdapterMessage::Traceable),
        "[a-z]{0,9}".prop_map(|line| AdapterMessage::Stack { line }),
        Just(AdapterMessage::Traced),
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
        8 => (0..4_u32, any_message()).prop_map(|(peer, message)| Event::Adapter(peer, message)),
        1 => (0..4_u32).prop_map(Event::Closed),
        1 => prop_oneof![
            Just(Notified::Ready),
            "[a-z]{0,9}".prop_map(Notified::Status),
            any::<u32>().prop_map(|span| Notified::Extend(span.into())),
            Just(Notified::Watchdog),
        ].prop_map(Event::Notified),
        1 => Just(Event::Message),
        1 => Just(Event::Unheard),
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
        let is_blocked = |action: &Action| matches!(action, Action::Note(Note::Blocked { .. }));
        let blocked = first(&steps, is_blocked);
        // What is blocked would not see a signal. Nobody has asked it to stop then.
        let shot = kill.filter(|kill| blocked.is_some_and(|blocked| blocked <= *kill));
        if let (Some(shot), Some(stopping)) = (shot, first(&steps, |action| matches!(action, Action::Stopping(_)))) {
            prop_assert!(shot <= stopping || signal.is_some_and(|signal| signal < shot));
        }
        if let Some(kill) = kill.filter(|_| shot.is_none()) {
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
            let mut peers = Peers::default();
            steps[..=signal].iter().for_each(|step| peers.note(&step.event, step.now));
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
