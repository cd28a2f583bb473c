//! What is kept, and what is removed: never what anyone still runs.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::{Plan, Shape, Target};
use appctl_lab::{Host, Stage, on_each_debian};

use crate::scene::{WANTED, deploy, ends_with, install, live, releases, source_is, whole};

on_each_debian!(a_release_that_an_instance_still_drains_on_stays);

fn a_release_that_an_instance_still_drains_on_stays(stage: &Stage) -> Result<()> {
    let host = stage.host();
    install(host, 2, "bake = '0s'\nkeep = 2")?;
    let first = live(host)?;
    // A process of the first release that nobody's shim knows of any more.
    let adopt = "cat /sys/fs/cgroup/appctl.slice/appctl-myapp.slice/myapp@1.service/cgroup.procs >/dev/null; \
                 cd /var/lib/appctl/myapp/releases/$1 && exec systemd-run --quiet --slice=appctl-myapp.slice \
                 --unit=straggler --working-directory=\"$PWD\" sleep 600";
    host.run_ok(&["sh", "-c", adopt, "sh", &first])?;
    for turn in 1..=4 {
        source_is(host, &format!("r{turn}"))?;
        ends_with(&deploy(stage, &[])?, 0, "is live")?;
    }
    let list = releases(host)?;
    ensure!(
        list.len() == 3 && list[2].0 == first,
        "not two and the one in use: {list:?}"
    );
    ensure!(
        (list[0].1.as_str(), list[1].1.as_str()) == ("live", "previous"),
        "{list:?}"
    );
    host.run_ok(&["systemctl", "stop", "straggler"])?;
    host.run_ok(&["mkdir", "/var/lib/appctl/myapp/releases/.20260101T000000Z"])?;
    let dry = stage.appctl_ok(&["prune", "myapp", "--dry-run"])?;
    ensure!(
        dry.contains(&format!("would remove {first}")) && releases(host)?.len() == 3,
        "{dry}"
    );
    stage.appctl_ok(&["prune", "myapp"])?;
    ensure!(releases(host)?.len() == 2, "{:?}", releases(host)?);
    let left = host.run_ok(&["ls", "-A", "/var/lib/appctl/myapp/releases"])?;
    ensure!(!left.contains("20260101"), "{left}");
    let about = host.run_ok(&["ls", "/var/lib/appctl/myapp/about"])?;
    ensure!(!about.contains(&first), "{about}");
    ends_with(&stage.appctl(&["rollback", "myapp", &first])?, 5, "no release")?;
    while_it_drains(stage)?;
    whole(stage, 2).map(drop)
}

/// An instance that drains is on its old release, and another release comes and goes meanwhile.
fn while_it_drains(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let text = host.read_file(WANTED)?;
    host.write_file(WANTED, &text.replace("[stop]\n", "[stop]\ntimeout = '60s'\n"))?;
    stage.appctl_ok(&["apply", "myapp"])?;
    let old = live(host)?;
    let slow = Shape::SlowResponse {
        handler: Duration::from_secs(8),
    };
    let target = Target::Tcp(std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 3000)));
    let load = appctl_lab::load::Load::start(
        Plan::new(target, slow)
            .connections(8)
            .requests(8)
            .timeout(Duration::from_secs(30)),
    );
    appctl_lab::patience::until("slow requests under way", Duration::from_secs(20), || {
        let count = host.run_ok(&["sh", "-c", "ss -Htn state established '( sport = :3000 )' | wc -l"])?;
        Ok((count.trim() == "8").then_some(()))
    })?;
    source_is(host, "drained")?;
    let mut running = appctl_lab::running::Running::start(stage, &["deploy", "myapp", "/srv/myapp"])?;
    while let Some(step) = running.next_step()? {
        if step == "restart instance 1" {
            let dry = host.run_ok(&["appctl", "prune", "myapp", "--dry-run", "--keep", "0"])?;
            ensure!(!dry.contains(&old), "{old} is in use: {dry}");
        }
    }
    ensure!(running.wait()?.code == Some(0), "the deploy failed");
    let report = load.wait();
    ensure!(report.lost() == 0 && report.counts.ok == 8, "lost requests:\n{report}");
    Ok(())
}
