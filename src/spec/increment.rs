//! `increment`: whether the variable it names is one that instances can add their number to.

use super::fields::Fields;
use super::problem::Findings;
use super::{Listen, keys};

/// What else the app's file says that matters here.
pub(super) struct Given<'a> {
    pub(super) env: &'a [(String, String)],
    /// Files of variables cannot be looked into here; the shim insists on a number then.
    pub(super) files: bool,
    pub(super) listen: &'a [Listen],
}

/// The variable's name.
pub(super) fn increment(fields: &Fields<'_>, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let Given { env, files, listen } = *given;
    let name = fields.take(&keys::INCREMENT, findings)?;
    let text = name.get_ref();
    let value = env.iter().find(|(key, _)| key == text).map(|(_, value)| value);
    let number = value.and_then(|value| value.parse::<u64>().ok());
    let shared = number.is_some_and(|number| holds(listen, number)) || (value.is_none() && text == "PORT");
    if shared && !listen.is_empty() {
        let message = "all instances share the port in `listen`, so it cannot be incremented";
        let help = "remove `increment`; it is for ports that each instance opens itself, such as METRICS_PORT";
        findings.rule(name.span(), message, help);
    } else if let (Some(value), None) = (value, number) {
        let message = format!("`increment` needs a whole number, but {text} is {value:?}");
        findings.rule(name.span(), message, format!("for example: env = {{ {text} = 9100 }}"));
    } else if value.is_none() && !files {
        let message = format!("`increment` names {text}, but `env` has no such variable");
        findings.rule(name.span(), message, format!("add it: env = {{ {text} = 9100 }}"));
    }
    Some(name.into_inner())
}

fn holds(listen: &[Listen], number: u64) -> bool {
    listen.iter().any(|listen| match listen {
        Listen::Tcp { port, .. } => u64::from(*port) == number,
        Listen::Unix(_) => false,
    })
}
