//! The files of an app that a rollout writes.

use std::collections::BTreeMap;

use super::ThisMachine;
use crate::drive::{Disk, Texts};
use crate::host::{applied, bad, files, pins, record, releases};
use crate::release::ReleaseId;
use crate::rollout::Record;
use crate::spec::Instance;

impl Disk for ThisMachine {
    fn save(&self, record: &Record) -> anyhow::Result<()> {
        Ok(record::write(self.paths(), record)?)
    }

    fn live(&self) -> Option<ReleaseId> {
        releases::live(self.paths())
    }

    fn make_live(&self, release: Option<&ReleaseId>) -> anyhow::Result<()> {
        Ok(pins::make_live(self.paths(), release)?)
    }

    fn pin(&self, instance: Instance, release: &ReleaseId) -> anyhow::Result<()> {
        Ok(pins::pin(self.paths(), instance, release)?)
    }

    fn pins(&self) -> anyhow::Result<BTreeMap<Instance, ReleaseId>> {
        Ok(pins::all(self.paths())?)
    }

    fn unpin_all(&self) -> anyhow::Result<()> {
        Ok(pins::unpin_all(self.paths())?)
    }

    fn mark(&self, release: &ReleaseId, failed: Option<&str>) -> anyhow::Result<()> {
        match failed {
            Some(why) => bad::mark(self.paths(), release, why)?,
            None => bad::clear(self.paths(), release)?,
        }
        Ok(())
    }

    fn remember(&self, texts: &Texts) -> anyhow::Result<()> {
        Ok(record::write_texts(self.paths(), texts)?)
    }

    fn recall(&self) -> anyhow::Result<Texts> {
        Ok(record::read_texts(self.paths())?)
    }

    fn apply(&self, text: Option<&str>, env: Option<&str>) -> anyhow::Result<()> {
        match text {
            Some(text) => applied::write(self.paths(), text, env)?,
            None => applied::remove(self.paths())?,
        }
        Ok(())
    }

    fn follow(&self, from: Option<&str>, to: Option<&str>) -> anyhow::Result<()> {
        let path = self.paths().wanted_file();
        if let Some(to) = to.filter(|_| from.is_some())
            && files::read_config_if_any(&path)?.as_deref() == from
        {
            files::write_atomic(&path, to)?;
        }
        Ok(())
    }
}
