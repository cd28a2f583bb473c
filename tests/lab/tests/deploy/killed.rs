//! `kill -9` of appctl at a random moment of a deploy, again and again, under load.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use appctl_lab::running::Running;
use appctl_lab::{Stage, on_each_debian};

use crate::chance::{Chance, times};
use crate::invariants;
use crate::scene::{RATE, SOURCE, deploy, ends_with, install, lossless, more, source_is, whole};

on_each_debian!(whenever_a_deploy_is_killed_one_release_serves);

fn whenever_a_deploy_is_killed_one_release_serves(stage: &Stage) -> Result<()> {
    let mut chance = Chance::new("killed deploys");
    install(stage.host(), 2, "bake = '200ms'")?;
    let load = stage.load(3000, RATE);
    source_is(stage.host(), "r1")?;
    let began = Instant::now();
    ends_with(&deploy(stage, &[])?, 0, "is live")?;
    let whole_time = began.elapsed();
    let (mut old, mut open) = ("r1".to_owned(), 0);
    let count = times(8, 200);
    for turn in 2..2 + count {
        let new = format!("r{turn}");
        source_is(stage.host(), &new)?;
        let running = Running::start(stage, &["deploy", "myapp", SOURCE])?;
        let moment = chance.moment(whole_time);
        // The moment is the test itself: nothing is waited for.
        std::thread::sleep(moment);
        running.signal("KILL")?;
        let ending = running.wait()?;
        let mut steps = ending.said.iter().rev().filter_map(|line| line["step"].as_str());
        let step = steps.next();
        let killed = ending.code.is_none();
        open += usize::from(killed);
        println!(
            "turn {turn}: after {} ms, at {step:?}, killed: {killed}",
            moment.as_millis()
        );
        old = invariants::hold(stage.host(), &mut chance, &old, &new).with_context(|| format!("turn {turn}"))?;
        whole(stage, 2)?;
    }
    more(&load, 200)?;
    println!("{count} deploys, {open} of them killed");
    ensure!(open > 0, "none was killed");
    lossless(&load.stop())
}
