//! Waiting for what a test expects, with a deadline and never for a fixed time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Waits until `probe` has an answer; what it last failed with is told when it never has.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        let found = probe();
        match found {
            Ok(Some(answer)) => return Ok(answer),
            _ if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => bail!("not within {limit:?}: {what}"),
            Err(error) => return Err(error).with_context(|| format!("not within {limit:?}: {what}")),
        }
    }
}

/// Checks again and again, for this long, that something stays as it is.
pub fn throughout(span: Duration, mut check: impl FnMut() -> Result<()>) -> Result<()> {
    let end = Instant::now() + span;
    while Instant::now() < end {
        check()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Tries until it holds, and gives the last failure when it does not in time.
pub fn eventually(limit: Duration, mut holds: impl FnMut() -> Result<()>) -> Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        match holds() {
            Err(error) if Instant::now() > deadline => return Err(error.context(format!("not within {limit:?}"))),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
            Ok(()) => return Ok(()),
        }
    }
}
