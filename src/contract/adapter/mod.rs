//! The protocol between the adapter in an app's Node processes and the shim: lines of text on a unix socket, both ways.
//! A line is a word and what belongs to it, with a space between; what follows behind that is ignored. A word that is not
//! known means nothing, so that either half may be newer than the other.
//!
//! Node's half is `src/node/protocol.cjs`. Both halves are held to `vectors.json`.

mod from_adapter;
mod from_shim;
#[cfg(test)]
mod tests;
mod words;

pub use from_adapter::{AdapterMessage, Beat};
pub use from_shim::{LONGEST_SPAN, ShimMessage};

/// What an adapter says in its first line that it speaks.
pub const VERSION: u32 = 1;

/// Longest line of either side, in bytes, newline included. The other side hangs up on a longer one.
pub const LONGEST_LINE: usize = 1_024;
