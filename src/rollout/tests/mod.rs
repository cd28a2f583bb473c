//! The rules of a rollout, held against a world in which instances fail and die at random and operators lose patience.

mod kept;
mod play;
mod releases;
mod world;

use std::time::Duration;

use play::{Kill, killed, live};
use proptest::prelude::*;
use releases::MINUTES;
use world::world;

use super::{Canary, Event, Failure, Outcome, Policy, Request, Rollout, Step, Task, Verb, plan};
use crate::spec::Instance::{self, Number, Surge};

const CAREFUL: Policy = Policy {
    surge: true,
    settle: Duration::from_millis(1500),
};

fn rolling(instances: u16) -> Request {
    Request::new(Verb::RollingRestart, (instances, instances), true, Vec::new(), CAREFUL)
}

fn apply(instances: u16) -> Request {
    Request::new(Verb::Apply, (instances, instances), true, Vec::new(), CAREFUL)
}

/// All steps of a rollout to which these events happen, one after the other.
fn told(request: Request, events: &[Event]) -> Vec<Step> {
    let mut rollout = Rollout::new(request);
    let begin = rollout.step(Event::Begin);
    let rest = events.iter().map(|event| rollout.step(event.clone()));
    std::iter::once(begin).chain(rest).collect()
}

fn failed(instance: Instance) -> Failure {
    Failure::of(instance, "boom".to_owned())
}

fn up(instance: Instance) -> Event {
    Event::Up(instance, "new".to_owned())
}

fn not_up(instance: Instance) -> Event {
    Event::NotUp(instance, "boom".to_owned())
}

#[test]
fn a_rolling_restart_raises_the_surge_first_and_stops_it_last() {
    let steps = [
        Step::Run(Task::Start(Surge)),
        Step::Settle(CAREFUL.settle),
        Step::Run(Task::Restart(Number(1))),
        Step::Run(Task::Restart(Number(2))),
        Step::Run(Task::Stop(Surge)),
    ];
    assert_eq!(plan(rolling(2)), steps);
}

#[test]
fn scaling_needs_no_surge_and_removes_from_the_top() {
    let up = plan(Request::new(Verb::Scale, (1, 3), false, Vec::new(), CAREFUL));
    let steps = [
        Step::Stage,
        Step::Run(Task::Start(Number(2))),
        Step::Settle(CAREFUL.settle),
        Step::Run(Task::Start(Number(3))),
    ];
    assert_eq!(up, steps);
    let down = plan(Request::new(Verb::Scale, (3, 1), false, Vec::new(), CAREFUL));
    let steps = [
        Step::Stage,
        Step::Run(Task::Stop(Number(3))),
        Step::Run(Task::Stop(Number(2))),
    ];
    assert_eq!(down, steps);
}

#[test]
fn a_surge_that_fails_leaves_everything_as_it_was() {
    let steps = told(rolling(2), &[not_up(Surge), Event::Down(Surge)]);
    assert_eq!(steps[1], Step::Run(Task::Stop(Surge)));
    assert_eq!(steps[2], Step::Finish(Outcome::Kept(failed(Surge))));
    let died = Event::Died(Surge, "boom".to_owned());
    let steps = told(rolling(2), &[up(Surge), died, Event::Down(Surge)]);
    assert_eq!(steps[3], Step::Finish(Outcome::Kept(failed(Surge))));
}

#[test]
fn a_failure_half_way_takes_back_what_was_changed_newest_first() {
    let events = [
        Event::Switched,
        up(Surge),
        Event::Settled,
        up(Number(1)),
        not_up(Number(2)),
        Event::Undone,
        up(Number(2)),
        up(Number(1)),
        Event::Down(Surge),
    ];
    let steps = told(apply(3), &events);
    let back = [
        Step::Undo,
        Step::Run(Task::Restart(Number(2))),
        Step::Run(Task::Restart(Number(1))),
        Step::Run(Task::Stop(Surge)),
        Step::Finish(Outcome::WentBack(failed(Number(2)))),
    ];
    assert_eq!(steps[5..], back);
}

#[test]
fn without_a_way_back_the_surge_stands_in_for_what_is_missing() {
    let steps = told(rolling(3), &[up(Surge), Event::Settled, not_up(Number(1))]);
    let outcome = Outcome::Stopped {
        failure: failed(Number(1)),
        stands_in: true,
        no_way_back: None,
    };
    assert_eq!(steps[3], Step::Finish(outcome));
}

#[test]
fn an_instance_that_was_down_before_goes_first_and_blocks_nobody() {
    let request = Request::new(Verb::RollingRestart, (2, 2), true, vec![Number(2)], CAREFUL);
    let events = [
        up(Surge),
        Event::Settled,
        not_up(Number(2)),
        up(Number(1)),
        Event::Down(Surge),
    ];
    let steps = told(request, &events);
    assert_eq!(steps[2], Step::Run(Task::Restart(Number(2))));
    assert_eq!(steps[3], Step::Run(Task::Restart(Number(1))));
    let still_down = vec![Number(2)];
    assert_eq!(steps[5], Step::Finish(Outcome::Done { still_down }));
}

#[test]
fn an_operator_who_leaves_early_leaves_nothing_behind() {
    let steps = told(
        apply(2),
        &[
            Event::Switched,
            Event::Interrupted,
            up(Surge),
            Event::Undone,
            Event::Down(Surge),
        ],
    );
    assert_eq!(steps[2], Step::Continue);
    assert_eq!(steps[3], Step::Undo);
    assert_eq!(steps[5], Step::Finish(Outcome::Interrupted { clean: true }));
}

#[test]
fn an_operator_who_leaves_half_way_can_resume() {
    let events = [up(Surge), Event::Settled, Event::Interrupted, up(Number(1))];
    let steps = told(rolling(2), &events);
    assert_eq!(steps[3], Step::Continue);
    assert_eq!(steps[4], Step::Finish(Outcome::Interrupted { clean: false }));
}

fn verbs() -> impl Strategy<Value = Verb> {
    prop_oneof![
        Just(Verb::RollingRestart),
        Just(Verb::Apply),
        Just(Verb::Scale),
        Just(Verb::Deploy)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn whatever_happens_capacity_is_kept_and_it_ends(
        verb in verbs(),
        before in 1_u16..6,
        after in 1_u16..6,
        surge in any::<bool>(),
        sick in proptest::option::weighted(0.2, 1_u16..6),
        canaries in proptest::option::of(1_usize..4),
        dice in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let after = if verb == Verb::Scale || verb == Verb::Apply { after } else { before };
        let ailing: Vec<_> = sick.filter(|n| *n <= before).map(Number).into_iter().collect();
        let policy = Policy { surge, ..CAREFUL };
        let canaries = canaries.filter(|count| verb == Verb::Deploy && *count < usize::from(before));
        let request = Request {
            canary: canaries.map(|count| Canary { count, bake: MINUTES }),
            bake: if verb == Verb::Deploy { CAREFUL.settle } else { Duration::ZERO },
            ..Request::new(verb, (before, after), verb != Verb::Scale, ailing, policy)
        };
        let world = world(&request, before, after, dice);
        live(&request, world);
    }

    #[test]
    fn where_nothing_fails_everything_is_done(before in 1_u16..9, after in 1_u16..9) {
        let request = Request::new(Verb::Apply, (before, after), true, Vec::new(), CAREFUL);
        let world = world(&request, before, after, Vec::new());
        prop_assert_eq!(live(&request, world), Outcome::Done { still_down: Vec::new() });
    }

    #[test]
    fn whenever_it_is_killed_it_can_be_resumed(
        before in 1_u16..5,
        after in 1_u16..5,
        steps in 0_usize..16,
        late in any::<bool>(),
    ) {
        let request = Request::new(Verb::Apply, (before, after), true, Vec::new(), CAREFUL);
        let start = world(&request, before, after, Vec::new());
        let (end, outcome) = killed(&request, start, Kill { steps, late, power: false }, Event::Begin);
        prop_assert_eq!(outcome, Outcome::Done { still_down: Vec::new() });
        end.assert_all(after, true);
    }

    #[test]
    fn whenever_it_is_killed_it_can_be_taken_back(
        before in 1_u16..5,
        after in 1_u16..5,
        steps in 0_usize..16,
        late in any::<bool>(),
    ) {
        let request = Request::new(Verb::Apply, (before, after), true, Vec::new(), CAREFUL);
        let start = world(&request, before, after, Vec::new());
        let (end, outcome) = killed(&request, start, Kill { steps, late, power: false }, Event::Abort);
        prop_assert!(matches!(outcome, Outcome::Aborted { went_back: true, .. }), "{outcome:?}");
        end.assert_all(before, false);
    }
}
