//! What every app here has to show: it serves, does its special thing, is contained, and is replaced without a lost
//! request. Several do so at a time.

use std::process::Child;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage};

use super::NODE_22;

/// Whose Node an app runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Debian,
    TwentyTwo,
}

impl Node {
    /// What `PATH` has to be, where that is not what it is anyway.
    pub(crate) fn path(self) -> Option<String> {
        (self == Self::TwentyTwo).then(|| format!("PATH={NODE_22}:/usr/bin:/bin"))
    }
}

/// One app.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) directory: &'static str,
    pub(crate) port: u16,
    pub(crate) node: Node,
    /// More options of `install`.
    pub(crate) options: Vec<&'static str>,
    pub(crate) exec: &'static str,
}

impl App {
    /// `appctl install`. One instance is enough: a rollout adds one, and each start costs.
    fn install(&self) -> Vec<String> {
        let fixed = ["appctl", "install", &self.name, self.directory].map(str::to_owned);
        let path = self.node.path().map(|path| ["--env".to_owned(), path]);
        let listen = ["--listen".to_owned(), self.port.to_string()];
        let options = self.options.iter().map(ToString::to_string);
        let exec = ["--"].into_iter().chain(self.exec.split(' ')).map(str::to_owned);
        let words = fixed.into_iter().chain(path.into_iter().flatten());
        words.chain(listen).chain(options).chain(exec).collect()
    }

    /// What it answers.
    pub(crate) fn ask(&self, stage: &Stage, path: &str) -> Result<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let fetch = [
            "curl",
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--max-time",
            "20",
            &url,
        ];
        let answer = stage.host().run(&fetch)?;
        ensure!(answer.success(), "{}: {url}: {answer:?}", self.name);
        Ok(answer.stdout.trim_end().to_owned())
    }
}

/// Installs all of them at a time.
pub(crate) fn install(stage: &Stage, apps: &[App]) -> Result<()> {
    at_a_time(stage, apps, App::install)
}

/// Every process of its instance: no privileges, none to gain, and filtered system calls.
pub(crate) fn contained(stage: &Stage, app: &App) -> Result<()> {
    const NONE: &str = "0000000000000000";
    let wanted = [
        ("CapEff", NONE),
        ("CapBnd", NONE),
        ("CapAmb", NONE),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ];
    let unit = format!("{}@1.service", app.name);
    let processes = statuses(stage, &unit)?;
    // The shim and the app.
    ensure!(processes.len() >= 2, "{unit}: {processes:?}");
    for status in processes {
        let field = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim)
        };
        let uid = field("Uid")
            .and_then(|ids| ids.split_whitespace().next())
            .context("a uid")?;
        ensure!(uid != "0", "{unit}: as root: {status}");
        for (name, value) in wanted {
            ensure!(field(name) == Some(value), "{unit}: {name} is not {value}: {status}");
        }
    }
    Ok(())
}

/// What proc_pid_status(5) says of each process of a unit. One that has ended meanwhile has nothing to show.
fn statuses(stage: &Stage, unit: &str) -> Result<Vec<String>> {
    let group = stage.property(unit, "ControlGroup")?;
    let processes = stage.host().read_file(&format!("/sys/fs/cgroup{group}/cgroup.procs"))?;
    let status = |pid: &str| stage.host().run(&["cat", &format!("/proc/{pid}/status")]);
    let all = processes.split_whitespace().map(status);
    let all = all.collect::<Result<Vec<_>>>()?.into_iter();
    Ok(all
        .filter(|output| output.success())
        .map(|output| output.stdout)
        .collect())
}

/// Replaces all instances of all of them at a time, while each is asked twenty times a second.
pub(crate) fn roll(stage: &Stage, apps: &[App]) -> Result<()> {
    let restart = |app: &App| ["appctl", "rolling-restart", &app.name].map(str::to_owned).to_vec();
    under_load(stage, apps, || at_a_time(stage, apps, restart))
}

/// Every request meanwhile is answered, by old instances and by new ones.
pub(crate) fn under_load(stage: &Stage, apps: &[App], roll: impl FnOnce() -> Result<()>) -> Result<()> {
    let before = apps
        .iter()
        .map(|app| stage.pids(&app.name))
        .collect::<Result<Vec<_>>>()?;
    let shape = Shape::OnePerConnection { rate: Some(20.0) };
    let loads: Vec<_> = apps.iter().map(|app| stage.load(app.port, shape.clone())).collect();
    let rolled = roll();
    let reports: Vec<_> = loads.into_iter().map(appctl_lab::load::Load::stop).collect();
    rolled?;
    for ((app, before), report) in apps.iter().zip(before).zip(reports) {
        let name = &app.name;
        println!(
            "{name}: {} ok, {} lost, {} pids",
            report.counts.ok,
            report.lost(),
            report.pids.len()
        );
        ensure!(
            report.lost() == 0 && report.counts.ok > 0,
            "{name}: lost requests:\n{report}"
        );
        ensure!(
            report.pids.len() > 2,
            "{name}: old and new ones did not both answer:\n{report}"
        );
        all_replaced(&before, &stage.pids(name)?)?;
    }
    Ok(())
}

fn at_a_time(stage: &Stage, apps: &[App], command: impl Fn(&App) -> Vec<String>) -> Result<()> {
    let start = |app: &App| {
        let words = command(app);
        stage
            .host()
            .spawn(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let children = apps.iter().map(start).collect::<Result<Vec<Child>>>()?;
    for (app, child) in apps.iter().zip(children) {
        let output = child.wait_with_output()?;
        let (said, errors) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        ensure!(
            output.status.success(),
            "{}: {}: {said}{errors}",
            app.name,
            output.status
        );
    }
    Ok(())
}
