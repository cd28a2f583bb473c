//! One mistake: the command, what it must say, and proof that it changed nothing.

use anyhow::Result;
use appctl_lab::{Host, Output, Stage};

/// Someone other than root, without any group.
const NOBODY: [&str; 5] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
/// The same box as a program sees it whose PID 1 is not systemd: `sd_booted(3)` finds no `/run/systemd/system`.
const UNBOOTED: [&str; 5] = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    "mount -t tmpfs none /run/systemd && exec \"$@\"",
];

/// A command line with a mistake in it.
pub(crate) struct Case {
    argv: Vec<String>,
    exit: i32,
    says: Vec<String>,
    /// A file as the user left it, put back as it was afterwards.
    file: Option<(String, String)>,
}

/// `appctl WORDS…` as root must exit with `exit` and say each of `says`.
pub(crate) fn case(words: &[&str], exit: i32, says: &[&str]) -> Case {
    of(&[&["appctl"], words].concat(), exit, says)
}

/// The same as nobody.
pub(crate) fn as_nobody(words: &[&str], exit: i32, says: &[&str]) -> Case {
    of(&[&NOBODY[..], &["appctl"], words].concat(), exit, says)
}

/// The same where systemd is not PID 1.
pub(crate) fn unbooted(words: &[&str], exit: i32, says: &[&str]) -> Case {
    of(&[&UNBOOTED[..], &["sh", "appctl"], words].concat(), exit, says)
}

fn of(argv: &[&str], exit: i32, says: &[&str]) -> Case {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Case {
        argv: own(argv),
        exit,
        says: own(says),
        file: None,
    }
}

impl Case {
    /// With this text in a file.
    pub(crate) fn with(self, path: &str, text: &str) -> Self {
        Self {
            file: Some((path.to_owned(), text.to_owned())),
            ..self
        }
    }

    /// What is wrong with the answer, or changed against `before`, if anything.
    pub(crate) fn verdict(&self, stage: &Stage, before: &str) -> Result<Option<String>> {
        let kept = self.put_file(stage)?;
        let argv: Vec<&str> = self.argv.iter().map(String::as_str).collect();
        let output = stage.host().run(&argv)?;
        if let Some((path, _)) = &self.file {
            match kept {
                Some(text) => stage.host().write_file(path, &text)?,
                None => drop(stage.host().run_ok(&["rm", path])?),
            }
        }
        let wrong = self.mistakes(&output, before, &stage.footprint()?);
        let wrong = (!wrong.is_empty()).then(|| wrong.join("; "));
        Ok(wrong.map(|wrong| format!("{:?}: {wrong}\n{}{}", self.argv, output.stdout, output.stderr)))
    }

    /// Gives what was there before.
    fn put_file(&self, stage: &Stage) -> Result<Option<String>> {
        let Some((path, text)) = &self.file else {
            return Ok(None);
        };
        let kept = stage.host().run(&["cat", path])?;
        stage.host().write_file(path, text)?;
        Ok(kept.success().then_some(kept.stdout))
    }

    fn mistakes(&self, output: &Output, before: &str, after: &str) -> Vec<String> {
        let text = format!("{}{}", output.stdout, output.stderr);
        let mut wrong = Vec::new();
        if output.status != self.exit {
            wrong.push(format!("exit code {}, not {}", output.status, self.exit));
        }
        let missing = self.says.iter().filter(|part| !text.contains(*part));
        wrong.extend(missing.map(|part| format!("does not say {part:?}")));
        // Advice, or the place in the file.
        if !["help:", "--help", " --> "].iter().any(|advice| text.contains(advice)) {
            wrong.push("does not say what to do".to_owned());
        }
        wrong.extend(difference(before, after));
        wrong
    }
}

/// The lines that came or went.
fn difference(before: &str, after: &str) -> Option<String> {
    let gone = before.lines().filter(|line| !after.lines().any(|other| other == *line));
    let new = after.lines().filter(|line| !before.lines().any(|other| other == *line));
    let all: Vec<String> = gone
        .map(|line| format!("-{line}"))
        .chain(new.map(|line| format!("+{line}")))
        .collect();
    (!all.is_empty()).then(|| format!("changed {}", all.join(" ")))
}
