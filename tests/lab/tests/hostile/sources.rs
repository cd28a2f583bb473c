//! What a release is made from, in the hands of the app's account while root makes it: nothing of root's and nothing of
//! the operator's gets into a place that the app can read.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Output, Stage, on_each_debian};

on_each_debian!(
    a_link_leads_to_nothing_of_roots,
    what_is_swapped_while_it_is_copied_leads_nowhere,
    names_of_other_peoples_files_are_not_read,
    what_is_no_file_is_refused_at_once,
    sources_that_are_all_right_are_taken,
    an_archive_without_end_is_given_up,
);

const SECRET: &str = "kept-by-root-alone";
const RELEASES: &str = "/var/lib/appctl/web/releases";

fn sh(stage: &Stage, script: &str) -> Result<String> {
    stage.host().run_ok(&["sh", "-ec", script])
}

/// An app of `work`'s, a directory, an archive and a repository of root's, and one file that is ann's alone.
fn prepare(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file(
        "/etc/appctl/apps/web.toml",
        "exec = \"node server.js\"\nuser = \"work\"\n",
    )?;
    sh(
        stage,
        &format!(
            "useradd --create-home work; useradd --create-home ann; chmod 755 /home/work /home/ann
             umask 077; mkdir /root/secret; echo {SECRET} >/root/secret/hash; echo '{{\"main\":\"{SECRET}\"}}' >/root/secret/package.json
             tar -cf /root/secret.tar -C /root secret; cd /root/secret; git init -qb main
             git add hash; git -c user.name=a -c user.email=a@b commit -qm x
             umask 022; mkdir /home/work/app; echo 1 >/home/work/app/server.js; chown -R work: /home/work
             echo {SECRET} >/home/ann/private; chmod 600 /home/ann/private; chown ann: /home/ann/private"
        ),
    )
    .map(drop)
}

/// As root, and as root behind whom ann is.
fn as_root_and_behind_sudo(stage: &Stage, words: &[&str]) -> Result<[Output; 2]> {
    let sudo = [
        "sh",
        "-c",
        "export SUDO_UID=$(id -u ann) SUDO_GID=$(id -g ann); exec appctl \"$@\"",
        "sh",
    ];
    let host = stage.host();
    Ok([
        host.run(&[&["appctl"], words].concat())?,
        host.run(&[&sudo, words].concat())?,
    ])
}

/// Nowhere below the state of apps, and no release, not even a part of one.
fn nothing_came_of_it(stage: &Stage, about: &str) -> Result<()> {
    let host = stage.host();
    let found = host.run(&["grep", "-rlsF", SECRET, "/var/lib/appctl", "/etc/appctl"])?;
    ensure!(found.stdout.is_empty(), "{about}: copied: {}", found.stdout);
    let left = host.run(&["ls", "-A", RELEASES])?;
    ensure!(left.stdout.is_empty(), "{about}: left: {}", left.stdout);
    Ok(())
}

fn refused(stage: &Stage, words: &[&str], code: i32, says: &str) -> Result<()> {
    for output in as_root_and_behind_sudo(stage, words)? {
        ensure!(
            output.status == code && output.stderr.contains(says),
            "{words:?}: {output:?}"
        );
        nothing_came_of_it(stage, &format!("{words:?}"))?;
    }
    Ok(())
}

/// In place of the directory, on the way to it, in place of an archive and of a repository.
fn a_link_leads_to_nothing_of_roots(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    sh(
        stage,
        "cd /home/work; ln -s /root/secret link; ln -s /root way; ln -s /root/secret.tar app.tar; chown -h work: link way app.tar",
    )?;
    refused(
        stage,
        &["stage", "web", "/home/work/link"],
        2,
        "/home/work/link is a link",
    )?;
    refused(
        stage,
        &["stage", "web", "/home/work/way/secret"],
        2,
        "/home/work/way is a link",
    )?;
    refused(
        stage,
        &["stage", "web", "/home/work/app.tar"],
        2,
        "/home/work/app.tar is a link",
    )?;
    refused(
        stage,
        &["stage", "web", "--git", "/home/work/link"],
        2,
        "/home/work/link is a link",
    )?;
    let install = [
        "install",
        "other",
        "/home/work/link",
        "--exec",
        "sleep 1000",
        "--no-listen",
    ];
    refused(stage, &install, 2, "/home/work/link is a link")?;
    // The app's own file, but a link: it decides nothing, and what it leads to is not shown.
    sh(
        stage,
        "ln -s /root/secret/package.json /home/work/app/package.json; chown -h work: /home/work/app/package.json",
    )?;
    for output in as_root_and_behind_sudo(stage, &["install", "other", "/home/work/app"])? {
        ensure!(
            output.status != 0 && !format!("{output:?}").contains(SECRET),
            "{output:?}"
        );
    }
    sh(stage, "mkdir -p /srv/open/app; chmod 777 /srv/open")?;
    let output = stage.appctl(&["stage", "web", "/srv/open/app"])?;
    ensure!(
        output.status == 2 && output.stderr.contains("other accounts can write to /srv/open"),
        "{output:?}"
    );
    Ok(())
}

/// Exchanges each pair of names, over and over.
const EXCHANGE: &str = "while (1) { for (['app', 'toplink'], ['app/d', 'app/l'], ['app/f', 'app/g']) { \
                        syscall(316, -100, $$_[0], -100, $$_[1], 2) } }";

/// A directory for a link to one of root's, the source itself too, and a file for a link to a file. What is the link at the
/// time of a listing is left out, or refuses the whole: only some attempts get as far as opening what is a link by then.
fn what_is_swapped_while_it_is_copied_leads_nowhere(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    sh(
        stage,
        "cd /home/work; mkdir app/d; ln -s /root/secret app/l; echo 1 >app/d/hash; echo 1 >app/f; ln -s /root/secret/hash app/g
         for n in $(seq 300); do mkdir app/e$n; echo 1 >app/e$n/x; done; printf '/l\n/g\n' >app/.appctlignore
         ln -s /root/secret toplink; chown -Rh work: .",
    )?;
    let host = stage.host();
    let _loop = host.spawn(&[
        "runuser",
        "-u",
        "work",
        "--",
        "env",
        "-C",
        "/home/work",
        "perl",
        "-e",
        EXCHANGE,
    ])?;
    let script = "export SUDO_UID=$1 SUDO_GID=$1; [ $1 = 0 ] && unset SUDO_UID SUDO_GID
        begin=$SECONDS; while ((SECONDS - begin < 4)) || { [ ! \"$made\" ] && ((SECONDS - begin < 90)); }; do
            appctl stage web --force /home/work/app && made=made; done; echo $made";
    let ann = host.run_ok(&["id", "-u", "ann"])?;
    for uid in ["0", ann.trim_end()] {
        let said = host.run_ok(&["bash", "-c", script, "bash", uid])?;
        // Or the copy was given up each time before it came to what is swapped.
        ensure!(said.lines().last() == Some("made"), "no attempt ended with a release");
    }
    let found = host.run(&["grep", "-rlsF", SECRET, "/var/lib/appctl"])?;
    ensure!(found.stdout.is_empty(), "copied: {}", found.stdout);
    Ok(())
}

/// A hard link, where the kernel does not forbid to make one: a file of root's in `work`'s tree, of root's in root's own
/// tree where `work` may write, and of ann's in what ann deploys.
fn names_of_other_peoples_files_are_not_read(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    let host = stage.host();
    sh(stage, "ln /root/secret/hash /home/work/app/hash")?;
    refused(stage, &["stage", "web", "/home/work/app"], 3, "Permission denied")?;
    sh(
        stage,
        "rm /home/work/app/hash; mkdir -p /srv/app/uploads; ln /root/secret/hash /srv/app/uploads; chown work: /srv/app/uploads",
    )?;
    let output = stage.appctl(&["stage", "web", "/srv/app"])?;
    ensure!(
        output.status == 3 && output.stderr.contains("a hard link that another account may have made"),
        "{output:?}"
    );
    nothing_came_of_it(stage, "root's own tree")?;
    sh(stage, "ln /home/ann/private /home/work/app/")?;
    let [root, ann] = as_root_and_behind_sudo(stage, &["stage", "web", "/home/work/app"])?;
    ensure!(root.status == 3 && ann.status == 3, "{root:?} {ann:?}");
    ensure!(
        ann.stderr.contains("a hard link that another account may have made"),
        "{ann:?}"
    );
    nothing_came_of_it(stage, "ann's file")?;
    // Objects of a repository of root's, which another account can lead elsewhere.
    host.run_ok(&["chmod", "go+w", "/root/secret/.git/objects"])?;
    let output = stage.appctl(&["stage", "web", "--git", "/root/secret"])?;
    ensure!(
        output.status == 2 && output.stderr.contains("other accounts can change"),
        "{output:?}"
    );
    nothing_came_of_it(stage, "the repository")
}

fn what_is_no_file_is_refused_at_once(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    sh(
        stage,
        "mkfifo /home/work/fifo /home/work/app/fifo; chown -R work: /home/work; mkfifo /srv/fifo",
    )?;
    refused(stage, &["stage", "web", "/home/work/app"], 3, "fifo is a fifo")?;
    for source in ["/home/work/fifo", "/srv/fifo", "/dev/zero"] {
        refused(
            stage,
            &["stage", "web", source],
            3,
            "is neither a directory nor a regular file",
        )?;
    }
    let output = stage.appctl(&["stage", "web", "/proc/self/cwd"])?;
    ensure!(
        output.status == 2 && output.stderr.contains("/proc/self is a link"),
        "{output:?}"
    );
    nothing_came_of_it(stage, "proc")?;
    let install = ["install", "other", "/home/work/app", "--env-file", "/home/work/fifo"];
    for output in as_root_and_behind_sudo(stage, &install)? {
        ensure!(output.status == 3, "{output:?}");
    }
    Ok(())
}

/// The same rules let everything through that people deploy.
fn sources_that_are_all_right_are_taken(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    let host = stage.host();
    sh(
        stage,
        "cp -r /home/work/app /root/app; chmod 700 /root/app; cp -r /home/work/app /home/ann/app; chown -R ann: /home/ann/app
         ln -s app /home/ann/current; chown -h ann: /home/ann/current; chmod 700 /home/ann
         cp -r /home/work/app /root/foreign; chown -R 54321:54321 /root/foreign
         tar -cf /home/ann/app.tar -C /home/ann app; chown ann: /home/ann/app.tar; chmod 600 /home/ann/app.tar",
    )?;
    for source in [
        "/home/work/app",
        "/root/app",
        "/root/foreign",
        "/home/ann/app",
        "/home/ann/app.tar",
    ] {
        stage.appctl_ok(&["stage", "web", "--force", source])?;
    }
    let sudo = "export SUDO_UID=$(id -u ann) SUDO_GID=$(id -g ann); cd /home/ann/app; for s in . ../current ../app.tar; do \
                appctl stage web --force $s; done";
    sh(stage, sudo)?;
    let [_, behind] = as_root_and_behind_sudo(stage, &["stage", "web", "--force", "/root/app"])?;
    ensure!(behind.status == 3, "{behind:?}");
    let advice = behind
        .stderr
        .lines()
        .find_map(|line| line.split_once("type: sudo "))
        .map(|(_, typed)| typed.to_owned());
    let advice = advice.unwrap_or_default();
    ensure!(!advice.is_empty(), "{behind:?}");
    sh(stage, &format!("export SUDO_UID=$(id -u ann); {advice}"))?;
    let readable = host.run_ok(&[
        "runuser",
        "-u",
        "work",
        "--",
        "env",
        "-C",
        "/",
        "find",
        RELEASES,
        "-name",
        "server.js",
        "-readable",
    ])?;
    ensure!(readable.lines().count() == 10, "{readable}");
    Ok(())
}

/// Bytes that come and come, and make no file.
fn an_archive_without_end_is_given_up(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    let text = "exec = \"node server.js\"\n[deploy]\nbuild_timeout = \"2s\"\n";
    stage.host().write_file("/etc/appctl/apps/web.toml", text)?;
    // Frames of zstd that hold nothing.
    let script = "perl -e '$| = 1; print pack(\"VV\", 0x184D2A50, 0), \"\" while 1' | appctl stage web -";
    let output = stage.host().run(&["bash", "-c", script])?;
    ensure!(
        output.status == 1 && output.stderr.contains("longer than 2s"),
        "{output:?}"
    );
    ensure!(
        !stage.host().run(&["pgrep", "-u", "appctl-unpack"])?.success(),
        "the unpacker still runs"
    );
    nothing_came_of_it(stage, "the archive")
}
