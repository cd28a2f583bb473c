//! Nothing that a TOML file can say adds, removes or changes a directive: what is written is read back and compared.

use std::path::PathBuf;
use std::time::Duration;

use appctl::spec::{
    Account, Adapter, AppSpec, Deploy, EnvFile, Instances, Level, Limits, Listen, Ready, ReadyWhen, Restart, Sandbox,
    SocketAccess, Stop, Streams,
};
use appctl::unit::{Host, SystemdVersion, UnitFile, environment, render};
use proptest::prelude::*;

mod parser;
mod real;

use parser::{Escapes, assignments, directives, glob, specifiers, words};

/// What means something to systemd, to a shell or to an editor, and a few ordinary characters.
const SPECIAL: &[&str] = &[
    "\n",
    "\r",
    "\t",
    " ",
    ";",
    " ; ",
    "%",
    "%n",
    "%%",
    "$",
    "${HOME}",
    "\"",
    "'",
    "\\",
    "\\\n",
    "\\x41",
    "#",
    "=",
    "[Service]",
    "\nExecStart=/bad\n",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{fdd0}",
    "\u{ffff}",
    "é",
    "😀",
    "-",
    "@",
    "+",
    ":",
    "!",
    "a",
    "/",
    "*",
    "?",
    "[",
    "]",
    "~",
];

/// Texts made of what means something to systemd, and anything else.
fn hostile() -> impl Strategy<Value = String> {
    let special = prop::sample::select(SPECIAL);
    let any = any::<char>()
        .prop_filter("no NUL fits into an argument", |c| *c != '\0')
        .prop_map(String::from);
    prop::collection::vec(prop_oneof![4 => special.prop_map(str::to_owned), 1 => any], 0..12).prop_map(|v| v.concat())
}

/// Absolute paths in their shortest form without control characters, as `spec` lets them through.
fn path() -> impl Strategy<Value = PathBuf> {
    prop::collection::vec(hostile(), 1..3).prop_map(|parts| {
        let clean = |text: &String| text.replace(|c: char| c == '/' || unwritable(c), "_");
        let part = |text: &String| Some(clean(text)).filter(|t| !matches!(t.as_str(), "" | "." | ".."));
        let parts: Vec<_> = parts.iter().map(|text| part(text).unwrap_or("x".into())).collect();
        PathBuf::from(format!("/{}", parts.join("/")))
    })
}

fn unwritable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// A variable's value; systemd itself refuses Unicode noncharacters in it, however they are written.
fn value() -> impl Strategy<Value = String> {
    hostile().prop_map(|text| text.replace(|c| unwritable(c) && !char::is_control(c), "_"))
}

prop_compose! {
    fn spec()(
        exec in prop::collection::vec(hostile(), 1..6),
        env in prop::collection::vec(("[A-Za-z_][A-Za-z0-9_]{0,8}", value()), 0..5),
        env_files in prop::collection::vec((path(), any::<bool>()), 0..3),
        directory in prop::option::of(path()),
        sockets in prop::collection::vec(path(), 0..3),
        http in hostile(),
        strict in any::<bool>(),
        write in prop::collection::vec(path(), 0..3),
    ) -> AppSpec {
        AppSpec {
            exec,
            env,
            env_files: env_files.into_iter().map(|(path, optional)| EnvFile { path, optional }).collect(),
            directory,
            listen: sockets.into_iter().map(Listen::Unix).collect(),
            ready: Ready { when: ReadyWhen::Http { path: format!("/{http}"), status: 200 }, ..plain().ready },
            sandbox: Sandbox {
                write,
                ..Sandbox::of(if strict { Level::Strict } else { Level::Standard })
            },
            ..plain()
        }
    }
}

fn plain() -> AppSpec {
    let seconds = Duration::from_secs;
    AppSpec {
        name: "my-app".parse().expect("a valid name"),
        exec: vec!["x".into()],
        instances: Instances::Fixed(2),
        account: Account::Named {
            user: "work".into(),
            group: None,
        },
        listen: Vec::new(),
        backlog: 4096,
        socket: SocketAccess::default(),
        directory: None,
        env: Vec::new(),
        env_files: Vec::new(),
        increment: None,
        adapter: Adapter::Node,
        ready: Ready {
            when: ReadyWhen::Notify,
            timeout: seconds(60),
            settle: seconds(1),
        },
        stop: Stop {
            signal: 15,
            message: true,
            timeout: seconds(30),
            linger: seconds(2),
            streams: Streams::Close,
            spread: seconds(5),
        },
        restart: Restart {
            delay: seconds(1),
            max_delay: seconds(30),
            reset_after: seconds(10),
        },
        watchdog: Some(seconds(60)),
        limits: Limits::default(),
        surge: true,
        sandbox: Sandbox::default(),
        deploy: Deploy::default(),
    }
}

/// The same shape with harmless values: what keys there must be, and in which order.
fn harmless(spec: &AppSpec) -> AppSpec {
    let file = |file: &EnvFile| EnvFile {
        path: "/e".into(),
        ..file.clone()
    };
    let below_home = |path: &PathBuf| {
        ["/home", "/root", "/run/user"]
            .iter()
            .any(|home| path.starts_with(home))
    };
    let directory = |path: &PathBuf| PathBuf::from(if below_home(path) { "/home/x" } else { "/srv/x" });
    AppSpec {
        exec: vec!["x".into()],
        env: spec.env.iter().map(|_| ("A".into(), "b".into())).collect(),
        env_files: spec.env_files.iter().map(file).collect(),
        directory: spec.directory.as_ref().map(directory),
        listen: spec.listen.iter().map(|_| Listen::Unix("/run/x".into())).collect(),
        sandbox: Sandbox {
            write: spec.sandbox.write.iter().map(directory).collect(),
            ..spec.sandbox.clone()
        },
        ..spec.clone()
    }
}

fn units(spec: &AppSpec) -> Vec<UnitFile> {
    let host = Host {
        systemd: SystemdVersion(257),
        cpus: 4,
        source: "/etc/appctl/apps/my-app.toml".into(),
        foreign: Vec::new(),
    };
    render(spec, &host)
}

fn keys(unit: &UnitFile) -> Vec<(String, String)> {
    let all = directives(&unit.to_string())
        .into_iter()
        .map(|(section, key, _)| (section, key));
    all.collect()
}

fn values(unit: &UnitFile, wanted: &str) -> Vec<String> {
    let all = directives(&unit.to_string()).into_iter();
    all.filter(|(_, key, _)| key == wanted)
        .map(|(_, _, value)| value)
        .collect()
}

fn text(bytes: &[u8], instance: &str) -> String {
    String::from_utf8(specifiers(bytes, instance)).expect("text goes in as UTF-8")
}

/// `ExecStart=` as the shim would see it.
fn argv(unit: &UnitFile) -> Vec<String> {
    let lines = values(unit, "ExecStart");
    assert_eq!(lines.len(), 1);
    let line = lines[0].strip_prefix(':').expect("no $ expansion");
    let words = words(line, Escapes::C).expect("systemd accepts the line");
    words.iter().map(|word| text(word, "surge")).collect()
}

fn find<'a>(units: &'a [UnitFile], name: &str) -> &'a UnitFile {
    units.iter().find(|unit| unit.name == name).expect("the unit exists")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hostile_value_never_changes_the_directives(spec in spec()) {
        let (hostile, harmless) = (units(&spec), units(&harmless(&spec)));
        prop_assert_eq!(hostile.len(), harmless.len());
        for (hostile, harmless) in hostile.iter().zip(&harmless) {
            prop_assert_eq!(keys(hostile), keys(harmless));
        }
    }

    #[test]
    fn arguments_arrive_as_they_were_written(spec in spec()) {
        let argv = argv(find(&units(&spec), "my-app@.service"));
        let from = argv.iter().position(|word| word == "--").expect("the options end");
        prop_assert_eq!(&argv[from + 1..from + 3], ["my-app", "surge"]);
        prop_assert_eq!(&argv[from + 3..], &spec.exec[..]);
        let option = |key: &str| argv[..from].iter().find_map(|word| word.strip_prefix(key)).map(str::to_owned);
        let ReadyWhen::Http { path, .. } = &spec.ready.when else { unreachable!("made above") };
        prop_assert_eq!(option("--ready-path="), Some(path.clone()));
        if let Some(directory) = &spec.directory {
            prop_assert_eq!(option("--directory="), directory.to_str().map(str::to_owned));
        }
    }

    #[test]
    fn variables_arrive_as_they_were_written(spec in spec()) {
        let units = units(&spec);
        prop_assert_eq!(values(find(&units, "my-app@.service"), "Environment"), Vec::<String>::new());
        let file = environment(&spec).map(|(_, text)| text).unwrap_or_default();
        prop_assert_eq!(assignments(&file), spec.env);
    }

    #[test]
    fn paths_arrive_as_they_were_written(spec in spec()) {
        let units = units(&spec);
        let instance = find(&units, "my-app@.service");
        for (line, file) in values(instance, "EnvironmentFile").iter().skip(usize::from(!spec.env.is_empty())).zip(&spec.env_files) {
            let line = line.strip_prefix('-').expect("optional for systemd");
            prop_assert_eq!(&glob(&text(line.as_bytes(), "surge")), file.path.to_str().expect("is text"));
        }
        let paths = |key| -> Vec<String> {
            let read = |line: &String| {
                let path = text(&words(line, Escapes::Literal).expect("systemd accepts the line").concat(), "surge");
                path.strip_prefix('-').unwrap_or(&path).to_owned()
            };
            values(instance, key).iter().map(read).collect()
        };
        let directory: Vec<_> = spec.directory.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        for path in [paths("RequiresMountsFor"), paths("BindPaths")].concat() {
            prop_assert_eq!(&[path][..], &directory[..]);
        }
        let own = directory.into_iter().filter(|_| spec.sandbox.level == Level::Standard);
        let opened = spec.sandbox.write.iter().map(|path| path.to_string_lossy().into_owned());
        prop_assert_eq!(paths("ReadWritePaths"), own.chain(opened).collect::<Vec<_>>());
        let held = units.iter().flat_map(|unit| values(unit, "ListenStream"));
        let held: Vec<_> = held.map(|line| Listen::Unix(text(line.as_bytes(), "").into())).collect();
        prop_assert_eq!(&held, &spec.listen);
    }
}
