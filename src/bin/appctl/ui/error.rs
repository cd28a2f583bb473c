//! The one place that prints an error: `error: …`, `  caused by: …`, `  help: …`, or one JSON object.

use std::io;

use appctl::host::bus::BusError;
use appctl::unit::Foreign;
use serde_json::json;

use super::style::{BAD, DIM, HINT};
use super::{Text, complain, paint, print_json, report};
use crate::exit::{Exit, ExpectedError, InvalidFile};

/// Prints `error` to standard error, as JSON to standard output when the user asked for JSON.
pub(crate) fn print(error: &anyhow::Error, json: bool) {
    if json {
        drop(print_json(&as_json(error)));
        return;
    }
    let expected = error.downcast_ref::<ExpectedError>();
    for file in expected.iter().flat_map(|expected| &expected.files) {
        print_file(file);
    }
    complain(text(error, expected));
}

fn text(error: &anyhow::Error, expected: Option<&ExpectedError>) -> Text {
    let said = expected.map_or(&[][..], |expected| &expected.said);
    let more = if said.is_empty() { "" } else { "; its last lines:" };
    let mut text = paint(BAD, "error:").line(format!(" {error}{more}"));
    for line in said {
        text = text.line(format!("    | {line}"));
    }
    for cause in error.chain().skip(1) {
        text = text.line(Text::from("  ") + paint(DIM, "caused by:") + format!(" {cause}"));
    }
    match help(error) {
        Some(help) => text.line(Text::from("  ") + paint(HINT, "help:") + format!(" {help}")),
        None => text,
    }
}

/// What to type.
fn help(error: &anyhow::Error) -> Option<String> {
    if let Some(BusError::Foreign(Foreign { unit, .. })) = error.downcast_ref() {
        return Some(format!(
            "systemctl cat {unit} shows which file it is; to change a unit of appctl, use a drop-in: systemctl edit \
                {unit}"
        ));
    }
    error.downcast_ref::<ExpectedError>()?.help.clone()
}

fn print_file(file: &InvalidFile) {
    let path = file.path.display().to_string();
    let report = report::render(&path, &file.text, &file.problems, true);
    complain(Text::rendered(report + "\n"));
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
        "last_lines": expected.map_or(&[][..], |expected| &expected.said),
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

/// What a fault of ours says: its text may quote anything.
pub(crate) fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let trace = std::backtrace::Backtrace::capture();
    let known = trace.status() == std::backtrace::BacktraceStatus::Captured;
    let text = Text::default().lines(&panic.to_string());
    complain(if known { text.lines(&trace.to_string()) } else { text });
}

/// Whether the reader of our output went away (`appctl logs | head`): no error to anyone.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
