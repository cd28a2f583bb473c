//! An app's file, whatever stands in it: it is read to settings or to problems with a place in the text, and settings make
//! units in which no value begins a line.

use appctl::spec::{AppName, parse, visible};
use appctl::unit::{Host, SystemdVersion, render};

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let name: AppName = "app".parse().expect("a name");
    match parse(&name, text) {
        Ok(spec) => {
            let host = Host {
                systemd: SystemdVersion(257),
                cpus: 2,
                source: "/etc/appctl/apps/app.toml".into(),
                foreign: Vec::new(),
            };
            for unit in render(&spec, &host) {
                unit.to_string().lines().for_each(is_line);
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
                assert_eq!(visible(&problem.message), problem.message);
                problem.position(text);
            }
        }
    }
}

fn is_line(line: &str) {
    let setting = line
        .split_once('=')
        .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let known = line.is_empty() || line.starts_with('#') || line.starts_with('[') || setting;
    assert!(known && !line.contains(['\0', '\r', '\u{1b}']), "{line:?}");
}
