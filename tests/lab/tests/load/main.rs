//! The strict load client puts every way in which a server can fail into the right bucket, and each fixture app answers
//! it as it should under plain Node. Needs root: every test that listens on a port has a network namespace of its own.

mod apps;
mod buckets;
mod connections;
mod habits;
mod network;
mod protocols;
mod refused;
mod runs;
mod server;
mod shapes;
