//! Releases from everything that a release may come from, and what is to be done once before one serves.

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Plan, Shape, Target};
use appctl_lab::{Host, Stage, on_each_debian};

use crate::scene::{SOURCE, deploy, ends_with, install, live, source_is, whole};

on_each_debian!(
    archives_and_commits_are_deployed_as_directories_are,
    a_task_runs_once_before_the_new_release_serves
);

const REPOSITORY: &str = "/srv/repository";

/// All that answers answers as `name`.
fn serves(stage: &Stage, name: &str) -> Result<()> {
    let target = Target::Tcp(([127, 0, 0, 1], 3000).into());
    let report = Load::start(Plan::new(target, Shape::OnePerConnection { rate: None }).requests(30)).wait();
    ensure!(
        report.counts.ok == 30 && report.releases.keys().eq([name]),
        "not {name}:\n{report}"
    );
    whole(stage, 2).map(drop)
}

fn archives_and_commits_are_deployed_as_directories_are(stage: &Stage) -> Result<()> {
    let host = stage.host();
    install(host, 2, "bake = '0s'")?;
    serves(stage, "r0")?;
    source_is(host, "r1")?;
    host.run_ok(&["tar", "-czf", "/srv/r1.tar.gz", "-C", SOURCE, "."])?;
    let output = stage.appctl(&["deploy", "myapp", "/srv/r1.tar.gz"])?;
    ends_with(&output, 0, "is live: 2 instances replaced")?;
    serves(stage, "r1")?;
    source_is(host, "r2")?;
    let archive = host.command(&["tar", "-cf", "-", "-C", SOURCE, "."]).output()?.stdout;
    let told = host.run_with_input(&["appctl", "deploy", "myapp", "-"], &zstd(&archive)?)?;
    ensure!(told.contains("is live: 2 instances replaced"), "{told}");
    serves(stage, "r2")?;
    a_commit(stage)
}

/// The first time it is deployed, the second time it is there; another commit is another release.
fn a_commit(stage: &Stage) -> Result<()> {
    let host = stage.host();
    source_is(host, "r3")?;
    host.run_ok(&["cp", "-r", SOURCE, REPOSITORY])?;
    git(host, &["init", "-q", "-b", "main"])?;
    let commit = || -> Result<()> {
        git(host, &["add", "-A"])?;
        git(
            host,
            &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
        )
    };
    commit()?;
    let by_ref = |name| stage.appctl(&["deploy", "myapp", "--git", REPOSITORY, "--ref", name]);
    ends_with(&by_ref("main")?, 0, "is live: 2 instances replaced")?;
    serves(stage, "r3")?;
    let pids = whole(stage, 2)?;
    ends_with(&by_ref("main")?, 0, "nothing to do")?;
    ensure!(whole(stage, 2)? == pids, "an instance was touched");
    host.write_file(&format!("{REPOSITORY}/release.txt"), "r4")?;
    commit()?;
    ends_with(&by_ref("main")?, 0, "is live: 2 instances replaced")?;
    serves(stage, "r4")?;
    ends_with(&by_ref("nowhere")?, 3, "no branch, tag or commit")?;
    serves(stage, "r4")
}

fn git(host: &impl Host, words: &[&str]) -> Result<()> {
    host.run_ok(&[&["git", "-C", REPOSITORY], words].concat()).map(drop)
}

/// RFC 8878 in its simplest form: one frame of raw blocks. The boxes have no program that writes it.
fn zstd(content: &[u8]) -> Result<Vec<u8>> {
    const BLOCK: usize = 128 << 10;
    const SINGLE_SEGMENT_OF_FOUR_BYTES: u8 = 0b1010_0000;
    let mut frame = 0xFD2F_B528_u32.to_le_bytes().to_vec();
    frame.push(SINGLE_SEGMENT_OF_FOUR_BYTES);
    frame.extend(u32::try_from(content.len())?.to_le_bytes());
    let blocks = content.chunks(BLOCK);
    let count = blocks.len();
    for (nth, block) in blocks.enumerate() {
        let header = u32::try_from(block.len())? << 3 | u32::from(nth + 1 == count);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(block);
    }
    Ok(frame)
}

/// Notes what serves while it runs, and where it runs.
const TASK: &str = "const fs = require('fs');\n\
    const live = fs.readlinkSync('/var/lib/appctl/myapp/current');\n\
    fs.appendFileSync(process.env.HOME + '/tasks', live + ' ' + process.cwd() + '\\n');\n\
    if (fs.readFileSync('release.txt', 'utf8') === 'r2') process.exit(3);\n";

fn a_task_runs_once_before_the_new_release_serves(stage: &Stage) -> Result<()> {
    let host = stage.host();
    install(host, 2, "bake = '0s'\nrelease = ['node', 'task.js']")?;
    host.write_file("/srv/myapp/task.js", TASK)?;
    source_is(host, "r1")?;
    let old = live(host)?;
    ends_with(&deploy(stage, &[])?, 0, "is live: 2 instances replaced")?;
    serves(stage, "r1")?;
    let new = live(host)?;
    let tasks = || host.read_file("/var/lib/appctl/myapp/data/tasks");
    let once = format!("releases/{old} /var/lib/appctl/myapp/releases/{new}\n");
    ensure!(tasks()? == once, "{}", tasks()?);
    let pids = whole(stage, 2)?;
    source_is(host, "r2")?;
    ends_with(&deploy(stage, &[])?, 4, "exited with status 3")?;
    ensure!(tasks()?.lines().count() == 2, "{}", tasks()?);
    ensure!(live(host)? == new && whole(stage, 2)? == pids, "something was rolled");
    serves(stage, "r1")
}
