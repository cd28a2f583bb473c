//! The command line of an instance: all that `appctl-shim` knows of the spec, so that it needs no TOML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Host, installed, quote};
use crate::spec::{Adapter, AppSpec, EnvFile, Level, ReadyWhen, Stop, Streams};

/// The shim's own default.
const SPREAD: Duration = Duration::from_secs(5);
/// Where a sandbox may put something else.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];
/// The same for `sandbox = "strict"`.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// The value of `ExecStart=`. The colon turns off `$VARIABLE` expansion of systemd.service(5); `%i` is left to systemd,
/// every other `%` is doubled.
pub(super) fn exec_start(spec: &AppSpec, host: &Host) -> String {
    let mut line = format!(":{} run", installed::SHIM);
    let words = options(spec, host).into_iter().map(|option| quote::word(&option));
    let identity = ["--".to_owned(), spec.name.to_string(), "%i".to_owned()];
    let argv = spec.exec.iter().map(|argument| quote::word(argument));
    for word in words.chain(identity).chain(argv) {
        line.push(' ');
        line.push_str(&word);
    }
    line
}

/// Where an instance runs: in place, or in whatever `current` points to when it starts.
pub(super) fn directory(spec: &AppSpec) -> PathBuf {
    let release = || PathBuf::from(format!("/var/lib/appctl/{}/current", spec.name));
    spec.directory.clone().unwrap_or_else(release)
}

fn options(spec: &AppSpec, host: &Host) -> Vec<String> {
    let restart = &spec.restart;
    let backoff = [restart.delay, restart.max_delay, restart.reset_after].map(|span| span.as_millis().to_string());
    let mut options = vec![format!("--directory={}", directory(spec).to_string_lossy())];
    options.extend(env_files(spec, host).map(|file| format!("--env-file={}", file.path.to_string_lossy())));
    options.extend(read_env_files(spec, host));
    options.extend(ready(&spec.ready.when));
    options.push(milliseconds("ready-timeout", spec.ready.timeout));
    options.push(format!("--stop-signal={}", spec.stop.signal));
    options.push(milliseconds("stop-timeout", spec.stop.timeout));
    options.push(milliseconds("linger", spec.stop.linger));
    options.extend(streams(&spec.stop));
    options.extend(spec.stop.message.then(|| "--stop-message=yes".to_owned()));
    options.extend(spec.increment.iter().map(|name| format!("--increment={name}")));
    options.push(format!("--backoff-ms={}", backoff.join(",")));
    options.extend(spec.watchdog.map(|interval| milliseconds("watchdog", interval)));
    if spec.adapter == Adapter::Node {
        options.push(format!("--adapter={}", installed::NODE_ADAPTER));
    }
    if !spec.listen.is_empty() {
        options.push(format!("--sockets={}", spec.listen.len()));
        options.push(format!("--backlog={}", spec.backlog));
    }
    options
}

/// The value of `ExecStartPre=`: the first look at files that must exist. A minus, for a start may not fail over it: systemd
/// would begin the next at once, and for ever.
pub(super) fn exec_start_pre(spec: &AppSpec, host: &Host) -> Option<String> {
    let files: Vec<String> = env_files(spec, host)
        .map(|file| quote::word(&file.path.to_string_lossy()))
        .collect();
    (!files.is_empty()).then(|| format!("-:{} look {}", installed::SHIM, files.join(" ")))
}

/// Those that the shim reads with the app's rights.
pub(super) fn read_env_files(spec: &AppSpec, host: &Host) -> Vec<String> {
    let foreign = spec.env_files.iter().filter(|file| host.foreign.contains(&file.path));
    let option = |file: &EnvFile| {
        let dash = if file.optional { "-" } else { "" };
        format!("--read-env-file={dash}{}", file.path.to_string_lossy())
    };
    foreign.map(option).collect()
}

/// Those that must exist, and that the sandbox lets the shim see.
fn env_files<'s>(spec: &'s AppSpec, host: &'s Host) -> impl Iterator<Item = &'s EnvFile> + 's {
    let homes: &[&str] = if spec.sandbox.level == Level::Strict {
        &HOMES
    } else {
        &[]
    };
    let below = |path: &Path, directories: &[&str]| directories.iter().any(|directory| path.starts_with(directory));
    let hidden = move |path: &Path| below(path, &TEMPORARY) || below(path, homes);
    let of_root = spec.env_files.iter().filter(|file| !host.foreign.contains(&file.path));
    of_root.filter(move |file| !file.optional && !hidden(&file.path))
}

fn ready(when: &ReadyWhen) -> Vec<String> {
    let option = |text: &str| vec![format!("--ready={text}")];
    match when {
        ReadyWhen::Notify => option("notify"),
        ReadyWhen::Listening => option("listening"),
        ReadyWhen::Message => option("message"),
        ReadyWhen::Http { path, status } => {
            let http = [format!("--ready-path={path}"), format!("--ready-status={status}")];
            [option("http"), http.to_vec()].concat()
        }
        ReadyWhen::Started { after } => [option("started"), vec![milliseconds("started-after", *after)]].concat(),
    }
}

/// What the shim does by itself is not written.
fn streams(stop: &Stop) -> Option<String> {
    match stop.streams {
        Streams::Close if stop.spread == SPREAD => None,
        Streams::Close => Some(milliseconds("spread", stop.spread)),
        Streams::Wait => Some("--streams=wait".to_owned()),
        Streams::Cut => Some("--streams=cut".to_owned()),
    }
}

fn milliseconds(name: &str, span: Duration) -> String {
    format!("--{name}-ms={}", span.as_millis())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::spec::{Adapter, AppSpec, Ready, ReadyWhen, Stop, Streams};
    use crate::unit::samples::{host, spec};

    fn exec_start(spec: &AppSpec) -> String {
        super::exec_start(spec, &host())
    }

    #[test]
    fn a_node_app_on_one_port() {
        assert_eq!(
            exec_start(&spec("web")),
            ":/usr/lib/appctl/appctl-shim run --directory=/var/lib/appctl/web/current --ready=listening \
             --ready-timeout-ms=60000 --stop-signal=15 --stop-timeout-ms=30000 --linger-ms=2000 \
             --backoff-ms=100,30000,10000 --watchdog-ms=60000 --adapter=/usr/lib/appctl/node.cjs --sockets=1 --backlog=4096 \
             -- web %i node server.js"
        );
    }

    #[test]
    fn a_stop_brings_what_differs_from_the_shims_own_default() {
        let line = |streams, spread| {
            let stop = Stop {
                message: true,
                streams,
                spread: Duration::from_secs(spread),
                ..spec("web").stop
            };
            exec_start(&AppSpec {
                stop,
                increment: Some("METRICS_PORT".into()),
                ..spec("web")
            })
        };
        assert!(line(Streams::Close, 5).contains("--linger-ms=2000 --stop-message=yes --increment=METRICS_PORT "));
        assert!(line(Streams::Close, 7).contains(" --spread-ms=7000 "));
        assert!(line(Streams::Wait, 5).contains(" --streams=wait "));
        assert!(line(Streams::Cut, 5).contains(" --streams=cut "));
    }

    #[test]
    fn each_readiness_brings_its_own_options() {
        let line = |when| {
            let ready = Ready {
                when,
                ..spec("web").ready
            };
            exec_start(&AppSpec {
                ready,
                adapter: Adapter::None,
                ..spec("web")
            })
        };
        let http = ReadyWhen::Http {
            path: "/up?a=1".into(),
            status: 204,
        };
        assert!(line(http).contains(r#"--ready=http "--ready-path=/up?a=1" --ready-status=204"#));
        let started = ReadyWhen::Started {
            after: Duration::from_millis(1500),
        };
        assert!(line(started).contains("--ready=started --started-after-ms=1500"));
        assert!(line(ReadyWhen::Notify).contains("--ready=notify "));
        assert!(line(ReadyWhen::Message).contains("--ready=message "));
        assert!(!line(ReadyWhen::Notify).contains("--adapter"));
    }
}
