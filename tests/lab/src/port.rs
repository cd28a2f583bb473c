//! Ports of this machine. Boxes share its loopback, so a box claims a port before its app binds it: a second box waits
//! until the first one is gone. Claims are file locks and hold between processes too.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::place;

const PATIENCE: Duration = Duration::from_mins(10);

/// Claims `port` until the returned lock is dropped; waits up to ten minutes for another box to let go of it.
pub(crate) fn claim(port: u16) -> Result<File> {
    let ports = Path::new(place::ROOT).join("ports");
    fs::create_dir_all(&ports)?;
    let lock = File::create(ports.join(port.to_string()))?;
    let deadline = Instant::now() + PATIENCE;
    while lock.try_lock().is_err() {
        if Instant::now() > deadline {
            bail!(
                "port {port} is still claimed by another box after {} s",
                PATIENCE.as_secs()
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
    TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
        .with_context(|| format!("port {port} is taken on this machine, by something outside the lab"))?;
    Ok(lock)
}

/// `count` distinct loopback ports that nothing listens on right now.
pub(crate) fn free(count: usize) -> Result<Vec<u16>> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // All are held until the last is known, so that no number comes twice.
    let held = (0..count).map(bind).collect::<Result<Vec<_>, _>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
