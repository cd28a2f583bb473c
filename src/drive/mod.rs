//! How a rollout is driven: [`crate::rollout`] decides, this asks for each step, verifies what came of it, and tells the
//! rollout. Pure: everything it does and sees goes through a [`World`], everything a person sees or wants through an
//! [`Operator`], so that a test can kill it after every effect and lose every answer.
//!
//! [`begin`] drives a new rollout, [`reopen`] the rest of one that was interrupted. Every step is on disk before it is
//! taken, and only the driver tells the rollout what happened.

mod answers;
mod around;
mod bring_up;
mod done;
mod driver;
mod ended;
mod errors;
mod job;
mod operator;
mod order;
mod race;
mod reason;
mod survey;
mod swap;
mod switch;
#[cfg(test)]
mod tests;
mod verdict;
mod work;
mod world;

pub use ended::{Drained, Ended};
pub use job::{JobResult, Replaced};
pub use operator::{News, Operator, Wish};
pub use order::{NotBegun, Order, begin, reopen, written};
pub use reason::{Reason, Said, because, killed_by};
pub use survey::Survey;
pub use swap::{Swap, Texts};
pub use switch::Switching;
pub use world::{Clock, Commands, Disk, Journal, Systemd, Variables, World};
