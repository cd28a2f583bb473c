//! The documented shape of `appctl status --json`: times in RFC 3339, sizes in bytes, durations in seconds.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{AppStatus, InstanceStatus};

/// All apps.
pub(crate) fn apps(apps: &[AppStatus]) -> Value {
    json!({ "apps": apps.iter().map(app).collect::<Vec<_>>() })
}

fn app(app: &AppStatus) -> Value {
    json!({
        "name": app.name.as_str(),
        "state": app.state.word(),
        "release": app.release().map(ToString::to_string),
        "listen": app.listen,
        "rollout": app.rollout,
        "instances_wanted": app.wanted,
        "instances": app.instances.iter().map(instance).collect::<Vec<_>>(),
        "notes": app.notes,
    })
}

fn instance(instance: &InstanceStatus) -> Value {
    json!({
        "instance": instance.instance.to_string(),
        "state": instance.state.word(),
        "pid": instance.pid,
        "shim_pid": instance.shim_pid,
        "release": instance.release.as_ref().map(ToString::to_string),
        "since": instance.since.and_then(time).map(|time| time.to_string()),
        "restarts": instance.restarts,
        "memory_bytes": instance.usage.memory,
        "cpu_seconds": instance.usage.cpu.map(|cpu| cpu.as_secs_f64()),
        "responses": instance.responses.map(|responses| responses.all),
        "errors": instance.responses.map(|responses| responses.errors),
        "says": instance.says,
        "remark": instance.remark,
    })
}

/// A time since 1970.
pub(crate) fn time(since: Duration) -> Option<Timestamp> {
    Timestamp::from_microsecond(i64::try_from(since.as_micros()).ok()?).ok()
}
