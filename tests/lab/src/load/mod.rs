//! The strict load client: HTTP/1.1 written by hand over plain sockets, so that it sees every byte and never retries.
//!
//! Each request carries an id that the app must give back; each ends in exactly one bucket of [`Counts`]. One shape of
//! load per file in `shape`. It talks to loopback addresses and unix sockets only, and every run is bounded.

mod background;
mod clock;
mod connection;
mod counts;
mod frame;
mod identity;
mod lane;
mod latency;
mod ledger;
mod plan;
mod report;
mod request;
mod response;
mod shape;
mod stream;
mod tally;
mod target;

pub use background::{Load, run};
pub use counts::{Bucket, Counts};
pub use latency::Latency;
pub use plan::{MAX_DURATION, Plan};
pub use report::{Loss, Report};
pub use shape::Shape;
pub use target::Target;
