//! Apps on one machine: each reads its own releases, data and shared files, and nobody else's, whatever it runs as.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::{throughout, until};
use appctl_lab::{Host, Stage, built_deb, on_each_debian};

on_each_debian!(
    no_app_reads_another,
    an_account_comes_with_the_first_release_and_goes_with_the_last,
    an_upgrade_moves_apps_out_of_their_common_group,
);

const LIMIT: Duration = Duration::from_secs(20);
/// Writes down which of some paths can be read: as an app below `$STATE_DIRECTORY`, and as a build where it is built.
const PROBE: &str = r#"
look() {
    while read -r path; do
        if [ -d "$path" ]; then ls "$path" >/dev/null 2>&1 && echo "$path"
        else cat "$path" >/dev/null 2>&1 && echo "$path"; fi
    done < /srv/paths
}
if [ "$1" = build ]; then look > seen; exit 0; fi
look > "$STATE_DIRECTORY/new"
mv "$STATE_DIRECTORY/new" "$STATE_DIRECTORY/seen"
exec sleep infinity
"#;

/// A directory with an app that looks around, and a secret.
fn source(stage: &Stage, app: &str) -> Result<String> {
    let directory = format!("/srv/{app}");
    stage.host().write_file(&format!("{directory}/probe.sh"), PROBE)?;
    stage.host().write_file(&format!("{directory}/.env"), "SECRET=1\n")?;
    stage.host().write_file(&format!("{directory}/secret"), "1\n")?;
    Ok(directory)
}

fn settings(user: Option<&str>) -> String {
    let user = user.map_or_else(String::new, |user| format!("user = \"{user}\"\n"));
    format!(
        "exec = \"sh probe.sh\"\ninstances = 1\n{user}ready = {{ when = \"started\", timeout = \"5s\", settle = \"0s\" }}\n\
         [deploy]\nbuild = [\"sh\", \"probe.sh\", \"build\"]\nshared = [\"secret\"]\n"
    )
}

/// Writes the file by hand, applies it, and makes a release.
fn deploy(stage: &Stage, app: &str, user: Option<&str>) -> Result<()> {
    let directory = source(stage, app)?;
    stage
        .host()
        .write_file(&format!("/etc/appctl/apps/{app}.toml"), &settings(user))?;
    stage.appctl_ok(&["deploy", app, &directory, "--bake", "0s", "--force"])?;
    stage.appctl_ok(&["apply", app])?;
    stage.appctl_ok(&["start", app]).map(drop)
}

/// What an app saw when it was started last, and what its last build saw.
fn seen(stage: &Stage, app: &str) -> Result<(String, String)> {
    let running = until("the app has looked around", LIMIT, || {
        let file = stage
            .host()
            .run(&["cat", &format!("/var/lib/appctl/{app}/data/seen")])?;
        Ok(file.success().then_some(file.stdout))
    })?;
    let built = stage.host().read_file(&format!("/var/lib/appctl/{app}/current/seen"))?;
    Ok((running, built))
}

/// Everything of an app that is the app's alone.
fn belongings(stage: &Stage, app: &str) -> Result<Vec<String>> {
    let state = format!("/var/lib/appctl/{app}");
    let current = stage.host().run_ok(&["readlink", "-f", &format!("{state}/current")])?;
    let data = stage.host().run_ok(&["readlink", "-f", &format!("{state}/data")])?;
    stage.host().write_file(&format!("{state}/data/secret"), "1\n")?;
    stage
        .host()
        .run_ok(&["chown", "--reference", data.trim(), &format!("{state}/data/secret")])?;
    stage
        .host()
        .run_ok(&["chmod", "0640", &format!("{state}/data/secret")])?;
    let pid = stage.pids(app)?.remove("1").context("instance 1")?;
    Ok(vec![
        format!("{}/.env", current.trim()),
        format!("{state}/current/.env"),
        format!("{state}/current/secret"),
        format!("{state}/data/secret"),
        format!("{}/secret", data.trim()),
        format!("{state}/shared/secret"),
        format!("/run/appctl/{app}/instance/1"),
        format!("/proc/{pid}/environ"),
    ])
}

/// The first two have no user, the others the same one.
fn no_app_reads_another(stage: &Stage) -> Result<()> {
    stage.host().run_ok(&["useradd", "--system", "work"])?;
    let apps = [
        ("one", None),
        ("two", None),
        ("three", Some("work")),
        ("four", Some("work")),
    ];
    stage.host().write_file("/srv/paths", "")?;
    for (app, user) in apps {
        deploy(stage, app, user)?;
    }
    let mut all = Vec::new();
    for (app, _) in apps {
        all.push((app, belongings(stage, app)?));
    }
    let paths: Vec<&str> = all.iter().flat_map(|(_, paths)| paths).map(String::as_str).collect();
    stage.host().write_file("/srv/paths", &(paths.join("\n") + "\n"))?;
    for (app, user) in apps {
        stage
            .host()
            .run_ok(&["rm", &format!("/var/lib/appctl/{app}/data/seen")])?;
        deploy(stage, app, user)?;
        let (running, built) = seen(stage, app)?;
        for (other, theirs) in &all {
            let shared = user.is_some() && apps.contains(&(*other, user));
            for path in theirs {
                let (runs, builds) = (
                    running.lines().any(|line| line == path),
                    built.lines().any(|line| line == path),
                );
                ensure!(shared || *other == app || !runs, "{app} reads {path}");
                ensure!(shared || *other == app || !builds, "the build of {app} reads {path}");
            }
        }
        // Or the paths are wrong, and nobody could read them. Its process is another one by now.
        let own = all.iter().find(|(name, _)| *name == app).context("its own")?;
        for path in own.1.iter().filter(|path| !path.starts_with("/proc")) {
            ensure!(
                running.lines().any(|line| line == path),
                "{app} cannot read {path}:\n{running}"
            );
        }
    }
    the_group_of_operators_is_empty(stage)?;
    archives_are_unpacked_by_their_own_apps(stage)
}

fn the_group_of_operators_is_empty(stage: &Stage) -> Result<()> {
    let group = stage.host().run_ok(&["getent", "group", "appctl"])?;
    ensure!(group.trim_end().ends_with(':'), "{group}");
    let (number, script) = (
        group.split(':').nth(2).context("a number")?,
        "cat /proc/[0-9]*/status 2>/dev/null | grep -E '^(Gid|Groups):'",
    );
    let groups = stage.host().run_ok(&["sh", "-c", script])?;
    ensure!(
        groups.split_whitespace().all(|group| group != number),
        "a process is in {group}"
    );
    Ok(())
}

/// Two archives at the same time: neither account can reach into the other's directory.
fn archives_are_unpacked_by_their_own_apps(stage: &Stage) -> Result<()> {
    let mut owners = Vec::new();
    for app in ["one", "two"] {
        let deploy = format!("sleep 5 | appctl deploy {app} -");
        let mut child = stage.host().spawn(&["sh", "-c", &deploy])?;
        owners.push(until("the archive is being unpacked", LIMIT, || {
            let output = stage
                .host()
                .run(&["stat", "--format=%U %a", &format!("/var/lib/appctl/{app}/intake")])?;
            Ok(output.success().then_some(output.stdout))
        })?);
        child.kill()?;
        child.wait()?;
    }
    ensure!(owners == ["appctl-one 700\n", "appctl-two 700\n"], "{owners:?}");
    Ok(())
}

fn exists(stage: &Stage, database: &str, name: &str) -> Result<bool> {
    // Not getent(1), which knows transient users, too.
    let line = stage
        .host()
        .run(&["grep", "--quiet", &format!("^{name}:"), &format!("/etc/{database}")])?;
    Ok(line.success())
}

/// systemd has a transient user as long as there is no account; an app that runs as one gets its first release like any.
fn an_account_comes_with_the_first_release_and_goes_with_the_last(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file("/srv/paths", "/var/lib/appctl/one/current/.env\n")?;
    let directory = source(stage, "one")?;
    let in_place = format!(
        "exec = \"sh probe.sh\"\ndirectory = \"{directory}\"\nready = {{ when = \"started\", settle = \"0s\" }}\n"
    );
    host.write_file("/etc/appctl/apps/one.toml", &in_place)?;
    stage.systemctl(&["daemon-reload"])?;
    stage.systemctl(&["start", "one"])?;
    until("the app runs as a transient user", LIMIT, || {
        Ok((stage.activity("one@1.service")? == "active").then_some(()))
    })?;
    ensure!(!exists(stage, "passwd", "appctl-one")?, "the account is there already");
    // Now it gets releases, while it runs.
    host.write_file("/etc/appctl/apps/one.toml", &settings(None))?;
    stage.systemctl(&["daemon-reload"])?;
    deploy(stage, "one", None)?;
    let (running, _) = seen(stage, "one")?;
    ensure!(running == "/var/lib/appctl/one/current/.env\n", "{running:?}");
    ensure!(exists(stage, "passwd", "appctl-one")? && exists(stage, "group", "appctl-one")?);
    // What stays is still the app's after a new installation.
    stage.appctl_ok(&["uninstall", "one"])?;
    ensure!(
        exists(stage, "passwd", "appctl-one")?,
        "its releases would be of a number"
    );
    let failing = ["install", "one", "/srv/one", "--no-listen", "--exec", "false"];
    ensure!(stage.appctl(&failing)?.status == 4);
    let kept = exists(stage, "passwd", "appctl-one")?;
    ensure!(kept, "an installation that failed took the account of what was there");
    deploy(stage, "one", None)?;
    stage.appctl_ok(&["rollback", "one"])?;
    stage.appctl_ok(&["uninstall", "one", "--purge", "--yes"])?;
    ensure!(
        !exists(stage, "passwd", "appctl-one")? && !exists(stage, "group", "appctl-one")?,
        "it stays"
    );
    ensure!(
        stage
            .appctl(&[
                "install",
                "two",
                &source(stage, "two")?,
                "--no-listen",
                "--exec",
                "false"
            ])?
            .status
            == 4
    );
    ensure!(
        !exists(stage, "passwd", "appctl-two")?,
        "the account of an app that never came up stays"
    );
    // A person who is called like it keeps the account, and the app does not become that person.
    host.run_ok(&["useradd", "appctl-two"])?;
    let output = stage.appctl(&["install", "two", "/srv/two", "--no-listen", "--exec", "sh probe.sh"])?;
    ensure!(
        output.status == 3 && output.stderr.contains("appctl-two was not made by appctl"),
        "{output:?}"
    );
    Ok(())
}

/// Makes an app what it was when all apps without a user were in the group `appctl`, and their releases were that group's.
fn as_it_was(stage: &Stage, app: &str) -> Result<()> {
    let host = stage.host();
    stage.appctl_ok(&["stop", app])?;
    host.run_ok(&["userdel", &format!("appctl-{app}")])?;
    let releases = format!("/var/lib/appctl/{app}/releases");
    host.run_ok(&["sh", "-c", &format!("chgrp -hR appctl {releases}/*")])?;
    stage.drop_in(&format!("{app}@.service"), "[Service]\nSupplementaryGroups=appctl\n")?;
    stage.systemctl(&["start", app])?;
    until("the app is up", LIMIT, || {
        Ok((stage.activity(&format!("{app}@1.service"))? == "active").then_some(()))
    })?;
    host.run_ok(&["rm", &format!("/etc/systemd/system/{app}@.service.d/lab.conf")])?;
    Ok(())
}

fn an_upgrade_moves_apps_out_of_their_common_group(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file("/srv/paths", "/var/lib/appctl/one/current/.env\n")?;
    for app in ["one", "two"] {
        source(stage, app)?;
        // Reads all the time, as an app does that loads its parts late.
        let reader = "while cat .env; do sleep 0.1; done > \"$STATE_DIRECTORY/read\" 2>&1\n";
        host.write_file(
            &format!("/srv/{app}/probe.sh"),
            &PROBE.replace("exec sleep infinity\n", reader),
        )?;
        host.write_file(&format!("/etc/appctl/apps/{app}.toml"), &settings(None))?;
        stage.appctl_ok(&["deploy", app, &format!("/srv/{app}"), "--bake", "0s"])?;
        stage.appctl_ok(&["apply", app])?;
    }
    as_it_was(stage, "one")?;
    as_it_was(stage, "two")?;
    let before = (stage.pids("one")?, stage.pids("two")?);
    host.copy_in(&built_deb()?, "/srv/appctl.deb")?;
    host.run_ok(&["apt-get", "install", "--reinstall", "--yes", "/srv/appctl.deb"])?;
    throughout(Duration::from_secs(1), || {
        ensure!((stage.pids("one")?, stage.pids("two")?) == before, "an app ended");
        Ok(())
    })?;
    for app in ["one", "two"] {
        // As after a crash, or a boot.
        stage.systemctl(&["restart", &format!("{app}@1.service")])?;
        let (running, _) = seen(stage, app)?;
        ensure!(
            app == "two" || running.contains("one/current"),
            "{app} cannot read itself: {running:?}"
        );
        stage.appctl_ok(&["rolling-restart", app])?;
    }
    for app in ["one", "two"] {
        let group = host.run_ok(&["stat", "--format=%G", "-L", &format!("/var/lib/appctl/{app}/current")])?;
        ensure!(group == format!("appctl-{app}\n"), "{group}");
    }
    host.run_ok(&["rm", "/var/lib/appctl/two/data/seen"])?;
    stage.appctl_ok(&["rolling-restart", "two"])?;
    let (running, _) = seen(stage, "two")?;
    ensure!(running.is_empty(), "{running:?}");
    let legacy = host.run_ok(&["getent", "group", "appctl-legacy"])?;
    ensure!(legacy.trim_end().ends_with(':'), "{legacy}");
    the_group_of_operators_is_empty(stage)
}
