//! Asks the workers themselves who they are and since when they listen: what an observer from outside
//! sees, whatever their supervisor believes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use appctl_lab::load::Target;
use appctl_lab::patience::until;

pub(crate) const PORT: u16 = 3000;
const PATIENCE: Duration = Duration::from_secs(20);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Opened at once, so that several workers find something to accept.
const BURST: usize = 8;

/// Where the app answers. The thread that booted the box reaches it on its loopback.
fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

pub(crate) fn target(port: u16) -> Target {
    Target::Tcp(address(port))
}

/// Waits until each of these processes has given an answer.
pub(crate) fn until_all_answer(port: u16, pids: &[u32]) -> Result<()> {
    let mut seen = BTreeMap::new();
    until("an answer of every worker", PATIENCE, || {
        seen.extend(burst(port)?);
        Ok(pids.iter().all(|pid| seen.contains_key(pid)).then_some(()))
    })
}

/// Waits for the answer of a process that is none of these, and gives since when it listens, in milliseconds since 1970.
pub(crate) fn until_another_answers(known: &[u32]) -> Result<(u32, f64)> {
    until("an answer of a new worker", PATIENCE, || {
        Ok(burst(PORT)?.into_iter().find(|(pid, _)| !known.contains(pid)))
    })
}

/// Process and time of whoever answers to a few connections. A worker that dies meanwhile answers nothing.
fn burst(port: u16) -> Result<BTreeMap<u32, f64>> {
    let mut streams = Vec::new();
    for _ in 0..BURST {
        streams.push(TcpStream::connect_timeout(&address(port), TIMEOUT)?);
    }
    Ok(streams.into_iter().filter_map(|stream| ask(stream).ok()).collect())
}

fn ask(mut stream: TcpStream) -> Result<(u32, f64)> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    parse(&text).context("no answer that can be read")
}

/// The `PID MILLISECONDS` line of the body; a chunked body has its length on a line of its own.
fn parse(response: &str) -> Option<(u32, f64)> {
    let (_, body) = response.split_once("\r\n\r\n")?;
    let (pid, since) = body.lines().find_map(|line| line.split_once(' '))?;
    Some((pid.parse().ok()?, since.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_who_answered_and_since_when_it_listens() {
        let head = "HTTP/1.1 200 OK\r\nx-pid: 7\r\n\r\n";
        assert_eq!(
            parse(&format!("{head}42 1800000000123\n")),
            Some((42, 1_800_000_000_123.0))
        );
        assert_eq!(
            parse(&format!("{head}11\r\n42 1800000000123\n\r\n0\r\n\r\n")),
            Some((42, 1_800_000_000_123.0))
        );
        assert_eq!(parse(head), None);
        assert_eq!(parse("HTTP/1.1 200 OK\r\n"), None);
    }
}
