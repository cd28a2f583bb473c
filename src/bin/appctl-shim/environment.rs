//! What the app finds in its environment beyond what systemd set: who it is, where its sockets and its shim are. Pure.
//! `LISTEN_PID` and `LISTEN_FDS` are missing here: only `exec` knows the app's own pid.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::path::Path;

use appctl::contract::shim_args::{Ready, RunArgs, streams_word};

use crate::machine::Proof;

/// Names and new values; `None` takes the variable away. Later ones win.
pub(crate) type Changes = Vec<(Cow<'static, str>, Option<OsString>)>;

/// Facts known when the app is about to start.
pub(crate) struct Facts<'a> {
    pub(crate) args: &'a RunArgs,
    /// `$RUNTIME_DIRECTORY` of the instance.
    pub(crate) runtime: Option<&'a Path>,
    /// `APPCTL_LISTEN`, `LISTEN_FDNAMES` and the first TCP port.
    pub(crate) listen: String,
    pub(crate) names: String,
    pub(crate) port: Option<u16>,
    pub(crate) channel: Option<RawFd>,
    /// The real directory the app runs in.
    pub(crate) directory: Option<&'a Path>,
}

/// Meant for the main process of the unit, which the app is not.
const REMOVED: [&str; 12] = [
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "FDSTORE",
    "MAINPID",
    "MAINPIDFDID",
    "MANAGERPIDFDID",
    "SYSTEMD_EXEC_PID",
];

/// The variable that each instance adds its own number to, and the sum (PM2's `increment_var`); the error is for people.
/// The surge instance, whose number lies above all others, shares no value with any of them.
pub(crate) fn incremented(
    args: &RunArgs,
    get: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<(String, u64)>, String> {
    let Some(name) = &args.options.increment else {
        return Ok(None);
    };
    let given = get(name);
    let text = given.as_deref().map(OsStr::to_string_lossy).unwrap_or_default();
    let number = text.trim().parse::<u64>().ok();
    let sum = number.and_then(|number| number.checked_add(args.instance.index().into()));
    match sum {
        Some(sum) => Ok(Some((name.clone(), sum))),
        None if given.is_none() => Err(format!("increment = {name:?}, but the app has no variable {name}")),
        None => Err(format!(
            "increment = {name:?}, but {name} is {text:?}, not a whole number"
        )),
    }
}

/// What files say that PID 1 has not read.
pub(crate) fn own(variables: &[(String, String)]) -> Changes {
    let one = |(name, value): &(String, String)| (Cow::Owned(name.clone()), Some(value.into()));
    variables.iter().map(one).collect()
}

/// Everything that differs from what systemd gave the shim; `get` reads that.
pub(crate) fn changes(facts: &Facts<'_>, get: impl Fn(&str) -> Option<OsString>) -> Changes {
    let mut all: Changes = REMOVED.iter().map(|name| (Cow::Borrowed(*name), None)).collect();
    let mut set = |name, value: OsString| all.push((Cow::Borrowed(name), Some(value)));
    let args = facts.args;
    set("INSTANCE", args.instance.to_string().into());
    set("NODE_APP_INSTANCE", args.instance.index().to_string().into());
    if let (Some(port), None) = (facts.port, get("PORT")) {
        set("PORT", port.to_string().into());
    }
    if let Some(directory) = facts.directory {
        set("PWD", directory.into());
    }
    // A transient account has no home, and npm does not start without one.
    if let (None, Some(state)) = (get("HOME"), get("STATE_DIRECTORY")) {
        set("HOME", state);
    }
    if args.options.sockets > 0 {
        set("LISTEN_FDNAMES", facts.names.clone().into());
    }
    if let (Ready::Notify, Some(runtime)) = (&args.options.ready, facts.runtime) {
        set("NOTIFY_SOCKET", runtime.join("notify.sock").into());
    }
    if let Some(channel) = facts.channel {
        set("NODE_CHANNEL_FD", channel.to_string().into());
        set("NODE_CHANNEL_SERIALIZATION_MODE", "json".into());
    }
    adapter(facts, get("NODE_OPTIONS").as_deref(), set);
    if let Ok(Some((name, sum))) = incremented(args, get) {
        all.push((name.into(), Some(sum.to_string().into())));
    }
    all
}

fn adapter(facts: &Facts<'_>, node_options: Option<&OsStr>, mut set: impl FnMut(&'static str, OsString)) {
    let options = &facts.args.options;
    let Some(adapter) = &options.adapter else { return };
    set(
        "NODE_OPTIONS",
        require(adapter, node_options, options.watchdog.is_some()),
    );
    set("APPCTL_LISTEN", facts.listen.clone().into());
    set("APPCTL_BACKLOG", options.backlog.to_string().into());
    set(
        "APPCTL_STREAMS",
        format!("{} {}", streams_word(options.streams), options.spread).into(),
    );
    if let Some(watchdog) = options.watchdog {
        set("APPCTL_WATCHDOG_MS", watchdog.to_string().into());
    }
    if Proof::of(&options.ready).holds() {
        set("APPCTL_HOLD", "1".into());
    }
    if options.ready == Ready::Message {
        // Behind npm the app has no IPC channel: the adapter passes its message on.
        set("APPCTL_READY_MESSAGE", "1".into());
    }
    if let Some(runtime) = facts.runtime {
        set("APPCTL_CONTROL", runtime.join("control.sock").into());
        set("APPCTL_PROBE", runtime.join("probe.sock").into());
    }
}

/// The adapter first: what the operator preloads then sees a `net` that is already prepared.
/// A blocked process tells its stack by way of Node's debugger, which is open for a moment then: nobody may learn how to
/// reach it in that moment, so its secret is not served on its port.
fn require(adapter: &Path, before: Option<&OsStr>, watched: bool) -> OsString {
    let mut all = OsString::from("--require ");
    all.push(adapter);
    if watched {
        all.push(" --inspect-publish-uid=stderr");
    }
    if let Some(before) = before.filter(|before| !before.is_empty()) {
        all.push(" ");
        all.push(before);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::path::Path;

    use super::{Facts, RunArgs, changes, incremented};

    type Changed = BTreeMap<Cow<'static, str>, Option<OsString>>;

    fn given(line: &str, port: Option<u16>, inherited: &[(&str, &str)]) -> Changed {
        let args = RunArgs::parse(line.split(' ').map(OsString::from)).expect("a good line");
        let facts = Facts {
            args: &args,
            runtime: Some(Path::new("/run/appctl/web/2")),
            listen: "3:9=[::]:3000".to_owned(),
            names: "web.socket".to_owned(),
            port,
            channel: Some(9),
            directory: Some(Path::new("/srv/web")),
        };
        let get = |name: &str| {
            inherited
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        };
        changes(&facts, get).into_iter().collect()
    }

    fn value<'a>(all: &'a Changed, name: &str) -> Option<&'a str> {
        all.get(name)?.as_ref()?.to_str()
    }

    #[test]
    fn a_node_app_finds_its_adapter_and_its_place() {
        let line = "--adapter=/usr/lib/appctl/node.cjs --sockets=1 --linger-ms=5 --backlog=7 -- web 2 node";
        let all = given(line, Some(3000), &[("NODE_OPTIONS", "--max-old-space-size=99")]);
        let expected = [
            ("INSTANCE", "2"),
            ("NODE_APP_INSTANCE", "1"),
            ("PORT", "3000"),
            ("PWD", "/srv/web"),
            ("LISTEN_FDNAMES", "web.socket"),
            (
                "NODE_OPTIONS",
                "--require /usr/lib/appctl/node.cjs --max-old-space-size=99",
            ),
            ("APPCTL_LISTEN", "3:9=[::]:3000"),
            ("APPCTL_BACKLOG", "7"),
            ("APPCTL_STREAMS", "close 5000"),
            ("APPCTL_CONTROL", "/run/appctl/web/2/control.sock"),
            ("APPCTL_PROBE", "/run/appctl/web/2/probe.sock"),
            ("NODE_CHANNEL_FD", "9"),
            ("NODE_CHANNEL_SERIALIZATION_MODE", "json"),
        ];
        for (name, wanted) in expected {
            assert_eq!(value(&all, name), Some(wanted), "{name}");
        }
    }

    #[test]
    fn the_adapter_passes_a_ready_message_on_when_one_is_waited_for() {
        let all = |ready| given(&format!("--ready={ready} --adapter=/a.cjs -- web 1 npm"), None, &[]);
        assert_eq!(value(&all("message"), "APPCTL_READY_MESSAGE"), Some("1"));
        assert_eq!(value(&all("started"), "APPCTL_READY_MESSAGE"), None);
    }

    #[test]
    fn a_watched_app_has_its_debugger_closed_to_strangers() {
        let all = given("--adapter=/a.cjs --watchdog-ms=9000 -- web 1 node", None, &[]);
        let node_options = Some("--require /a.cjs --inspect-publish-uid=stderr");
        assert_eq!(value(&all, "NODE_OPTIONS"), node_options);
        assert_eq!(value(&all, "APPCTL_WATCHDOG_MS"), Some("9000"));
    }

    #[test]
    fn what_systemd_meant_for_the_main_process_is_taken_away() {
        let all = given("-- web surge ./server", None, &[]);
        for name in super::REMOVED {
            assert_eq!(all.get(name), Some(&None), "{name}");
        }
        for name in ["NODE_OPTIONS", "APPCTL_LISTEN", "APPCTL_CONTROL", "PORT"] {
            assert_eq!(all.get(name), None, "{name}");
        }
        assert_eq!(value(&all, "NODE_APP_INSTANCE"), Some("1000"));
    }

    #[test]
    fn an_app_that_notifies_gets_a_socket_of_its_own_and_keeps_its_port() {
        let all = given("--ready=notify -- web 1 ./server", Some(3000), &[("PORT", "8080")]);
        assert_eq!(value(&all, "NOTIFY_SOCKET"), Some("/run/appctl/web/2/notify.sock"));
        assert_eq!(all.get("PORT"), None);
    }

    #[test]
    fn each_instance_adds_its_own_number_to_a_variable() {
        let sum = |instance: &str| {
            let line = format!("--increment=METRICS_PORT -- web {instance} node");
            let all = given(&line, Some(3000), &[("METRICS_PORT", "9100")]);
            value(&all, "METRICS_PORT").map(str::to_owned)
        };
        let sums = ["1", "2", "surge"].map(|instance| sum(instance).unwrap_or_default());
        assert_eq!(sums, ["9100", "9101", "10100"]);
    }

    #[test]
    fn only_a_number_can_be_incremented() {
        let problem = |value: Option<&str>| {
            let line = "--increment=METRICS_PORT -- web 2 node";
            let args = RunArgs::parse(line.split(' ').map(OsString::from)).expect("a good line");
            incremented(&args, |_| value.map(OsString::from)).expect_err("no number")
        };
        assert_eq!(
            problem(Some("high")),
            "increment = \"METRICS_PORT\", but METRICS_PORT is \"high\", not a whole number"
        );
        assert_eq!(
            problem(None),
            "increment = \"METRICS_PORT\", but the app has no variable METRICS_PORT"
        );
        problem(Some("18446744073709551615"));
    }

    #[test]
    fn an_account_without_a_home_is_at_home_in_its_state() {
        let state = ("STATE_DIRECTORY", "/var/lib/appctl/web/data");
        let all = given("-- web 1 ./server", None, &[state]);
        assert_eq!(value(&all, "HOME"), Some("/var/lib/appctl/web/data"));
        let all = given("-- web 1 ./server", None, &[state, ("HOME", "/home/work")]);
        assert_eq!(all.get("HOME"), None);
    }
}
