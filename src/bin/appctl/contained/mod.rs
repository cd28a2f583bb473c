//! What failed, perhaps for its sandbox: the command that opens just what it seems to need. Every verb's errors pass here
//! once, on their way out. Advice only: nothing is opened by what an app says.
//!
//! How a process ended is systemd's word and decides; what it printed can only hint.

use appctl::drive::Reason;
use appctl::spec::{Account, Allowed, AppName, AppSpec, Level, Sandbox};

use crate::exit::ExpectedError;

mod command;
mod signs;

pub(crate) use command::Typed;
use signs::Need;

/// What ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An instance, or what runs once before a release serves.
    App,
    /// A build: it writes in its own directories only, whatever the app may do.
    Build,
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// The signal that killed it, or that killed what its shell ran.
    pub(crate) signal: Option<i32>,
    /// What it printed last.
    pub(crate) said: Vec<String>,
}

impl End {
    /// What the app itself left behind of an instance that is not up.
    pub(crate) fn of(reason: &Reason) -> Self {
        let own = reason.said.iter().filter(|line| !line.is_note);
        Self {
            signal: reason.signal,
            said: own.map(|line| line.text.clone()).collect(),
        }
    }
}

/// Something of an app that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) app: AppName,
    pub(crate) sandbox: Sandbox,
    /// Whether its account is a transient one, systemd's own.
    pub(crate) transient: bool,
    pub(crate) kind: Kind,
    pub(crate) end: End,
}

impl Failure {
    /// Of an app with these settings.
    pub(crate) fn of(spec: &AppSpec, kind: Kind, end: End) -> Self {
        Self {
            app: spec.name.clone(),
            sandbox: spec.sandbox.clone(),
            transient: spec.account == Account::Dynamic,
            kind,
            end,
        }
    }
}

/// The error, with the command in place of other help when its sandbox may be the cause.
pub(crate) fn advised(mut error: anyhow::Error, typed: &Typed) -> anyhow::Error {
    if let Some(expected) = error.downcast_mut::<ExpectedError>()
        && let Some(failure) = &expected.failure
        && let Some(advice) = advice(failure, typed)
    {
        expected.help = Some(advice);
    }
    error
}

/// What `DynamicUser=` brings along, whatever is opened; systemd.exec(5).
const NEVER_TRANSIENT: [Allowed; 3] = [Allowed::Tmp, Allowed::Setgid, Allowed::Privileges];

fn advice(failure: &Failure, typed: &Typed) -> Option<String> {
    let Failure {
        app,
        sandbox,
        kind,
        end,
        ..
    } = failure;
    let need = signs::need(end, sandbox).filter(|_| sandbox.level != Level::Off)?;
    let why = match &need {
        Need::Allow(allowed) if failure.transient && NEVER_TRANSIENT.contains(allowed) => {
            let word = allowed.word();
            return Some(format!(
                "its sandbox forbids {word}, and systemd never allows it to an app without a user; if it needs that, \
                    name a user (--user of install, or `user` in its file) and allow {word}"
            ));
        }
        Need::Allow(allowed) => format!("its sandbox forbids {}", allowed.word()),
        Need::Write(path) if *kind == Kind::Build => {
            let (path, cache) = (path.display(), format!("/var/lib/appctl/{app}/cache"));
            return Some(format!(
                "{path} is always read-only for a build, which may write below its own directory, /tmp and $HOME \
                    ({cache})"
            ));
        }
        Need::Write(path) => format!("its sandbox makes {} read-only", path.display()),
        Need::Unknown => "its sandbox may be the cause".to_owned(),
    };
    let line = typed.with(app, &need.options(), *kind);
    Some(format!("{why}; if it needs that, type: {line}"))
}

#[cfg(test)]
mod tests {
    use appctl::spec::{AppSpec, parse};

    use super::{End, Failure, Kind, Typed, advice};

    fn spec(more: &str) -> AppSpec {
        let name = "web".parse().expect("a name");
        parse(&name, &format!("exec = 'x'\nuser = 'work'\n{more}")).expect("a good file")
    }

    fn failure(line: &str, more: &str) -> Failure {
        let said = vec![line.to_owned()];
        Failure::of(&spec(more), Kind::App, End { signal: None, said })
    }

    fn typed(line: &str) -> Typed {
        Typed::of(line.split(' ').map(str::to_owned), false)
    }

    fn said(line: &str, more: &str) -> Option<String> {
        advice(&failure(line, more), &typed("install web -- node a.js"))
    }

    #[test]
    fn each_refusal_is_answered_with_what_opens_it() {
        for (line, options) in [
            ("unshare: unshare failed: Operation not permitted", "--allow namespaces"),
            (
                "strace: ptrace(PTRACE_TRACEME): Operation not permitted",
                "--allow debug",
            ),
            (
                "Error: EPERM: operation not permitted, chmod '/srv/x'",
                "--allow setgid",
            ),
            (
                "OSError: [Errno 97] Address family not supported by protocol",
                "--allow address-families",
            ),
            ("sudo: The \"no new privileges\" flag is set", "--allow privileges"),
            (
                "Error: EROFS: read-only file system, open '/usr/lib/none/file'",
                "--write /usr/lib",
            ),
            ("open /usr/lib/file: read-only file system", "--write /usr/lib"),
            ("Error: EPERM: operation not permitted", "--sandbox off"),
        ] {
            let expected = format!("appctl install {options} web -- node a.js");
            let advice = said(line, "").expect(line);
            assert!(advice.ends_with(&expected), "{advice}");
        }
    }

    #[test]
    fn what_is_open_already_is_no_reason() {
        let line = "unshare: unshare failed: Operation not permitted";
        assert_eq!(said(line, "sandbox = { allow = ['namespaces'] }"), None);
        assert_eq!(said(line, "sandbox = { allow = ['privileges'] }"), None);
        assert_eq!(said(line, "sandbox = 'off'"), None);
        assert_eq!(said("setpriority: operation not permitted", ""), None);
        assert_eq!(said("TypeError: x is not a function", ""), None);
    }

    #[test]
    fn a_signal_decides_before_any_word() {
        let killed = |line: &str, more: &str| {
            let mut failure = failure(line, more);
            failure.end.signal = Some(nix::libc::SIGSYS);
            advice(&failure, &typed("start web"))
        };
        let advice = killed("Error: EROFS: read-only file system, open '/usr/x'", "").expect("advice");
        assert!(
            advice.contains("type: appctl apply web --allow personality &&"),
            "{advice}"
        );
        assert_eq!(killed("", "sandbox = { allow = ['personality'] }"), None);
        // The words alone are anyone's.
        assert_eq!(said("it was killed by SIGSYS", ""), None);
    }

    #[test]
    fn only_a_level_that_hides_homes_is_why_one_is_closed() {
        let line = "Error: EACCES: permission denied, open '/root/none/file'";
        assert_eq!(said(line, ""), None);
        let advice = said(line, "sandbox = 'strict'").expect("advice");
        assert!(advice.contains("type: appctl install --write /root web"), "{advice}");
    }

    #[test]
    fn a_transient_account_is_not_told_to_open_what_stays_closed_to_it() {
        let mut failure = failure("connect: no such file or directory /tmp/.s.PGSQL", "");
        let named = advice(&failure, &typed("start web")).expect("advice");
        assert!(named.contains("type: appctl apply web --allow tmp &&"), "{named}");
        failure.transient = true;
        let transient = advice(&failure, &typed("start web")).expect("advice");
        assert!(
            !transient.contains("type:") && transient.contains("--user"),
            "{transient}"
        );
    }

    #[test]
    fn a_build_is_not_told_to_open_what_no_build_may_write() {
        let mut failure = failure("EROFS: read-only file system, open '/usr/lib/x'", "");
        failure.kind = Kind::Build;
        let advice = advice(&failure, &typed("deploy web .")).expect("advice");
        assert!(
            !advice.contains("--write") && advice.contains("/var/lib/appctl/web/cache"),
            "{advice}"
        );
    }
}
