//! Loopback ports for a machine's forwards.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// `count` distinct ports of the calling thread's loopback that nothing listens on right now.
pub(crate) fn free(count: usize) -> io::Result<Vec<u16>> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // All are held until the last is known, so that no number comes twice.
    let held = (0..count).map(bind).collect::<Result<Vec<_>, _>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
