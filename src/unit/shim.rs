//! The command line of an instance: all that `appctl-shim` knows of the spec, so that it needs no TOML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Host, installed, quote};
use crate::contract::paths;
use crate::contract::shim_args::{Backoff, LOOK, Options, RUN, Ready};
use crate::spec::{Adapter, AppSpec, EnvFile, Level, ReadyWhen, Streams};

/// Where a sandbox may put something else.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];
/// The same for `sandbox = "strict"`.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// The value of `ExecStart=`. The colon turns off `$VARIABLE` expansion of systemd.service(5); `%i` is left to systemd,
/// every other `%` is doubled.
pub(super) fn exec_start(spec: &AppSpec, host: &Host) -> String {
    let mut line = format!(":{} {RUN}", installed::SHIM);
    let options = options(spec, host).to_argv();
    let words = options.iter().map(|option| quote::word(option));
    let identity = ["--".to_owned(), spec.name.to_string(), "%i".to_owned()];
    let argv = spec.exec.iter().map(|argument| quote::word(argument));
    for word in words.chain(identity).chain(argv) {
        line.push(' ');
        line.push_str(&word);
    }
    line
}

/// Where an instance runs: in place, or where `current` points when it starts.
pub(super) fn directory(spec: &AppSpec) -> PathBuf {
    let release = || {
        Path::new("/")
            .join(paths::STATE)
            .join(spec.name.as_str())
            .join(paths::CURRENT)
    };
    spec.directory.clone().unwrap_or_else(release)
}

fn options(spec: &AppSpec, host: &Host) -> Options {
    let default = Options::default();
    let (stop, restart) = (&spec.stop, &spec.restart);
    let is_spread = stop.streams == Streams::Close;
    Options {
        ready: ready(&spec.ready.when),
        ready_timeout: milliseconds(spec.ready.timeout),
        stop_signal: stop.signal,
        stop_timeout: milliseconds(stop.timeout),
        stop_message: stop.message,
        linger: milliseconds(stop.linger),
        streams: stop.streams,
        spread: if is_spread {
            milliseconds(stop.spread)
        } else {
            default.spread
        },
        increment: spec.increment.clone(),
        backoff: Backoff {
            delay: milliseconds(restart.delay),
            longest: milliseconds(restart.max_delay),
            reset_after: milliseconds(restart.reset_after),
        },
        watchdog: spec.watchdog.map(milliseconds),
        adapter: (spec.adapter == Adapter::Node).then(|| installed::NODE_ADAPTER.into()),
        sockets: spec.listen.len(),
        backlog: if spec.listen.is_empty() {
            default.backlog
        } else {
            spec.backlog
        },
        directory: Some(directory(spec)),
        env_files: env_files(spec, host).map(|file| file.path.clone()).collect(),
        read_env_files: read_env_files(spec, host),
        ..default
    }
}

/// The value of `ExecStartPre=`: the first look at files that must exist. A minus, for a start may not fail over it: systemd
/// would begin the next at once, and for ever.
pub(super) fn exec_start_pre(spec: &AppSpec, host: &Host) -> Option<String> {
    let files: Vec<String> = env_files(spec, host)
        .map(|file| quote::word(&file.path.to_string_lossy()))
        .collect();
    (!files.is_empty()).then(|| format!("-:{} {LOOK} {}", installed::SHIM, files.join(" ")))
}

/// Those that the shim reads with the app's rights.
pub(super) fn read_env_files(spec: &AppSpec, host: &Host) -> Vec<EnvFile> {
    let foreign = spec.env_files.iter().filter(|file| host.foreign.contains(&file.path));
    foreign.cloned().collect()
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

fn ready(when: &ReadyWhen) -> Ready {
    match when {
        ReadyWhen::Notify => Ready::Notify,
        ReadyWhen::Listening => Ready::Listening,
        ReadyWhen::Message => Ready::Message,
        ReadyWhen::Http { path, status } => Ready::Http {
            path: path.clone(),
            status: *status,
        },
        ReadyWhen::Started { after } => Ready::Started {
            after: milliseconds(*after),
        },
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::contract::shim_args::Options;
    use crate::spec::{Adapter, AppSpec, Ready, ReadyWhen, Stop, Streams, parse};
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

    #[test]
    fn what_a_file_does_not_say_is_the_shims_default() {
        let name = "web".parse().expect("a name");
        let app = parse(&name, "exec = 'x'").expect("a good file");
        let directory = Some("/var/lib/appctl/web/current".into());
        let default = Options::default();
        assert_eq!(super::options(&app, &host()), Options { directory, ..default });
    }
}
