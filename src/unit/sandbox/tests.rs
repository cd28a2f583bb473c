//! What each level has, and what opens it.

use crate::spec::{AppSpec, Level, Sandbox};
use crate::unit::samples::{host, spec};
use crate::unit::{Host, Section, SystemdVersion, UnitFile};

fn lines(level: Level, directory: Option<&str>, version: u16) -> String {
    let spec = AppSpec {
        sandbox: Sandbox::of(level),
        directory: directory.map(Into::into),
        ..spec("web")
    };
    let mut section = Section::new("Service");
    super::render(
        &spec,
        &Host {
            systemd: SystemdVersion(version),
            ..host()
        },
        &mut section,
    );
    UnitFile::new(String::new(), std::path::Path::new(""), [section]).to_string()
}

#[test]
fn no_level_forbids_what_a_jit_needs() {
    for level in [Level::Off, Level::Standard, Level::Strict] {
        assert!(!lines(level, None, 257).contains("MemoryDenyWriteExecute"));
    }
}

#[test]
fn an_app_in_a_home_is_not_hidden_from_itself() {
    assert!(lines(Level::Strict, Some("/home/me/app"), 252).contains("ProtectHome=read-only"));
    assert!(lines(Level::Strict, Some("/homestead"), 252).contains("ProtectHome=yes"));
    assert!(lines(Level::Standard, Some("/home/me/app"), 252).contains(r#"ReadWritePaths="-/home/me/app""#));
    assert!(lines(Level::Standard, Some("/tmp/app"), 252).contains(r#"BindPaths="-/tmp/app""#));
}

#[test]
fn only_a_systemd_that_has_them_gets_control_group_namespaces() {
    assert!(lines(Level::Strict, None, 252).contains("ProtectControlGroups=yes"));
    assert!(lines(Level::Strict, None, 257).contains("ProtectControlGroups=strict"));
}
