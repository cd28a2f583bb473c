//! The one place that prints an error: `error: …`, `  caused by: …`, `  help: …`, or one JSON object.

use std::io;

use appctl::host::bus::BusError;
use appctl::unit::Foreign;
use serde_json::json;

use super::report;
use super::style::{BAD, DIM, HINT, paint};
use crate::exit::{Exit, ExpectedError, InvalidFile};

/// Prints `error` to standard error, as JSON to standard output when the user asked for JSON.
pub(crate) fn print(error: &anyhow::Error, json: bool) {
    if json {
        anstream::println!("{}", as_json(error));
        return;
    }
    let expected = error.downcast_ref::<ExpectedError>();
    for file in expected.iter().flat_map(|expected| &expected.files) {
        print_file(file);
    }
    anstream::eprintln!("{} {error}", paint(BAD, "error:"));
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  {} {cause}", paint(DIM, "caused by:"));
    }
    if let Some(help) = help(error) {
        anstream::eprintln!("  {} {help}", paint(HINT, "help:"));
    }
}

/// What to type.
fn help(error: &anyhow::Error) -> Option<String> {
    if let Some(BusError::Foreign(Foreign { unit, .. })) = error.downcast_ref() {
        return Some(format!(
            "systemctl cat {unit} shows whose it is; drop-ins (systemctl edit {unit}) keep it appctl's"
        ));
    }
    error.downcast_ref::<ExpectedError>()?.help.clone()
}

fn print_file(file: &InvalidFile) {
    let path = file.path.display().to_string();
    // Colours are taken away again where standard error does not want them.
    anstream::eprintln!("{}", report::render(&path, &file.text, &file.problems, true));
}

fn as_json(error: &anyhow::Error) -> serde_json::Value {
    let expected = error.downcast_ref::<ExpectedError>();
    let problems: Vec<_> = expected
        .iter()
        .flat_map(|e| &e.files)
        .flat_map(problems_as_json)
        .collect();
    json!({ "error": {
        "message": error.to_string(),
        "causes": error.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>(),
        "help": help(error),
        "exit_code": Exit::of(error).code(),
        "problems": problems,
    }})
}

/// The problems of one file: path, 1-based line and column, message, help.
pub(crate) fn problems_as_json(file: &InvalidFile) -> Vec<serde_json::Value> {
    let one = |problem: &appctl::spec::Problem| {
        let (line, column) = problem.position(&file.text);
        json!({
            "file": file.path, "line": line, "column": column,
            "message": problem.message, "help": problem.help,
        })
    };
    file.problems.iter().map(one).collect()
}

/// Whether the reader of our output went away (`appctl logs | head`): no error to anyone.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
