//! What a rollout would do: the machine itself, in a world where everything works.

use super::{Event, Request, Rollout, Step};

/// All steps of a rollout in which nothing goes wrong, without the last.
pub fn plan(request: Request) -> Vec<Step> {
    let mut rollout = Rollout::new(request);
    let mut steps = Vec::new();
    let mut step = rollout.step(Event::Begin);
    while let Some(event) = success(&step) {
        steps.push(step);
        step = rollout.step(event);
    }
    steps
}

/// The event that says a step worked; `None` after the last.
fn success(step: &Step) -> Option<Event> {
    Some(match step {
        Step::Stage | Step::Commit => Event::Switched,
        Step::Undo => Event::Undone,
        Step::Run(task) if task.brings_up() => Event::Up(task.instance(), String::new()),
        Step::Run(task) => Event::Down(task.instance()),
        Step::Settle(_) => Event::Settled,
        Step::Bake { .. } => Event::Baked,
        Step::Continue | Step::Finish(_) => return None,
    })
}
