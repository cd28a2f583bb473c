//! A disk that is full at one step after the other.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage};

use super::{STATE, configure, refused, release, stage_json};

/// A disk of 8 MB, full at each step in turn.
pub(crate) fn a_full_disk_changes_nothing(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&[
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=8m,mode=0755",
        "none",
        "/var/lib/appctl",
    ])?;
    host.write_file("/srv/app/server.js", "1")?;
    configure(stage, "", "")?;
    let first = release(&stage_json(stage, &["/srv/app"])?)?;
    host.run_ok(&["mkdir", "/srv/large"])?;
    host.run_ok(&[
        "dd",
        "if=/dev/urandom",
        "of=/srv/large/blob",
        "bs=1M",
        "count=9",
        "status=none",
    ])?;
    host.run_ok(&["tar", "--create", "--file", "/srv/large.tar", "-C", "/srv", "large"])?;
    for source in ["/srv/large", "/srv/large.tar"] {
        let output = refused(stage, 1, &[source], "No space left on device")?;
        ensure!(output.stderr.contains("appctl prune web"), "{output:?}");
    }
    full_while_building(stage)?;
    let releases = host.run_ok(&["ls", "-A", &format!("{STATE}/releases")])?;
    ensure!(first.ends_with(releases.trim_end()), "{releases}");
    host.run_ok(&["umount", "/var/lib/appctl"]).map(drop)
}

fn full_while_building(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--system", "work"])?;
    let fill = "require('fs').writeFileSync('blob', require('crypto').randomBytes(SIZE))";
    // In the build itself, and in the copy of what it made.
    for (size, code) in [("9e6", 4), ("5e6", 1)] {
        let build = format!("build = [\"node\", \"-e\", \"{}\"]", fill.replace("SIZE", size));
        configure(stage, "user = \"work\"", &build)?;
        refused(stage, code, &["/srv/app"], "")?;
    }
    Ok(())
}
