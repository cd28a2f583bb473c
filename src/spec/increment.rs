//! `increment`: whether the variable it names is one that instances can add their number to.

use super::fields::Fields;
use super::problem::Findings;
use super::{Listen, keys};

/// The variable's name. A file of variables cannot be looked into here; the shim insists on a number then.
pub(super) fn increment(
    fields: &Fields<'_>,
    env: &[(String, String)],
    files: bool,
    listen: &[Listen],
    findings: &mut Findings<'_>,
) -> Option<String> {
    let name = fields.take(&keys::INCREMENT, findings)?;
    let text = name.get_ref();
    let value = env.iter().find(|(key, _)| key == text).map(|(_, value)| value);
    let number = value.and_then(|value| value.parse::<u64>().ok());
    let shared = number.is_some_and(|number| holds(listen, number)) || (value.is_none() && text == "PORT");
    if shared && !listen.is_empty() {
        let message = "the port in `listen` is the same for all instances, it cannot be incremented";
        let help = "remove `increment`; it is for ports that each instance opens by itself, as METRICS_PORT";
        findings.rule(name.span(), message, help);
    } else if let (Some(value), None) = (value, number) {
        let message = format!("`increment` adds to a whole number, and {text} is {value:?}");
        findings.rule(name.span(), message, format!("as in env = {{ {text} = 9100 }}"));
    } else if value.is_none() && !files {
        let message = format!("`increment` names {text}, and there is no such variable");
        findings.rule(name.span(), message, format!("add it, as in env = {{ {text} = 9100 }}"));
    }
    Some(name.into_inner())
}

fn holds(listen: &[Listen], number: u64) -> bool {
    listen.iter().any(|listen| match listen {
        Listen::Tcp { port, .. } => u64::from(*port) == number,
        Listen::Unix(_) => false,
    })
}
