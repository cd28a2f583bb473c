//! Accounts that a socket is to belong to: without them it would not open, and the app would be down.

use appctl::host::accounts;
use appctl::spec::AppSpec;

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

/// Refuses a file that names one that this machine does not have.
pub(super) fn refuse_missing(context: &Context, specs: &[AppSpec]) -> anyhow::Result<()> {
    if context.layout.is_moved() {
        return Ok(());
    }
    for spec in specs {
        let socket = &spec.socket;
        if let Some(user) = &socket.user
            && accounts::user(user)?.is_none()
        {
            return Err(missing(spec, "user", user).into());
        }
        if let Some(group) = &socket.group
            && accounts::group(group)?.is_none()
        {
            return Err(missing(spec, "group", group).into());
        }
    }
    Ok(())
}

fn missing(spec: &AppSpec, kind: &str, name: &str) -> ExpectedError {
    let message = format!("{}: there is no {kind} {name:?}, which socket_{kind} names", spec.name);
    let help = format!(
        "nothing was changed; getent {} lists those that exist",
        if kind == "user" { "passwd" } else { "group" }
    );
    ExpectedError::new(Exit::INVALID_CONFIG, message).help(help)
}
