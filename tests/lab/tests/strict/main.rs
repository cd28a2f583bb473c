//! The one promise under every shape of load: each request is answered, by the old instance or by the new one. With the
//! strict client, which never retries, and with controls that do lose.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::Load;
use appctl_lab::patience::eventually;

mod control;
mod every_shape;
mod field;
mod goodbyes;
mod nginx;
mod scale;
mod straddling;

pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Waits until each has had some more answers.
pub(crate) fn served(loads: &[&Load]) -> Result<()> {
    let before: Vec<u64> = loads.iter().map(|load| load.answered()).collect();
    eventually(Duration::from_secs(30), || {
        let more = loads
            .iter()
            .zip(&before)
            .all(|(load, before)| load.answered() > before + 10);
        ensure!(more, "no answers any more");
        Ok(())
    })
}
