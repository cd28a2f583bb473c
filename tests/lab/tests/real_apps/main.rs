//! Apps and frameworks from npm, in the sandbox that every app has by default: installed from the package, asked for what
//! a sandbox might forbid, and replaced while requests are in flight. With Debian's own Node and with a Node 22 from npm.

mod addon;
mod app;
mod frameworks;
mod next;

/// The programs of Node 22, its own npm among them, once it was brought.
pub(crate) const NODE_22: &str = "/srv/node-22/node_modules/.bin";
