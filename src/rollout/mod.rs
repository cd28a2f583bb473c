//! When to restart what: events in, steps out. Pure: no clock, no I/O, and the same machine serves every verb and
//! `--dry-run`.
//!
//! A [`Rollout`] is asked by [`Rollout::step`] with what happened, and answers with the one thing to do next. The rules:
//! a surge instance proves the new state before any other is touched; instances follow one at a time; a failure ends the
//! way forward, and where there is a way back it is taken; the surge instance is stopped last, and only when no other
//! instance is missing. Canaries are watched before anything is made final, and everything once more at the end.
//!
//! The rollout that runs is also the one on disk, in a [`Record`]: another process reads it and goes on with it by
//! [`Rollout::reopen`].

mod back;
mod earlier;
mod event;
mod forward;
mod machine;
mod note;
mod part;
mod phase;
mod plan;
mod record;
mod report;
mod request;
mod rest;
#[cfg(test)]
mod tests;

pub use event::{Event, Failure, Outcome, Step};
pub use machine::Rollout;
pub use part::Progress;
pub use phase::{State, Watching};
pub use plan::plan;
pub use record::{About, Driver, Move, Record};
pub use report::{Entry, Report, TaskName};
pub use request::{Canary, Policy, Request, Switch, Task, Verb};
pub use rest::Seen;
