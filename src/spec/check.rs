//! From the values of a file to an [`AppSpec`]: defaults, and the rules between keys. Always ends; what it found wrong
//! is in the findings, and then the result is not used.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeTable;

use super::deploy;
use super::fields::Fields;
use super::key::Key;
use super::kind::Span;
use super::problem::Findings;
use super::ready::{self, App};
use super::{
    Account, Adapter, Allowed, AppName, AppSpec, Limits, Listen, Restart, Sandbox, SocketAccess, Stop, Streams,
    increment, keys, node,
};

/// Longer than an app that serves should ever block its event loop; clients have given up by then.
const WATCHDOG: Duration = Duration::from_mins(1);

/// Reads every key of the file.
pub(super) fn app(name: &AppName, table: &DeTable<'_>, findings: &mut Findings<'_>) -> AppSpec {
    let fields = Fields::root(&keys::APP, table, findings);
    let exec = exec(&fields, findings);
    let listen = listen(&fields, findings);
    let adapter = fields
        .take(&keys::ADAPTER, findings)
        .map_or_else(|| node::adapter_for(&exec), Spanned::into_inner);
    let about = App {
        node: adapter == Adapter::Node,
        listens: !listen.is_empty(),
    };
    let account = account(&fields, findings);
    let env = fields.take_or_default(&keys::ENV, findings);
    let env_files = values(fields.take_or_default(&keys::ENV_FILE, findings));
    let given = increment::Given {
        env: &env,
        files: !env_files.is_empty(),
        listen: &listen,
    };
    AppSpec {
        name: name.clone(),
        exec,
        instances: fields.take_or_default(&keys::INSTANCES, findings),
        backlog: u32::try_from(fields.take_or_default(&keys::BACKLOG, findings)).unwrap_or(u32::MAX),
        socket: socket(&fields, &listen, findings),
        directory: fields.take(&keys::DIRECTORY, findings).map(Spanned::into_inner),
        increment: increment::increment(&fields, &given, findings),
        env,
        env_files,
        adapter,
        ready: ready::ready(&fields.section(&keys::READY, findings), about, findings),
        stop: stop(&fields.section(&keys::STOP, findings), findings),
        restart: restart(&fields.section(&keys::RESTART, findings), findings),
        listen,
        surge: fields
            .section(&keys::ROLLOUT, findings)
            .take_or_default(&keys::ROLLOUT_SURGE, findings),
        watchdog: watchdog(&fields.section(&keys::WATCHDOG, findings), about, findings),
        limits: limits(&fields.section(&keys::LIMITS, findings), findings),
        sandbox: sandbox(&fields, &account, findings),
        account,
        deploy: deploy::deploy(&fields.section(&keys::DEPLOY, findings), findings),
    }
}

fn values<T>(list: Vec<Spanned<T>>) -> Vec<T> {
    list.into_iter().map(Spanned::into_inner).collect()
}

fn exec(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Vec<String> {
    if fields.span(&keys::EXEC).is_none() && !findings.suggested(keys::EXEC.name) {
        findings.rule(
            0..0,
            "`exec` is missing: what does the app run?",
            "exec = \"node server.js\"",
        );
    }
    fields
        .take(&keys::EXEC, findings)
        .map(Spanned::into_inner)
        .unwrap_or_default()
}

/// Compares each address with those before it; only as many as a socket unit would ever hold.
fn listen(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Vec<Listen> {
    const MOST: usize = 64;
    let list = fields.take_or_default(&keys::LISTEN, findings);
    if let Some(extra) = list.get(MOST) {
        findings.add(
            extra.span(),
            format!("an app can listen on at most {MOST} addresses, not {}", list.len()),
        );
        return Vec::new();
    }
    for (nth, entry) in list.iter().enumerate() {
        if let Some(earlier) = list[..nth]
            .iter()
            .find(|earlier| earlier.get_ref().overlaps(entry.get_ref()))
        {
            let message = match (earlier.get_ref(), entry.get_ref()) {
                (one, two) if one == two => format!("{two} is listed twice"),
                (one, two) => format!("{two} and {one} overlap: systemd cannot hold both"),
            };
            findings.advise(entry.span(), message, "remove one of them");
        }
    }
    values(list)
}

fn socket(fields: &Fields<'_>, listen: &[Listen], findings: &mut Findings<'_>) -> SocketAccess {
    let spans = [
        (keys::SOCKET_MODE.name, fields.span(&keys::SOCKET_MODE)),
        (keys::SOCKET_USER.name, fields.span(&keys::SOCKET_USER)),
        (keys::SOCKET_GROUP.name, fields.span(&keys::SOCKET_GROUP)),
    ];
    let unix = listen.iter().any(|one| matches!(one, Listen::Unix(_)));
    for (name, span) in spans {
        if let Some(span) = span.filter(|_| !unix) {
            let message = format!("`{name}` is for unix sockets, and `listen` has none");
            findings.rule(
                span,
                message,
                "add the path of a unix socket to `listen`, or remove this key",
            );
        }
    }
    SocketAccess {
        mode: fields.take_or_default(&keys::SOCKET_MODE, findings),
        user: fields.take(&keys::SOCKET_USER, findings).map(Spanned::into_inner),
        group: fields.take(&keys::SOCKET_GROUP, findings).map(Spanned::into_inner),
    }
}

fn account(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Account {
    let user = fields.take(&keys::USER, findings);
    let group = fields.take(&keys::GROUP, findings);
    let allow_root = fields.take_or_default(&keys::ALLOW_ROOT, findings);
    if let (Some(span), None) = (fields.span(&keys::GROUP), fields.span(&keys::USER)) {
        findings.rule(
            span,
            "`group` needs `user`: an app without `user` gets a group of its own",
            "add user = \"...\"",
        );
    }
    let Some(user) = user else { return Account::Dynamic };
    if user.get_ref() == "root" && !allow_root {
        let message = "an app that runs as root can do anything to this machine";
        let help = "name another account, or leave out `user`: the app then gets its own; ports below 1024 do not \
                    need root; if you mean root, add allow_root = true";
        findings.rule(user.span(), message, help);
    }
    Account::Named {
        user: user.into_inner(),
        group: group.map(Spanned::into_inner),
    }
}

/// A transient account is never given new privileges, systemd.exec(5).
fn sandbox(fields: &Fields<'_>, account: &Account, findings: &mut Findings<'_>) -> Sandbox {
    let sandbox = fields.take_or_default(&keys::SANDBOX, findings);
    if let Some(span) = fields.span(&keys::SANDBOX)
        && sandbox.allows(Allowed::Privileges)
        && *account == Account::Dynamic
    {
        let message = "\"privileges\" needs `user`: systemd gives an app without it no privileges (DynamicUser=)";
        findings.rule(span, message, "add user = \"...\", or remove \"privileges\"");
    }
    sandbox
}

fn stop(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Stop {
    let timeout = fields.take_or_default(&keys::STOP_TIMEOUT, findings);
    let linger = fitting(fields, &keys::STOP_LINGER, timeout / 2, findings);
    if let Some(span) = fields.span(&keys::STOP_LINGER).filter(|_| linger >= timeout) {
        let message = "`linger` must be shorter than `timeout`: SIGKILL would come before the drain is over";
        findings.rule(span, message, "the defaults are linger = \"2s\" and timeout = \"30s\"");
    }
    let streams = fields.take_or_default(&keys::STOP_STREAMS, findings);
    Stop {
        signal: fields.take_or_default(&keys::STOP_SIGNAL, findings),
        message: fields.take(&keys::STOP_MESSAGE, findings).is_some(),
        timeout,
        linger,
        streams,
        spread: spread(fields, streams, timeout, findings),
    }
}

fn spread(fields: &Fields<'_>, streams: Streams, timeout: Duration, findings: &mut Findings<'_>) -> Duration {
    let spread = fitting(fields, &keys::STOP_SPREAD, timeout / 2, findings);
    let Some(span) = fields.span(&keys::STOP_SPREAD) else {
        return spread;
    };
    if streams != Streams::Close {
        let help = "set streams = \"close\", or remove this key";
        findings.rule(span, "`spread` is used only with streams = \"close\"", help);
    } else if spread >= timeout {
        let message = "`spread` must be shorter than `timeout`: the last streams would be cut instead of closed";
        findings.rule(span, message, "the defaults are spread = \"5s\" and timeout = \"30s\"");
    }
    spread
}

fn restart(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Restart {
    let given_most = fields.take(&keys::RESTART_MAX_DELAY, findings).map(Spanned::into_inner);
    let delay = fitting(
        fields,
        &keys::RESTART_DELAY,
        given_most.unwrap_or(Duration::MAX),
        findings,
    );
    let max_delay = given_most
        .or_else(|| keys::RESTART_MAX_DELAY.default_value())
        .unwrap_or(delay);
    let max_delay = if given_most.is_none() {
        max_delay.max(delay)
    } else {
        max_delay
    };
    if let Some(span) = fields.span(&keys::RESTART_DELAY).filter(|_| delay > max_delay) {
        findings.rule(
            span,
            "`delay` cannot be longer than `max_delay`",
            "make it shorter, or `max_delay` longer",
        );
    }
    Restart {
        delay,
        max_delay,
        reset_after: fields.take_or_default(&keys::RESTART_RESET_AFTER, findings),
    }
}

/// Only the Node adapter tells that an event loop turns. One without clients may well be busy for minutes.
fn watchdog(fields: &Fields<'_>, app: App, findings: &mut Findings<'_>) -> Option<Duration> {
    let given = fields.take(&keys::WATCHDOG_INTERVAL, findings);
    if let Some(interval) = given.as_ref().filter(|given| given.get_ref().is_some() && !app.node) {
        let message = "the watchdog needs the Node adapter, which this app does not have";
        findings.rule(interval.span(), message, "remove the line, or add adapter = \"node\"");
    }
    let default = (app.node && app.listens).then_some(WATCHDOG);
    given.map_or(default, Spanned::into_inner)
}

/// What is written; else the default, no longer than `most`, so that one key can be set alone.
pub(super) fn fitting(fields: &Fields<'_>, key: &Key<Span>, most: Duration, findings: &mut Findings<'_>) -> Duration {
    let given = fields.take(key, findings).map(Spanned::into_inner);
    given.unwrap_or_else(|| key.default_value().unwrap_or(most).min(most))
}

fn limits(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Limits {
    let memory = fields.take(&keys::LIMITS_MEMORY, findings).map(Spanned::into_inner);
    let high = fields.take(&keys::LIMITS_MEMORY_HIGH, findings);
    if let (Some(most), Some(high)) = (memory, &high)
        && *high.get_ref() >= most
    {
        let message = "`memory_high` must be less than `memory`: the kernel would kill the instance before it slows \
            it down";
        findings.rule(
            high.span(),
            message,
            "set it to three quarters of `memory`, or remove it",
        );
    }
    Limits {
        memory,
        memory_high: high.map(Spanned::into_inner),
        cpu_percent: fields.take(&keys::LIMITS_CPU, findings).map(Spanned::into_inner),
        tasks: fields.take(&keys::LIMITS_TASKS, findings).map(Spanned::into_inner),
        open_files: fields.take(&keys::LIMITS_OPEN_FILES, findings).map(Spanned::into_inner),
    }
}
