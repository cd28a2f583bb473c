//! Runs commands of an app that are no instances, each in a transient unit of its own, and tells what they print while
//! they run. The journal has it, too.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use appctl::contract::{exit_status, times};
use appctl::drive::{JobResult, killed_by};
use appctl::host::bus::Systemd;
use appctl::host::journal::{self, Journal, Query};
use appctl::host::{files, trusted};
use appctl::observe::InstanceState;
use appctl::observe::journal::{Fields, cursor, printed};
use appctl::spec::{AppName, AppSpec, format_span, quote_words};
use appctl::unit::{self, Host, Purpose, Task, task, task_name};
use jiff::Timestamp;

use super::Progress;
use super::last::Last;
use crate::contained::{End, Failure, Kind};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::units;

/// As much of a line as is told, in bytes.
const LINE: usize = 4_000;
/// A journal that does not answer is no reason to hold up anything. One that is busy with what a command printed is.
const SYNC: Duration = Duration::from_secs(30);

/// Commands of an app's file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commands<'a> {
    /// The app.
    pub(crate) spec: &'a AppSpec,
    /// Which of them.
    pub(crate) purpose: Purpose,
    /// The release's final path.
    pub(crate) directory: &'a Path,
}

/// Runs commands one after the other until one fails: [`Exit::ROLLOUT_FAILED`]. All of them together have `build_timeout`
/// of the app's file. When dropped, the running one is stopped.
pub(crate) async fn run(
    context: &Context,
    commands: &Commands<'_>,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<()> {
    let Commands {
        spec,
        purpose,
        directory,
    } = *commands;
    let commands = match purpose {
        Purpose::Build => &spec.deploy.build,
        Purpose::Release => &spec.deploy.release,
    };
    if commands.is_empty() {
        return Ok(());
    }
    let systemd = context.systemd().await?;
    let variables = Variables::write(context, spec)?;
    let end = Instant::now() + spec.deploy.build_timeout;
    for command in commands {
        let timeout = end
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1));
        let one = Task {
            command,
            purpose,
            directory,
            timeout,
            variables: variables.path(),
        };
        run_one(&systemd, spec, &one, tell).await?;
    }
    Ok(())
}

/// Stops what a killed deploy left running.
pub(crate) async fn stop_leftovers(context: &Context, app: &AppName) -> anyhow::Result<()> {
    if context.layout.is_moved() {
        return Ok(());
    }
    let systemd = context.systemd().await?;
    for unit in systemd.units(&[&task_name(app, "*")]).await? {
        systemd.stop(&unit.name, times::worst_task_stop()).await?;
        systemd.reset_failed(&unit.name).await?;
    }
    Ok(())
}

async fn run_one(
    systemd: &Systemd,
    spec: &AppSpec,
    one: &Task<'_>,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<()> {
    let said = quote_words(one.command);
    let verb = match one.purpose {
        Purpose::Build => "build",
        Purpose::Release => "run",
    };
    tell(Progress::Step(format!("{verb}: {said}")));
    let guard = Guard(task_name(&spec.name, &Timestamp::now().as_microsecond().to_string()));
    let unit = &guard.0;
    let properties = task(spec, &host(spec), one);
    let mut reader = Reader::open(unit)?;
    let mut last = Last::default();
    let mut tell = |line: String| {
        last.add(&line);
        tell(Progress::Said(line));
    };
    let job = systemd.start_transient(unit, &properties, times::worst_task(one.timeout));
    tokio::pin!(job);
    let result = loop {
        tokio::select! {
            result = &mut job => break result?,
            line = reader.next() => tell(line),
        }
    };
    let state = systemd.instance(unit).await?;
    reader.rest(&mut tell).await;
    if result.is_done() {
        return Ok(());
    }
    let message = format!("{said} {}", ended(&state, &result, spec.deploy.build_timeout));
    let help = format!("nothing that serves was changed; its whole log: journalctl --unit={unit}");
    let kind = match one.purpose {
        Purpose::Build => Kind::Build,
        Purpose::Release => Kind::App,
    };
    let (signal, said) = (killed_by(&state), last.lines());
    let failure = Failure::of(spec, kind, End { signal, said });
    let error = ExpectedError::new(Exit::ROLLOUT_FAILED, message).help(help);
    Err(error.about(failure).into())
}

/// What a task depends on beside its app. It is made from no file.
fn host(spec: &AppSpec) -> Host {
    Host {
        systemd: units::machine().systemd,
        cpus: units::machine().cpus,
        source: "".into(),
        foreign: trusted::foreign(spec.env_files.iter().map(|file| file.path.as_path()), true),
    }
}

fn ended(state: &InstanceState, result: &JobResult, timeout: Duration) -> String {
    match (state.result.as_str(), state.exit_code) {
        ("timeout", _) => format!("did not end within {}", format_span(timeout)),
        ("oom-kill", _) => "was killed by the kernel: out of memory".to_owned(),
        (_, 1) if state.exit_status == i32::from(exit_status::EXEC) => "is not a program that can run here".to_owned(),
        (_, 1) => format!("exited with status {}", state.exit_status),
        (_, 2 | 3) => format!("was killed by signal {}", state.exit_status),
        _ => format!("failed: {result}"),
    }
}

/// The app's variables in a file of root's, while commands run.
struct Variables(Option<PathBuf>);

impl Variables {
    fn write(context: &Context, spec: &AppSpec) -> anyhow::Result<Self> {
        let Some((name, text)) = unit::environment(spec) else {
            return Ok(Self(None));
        };
        let path = context.layout.of(&spec.name).run().join("task").join(name);
        files::write_private(&path, &text)?;
        Ok(Self(Some(path)))
    }

    fn path(&self) -> Option<&Path> {
        self.0.as_deref()
    }
}

impl Drop for Variables {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| _ = files::remove(path));
    }
}

/// A unit that is gone when this is: also when nobody waits for it any more.
struct Guard(String);

impl Drop for Guard {
    fn drop(&mut self) {
        let unit = std::mem::take(&mut self.0);
        // A thread, because the runtime that this is dropped in cannot be waited for from within.
        let thread = std::thread::spawn(move || end(&unit));
        // Stopped or never there: either way it does not run.
        _ = thread.join();
    }
}

fn end(unit: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let systemd = Systemd::connect().await?;
        systemd.stop(unit, times::worst_task_stop()).await?;
        Ok(systemd.reset_failed(unit).await?)
    })
}

/// What a unit prints, line by line.
struct Reader {
    unit: String,
    journal: Option<Journal>,
    /// Where the last line was that was told.
    told: Option<String>,
}

impl Reader {
    fn open(unit: &str) -> anyhow::Result<Self> {
        let unit = unit.to_owned();
        let journal = Some(query(&unit, true, None).open()?);
        let told = None;
        Ok(Self { unit, journal, told })
    }

    /// The next line; never, when there is none.
    async fn next(&mut self) -> String {
        while let Some(journal) = &mut self.journal {
            match journal.next().await {
                Ok(Some(fields)) => {
                    if let Some(line) = shown(&fields) {
                        self.told = cursor(&fields);
                        return line;
                    }
                }
                _ => self.journal = None,
            }
        }
        std::future::pending().await
    }

    /// Tells what was not told yet of a unit that has ended.
    async fn rest(self, tell: &mut dyn FnMut(String)) {
        // Without it the last lines may be missing here, and are in the journal nevertheless.
        _ = tokio::time::timeout(SYNC, journal::sync()).await;
        let Ok(mut journal) = query(&self.unit, false, self.told).open() else {
            return;
        };
        while let Ok(Some(fields)) = journal.next().await {
            if let Some(line) = shown(&fields) {
                tell(line);
            }
        }
    }
}

fn query(unit: &str, follow: bool, after: Option<String>) -> Query {
    Query {
        units: vec![unit.to_owned()],
        follow,
        after,
        ..Query::default()
    }
}

fn shown(fields: &Fields) -> Option<String> {
    printed(fields).map(|message| message.shown(LINE))
}
