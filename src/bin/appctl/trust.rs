//! What root would run for an app and another account could change: refused before anything is changed.

use std::path::{Path, PathBuf};

use appctl::host::accounts;
use appctl::host::hook::{self, HookError};
use appctl::host::trusted::{self, Owner, Why};
use appctl::spec::{Account, AppName, AppSpec, looks_secret, quote_words};

use crate::commands::access;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

const TO_ETC: &str = "keep it where only root can write, such as /etc, and systemd reads it as root";
const ELSEWHERE: &str = "keep what root runs where only root can write, such as /usr/local/sbin";

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
    if !context.layout.is_moved() {
        for spec in specs {
            let problems = env_files(spec);
            refused.extend(problems.iter().map(|error| error.message.clone()));
            help = help.or_else(|| problems.into_iter().find_map(|error| error.help));
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

/// Files of variables that will be read with the app's rights, because they are not root's alone, and cannot be.
fn env_files(spec: &AppSpec) -> Vec<ExpectedError> {
    let paths = spec.env_files.iter().map(|file| file.path.as_path());
    let foreign = trusted::foreign(paths, true);
    let temporary = |path: &Path| path.starts_with("/tmp") || path.starts_with("/var/tmp");
    let problem = |path: PathBuf| {
        let shown = path.display();
        if temporary(&path) {
            let message = format!(
                "{}: `env_file`: {shown} is read with the app's rights, and each app has a /tmp of its own",
                spec.name
            );
            return Some(ExpectedError::new(Exit::INVALID_CONFIG, message).help(TO_ETC));
        }
        let user = match &spec.account {
            Account::Named { user, .. } if nix::unistd::geteuid().is_root() => user.as_str(),
            _ => return None,
        };
        let group = accounts::user(user).ok().flatten()?.group;
        let why = access::read(Some(user), group, &path).ok()?.err()?;
        // One that is missing may come; the instance says so if it does not.
        path.try_exists()
            .unwrap_or(true)
            .then(|| unreadable(&path, Some(user), &why))
    };
    foreign.into_iter().filter_map(problem).collect()
}

/// A file of variables that is not root's alone, and that the app's account cannot read.
pub(crate) fn unreadable(path: &Path, user: Option<&str>, why: &str) -> ExpectedError {
    let who = user.unwrap_or("every account");
    let cause = trusted::walk(path, Owner::Root)
        .err()
        .map(|untrusted| format!(", because {untrusted}"));
    let message = format!(
        "{} is read with the rights of {who}{}; {why}",
        path.display(),
        cause.unwrap_or_default()
    );
    let grant = user.map(|user| format!("sudo chown {user} {}; or ", quote_words(&[path.display().to_string()])));
    ExpectedError::new(Exit::INVALID_CONFIG, message).help(format!("{}{TO_ETC}", grant.unwrap_or_default()))
}

/// What is said of variables that look like secrets and stand in an app's file.
pub(crate) fn secrets(app: &AppName, env: &[(String, String)]) -> Option<String> {
    let names: Vec<&str> = env
        .iter()
        .filter(|(name, value)| looks_secret(name, value))
        .map(|(name, _)| name.as_str())
        .collect();
    let first = names.first()?;
    Some(format!(
        "`env` contains what looks like a secret: {}; every account that can read the file sees it; remove it there \
            and type: sudo appctl env {app} set {first}",
        names.join(", ")
    ))
}
