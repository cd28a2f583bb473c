//! The text of one file in, a checked app or all of its problems out.

use super::problem::{Findings, Problem};
use super::{AppName, AppSpec, check, syntax};

/// Reads the text of `NAME.toml`.
///
/// # Errors
/// All problems at once, in the text's order, at most [`Problem::MOST`]; never an empty list.
pub fn parse(name: &AppName, text: &str) -> Result<AppSpec, Vec<Problem>> {
    let parsed = syntax::parse(text);
    let mut findings = Findings::new(text, parsed.errors);
    let spec = check::app(name, parsed.table.get_ref(), &mut findings);
    findings.forget_within(&parsed.unreliable);
    let problems = findings.into_list();
    if problems.is_empty() { Ok(spec) } else { Err(problems) }
}
