//! What every command is given: where things are, and how to print.

use std::cell::Cell;

use appctl::host::bus::{BusError, Systemd};
use appctl::release::Layout;
use appctl::spec::AppName;
use serde_json::json;

use crate::exit::{Exit, ExpectedError};
use crate::ui;

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// Print JSON, not text.
    pub(crate) json: bool,
    /// Where the files of apps are.
    pub(crate) layout: Layout,
    /// How many rollouts of this command had to cut requests.
    cuts: Cell<u32>,
}

impl Context {
    /// The context of this process; `APPCTL_ROOT` moves all files of apps.
    pub(crate) fn new(json: bool) -> anyhow::Result<Self> {
        Ok(Self {
            json,
            layout: appctl::host::paths::layout()?,
            cuts: Cell::new(0),
        })
    }

    /// Remembers that requests were cut, which keeps nothing else from being done.
    pub(crate) fn note_cut(&self) {
        self.cuts.set(self.cuts.get() + 1);
    }

    /// How many have cut requests so far.
    pub(crate) fn cuts(&self) -> u32 {
        self.cuts.get()
    }

    /// The exit code of a command that is done.
    pub(crate) fn done(&self, exit: Exit) -> Exit {
        match exit {
            Exit::DONE if self.cuts() > 0 => Exit::CUT,
            exit => exit,
        }
    }

    /// Refuses anyone but root. A tree moved by `APPCTL_ROOT` belongs to whoever moved it.
    pub(crate) fn require_root(&self, verb: &str) -> Result<(), ExpectedError> {
        if self.layout.is_moved() || nix::unistd::geteuid().is_root() {
            return Ok(());
        }
        let help = format!("type: sudo appctl {verb} …");
        Err(ExpectedError::new(Exit::NOT_PERMITTED, format!("only root may {verb} apps")).help(help))
    }

    /// Says something about an app: a line, or an object. Output that goes nowhere stops nothing.
    pub(crate) fn say(&self, app: &AppName, text: &str) {
        _ = if self.json {
            ui::print_json(&json!({ "app": app.as_str(), "event": "note", "message": text }))
        } else {
            ui::print(format!("{app}: {text}"))
        };
    }

    /// A connection to systemd.
    pub(crate) async fn systemd(&self) -> anyhow::Result<Systemd> {
        match Systemd::connect().await {
            Ok(systemd) => Ok(systemd),
            Err(error @ BusError::NoSystemd) => {
                let help = "appctl runs apps as systemd units, so PID 1 must be systemd; in a container, start systemd as \
                            its first process";
                Err(ExpectedError::new(Exit::FAILED, error.to_string()).help(help).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}
