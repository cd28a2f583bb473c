//! Releases: when one is final, what canaries are good for, and that neither a kill nor a power loss leaves two of them.

use std::time::Duration;

use proptest::prelude::*;

use super::play::{Kill, killed};
use super::world::world;
use super::{CAREFUL, failed, told, up};
use crate::rollout::{Canary, Event, Outcome, Request, Rollout, Step, Task, Verb, plan};
use crate::spec::Instance::{Number, Surge};

pub(super) const MINUTES: Duration = Duration::from_mins(5);

/// All instances replaced by a new release, perhaps canaries first, and watched at the end.
fn deploy(instances: u16, canaries: Option<usize>) -> Request {
    let request = Request::new(Verb::Deploy, (instances, instances), true, Vec::new(), CAREFUL);
    Request {
        canary: canaries.map(|count| Canary { count, bake: MINUTES }),
        bake: Duration::from_secs(30),
        ..request
    }
}

fn watch_all() -> Step {
    Step::Bake {
        time: Duration::from_secs(30),
        canary: false,
    }
}

#[test]
fn a_release_is_made_final_only_once_it_has_proven_itself() {
    let steps = plan(deploy(1, None));
    assert_eq!(steps[..2], [Step::Stage, Step::Run(Task::Start(Surge))]);
    assert_eq!(steps[2..4], [Step::Settle(CAREFUL.settle), Step::Commit]);
    assert_eq!(*steps.last().expect("steps"), watch_all());
}

#[test]
fn without_a_surge_the_first_instance_proves_the_release() {
    let mut request = deploy(2, None);
    request.policy.surge = false;
    let all = [
        Step::Stage,
        Step::Run(Task::Restart(Number(1))),
        Step::Settle(CAREFUL.settle),
        Step::Commit,
        Step::Run(Task::Restart(Number(2))),
        watch_all(),
    ];
    assert_eq!(plan(request), all);
}

#[test]
fn the_only_proof_of_a_release_may_not_die_even_if_it_was_down_before() {
    let mut request = deploy(2, Some(1));
    (request.policy.surge, request.ailing) = (false, vec![Number(1)]);
    let mut rollout = Rollout::new(request);
    let mut step = rollout.step(Event::Begin);
    for event in [Event::Switched, up(Number(1)), Event::Settled] {
        step = rollout.step(event);
    }
    assert!(matches!(step, Step::Bake { canary: true, .. }), "{step:?}");
    assert_eq!(rollout.step(Event::Died(Number(1), "boom".to_owned())), Step::Undo);
}

#[test]
fn canaries_are_watched_alone_before_the_release_is_final() {
    let steps = plan(deploy(3, Some(1)));
    let first = [
        Step::Stage,
        Step::Run(Task::Start(Surge)),
        Step::Settle(CAREFUL.settle),
        Step::Run(Task::Restart(Number(1))),
        Step::Run(Task::Stop(Surge)),
        Step::Bake {
            time: MINUTES,
            canary: true,
        },
        Step::Run(Task::Start(Surge)),
        Step::Commit,
        Step::Run(Task::Restart(Number(2))),
        Step::Run(Task::Restart(Number(3))),
        Step::Run(Task::Stop(Surge)),
        watch_all(),
    ];
    assert_eq!(steps, first);
}

/// A deploy with one canary, up to where it is watched.
fn baking() -> (Rollout, Step) {
    let mut rollout = Rollout::new(deploy(2, Some(1)));
    rollout.step(Event::Begin);
    for event in [Event::Switched, up(Surge), Event::Settled, up(Number(1))] {
        rollout.step(event);
    }
    let bake = rollout.step(Event::Down(Surge));
    (rollout, bake)
}

#[test]
fn a_canary_is_promoted_before_its_time_when_the_operator_says_so() {
    let (mut rollout, bake) = baking();
    assert!(matches!(bake, Step::Bake { canary: true, .. }), "{bake:?}");
    assert_eq!(rollout.step(Event::Promote), Step::Run(Task::Start(Surge)));
    assert_eq!(rollout.step(Event::Promote), Step::Continue, "once is enough");
    assert_eq!(rollout.step(up(Surge)), Step::Commit);
}

#[test]
fn a_canary_that_dies_or_errs_takes_the_release_back_and_so_does_the_operator() {
    let boom = || "boom".to_owned();
    for event in [
        Event::Died(Number(1), boom()),
        Event::Errs(Number(1), boom()),
        Event::Abort,
    ] {
        let (mut rollout, _) = baking();
        assert_eq!(rollout.step(event), Step::Undo);
        assert_ne!(rollout.step(Event::Undone), Step::Continue);
    }
}

#[test]
fn what_errs_is_replaced_only_once_a_surge_on_the_old_state_stands_in_for_it() {
    let (mut rollout, _) = baking();
    rollout.step(Event::Errs(Number(1), "boom".to_owned()));
    assert_eq!(rollout.step(Event::Undone), Step::Run(Task::Restart(Surge)));
    assert_eq!(rollout.step(up(Surge)), Step::Run(Task::Restart(Number(1))));
    assert_eq!(rollout.step(up(Number(1))), Step::Run(Task::Stop(Surge)));
    let back = Outcome::WentBack(failed(Number(1)));
    assert_eq!(rollout.step(Event::Down(Surge)), Step::Finish(back));
}

#[test]
fn errors_count_only_while_somebody_watches() {
    let mut rollout = Rollout::new(deploy(2, None));
    rollout.step(Event::Begin);
    rollout.step(Event::Switched);
    assert_eq!(rollout.step(Event::Errs(Surge, "boom".to_owned())), Step::Continue);
    assert_eq!(rollout.step(up(Surge)), Step::Settle(CAREFUL.settle));
}

#[test]
fn an_operator_who_leaves_a_canary_leaves_it_there() {
    let (mut rollout, _) = baking();
    let left = Step::Finish(Outcome::Interrupted { clean: false });
    assert_eq!(rollout.step(Event::Interrupted), left);
}

#[test]
fn a_death_or_errors_while_everything_is_watched_take_it_back_and_leaving_is_done() {
    let events = [
        Event::Switched,
        up(Surge),
        Event::Settled,
        Event::Switched,
        up(Number(1)),
        Event::Down(Surge),
    ];
    let baked = |last| told(deploy(1, None), &[&events[..], &[last]].concat()).pop();
    assert_eq!(baked(Event::Died(Number(1), "boom".to_owned())), Some(Step::Undo));
    assert_eq!(baked(Event::Errs(Number(1), "boom".to_owned())), Some(Step::Undo));
    let done = Outcome::Done { still_down: Vec::new() };
    assert_eq!(baked(Event::Interrupted), Some(Step::Finish(done)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_deploy_that_is_killed_alone_or_with_the_machine_ends_on_one_release(
        instances in 1_u16..5,
        canaries in proptest::option::of(1_usize..4),
        steps in 0_usize..20,
        late in any::<bool>(),
        power in any::<bool>(),
        forward in any::<bool>(),
    ) {
        let request = deploy(instances, canaries.filter(|count| *count < usize::from(instances)));
        let start = world(&request, instances, instances, Vec::new());
        let begin = if forward { Event::Begin } else { Event::Abort };
        let (end, outcome) = killed(&request, start, Kill { steps, late, power }, begin);
        if forward {
            prop_assert_eq!(outcome, Outcome::Done { still_down: Vec::new() });
        } else {
            prop_assert!(matches!(outcome, Outcome::Aborted { went_back: true, .. }), "{outcome:?}");
        }
        end.assert_all(instances, forward);
    }
}
