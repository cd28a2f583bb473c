//! The judge is not blind: the same load, and instances that are killed instead of replaced.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::patience::{eventually, until};
use appctl_lab::{Stage, on_each_debian};

use crate::every_shape::set_up;
use crate::field::{Field, line};
use crate::scale::Scale;

const LIMIT: Duration = Duration::from_secs(60);

on_each_debian!(kills_lose_something_of_each_shape);

/// All instances, again and again, until every shape has lost something.
fn kills_lose_something_of_each_shape(stage: &Stage) -> Result<()> {
    let scale = Scale::of_this_run();
    set_up(stage, &scale)?;
    let field = Field::start(stage, &scale)?;
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
