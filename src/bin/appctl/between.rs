//! That an app is between two sets of addresses: noted in `/run` before it is stopped for that, until it is up again. When
//! the program that moves it is killed in between, the next one knows that no operator wanted the app to be down.

use appctl::host::bus::Systemd;
use appctl::host::files;
use appctl::host::lock::{self, Lock};
use appctl::release::AppPaths;
use appctl::spec::AppName;

use crate::{takedown, units};

fn note(paths: AppPaths<'_>) -> std::path::PathBuf {
    paths.run().join("between-addresses")
}

/// From here on it may be down against its operator's will. The caller holds the app.
pub(crate) fn begin(paths: AppPaths<'_>) -> anyhow::Result<()> {
    let pid = std::process::id();
    let began = lock::began(pid).unwrap_or_default();
    Ok(files::write_atomic(&note(paths), &format!("{pid} {began}\n"))?)
}

/// It is up, or its operator has stopped it.
pub(crate) fn end(paths: AppPaths<'_>) -> anyhow::Result<()> {
    Ok(files::remove(&note(paths)).map(drop)?)
}

/// Whether that was begun, and the program that did is gone. The app may be up nevertheless.
pub(crate) fn is_abandoned(paths: AppPaths<'_>) -> bool {
    let Ok(Some(text)) = files::read_config_if_any(&note(paths)) else {
        return false;
    };
    let mut numbers = text.split_whitespace();
    let pid = numbers.next().and_then(|pid| pid.parse().ok()).unwrap_or_default();
    let began = numbers.next().and_then(|began| began.parse().ok()).unwrap_or_default();
    // Who drives it may have ended between the two looks, and taken the note away.
    !Lock::is_held(paths, pid, began).unwrap_or(true) && note(paths).exists()
}

/// Whether it left the app down.
pub(crate) async fn left_down(paths: AppPaths<'_>, systemd: &Systemd) -> anyhow::Result<bool> {
    Ok(is_abandoned(paths) && !runs(systemd, paths.app()).await?)
}

/// Whether the app is meant to be up, as far as systemd knows: one that its operator has stopped is not.
pub(crate) async fn runs(systemd: &Systemd, app: &AppName) -> anyhow::Result<bool> {
    let service = units::service(app);
    let up = takedown::up(systemd, app).await?;
    Ok(up
        .iter()
        .any(|unit| *unit == service || units::instance_of(app, unit).is_some()))
}
