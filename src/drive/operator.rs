//! The person who waits for a rollout: is told what happens, and may want something.

use super::Ended;
use crate::rollout::{Event, Record, Step};

/// What the operator wants of a rollout that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To leave.
    Leave,
    /// To go on at once.
    Promote,
    /// To take it back.
    TakeBack,
}

/// What the operator is told.
#[derive(Debug)]
pub enum News<'a> {
    /// The rollout begins, or is gone on with.
    Begins(&'a Record),
    /// So does a step.
    Step(&'a Step),
    /// What came of it, or happened meanwhile, and the last lines of the instance that failed.
    Happened(&'a Event, &'a [String]),
    /// What went wrong and stops nothing.
    Note(&'a str),
    /// A wish was heard.
    Heard(Wish),
    /// It is over.
    Ended(&'a Ended, &'a Record),
}

/// The person who waits for a rollout, or a program in their place.
#[expect(async_fn_in_trait, reason = "appctl has one thread")]
pub trait Operator {
    /// Tells what happens.
    fn tell(&mut self, news: News<'_>);

    /// Waits for the next wish. Dropping it loses none.
    async fn wish(&mut self) -> Wish;
}
