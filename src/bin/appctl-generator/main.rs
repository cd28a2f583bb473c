//! `appctl-generator`: one TOML file per app in, its units out, at boot and at every `systemctl daemon-reload`.
//!
//! systemd waits for it, gives it no bus and shows nobody what it prints: it only reads and writes files, one bad file
//! never affects another app, and complaints go to the kernel log. systemd.generator(7).

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use appctl::contract::paths::ROOT_VARIABLE;
use appctl::host::{machine, trusted};
use appctl::spec::visible;
use appctl::unit;

mod collisions;
mod kmsg;
mod read;
mod sources;
mod write;

use kmsg::Complaints;
use sources::Source;

const USAGE: &str = "usage: appctl-generator NORMAL-DIR [EARLY-DIR LATE-DIR] | --dry-run | --version";

/// What we were called for.
enum Task {
    /// Write units into this directory.
    Generate(PathBuf),
    /// Print them.
    DryRun,
    /// Print our version.
    Version,
}

fn main() -> ExitCode {
    let root = std::env::var_os(ROOT_VARIABLE).map_or_else(|| PathBuf::from("/"), PathBuf::from);
    match task() {
        Some(Task::Generate(output)) => {
            // Another root is a rehearsal: it is not the kernel's business.
            let complaints = Complaints::new(root == Path::new("/"));
            generate(&root, complaints, |app| write::app(&output, app))
        }
        Some(Task::DryRun) => generate(&root, Complaints::new(false), print),
        Some(Task::Version) => {
            println!("appctl-generator {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn task() -> Option<Task> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [only] if only == "--dry-run" => Some(Task::DryRun),
        [only] if only == "--version" => Some(Task::Version),
        [first, ..] if first.as_encoded_bytes().starts_with(b"-") => None,
        [normal] | [normal, _, _] => Some(Task::Generate(normal.into())),
        _ => None,
    }
}

/// Hands each good app to `emit`. The exit status is 1 after any complaint, which systemd logs.
fn generate(root: &Path, mut complaints: Complaints, emit: impl Fn(&Output) -> io::Result<()>) -> ExitCode {
    let mut sources = sources::all(root, &mut complaints);
    if sources.is_empty() {
        return complaints.exit();
    }
    collisions::drop_foreign_units(root, &mut sources, &mut complaints);
    collisions::drop_taken_sockets(&mut sources, &mut complaints);
    let machine = machine::look(root);
    for source in &sources {
        let output = Output::new(source, machine, root == Path::new("/"));
        if let Err(error) = emit(&output) {
            complaints.add(&format!(
                "{}: cannot write the units of {}: {error}",
                source.path, source.spec.name
            ));
        }
    }
    complaints.exit()
}

/// The files of one app.
struct Output {
    units: Vec<unit::UnitFile>,
    links: [(String, String); 1],
    /// Name and text of the file of variables.
    environment: Option<(String, String)>,
}

impl Output {
    fn new(source: &Source, machine: machine::Machine, looks: bool) -> Self {
        let files = source.spec.env_files.iter().map(|file| file.path.as_path());
        let host = unit::Host {
            systemd: machine.systemd,
            cpus: machine.cpus,
            source: source.path.clone().into(),
            foreign: trusted::foreign(files, looks),
        };
        Self {
            units: unit::render(&source.spec, &host),
            links: unit::wants(&source.spec),
            environment: unit::environment(&source.spec),
        }
    }
}

/// Every file under a header of its own, for people; but not the variables, which may be secrets.
fn print(output: &Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for unit in &output.units {
        writeln!(out, "# {}", unit.name)?;
        for line in unit.to_string().lines() {
            writeln!(out, "{}", visible(line))?;
        }
        writeln!(out)?;
    }
    output
        .links
        .iter()
        .try_for_each(|(link, target)| writeln!(out, "# {link} -> {target}\n"))
}
