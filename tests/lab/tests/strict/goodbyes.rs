//! Whatever an app does when it is told to stop, it is told after the last answer.

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(every_goodbye_comes_after_the_last_answer);

/// The habits; each is followed by the next one's instances, so each is told to stop once.
const GOODBYES: [&str; 8] = [
    "nothing",
    "close",
    "close-at-once",
    "terminator",
    "stoppable",
    "exit",
    "ignore",
    "nothing",
];

fn every_goodbye_comes_after_the_last_answer(stage: &Stage) -> Result<()> {
    stage.bring("goodbyes", "web")?;
    says(stage, GOODBYES[0])?;
    for pair in GOODBYES.windows(2) {
        let before = stage.pids("web")?;
        let each = stage.load(3000, Shape::OnePerConnection { rate: Some(100.0) });
        let kept = stage.load(
            3000,
            Shape::KeepAlive {
                body: 16_256,
                think: Some(crate::millis(5)..=crate::millis(50)),
            },
        );
        crate::served(&[&each, &kept])?;
        says(stage, pair[1])?;
        crate::served(&[&each, &kept])?;
        all_replaced(&before, &stage.pids("web")?)?;
        for report in [each.stop(), kept.stop()] {
            println!("{} {}", pair[0], crate::field::line("", &report));
            ensure!(report.lost() == 0, "{}: lost requests:\n{report}", pair[0]);
            ensure!(
                pair.iter().all(|release| report.releases.contains_key(*release)),
                "one never served:\n{report}"
            );
        }
    }
    let journal = stage.host().journal("web@*")?;
    ensure!(
        journal.contains("killing the app"),
        "the deaf one was never killed:\n{journal}"
    );
    Ok(())
}

fn says(stage: &Stage, goodbye: &str) -> Result<()> {
    let file = format!(
        "exec = \"node server.js\"\ndirectory = \"/srv/web\"\ninstances = 2\nlisten = 3000\n\
         env = {{ GOODBYE = \"{goodbye}\" }}\n[ready]\nsettle = \"0s\"\n[stop]\ntimeout = \"3s\"\nlinger = \"200ms\"\n"
    );
    stage.host().write_file("/etc/appctl/apps/web.toml", &file)?;
    stage.appctl_ok(&["apply", "web"]).map(drop)
}
