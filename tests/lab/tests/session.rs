//! What a user sees on a good day.

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Stage, on_each_debian};

on_each_debian!(three_rollouts_lose_nothing);

/// One request per connection from 32 connections, three rollouts.
fn three_rollouts_lose_nothing(stage: &Stage) -> Result<()> {
    let app = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &app, "--instances", "4", "--user", "work"])?;
    let mut before = stage.pids("myapp")?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    for _ in 0..3 {
        stage.appctl_ok(&["rolling-restart", "myapp"])?;
        let after = stage.pids("myapp")?;
        all_replaced(&before, &after)?;
        before = after;
    }
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    // Sixteen regular processes in turn, and each rollout's surge instance.
    ensure!(
        report.pids.len() > 8,
        "the load saw too few processes for three rollouts:\n{report}"
    );
    Ok(())
}
