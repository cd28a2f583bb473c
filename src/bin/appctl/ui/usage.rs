//! The command line, and what is wrong with it.

use appctl::spec::visible;
use clap::Parser as _;

use super::{Text, complain, print};
use crate::args::Cli;
use crate::exit::Exit;

/// Reads the command line. Prints help and the version where they were asked for, and complaints.
pub(crate) fn parse() -> Result<Cli, Exit> {
    let error = match Cli::try_parse() {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    // A complaint quotes what it is about, which may be the name of a file: once more with what can be shown.
    let shown = std::env::args_os().map(|argument| visible(&argument.to_string_lossy()));
    let text = match Cli::try_parse_from(shown) {
        Err(error) => Text::rendered(error.render().ansi().to_string()),
        Ok(_) => Text::default().lines(&error.render().to_string()),
    };
    if error.use_stderr() {
        complain(text);
        return Err(Exit::USAGE);
    }
    _ = print(text);
    Err(Exit::DONE)
}
