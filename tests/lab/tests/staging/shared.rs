//! What releases have in common, under an account that is not always there.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage};

use super::{STATE, configure, release, stage_json};

/// Two releases, one after the other, write to one directory; systemd keeps it where it keeps such accounts' state.
pub(crate) fn a_transient_account_keeps_what_is_shared(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let server = "require('http').createServer((request, response) => { \
                  require('fs').appendFileSync('uploads/log', process.cwd() + '\\n'); response.end(); }).listen(3000);";
    host.write_file("/srv/app/server.js", server)?;
    configure(stage, "", "shared = [\"uploads/\"]")?;
    let mut served = Vec::new();
    for turn in ["// 1", "// 2"] {
        host.write_file("/srv/app/server.js", &format!("{server} {turn}"))?;
        let path = release(&stage_json(stage, &["/srv/app"])?)?;
        host.run_ok(&[
            "ln",
            "--symbolic",
            "--force",
            "--no-dereference",
            &path,
            &format!("{STATE}/current"),
        ])?;
        stage.appctl_ok(&[if served.is_empty() { "apply" } else { "rolling-restart" }, "web"])?;
        host.run_ok(&["curl", "--silent", "--fail", "http://127.0.0.1:3000/"])?;
        served.push(path);
    }
    let log = host.read_file("/var/lib/private/appctl/web/shared/uploads/log")?;
    ensure!(log.lines().eq(&served), "{served:?}: {log}");
    Ok(())
}
