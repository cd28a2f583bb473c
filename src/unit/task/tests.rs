//! What a task may do, property by property.

use std::path::Path;
use std::time::Duration;

use super::{Property, Purpose, Task, Value, task};
use crate::spec::{Account, AppSpec, Level, Sandbox};
use crate::unit::samples::{host, spec};

fn properties(spec: &AppSpec, purpose: Purpose, command: &[&str]) -> Vec<Property> {
    let command: Vec<String> = command.iter().map(ToString::to_string).collect();
    let all = task(
        spec,
        &host(),
        &Task {
            command: &command,
            purpose,
            directory: Path::new("/var/lib/appctl/web/releases/20261122T101500Z"),
            timeout: Duration::from_mins(15),
            variables: None,
        },
    );
    // A second list of system calls takes from the first; of everything else there is one.
    let names = all.iter().map(|(name, _)| *name);
    let mut names: Vec<_> = names.filter(|name| *name != "SystemCallFilter").collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a property twice");
    all
}

fn get(all: &[Property], name: &str) -> Option<Value> {
    all.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
}

#[test]
fn a_build_writes_nowhere_but_in_its_own_directories() {
    let named = Account::Named {
        user: "work".into(),
        group: None,
    };
    let app = AppSpec {
        account: named,
        ..spec("web")
    };
    let all = properties(&app, Purpose::Build, &["npm", "ci"]);
    assert_eq!(get(&all, "ProtectSystem"), Some(Value::Text("strict".into())));
    let own = ["appctl/web/build", "appctl/web/cache"].map(str::to_owned).to_vec();
    assert_eq!(get(&all, "StateDirectory"), Some(Value::Texts(own)));
    let all = properties(&app, Purpose::Release, &["node", "migrate.js"]);
    assert_eq!(get(&all, "ProtectSystem"), Some(Value::Text("full".into())));
    assert_eq!(get(&all, "BindPaths"), None);
}

#[test]
fn nothing_of_a_strict_sandbox_is_lost() {
    let strict = AppSpec {
        sandbox: Sandbox::of(Level::Strict),
        ..spec("web")
    };
    let all = properties(&strict, Purpose::Build, &["npm", "ci"]);
    assert_eq!(
        get(&all, "SystemCallFilter"),
        Some(Value::Only(vec!["@system-service".into()]))
    );
    assert_eq!(get(&all, "CapabilityBoundingSet"), Some(Value::Number(0)));
    assert_eq!(get(&all, "ProtectHome"), Some(Value::Text("yes".into())));
    assert_eq!(get(&all, "LockPersonality"), Some(Value::Flag(true)));
}

#[test]
fn a_program_with_a_slash_is_one_of_the_release() {
    let command = |word| {
        get(
            &properties(&spec("web"), Purpose::Build, &[word, "$HOME"]),
            "ExecStartEx",
        )
    };
    let words = |first: &str| Some(Value::Command(vec![first.to_owned(), "$HOME".to_owned()]));
    let release = "/var/lib/appctl/web/releases/20261122T101500Z";
    assert_eq!(command("npm"), words("npm"));
    assert_eq!(command("./bin/build"), words(&format!("{release}/bin/build")));
    assert_eq!(command("/usr/bin/make"), words("/usr/bin/make"));
}
