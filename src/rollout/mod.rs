//! When to restart what: events in, steps out. Pure: no clock, no I/O, and the same machine serves every verb and
//! `--dry-run`.
//!
//! A [`Rollout`] is asked by [`Rollout::step`] with what happened, and answers with the one thing to do next. The rules:
//! a surge instance proves the new state before any other is touched; instances follow one at a time; a failure ends the
//! way forward, and where there is a way back it is taken; the surge instance is stopped last, and only when no other
//! instance is missing. Canaries are watched before anything is made final, and everything once more at the end.

mod back;
mod entry;
mod event;
mod forward;
mod machine;
mod plan;
mod record;
mod request;
mod rest;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Progress, TaskName};
pub use event::{Event, Failure, Outcome, Step};
pub use machine::{Past, Rollout};
pub use plan::plan;
pub use record::{Move, Record, State, Watching};
pub use request::{Canary, Policy, Request, Switch, Task, Verb};
pub use rest::Seen;
