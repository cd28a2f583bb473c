//! Units without a file, `StartTransientUnit`: a command of an app that is no instance.

use std::time::Duration;

use tokio::time::Instant;
use zbus::Variant;

use super::jobs::{Queued, Verb};
use super::{ANSWER, BusError, Systemd, within};
use crate::drive::JobResult;
use crate::unit::{Property, Value};

impl Systemd {
    /// Starts a unit made of these properties and waits for the job's end, at most `deadline`: for a oneshot service that
    /// is the end of its command.
    pub async fn start_transient(
        &self,
        unit: &str,
        properties: &[Property],
        deadline: Duration,
    ) -> Result<JobResult, BusError> {
        let end = Instant::now() + deadline;
        let removals = self.removals(unit).await?;
        let manager = self.manager().await?;
        let typed: Vec<(&str, Variant<'_>)> = properties.iter().map(|(name, value)| (*name, variant(value))).collect();
        let job = within(ANSWER, unit, manager.start_transient_unit(unit, "fail", &typed, &[])).await?;
        let queued = Queued {
            verb: Verb::Start,
            unit,
            job,
            removals,
        };
        self.finished(queued, end).await
    }
}

fn variant(value: &Value) -> Variant<'static> {
    match value.clone() {
        Value::Text(text) => text.into(),
        Value::Flag(flag) => flag.into(),
        Value::Number(number) => number.into(),
        Value::Small(number) => number.into(),
        Value::Signed(number) => number.into(),
        Value::Texts(texts) => texts.into(),
        Value::Bytes(texts) => texts.into_iter().map(String::into_bytes).collect::<Vec<_>>().into(),
        Value::Only(texts) => (true, texts).into(),
        Value::Except(texts) => (false, texts).into(),
        Value::Optional(pairs) => pairs.into(),
        Value::Pairs(pairs) => pairs.into(),
        Value::Binds(pairs) => {
            let binds = pairs.into_iter().map(|(from, to)| (from, to, false, 0_u64));
            binds.collect::<Vec<_>>().into()
        }
        Value::Command(words) => {
            let program = words.first().cloned().unwrap_or_default();
            vec![(program, words, vec!["no-env-expand".to_owned()])].into()
        }
    }
}
