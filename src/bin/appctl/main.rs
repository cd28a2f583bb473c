//! `appctl`: the operator's program. Parse, run, print what went wrong once, exit with a documented code.
//!
//! Decides nothing: what to do is in `commands/`, one file per verb; what it costs is in the library.

use std::process::ExitCode;

mod account;
mod addresses;
mod apps;
mod args;
mod between;
mod clear;
mod commands;
mod contained;
mod context;
mod ending;
mod exit;
mod lifecycle;
mod listen;
mod names;
mod operation;
mod purge;
mod reading;
mod release;
mod retention;
mod rolling;
mod session;
mod staging;
mod step_down;
mod takedown;
mod trust;
mod ui;
mod units;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(ui::error::panicked));
    let cli = match ui::usage::parse() {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    ui::choose_colour(cli.no_color);
    match run(&cli) {
        Ok(exit) => exit.into(),
        Err(error) if ui::error::is_closed_pipe(&error) => exit::Exit::DONE.into(),
        Err(error) => {
            match error.downcast_ref::<ending::Ended>() {
                Some(ended) => ended.end(),
                None => ui::error::print(&error, cli.json),
            }
            exit::Exit::of(&error).into()
        }
    }
}

/// One thread is enough: what takes time happens in systemd and in the apps.
fn run(cli: &args::Cli) -> anyhow::Result<exit::Exit> {
    let context = context::Context::new(cli.json)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(commands::run(&cli.command, &context));
    let exit = result.map_err(|error| contained::advised(error, &contained::Typed::here()))?;
    Ok(context.done(exit))
}
