//! What an app can see and do beyond its own business: nothing, in the sandbox that every app has by default. Each line
//! of it is tried alone, so that no line is without effect and none can go missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Debian, Host, Stage, on_each_debian};

on_each_debian!(
    each_line_has_an_effect,
    each_line_of_strict_has_an_effect,
    exposure,
    an_app_that_looks_around,
);

/// A line of the sandbox, what the app then tries, and what comes of it without the line and with it.
type Check = (&'static str, &'static str, &'static str, &'static str);

const STANDARD: [Check; 23] = [
    ("PrivateTmp", "tmp", "seen", "hidden"),
    ("ProtectSystem", "system", "done", "EROFS"),
    ("ProtectHome", "home", "done", "EROFS"),
    ("UMask", "umask", "0022", "0027"),
    ("ProtectControlGroups", "cgroups", "no", "yes"),
    ("ProtectProc", "processes", "seen", "hidden"),
    ("NoNewPrivileges", "setuid", "root", "nothing"),
    ("CapabilityBoundingSet", "capabilities", "some", "none"),
    ("RestrictSUIDSGID", "setgid", "done", "EPERM"),
    ("PrivateDevices", "devices", "seen", "hidden"),
    ("ProtectClock", "clock", "EINVAL", "EPERM"),
    ("ReadOnlyPaths", "sysctl", "no", "yes"),
    ("ProtectKernelModules", "modules", "done", "EACCES"),
    ("ProtectHostname", "hostname", "shared", "own"),
    ("RestrictRealtime", "realtime", "EINVAL", "EPERM"),
    ("RestrictNamespaces", "namespaces", "EINVAL", "EPERM"),
    ("LockPersonality", "personality", "done", "EPERM"),
    ("SystemCallArchitectures", "filters", "", MORE),
    ("RestrictAddressFamilies", "raw-sockets", "EPERM", "EAFNOSUPPORT"),
    ("SystemCallFilter", "ptrace", "done", "EPERM"),
    ("SystemCallFilter", "mount", "EINVAL", "EPERM"),
    ("SystemCallFilter", "raw-io", "ENOSYS", "EPERM"),
    ("SystemCallFilter", "clock", "EINVAL", "EPERM"),
];
/// What `strict` has beside these, or in their place.
const STRICT: [Check; 6] = [
    ("ProtectKernelTunables", "sysctl", "no", "yes"),
    ("ProtectKernelLogs", "kernel-log", "0600", "0000"),
    ("UMask", "umask", "0022", "0077"),
    ("ProtectHome", "home", "done", "EACCES"),
    ("PrivateUsers", "users", "all", "own"),
    ("SystemCallFilter", "affinity", "EINVAL", "EPERM"),
];
/// Filters of system calls beyond those of the box itself.
const MORE: &str = "more";
/// Says how a refused call ends, and has nothing to say without the filter.
const REFUSED_HOW: &str = "SystemCallErrorNumber";
const LIMIT: Duration = Duration::from_secs(20);
const LOOK: &str = "/usr/bin/perl /srv/looks/look.pl";

fn each_line_has_an_effect(stage: &Stage) -> Result<()> {
    effects(stage, "standard", &STANDARD)
}

fn each_line_of_strict_has_an_effect(stage: &Stage) -> Result<()> {
    let replaced = |check: &&Check| STRICT.iter().all(|other| other.1 != check.1);
    let checks: Vec<Check> = STANDARD.iter().filter(replaced).chain(&STRICT).copied().collect();
    effects(stage, "strict", &checks)
}

/// A system with something to see, and a unit for the sandbox.
fn prepare(stage: &Stage, level: &str) -> Result<()> {
    let host = stage.host();
    stage.bring("looks-around", "looks")?;
    let text = "mkdir -p /usr/local/open /home/open /usr/lib/modules /run/look; chmod 777 /usr/local/open /home/open; \
                touch /tmp/of-the-system /dev/of-the-system; \
                install -m 4755 /usr/bin/id /usr/local/bin/setuid-id; useradd --system work; \
                mount -o remount,bind,rw /proc/sys; mount -o remount,bind,rw /sys";
    host.run_ok(&["sh", "-c", text])?;
    let app = format!("exec = \"/bin/true\"\nuser = \"work\"\nsandbox = \"{level}\"\n");
    host.write_file("/etc/appctl/apps/web.toml", &app)?;
    stage.systemctl(&["daemon-reload"]).map(drop)
}

/// The sandbox of the app's instances, as the generator wrote it.
fn sandbox(stage: &Stage) -> Result<Vec<String>> {
    let unit = stage.host().read_file("/run/systemd/generator/web@.service")?;
    let (_, lines) = unit.split_once("LogRateLimitIntervalSec=0\n").context("no sandbox")?;
    Ok(lines.lines().map(str::to_owned).collect())
}

fn key(line: &str) -> &str {
    line.split('=').next().unwrap_or_default()
}

fn effects(stage: &Stage, level: &str, checks: &[Check]) -> Result<()> {
    prepare(stage, level)?;
    let lines = sandbox(stage)?;
    let written: BTreeSet<&str> = lines.iter().map(|line| key(line)).collect();
    let checked: BTreeSet<&str> = checks.iter().map(|check| check.0).chain([REFUSED_HOW]).collect();
    ensure!(written == checked, "lines {written:?}, checks {checked:?}");
    let with = |wanted: &[&str]| -> Vec<String> {
        lines
            .iter()
            .filter(|line| wanted.contains(&key(line)))
            .cloned()
            .collect()
    };
    let none = look(stage, "none", &[])?;
    let all = look(stage, "all", &lines)?;
    for (line, probe, open, closed) in checks {
        let alone = look(stage, line, &with(&[line, REFUSED_HOW]))?;
        expect(&none, &none, probe, open).with_context(|| format!("without {line}"))?;
        expect(&all, &none, probe, closed).with_context(|| format!("in {level}"))?;
        expect(&alone, &none, probe, closed).with_context(|| format!("with {line} alone"))?;
    }
    read_only_sysfs(stage, &none, &all, &with(&["ReadOnlyPaths"]))?;
    the_log_of_the_kernel(stage, &with(&["SystemCallFilter", REFUSED_HOW]))?;
    // Without that line a refused call ends the app.
    let killed = start(stage, "killed", &with(&["SystemCallFilter"]))?;
    ensure!(killed == "signal", "{killed}");
    Ok(())
}

/// systemd 257 does so for `ReadOnlyPaths=` alone: not beside `ProtectControlGroups=`, nor for `ProtectKernelTunables=`.
fn read_only_sysfs(stage: &Stage, none: &Seen, all: &Seen, paths: &[String]) -> Result<()> {
    expect(none, none, "sysfs", "no")?;
    if !paths.is_empty() {
        expect(&look(stage, "sysfs", paths)?, none, "sysfs", "yes")?;
    }
    match stage.host().debian() {
        Debian::Twelve => expect(all, none, "sysfs", "yes"),
        Debian::Thirteen => Ok(()),
    }
}

/// Many kernels keep it from all without a capability, so the app has that one here.
fn the_log_of_the_kernel(stage: &Stage, filter: &[String]) -> Result<()> {
    let capable = ["AmbientCapabilities=CAP_SYSLOG".to_owned()];
    let open = look(stage, "syslog-open", &capable)?;
    let closed = look(stage, "syslog-closed", &[&capable, filter].concat())?;
    expect(&open, &open, "syslog", "done")?;
    expect(&closed, &open, "syslog", "EPERM")
}

type Seen = BTreeMap<String, String>;

fn expect(seen: &Seen, none: &Seen, probe: &str, wanted: &str) -> Result<()> {
    let outcome = |seen: &Seen| {
        seen.get(probe)
            .cloned()
            .with_context(|| format!("{probe} is missing in {seen:?}"))
    };
    let (found, base) = (outcome(seen)?, outcome(none)?);
    let fits = match wanted {
        "" => true,
        MORE => found.parse::<u32>()? > base.parse::<u32>()?,
        wanted => found == wanted,
    };
    ensure!(fits, "{probe} is {found}, not {wanted}");
    Ok(())
}

/// Looks around in a unit with these lines.
fn look(stage: &Stage, name: &str, lines: &[String]) -> Result<Seen> {
    let result = start(stage, name, lines)?;
    let text = stage.host().read_file(&format!("/run/look/{name}"))?;
    ensure!(result == "success", "{name}: {result}\n{text}");
    read(&text)
}

fn read(text: &str) -> Result<Seen> {
    let pair = |line: &str| {
        line.split_once(' ')
            .map(|(probe, outcome)| (probe.to_owned(), outcome.to_owned()))
    };
    text.lines()
        .map(|line| pair(line).with_context(|| line.to_owned()))
        .collect()
}

/// Runs a unit with these lines to its end.
fn start(stage: &Stage, name: &str, lines: &[String]) -> Result<String> {
    let uts = stage.host().run_ok(&["readlink", "/proc/1/ns/uts"])?;
    let text = format!(
        "[Service]\nType=oneshot\nUser=work\nStandardOutput=file:/run/look/{name}\nEnvironment=LOOK_UTS={}\n\
         ExecStart={LOOK}\n{}\n",
        uts.trim_end(),
        lines.join("\n"),
    );
    let unit = format!("look-{name}.service");
    stage.host().write_file(&format!("/run/systemd/system/{unit}"), &text)?;
    stage.systemctl(&["daemon-reload"])?;
    stage.host().run(&["systemctl", "start", &unit])?;
    stage.property(&unit, "Result")
}

/// systemd's own verdict, which goes from 0 to 100 here.
fn exposure(stage: &Stage) -> Result<()> {
    let apps = [
        ("standard", "", 25),
        ("standard-named", "user = \"work\"\n", 25),
        ("in-place", "user = \"work\"\ndirectory = \"/home/work/app\"\n", 25),
        ("strict", "sandbox = \"strict\"\n", 15),
        ("strict-named", "user = \"work\"\nsandbox = \"strict\"\n", 15),
        (
            "strict-home",
            "directory = \"/home/work/app\"\nsandbox = \"strict\"\n",
            15,
        ),
    ];
    stage.host().run_ok(&["useradd", "--system", "work"])?;
    for (nth, (name, more, _)) in apps.iter().enumerate() {
        let text = format!("exec = \"/bin/true\"\nlisten = {}\n{more}", 3000 + nth);
        stage
            .host()
            .write_file(&format!("/etc/appctl/apps/{name}.toml"), &text)?;
    }
    stage.systemctl(&["daemon-reload"])?;
    for (name, _, most) in apps {
        let beside = ["", ".hold", ".retry@1"].map(|unit| (format!("{name}{unit}.service"), 25));
        for (unit, most) in beside.into_iter().chain([(format!("{name}@1.service"), most)]) {
            let threshold = format!("--threshold={most}");
            let output = stage
                .host()
                .run(&["systemd-analyze", "security", "--no-pager", &threshold, &unit])?;
            ensure!(
                output.success() && output.stdout.contains("exposure level"),
                "{unit}, at most {most}: {output:?}"
            );
        }
    }
    Ok(())
}

/// As an app that was installed, and as a build of it.
fn an_app_that_looks_around(stage: &Stage) -> Result<()> {
    prepare(stage, "standard")?;
    let host = stage.host();
    host.run_ok(&["rm", "/etc/appctl/apps/web.toml"])?;
    let other = stage.bring("plain", "other")?;
    stage.appctl_ok(&["install", "other", &other])?;
    host.write_file("/var/lib/appctl/other/data/secret", "secret\n")?;
    for account in [&[][..], &["--user", "work"]] {
        let uts = host.run_ok(&["readlink", "/proc/1/ns/uts"])?;
        let uts = format!("LOOK_UTS={}", uts.trim_end());
        let release = "LOOK_RELEASE=/var/lib/appctl/web/current";
        let words = [
            "install",
            "web",
            "/srv/looks",
            "--no-listen",
            "--env",
            &uts,
            "--env",
            release,
        ];
        let exec = ["--env", "LOOK_AND_STAY=1", "--", "perl", "look.pl"];
        stage.appctl_ok(&[&words[..], account, &exec[..]].concat())?;
        let seen = until("it has looked around", LIMIT, || {
            let said = host.run_ok(&["journalctl", "--output=cat", "--unit=web@1.service"])?;
            let said: Vec<&str> = said
                .lines()
                .filter(|line| !line.contains(':') && line.contains(' '))
                .collect();
            let seen = read(&said.join("\n"))?;
            Ok(seen.contains_key("filters").then_some(seen))
        })?;
        nothing_but_its_own(&seen)?;
        host.run_ok(&["journalctl", "--rotate", "--vacuum-time=1s"])?;
        stage.appctl_ok(&["uninstall", "web", "--purge", "--yes"])?;
    }
    in_a_build(stage)
}

fn nothing_but_its_own(seen: &Seen) -> Result<()> {
    for (_, probe, _, closed) in STANDARD {
        expect(
            seen,
            &BTreeMap::from([(probe.to_owned(), "0".to_owned())]),
            probe,
            closed,
        )?;
    }
    for probe in ["release", "others-data"] {
        let outcome = seen.get(probe).context(probe)?;
        ensure!(
            ["EACCES", "EROFS", "ENOENT"].contains(&outcome.as_str()),
            "{probe} is {outcome}"
        );
    }
    Ok(())
}

fn in_a_build(stage: &Stage) -> Result<()> {
    let build = "exec = \"/bin/sleep infinity\"\n[deploy]\nbuild = [[\"sh\", \"-c\", \"perl look.pl >seen\"]]\n";
    stage.host().write_file("/etc/appctl/apps/web.toml", build)?;
    let said = stage.appctl_ok(&["stage", "web", "/srv/looks", "--json"])?;
    // What it is doing comes before what it did.
    let staged: serde_json::Value = serde_json::from_str(said.lines().last().context("a line")?)?;
    let release = staged["release"].as_str().with_context(|| staged.to_string())?;
    let seen = stage
        .host()
        .read_file(&format!("/var/lib/appctl/web/releases/{release}/seen"))?;
    let seen = read(&seen)?;
    for (_, probe, _, closed) in STANDARD {
        // A build has no variable that tells it of the system's own namespace.
        if probe != "hostname" {
            expect(
                &seen,
                &BTreeMap::from([(probe.to_owned(), "0".to_owned())]),
                probe,
                closed,
            )?;
        }
    }
    Ok(())
}
