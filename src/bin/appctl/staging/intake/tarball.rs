//! An archive.
use super::super::Progress;
use super::super::site::Site;
use super::Intake;
use std::path::Path;
pub(super) async fn file(_: &Site<'_>, _: &Path, _: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    anyhow::bail!("later")
}
pub(super) async fn stdin(_: &Site<'_>, _: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    anyhow::bail!("later")
}
