//! `appctl unpack`, which only `appctl` runs: an archive on standard input into the working directory, as an account that
//! owns nothing else. What went wrong is one line of JSON.

use std::path::Path;

use appctl::host::archive::{self, ArchiveError};
use appctl::host::tree::Bounds;
use nix::sys::resource::{Resource, setrlimit};
use serde_json::json;

use crate::exit::Exit;
use crate::step_down::Account;
use crate::ui;

/// What `unpack` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) account: Account,

    /// Most bytes
    #[arg(long)]
    pub(crate) max_size: u64,

    /// Most entries
    #[arg(long)]
    pub(crate) max_files: u64,
}

/// Whatever an archive says of the sizes in it, this much memory is enough.
const MEMORY: u64 = 1 << 30;

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.account.become_it()?;
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?;
    let bounds = Bounds {
        entries: args.max_files,
        bytes: args.max_size,
    };
    match archive::unpack(std::io::stdin().lock(), Path::new("."), bounds) {
        Ok(_) => Ok(Exit::DONE),
        Err(error) => {
            ui::print_json(&failure(&error))?;
            Ok(Exit::FAILED)
        }
    }
}

fn failure(error: &ArchiveError) -> serde_json::Value {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let message = format!("{error}{}", cause.unwrap_or_default());
    json!({ "message": message, "invalid": error.is_invalid(), "full": error.is_full() })
}
