//! Hard resets of a whole machine at a random moment of a deploy. A machine boots slowly: one Debian every day, both when
//! the long versions are wanted.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use appctl_lab::patience::eventually;
use appctl_lab::{Debian, Host, Machine, built_deb};

use crate::chance::{Chance, is_full, times};
use crate::invariants;
use crate::scene::{SOURCE, install_patiently, source_is};

#[test]
fn whenever_the_power_goes_one_release_serves() -> Result<()> {
    let debians = if is_full() {
        vec![Debian::Twelve, Debian::Thirteen]
    } else {
        vec![Debian::Thirteen]
    };
    debians.into_iter().try_for_each(resets)
}

fn resets(debian: Debian) -> Result<()> {
    let mut chance = Chance::new("hard resets");
    let mut machine = Machine::boot(debian)?;
    machine.install_deb(&built_deb()?)?;
    install_patiently(&machine, 2, "60s", "bake = '500ms'")?;
    source_is(&machine, "r1")?;
    let began = Instant::now();
    machine.run_ok(&["appctl", "deploy", "myapp", SOURCE])?;
    let whole_time = began.elapsed();
    // What was not written yet is the operator's, not the deploy's.
    machine.run_ok(&["sync"])?;
    let mut old = "r1".to_owned();
    for turn in 2..2 + times(1, 30) {
        let new = format!("r{turn}");
        source_is(&machine, &new)?;
        machine.run_ok(&["sync"])?;
        let mut deploy = machine.spawn(&["appctl", "deploy", "myapp", SOURCE])?;
        let moment = chance.moment(whole_time);
        // The moment is the test itself: nothing is waited for.
        std::thread::sleep(moment);
        machine.hard_reset()?;
        deploy.wait()?;
        println!("turn {turn}: after {} ms", moment.as_millis());
        serves(&machine).with_context(|| format!("turn {turn}"))?;
        old = invariants::hold(&machine, &mut chance, &old, &new).with_context(|| format!("turn {turn}"))?;
    }
    Ok(())
}

/// Every instance starts by itself on the one release that is live, whatever it ran before.
fn serves(machine: &Machine) -> Result<()> {
    eventually(Duration::from_mins(2), || {
        let state = crate::scene::status(machine)?;
        let id = crate::scene::live(machine)?;
        let list = state["instances"].as_array().context("a list")?;
        let fine = list
            .iter()
            .all(|one| one["state"] == "ready" && one["release"] == id.as_str());
        anyhow::ensure!(fine && list.len() == 2, "not all on {id}: {state}");
        Ok(())
    })
}
