//! Drives rollouts: the planner decides, systemd acts, and what happens in between is told back to the planner.

mod config;
mod deploy;
mod drained;
mod driver;
mod errors;
mod haste;
mod hold;
mod hooks;
mod interrupt;
mod order;
mod progress;
pub(crate) mod proven;
mod reason;
mod survey;
mod swap;
mod switch;
mod verdict;
mod work;

pub(crate) use config::{Change, put_in_force, roll, write_applied};
pub(crate) use deploy::{Roll, Target, refuse_open_release, show};
pub(crate) use hold::{Hold, who};
pub(crate) use interrupt::{Interrupts, Wish};
pub(crate) use order::{Order, carry_out, reopen};
pub(crate) use reason::{Reason, killed_by};
pub(crate) use survey::Survey;
pub(crate) use swap::Swap;
pub(crate) use switch::Switching;
