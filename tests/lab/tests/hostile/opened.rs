//! An app that needs what its sandbox forbids: each verb says what opens it, and what it says works as it stands.

use anyhow::{Context, Result, ensure};
use appctl_lab::{Host, Output, Stage, on_each_debian};

on_each_debian!(advice_works_when_it_is_typed, later_advice_works_when_it_is_typed);

const ROLLOUT_FAILED: i32 = 4;
/// What each does first, by its own command, and the option that lets it.
const NEEDS: [(&str, &str); 4] = [
    ("unshare --user true", "--allow namespaces"),
    (
        "perl -e 'syscall(101, 0, 0, 0, 0) == 0 or die \"ptrace: $!\"'",
        "--allow debug",
    ),
    ("touch \"/usr/local/an open/file\"", "--write '/usr/local/an open'"),
    (
        "test \"$(setuid-id -u)\" = 0 || { echo 'the no new privileges flag is set'; false; }",
        "--allow privileges",
    ),
];

const PREPARED: &str =
    "mkdir -m 0777 '/usr/local/an open'; install -m 4755 /usr/bin/id /usr/local/bin/setuid-id; mkdir /srv/app";

/// It repeats by itself what a command said: journald cannot tell the unit of a process that is gone when it looks.
fn app(needs: &str) -> String {
    format!("#!/bin/sh\n{}exec sleep infinity\n", told(needs))
}

fn told(needs: &str) -> String {
    format!("said=$({needs} 2>&1) || {{ echo \"$said\"; exit 1; }}\n")
}

fn advice_works_when_it_is_typed(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["sh", "-c", PREPARED])?;
    for (nth, (needs, option)) in NEEDS.iter().enumerate() {
        let name = format!("app{nth}");
        host.write_file("/srv/app/start", &app(needs))?;
        host.run_ok(&["chmod", "+x", "/srv/app/start"])?;
        let typed = [
            "install",
            &name,
            "/srv/app",
            "--no-listen",
            "--user",
            "work",
            "--",
            "./start",
        ];
        let refused = stage.appctl(&typed)?;
        let command = advised(&refused)?;
        ensure!(command.starts_with(&format!("appctl install {option} ")), "{refused:?}");
        host.run_ok(&["sh", "-c", command])?;
        ensure!(stage.members(&name)?["1"].state == "ready", "{needs}");
        let shown = stage.appctl_ok(&["show", &name])?;
        ensure!(shown.contains("standard, and "), "{shown}");
    }
    Ok(())
}

fn advised(output: &Output) -> Result<&str> {
    ensure!(output.status == ROLLOUT_FAILED, "{output:?}");
    let (_, command) = output
        .stderr
        .split_once("type: ")
        .with_context(|| format!("{output:?}"))?;
    command.lines().next().context("a command")
}

/// Does what stands in `need` of its release and of its data, and becomes what `become` of its data names.
const START: &str = "\
#!/bin/sh
for need in need \"$STATE_DIRECTORY/need\"; do
  test -e \"$need\" || continue
  said=$(sh \"$need\" 2>&1) || { echo \"$said\"; exit 1; }
done
test -e \"$STATE_DIRECTORY/become\" && exec ./foreign
exec sleep infinity
";
/// Waits for a signal, by a system call of another architecture: pause(2) of i386.
const FOREIGN: &str = "void _start(void) { __asm__ volatile(\"mov $29, %eax; int $0x80; hlt\"); }";
const FILE: &str = "/etc/appctl/apps/web.toml";
const DATA: &str = "/var/lib/appctl/web/data";

/// A deploy, its build, an apply, a rolling restart and a start, one after the other of the same app.
fn later_advice_works_when_it_is_typed(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["sh", "-c", PREPARED])?;
    host.write_file("/srv/app/start", START)?;
    host.write_file("/srv/app/writes", &app(NEEDS[2].0))?;
    host.write_file("/srv/app/foreign.c", FOREIGN)?;
    let compile = "cd /srv/app; chmod +x start writes; gcc -nostdlib -static -o foreign foreign.c";
    host.run_ok(&["sh", "-c", compile])?;
    let install = [
        "install",
        "web",
        "/srv/app",
        "--no-listen",
        "--user",
        "work",
        "--",
        "./start",
    ];
    stage.appctl_ok(&install)?;
    let deploy = ["deploy", "web", "/srv/app", "--bake", "1s"];

    host.write_file("/srv/app/need", NEEDS[0].0)?;
    helps(
        stage,
        &deploy,
        "appctl apply web --allow namespaces && appctl deploy web /srv/app --bake 1s --force",
    )?;

    let build = "\n[deploy]\nbuild = [\"sh\", \"build\"]\n";
    host.write_file(FILE, &(host.read_file(FILE)? + build))?;
    stage.appctl_ok(&["apply", "web"])?;
    host.write_file("/srv/app/build", &told(NEEDS[1].0))?;
    helps(
        stage,
        &deploy,
        "appctl apply web --allow debug && appctl deploy web /srv/app --bake 1s",
    )?;
    // Nothing to type: no setting opens it.
    host.write_file("/srv/app/build", &told(NEEDS[2].0))?;
    let refused = stage.appctl(&deploy)?;
    let why = "/usr/local/an open is always read-only for a build";
    ensure!(
        refused.status == ROLLOUT_FAILED && refused.stderr.contains(why),
        "{refused:?}"
    );

    let (own, other) = ("exec = \"./start\"", "exec = \"./writes\"");
    host.write_file(FILE, &host.read_file(FILE)?.replace(own, other))?;
    helps(
        stage,
        &["apply", "web"],
        "appctl apply web --write '/usr/local/an open'",
    )?;
    host.write_file(FILE, &host.read_file(FILE)?.replace(other, own))?;
    stage.appctl_ok(&["apply"])?;

    host.write_file(&format!("{DATA}/become"), "")?;
    helps(
        stage,
        &["rolling-restart", "web"],
        "appctl apply web --allow personality",
    )?;
    host.run_ok(&["rm", &format!("{DATA}/become")])?;

    // The last one: with privileges all is open.
    stage.appctl_ok(&["stop", "web"])?;
    host.write_file(&format!("{DATA}/need"), NEEDS[3].0)?;
    helps(
        stage,
        &["start", "web"],
        "appctl apply web --allow privileges && appctl start web",
    )?;
    let shown = stage.appctl_ok(&["show", "web"])?;
    let opened = "standard, and namespaces, debug, personality, privileges, /usr/local/an open";
    ensure!(shown.contains(opened), "{shown}");
    Ok(())
}

/// The verb fails, and what it says then makes the app serve.
fn helps(stage: &Stage, typed: &[&str], expected: &str) -> Result<()> {
    let refused = stage.appctl(typed)?;
    let command = advised(&refused)?;
    ensure!(command == expected, "{refused:?}");
    stage.host().run_ok(&["sh", "-c", command])?;
    ensure!(stage.members("web")?["1"].state == "ready", "{typed:?}");
    Ok(())
}
