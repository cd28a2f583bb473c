//! Plays rollouts in a world: to their end, or until whoever drives them is killed.

use super::super::{Event, Outcome, Request, Rollout, Step};
use super::kept::{earlier, kept};
use super::world::World;

/// When whoever drives a rollout is killed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    /// After so many steps.
    pub(super) steps: usize,
    /// After the last took effect.
    pub(super) late: bool,
    /// Together with the machine.
    pub(super) power: bool,
}

/// Kills the process that drives a rollout, and has another one do the rest from what was kept.
pub(super) fn killed(request: &Request, mut world: World, kill: Kill, begin: Event) -> (World, Outcome) {
    let Kill { steps, late, power } = kill;
    let runs = world.instances.keys().map(|who| (*who, "old".to_owned())).collect();
    let mut rollout = Rollout::new(request.clone()).replacing(runs);
    let mut step = rollout.step(Event::Begin);
    for nth in 0..=steps {
        if matches!(step, Step::Finish(_)) {
            break;
        }
        if nth < steps || late {
            let event = world.take(&step);
            if nth < steps {
                step = rollout.step(event);
            }
        }
    }
    if power {
        world.starts_anew();
    }
    let mut before = earlier(&rollout);
    before.reopen(&world.seen());
    let mut rollout = kept(&rollout);
    rollout.reopen(&world.seen());
    assert_eq!(before, rollout, "an earlier appctl would have left something else");
    let begin = if rollout.is_going_back() { Event::Abort } else { begin };
    world.dice.clear();
    let mut step = rollout.step(begin);
    for _ in 0..4 * request.tasks.len() + 16 {
        if let Step::Finish(outcome) = step {
            return (world, outcome);
        }
        let event = world.take(&step);
        step = rollout.step(event);
    }
    panic!("no end in sight at {step:?}: {world:?}");
}

/// Runs a rollout to its end and judges every step of it.
pub(super) fn live(request: &Request, mut world: World) -> Outcome {
    let mut rollout = Rollout::new(request.clone());
    let mut step = rollout.step(Event::Begin);
    for _ in 0..4 * request.tasks.len() + 16 {
        if let Step::Finish(outcome) = step {
            world.judge_end(&outcome);
            assert_eq!(rollout.step(Event::Settled), Step::Continue, "over is over");
            return outcome;
        }
        world.judge(&step, request);
        world.remember(&step);
        if let Some(mishap) = world.mishap(&step) {
            match rollout.step(mishap) {
                Step::Continue => {}
                other => {
                    step = other;
                    continue;
                }
            }
        }
        let event = world.take(&step);
        step = rollout.step(event);
    }
    panic!("no end in sight at {step:?}: {world:?}");
}
