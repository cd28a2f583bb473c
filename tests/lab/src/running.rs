//! An `appctl` under way on a stage, followed event by event, so that a test can do something at a step of its choice.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{Box_, Host, Stage};

/// A program in the box that prints a JSON object per line.
pub struct Running<'a> {
    host: &'a Box_,
    child: Child,
    lines: BufReader<ChildStdout>,
    stderr: Option<ChildStderr>,
    pid: u32,
    /// Everything it has printed so far.
    pub said: Vec<Value>,
}

/// How it ended.
#[derive(Debug)]
pub struct Ending {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Every line it printed on standard output.
    pub said: Vec<Value>,
    /// What it printed on standard error.
    pub stderr: String,
}

impl<'a> Running<'a> {
    /// Starts `appctl --json WORDS`.
    pub fn start(stage: &'a Stage, words: &[&str]) -> Result<Self> {
        // The shell tells its number in the box and then becomes appctl.
        let shell = ["sh", "-c", "echo $$; exec appctl --json \"$@\"", "sh"];
        let mut child = stage.host().spawn(&[&shell, words].concat())?;
        let mut lines = BufReader::new(child.stdout.take().context("stdout is a pipe")?);
        let stderr = child.stderr.take();
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let pid = first.trim().parse().with_context(|| format!("no pid: {first:?}"))?;
        let host = stage.host();
        Ok(Self {
            host,
            child,
            lines,
            stderr,
            pid,
            said: Vec::new(),
        })
    }

    /// Its process id in the box.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The name of the next step, once it begins; `None` at the end.
    pub fn next_step(&mut self) -> Result<Option<String>> {
        while let Some(line) = self.next_line()? {
            if line["event"] == "step" {
                return Ok(line["step"].as_str().map(str::to_owned));
            }
        }
        Ok(None)
    }

    /// Goes on until step number `nth` (from 0) begins; its name, or `None` when there are fewer.
    pub fn reach(&mut self, nth: usize) -> Result<Option<String>> {
        for _ in 0..nth {
            if self.next_step()?.is_none() {
                return Ok(None);
            }
        }
        self.next_step()
    }

    /// Sends it a signal (`INT`, `KILL`). That it has ended meanwhile is no failure; [`Running::wait`] tells.
    pub fn signal(&self, name: &str) -> Result<()> {
        self.host.run(&["kill", "-s", name, &self.pid.to_string()]).map(drop)
    }

    /// Reads the rest and waits for its end.
    pub fn wait(mut self) -> Result<Ending> {
        while self.next_line()?.is_some() {}
        let mut stderr = String::new();
        if let Some(mut pipe) = self.stderr.take() {
            pipe.read_to_string(&mut stderr)?;
        }
        let code = self.child.wait()?.code();
        // nsenter ends by the same signal or with 128 and its number.
        let code = code.filter(|code| *code < 128);
        Ok(Ending {
            code,
            said: self.said,
            stderr,
        })
    }

    fn next_line(&mut self) -> Result<Option<Value>> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Ok(value) = serde_json::from_str::<Value>(&line) else {
            bail!("no JSON: {line:?}")
        };
        self.said.push(value.clone());
        Ok(Some(value))
    }
}
