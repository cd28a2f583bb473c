//! `appctl-shim`: the main process of each instance (`run`), the last step before the app (`exec`), the brake on
//! starts that systemd itself could not make (`cooldown`), what a stop of the whole app waits for (`drained`), and the look
//! at files of variables before systemd reads them (`look`). One thread, one `poll` loop, no runtime: it is paid N times.

mod adapter_messages;
mod answer;
mod backoff;
mod child;
mod clock;
mod control;
mod cooldown;
mod directory;
mod dispositions;
mod drained;
mod effects;
mod env_files;
mod environment;
mod exec;
mod fds;
mod inputs;
mod ipc;
mod journal;
mod last_words;
mod lines;
mod log;
mod machine;
mod notes;
mod notify;
mod outbox;
mod probe;
mod relay;
mod run;
mod share;
mod sockets;
mod store;
mod variables;

use std::process::ExitCode;

use appctl::contract::shim_args::{COOLDOWN, DRAINED, EXEC, LOOK, RUN, Usage};

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next().as_deref().and_then(std::ffi::OsStr::to_str) {
        Some(RUN) => run::run(words),
        Some(EXEC) => exec::exec(words),
        Some(COOLDOWN) => cooldown::cooldown(words),
        Some(DRAINED) => drained::drained(),
        Some(LOOK) => env_files::look(words),
        _ => run::usage(&Usage::Shape),
    }
}
