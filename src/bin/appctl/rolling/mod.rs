//! Rollouts from the command line: what is rolled, under which lock, and what the operator sees of it.

mod config;
mod console;
mod deploy;
mod hold;
mod interrupt;
mod order;
mod progress;
pub(crate) mod proven;
mod verdict;

pub(crate) use config::{Change, put_in_force, roll};
pub(crate) use deploy::{Roll, Target, refuse_open_release, show};
pub(crate) use hold::{Hold, who};
pub(crate) use interrupt::Interrupts;
pub(crate) use order::{carry_out, reopen};
