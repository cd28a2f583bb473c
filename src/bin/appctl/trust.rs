//! What root would run for an app and another account could change: refused before anything is changed.

use appctl::host::hook::{self, HookError};
use appctl::host::trusted::{Owner, Why};
use appctl::spec::AppSpec;

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

const ELSEWHERE: &str = "keep what root runs where only root can write, as in /usr/local/sbin";

/// An error that names all of it, with the first command that mends some.
pub(crate) fn refuse(context: &Context, specs: &[AppSpec], exit: Exit) -> Result<(), ExpectedError> {
    // A tree that was moved belongs to the account that moved it.
    let owner = if context.layout.is_moved() {
        Owner::Us
    } else {
        Owner::Root
    };
    let hooks = specs.iter().flat_map(|spec| {
        spec.deploy
            .hooks
            .named()
            .map(move |(key, command)| (&spec.name, key, command))
    });
    let mut refused = Vec::new();
    let mut help = None;
    for (app, key, command) in hooks {
        if let Err(error) = hook::refuse_untrusted(command, owner) {
            refused.push(format!("{app}: `{key}`: {error}"));
            help = help.or_else(|| remedy(&error));
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let error = ExpectedError::new(exit, refused.join("; "));
    Err(match help {
        Some(help) => error.help(help),
        None => error,
    })
}

fn remedy(error: &HookError) -> Option<String> {
    let HookError::Unsafe { untrusted, .. } = error else {
        return None;
    };
    let command = match untrusted.why {
        Why::Mode(_) => untrusted.remedy(),
        // Giving a directory of an account to root would take it from that account.
        _ => None,
    };
    Some(match command {
        Some(command) => format!("{ELSEWHERE}; or type: {command}"),
        None => ELSEWHERE.to_owned(),
    })
}
