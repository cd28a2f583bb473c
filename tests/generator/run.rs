//! Runs the generator as systemd does, with another root.

use std::path::Path;
use std::process::{Command, Output};

use super::tree::Tree;

pub(crate) const GENERATOR: &str = env!("CARGO_BIN_EXE_appctl-generator");

/// One run.
pub(crate) struct Made {
    pub(crate) units: Tree,
    /// With the process id taken out.
    pub(crate) stderr: String,
    pub(crate) status: i32,
}

/// The generator of systemd `version` over the root in `root`.
pub(crate) fn generate(root: &Path, version: u16) -> Made {
    let out = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new(GENERATOR)
        .env("APPCTL_ROOT", root)
        .env("APPCTL_SYSTEMD_VERSION", version.to_string())
        .arg(out.path())
        .args(["/nowhere/early", "/nowhere/late"])
        .output()
        .expect("the generator runs");
    assert!(output.stdout.is_empty(), "{output:?}");
    Made {
        units: Tree::read(out.path()),
        stderr: without_pid(&output),
        status: output.status.code().expect("it ends by itself"),
    }
}

fn without_pid(output: &Output) -> String {
    let stderr = std::str::from_utf8(&output.stderr).expect("text");
    let lines = stderr.lines().map(|line| {
        let rest = line.strip_prefix("<3>appctl-generator[").expect("a priority, our name");
        let (pid, message) = rest.split_once("]: ").expect("a process id");
        assert!(pid.parse::<u32>().is_ok(), "{line}");
        format!("<3>appctl-generator[PID]: {message}\n")
    });
    lines.collect()
}
