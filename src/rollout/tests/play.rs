//! Plays rollouts in a world: to their end, or until whoever drives them is killed.

use super::super::{Event, Outcome, Record, Request, Rollout, Step};
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

/// Kills whoever drives a rollout, and has the rest done from the record by someone with better luck.
pub(super) fn killed(request: &Request, mut world: World, kill: Kill, begin: Event) -> (World, Outcome) {
    let Kill { steps, late, power } = kill;
    let mut rollout = Rollout::new(request.clone());
    let runs = world.instances.keys().map(|who| (*who, "old".to_owned())).collect();
    let mut record = Record::new("now".into(), "a".into(), ("ann".into(), 1), request, &runs);
    let mut step = rollout.step(Event::Begin);
    for nth in 0..=steps {
        record.begins(&step);
        if matches!(step, Step::Finish(_)) {
            break;
        }
        if nth < steps || late {
            let event = world.take(&step);
            if nth < steps {
                record.happened(&event, Some("new".to_owned()));
                step = rollout.step(event);
            }
        }
    }
    if power {
        world.starts_anew();
    }
    let (rest, past) = record.rest(&world.seen());
    let begin = if record.going_back { Event::Abort } else { begin };
    world.dice.clear();
    let mut rollout = Rollout::resumed(rest, past);
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
