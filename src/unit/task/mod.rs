//! One command of an app that is no instance: a build, or what runs before a release serves. A transient unit, so typed
//! properties of `org.freedesktop.systemd1(5)` and not lines of a file.
//!
//! It has the app's account, limits and sandbox. A build sees the directory it works in under the release's final path,
//! may write nothing else, and keeps its caches from one build to the next.

use std::path::Path;
use std::time::Duration;

use super::{Host, Section, account_name, installed, sandbox, shim, slice_name};
use crate::contract::shim_args::{EXEC, write_env_file};
use crate::contract::times;
use crate::spec::{Account, AppSpec, Level, Limits};

#[cfg(test)]
mod tests;

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `s`.
    Text(String),
    /// `b`.
    Flag(bool),
    /// `t`.
    Number(u64),
    /// `u`.
    Small(u32),
    /// `i`.
    Signed(i32),
    /// `as`.
    Texts(Vec<String>),
    /// `aay`.
    Bytes(Vec<String>),
    /// `(bas)`: only these.
    Only(Vec<String>),
    /// `(bas)`: all but these.
    Except(Vec<String>),
    /// `a(sb)`: paths that may be missing.
    Optional(Vec<(String, bool)>),
    /// `a(ss)`.
    Pairs(Vec<(String, String)>),
    /// `a(ssbt)`: what is seen under another path.
    Binds(Vec<(String, String)>),
    /// `a(sasas)`: one command, nothing in it expanded.
    Command(Vec<String>),
}

/// Name and value of a property of `StartTransientUnit`.
pub type Property = (&'static str, Value);

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Makes a release: writes in its directory only.
    Build,
    /// Runs in a sealed release, with the app's data.
    Release,
}

/// One command of a deploy that runs in a transient unit of its own.
#[derive(Debug, Clone, Copy)]
pub struct Task<'t> {
    /// Program and arguments, never empty.
    pub command: &'t [String],
    /// Whether it builds the release or prepares it.
    pub purpose: Purpose,
    /// The release's final path, where the command runs.
    pub directory: &'t Path,
    /// Time after which systemd ends the command.
    pub timeout: Duration,
    /// A file of root's with the app's variables, [`super::environment`]: properties can be read by every account.
    pub variables: Option<&'t Path>,
}

/// `NAME.task.TAG.service`. No app's name has a dot, so this is no other app's unit.
pub fn task_name(app: &crate::spec::AppName, tag: &str) -> String {
    format!("{app}.task.{tag}.service")
}

/// All properties of a task's unit.
pub fn task(spec: &AppSpec, host: &Host, task: &Task<'_>) -> Vec<Property> {
    let mut all = process(spec, host, task);
    account(spec, &mut all);
    directories(spec, task, &mut all);
    environment(spec, host, task, &mut all);
    limits(&spec.limits, &mut all);
    all.extend(sandboxed(spec, host, task.purpose));
    all
}

fn process(spec: &AppSpec, host: &Host, task: &Task<'_>) -> Vec<Property> {
    let text = |text: &str| Value::Text(text.to_owned());
    let name = &spec.name;
    vec![
        (
            "Description",
            Value::Text(format!("{name}: {} (appctl)", task.command.join(" "))),
        ),
        ("Slice", Value::Text(slice_name(name))),
        // The job ends when the command does, and what came of it can still be read then.
        ("Type", text("oneshot")),
        ("RemainAfterExit", Value::Flag(true)),
        ("ExecStartEx", Value::Command(program(spec, host, task))),
        ("WorkingDirectory", Value::Text(path(task.directory))),
        ("TimeoutStartUSec", microseconds(task.timeout)),
        ("TimeoutStopUSec", microseconds(times::TASK_STOP_LIMIT)),
        ("SyslogIdentifier", Value::Text(name.to_string())),
        ("LogExtraFields", Value::Bytes(vec![format!("APPCTL_APP={name}")])),
        ("LogRateLimitIntervalUSec", Value::Number(0)),
        ("UMask", Value::Small(0o027)),
    ]
}

/// A path is one below the release; a bare name is looked for where systemd looks.
/// Files of variables that are not root's alone are read by the shim, with the app's rights.
fn program(spec: &AppSpec, host: &Host, task: &Task<'_>) -> Vec<String> {
    let mut words = task.command.to_vec();
    if let Some(program) = words.first_mut().filter(|program| program.contains('/')) {
        *program = path(&task.directory.join(program.trim_start_matches("./")));
    }
    let files = shim::read_env_files(spec, host);
    if files.is_empty() {
        return words;
    }
    let shim = [installed::SHIM, EXEC].map(str::to_owned).into_iter();
    let files = files.iter().map(write_env_file);
    shim.chain(files).chain(["--".to_owned()]).chain(words).collect()
}

fn account(spec: &AppSpec, all: &mut Vec<Property>) {
    match &spec.account {
        Account::Dynamic => {
            all.push(("DynamicUser", Value::Flag(true)));
            all.push(("User", Value::Text(account_name(&spec.name))));
        }
        Account::Named { user, group } => {
            all.push(("User", Value::Text(user.clone())));
            all.extend(group.iter().map(|group| ("Group", Value::Text(group.clone()))));
        }
    }
}

fn directories(spec: &AppSpec, task: &Task<'_>, all: &mut Vec<Property>) {
    let name = &spec.name;
    let state = |directory: &str| format!("appctl/{name}/{directory}");
    let lib = |directory: &str| format!("/var/lib/{}", state(directory));
    let (own, home) = match task.purpose {
        Purpose::Build => (vec![state("build"), state("cache")], lib("cache")),
        Purpose::Release => (super::instance::state_directories(spec), lib("data")),
    };
    all.push(("StateDirectory", Value::Texts(own)));
    all.push(("StateDirectoryMode", Value::Small(0o750)));
    if task.purpose == Purpose::Build {
        // A build sees no other release, and the paths that it writes down about itself stay true.
        let releases = task.directory.parent().map(path).unwrap_or_default();
        all.push((
            "TemporaryFileSystem",
            Value::Pairs(vec![(releases, "mode=0755".to_owned())]),
        ));
        all.push(("BindPaths", Value::Binds(vec![(lib("build"), path(task.directory))])));
    }
    // A transient account has no home, and npm does not start without one.
    let env = vec![
        format!("HOME={home}"),
        format!("STATE_DIRECTORY={}", lib("data")),
        format!(
            "APPCTL_RELEASE={}",
            path(Path::new(task.directory.file_name().unwrap_or_default()))
        ),
    ];
    all.push(("Environment", Value::Texts(env)));
}

fn environment(spec: &AppSpec, host: &Host, task: &Task<'_>, all: &mut Vec<Property>) {
    let search = spec.env.iter().find(|(key, _)| key == "PATH");
    all.extend(search.map(|(_, value)| {
        (
            "ExecSearchPath",
            Value::Texts(value.split(':').map(str::to_owned).collect()),
        )
    }));
    let own = task.variables.map(|file| (path(file), false));
    let of_root = spec.env_files.iter().filter(|file| !host.foreign.contains(&file.path));
    let files = own
        .into_iter()
        .chain(of_root.map(|file| (path(&file.path), file.optional)));
    all.push(("EnvironmentFiles", Value::Optional(files.collect())));
}

fn limits(limits: &Limits, all: &mut Vec<Property>) {
    let numbers = [
        ("MemoryMax", limits.memory),
        ("MemoryHigh", limits.memory_high),
        // Microseconds of one processor in each second.
        (
            "CPUQuotaPerSecUSec",
            limits.cpu_percent.map(|percent| u64::from(percent) * 10_000),
        ),
        ("TasksMax", limits.tasks),
        ("LimitNOFILE", limits.open_files),
    ];
    all.extend(
        numbers
            .into_iter()
            .filter_map(|(name, value)| Some((name, Value::Number(value?)))),
    );
}

/// The lines of the app's sandbox as properties.
fn sandboxed(spec: &AppSpec, host: &Host, purpose: Purpose) -> impl Iterator<Item = Property> {
    let mut section = Section::new("Service");
    sandbox::render(spec, host, &mut section);
    // A build writes in its own directories only, even if the app may write elsewhere.
    let strict = purpose == Purpose::Build && spec.sandbox.level != Level::Off;
    let mut lines = section.into_lines();
    // A task has its own mask and its own paths.
    lines.retain(|(key, _)| !matches!(*key, "UMask" | "ReadWritePaths" | "BindPaths"));
    let lines = lines.into_iter().map(move |(key, value)| match key {
        "ProtectSystem" if strict => (key, Value::Text("strict".to_owned())),
        _ => typed(key, value),
    });
    lines.chain(writable(spec, purpose))
}

fn writable(spec: &AppSpec, purpose: Purpose) -> Option<Property> {
    let paths = spec.sandbox.write.iter().map(|path| format!("-{}", path.display()));
    let paths: Vec<_> = paths.filter(|_| purpose == Purpose::Release).collect();
    (!paths.is_empty()).then_some(("ReadWritePaths", Value::Texts(paths)))
}

fn typed(key: &'static str, value: String) -> Property {
    let words = |value: &str| {
        value
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let typed = match key {
        "ProtectSystem" | "ProtectHome" | "ProtectProc" => Value::Text(value),
        "ProtectControlGroups" if value != "yes" => return ("ProtectControlGroupsEx", Value::Text(value)),
        // Sets of bits, and empty they forbid all.
        "RestrictNamespaces" => Value::Number(0),
        "CapabilityBoundingSet" => Value::Number(sandbox::capabilities(&value)),
        "RestrictAddressFamilies" | "SystemCallFilter" => match value.strip_prefix('~') {
            Some(denied) => Value::Except(words(denied)),
            None => Value::Only(words(&value)),
        },
        "SystemCallArchitectures" | "ReadOnlyPaths" => Value::Texts(words(&value)),
        // EPERM is the only one in use.
        "SystemCallErrorNumber" => Value::Signed(1),
        _ => Value::Flag(value == "yes"),
    };
    (key, typed)
}

fn microseconds(span: Duration) -> Value {
    Value::Number(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
