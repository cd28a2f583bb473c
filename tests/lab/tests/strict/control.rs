//! The judge is not blind: the same load, and instances that are killed instead of replaced.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::Stage;
use appctl_lab::patience::{eventually, until};

use crate::field::{Field, line};
use crate::scale::Scale;

const LIMIT: Duration = Duration::from_secs(60);

/// Kills all instances again and again until every shape has lost something.
pub(crate) fn kills_are_seen(stage: &Stage, scale: &Scale) -> Result<()> {
    let field = Field::start(stage, scale)?;
    let mut kills = 0;
    let seen = until("a loss in every shape", LIMIT, || {
        stage.systemctl(&["kill", "--signal=KILL", "web@*.service"])?;
        kills += 1;
        eventually(Duration::from_secs(20), || {
            ensure!(stage.status("web")?["state"] == "up");
            Ok(())
        })?;
        let unharmed = field.unharmed();
        ensure!(unharmed.is_empty(), "nothing lost: {unharmed:?}");
        Ok(Some(()))
    });
    println!("  killed {kills} times");
    for (name, report) in field.stop() {
        println!("{}", line(name, &report));
    }
    seen
}
