//! The strict load client puts every way in which a server can fail into the right bucket. Needs root: every test that
//! listens on a port has a network namespace of its own.

mod buckets;
mod connections;
mod network;
mod refused;
mod runs;
mod server;
mod shapes;
