//! What an app says as often as it can reaches PID 1, which all apps share, a few times a second.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(words_to_systemd);

const FLOOD: &str = r#"
use Socket;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
my $to = pack_sockaddr_un($ENV{NOTIFY_SOCKET});
send($s, "READY=1", 0, $to);
for (my $i = 0; ; $i++) {
    send($s, "STATUS=word $i\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=9000000\nRELOADING=1\nFDSTORE=1", 0, $to);
}
"#;
const SECONDS: u32 = 3;
const UNIT: &str = "/org/freedesktop/systemd1/unit/flood_401_2eservice";

/// Clock ticks that PID 1 has used, proc(5).
fn ticks(stage: &Stage) -> Result<u64> {
    let stat = stage.host().read_file("/proc/1/stat")?;
    let (_, fields) = stat.rsplit_once(") ").context("a process")?;
    let number = |at: usize| fields.split(' ').nth(at).and_then(|text| text.parse::<u64>().ok());
    Ok(number(11).context("utime")? + number(12).context("stime")?)
}

fn words_to_systemd(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--system", "work"])?;
    host.run_ok(&["mkdir", "-p", "/srv/flood"])?;
    host.write_file("/srv/flood/run.pl", FLOOD)?;
    let file = "exec = [\"/usr/bin/perl\", \"run.pl\"]\ndirectory = \"/srv/flood\"\nuser = \"work\"\nready = { when = \"notify\" }\n";
    host.write_file("/etc/appctl/apps/flood.toml", file)?;
    stage.appctl_ok(&["apply", "flood"])?;
    stage.appctl_ok(&["start", "flood"])?;
    // systemd tells of changes only as long as a client wants to hear of them: this one, which waits.
    let mut subscriber = host.spawn(&["systemd-run", "--quiet", "--wait", "sleep", "60"])?;
    let word = format!("type='signal',path='{UNIT}',member='PropertiesChanged'");
    let words = [
        "timeout",
        &SECONDS.to_string(),
        "busctl",
        "monitor",
        "--json=short",
        "--match",
        &word,
    ];
    thread::sleep(Duration::from_millis(300));
    let before = ticks(stage)?;
    let heard = host.run(&words)?.stdout;
    let used = ticks(stage)? - before;
    subscriber.kill()?;
    subscriber.wait()?;
    let told = heard.lines().filter(|line| line.contains("StatusText")).count();
    println!("{told} words in {SECONDS} s, {used} ticks of PID 1");
    // Twice a quarter of a second's worth: each message may be told of in two signals.
    let most = usize::try_from(SECONDS)? * 4 + 2;
    ensure!((1..=2 * most).contains(&told), "{told} words in {SECONDS} s:\n{heard}");
    let asked = std::time::Instant::now();
    stage.appctl_ok(&["stop", "flood"])?;
    ensure!(
        asked.elapsed() < Duration::from_secs(5),
        "the shim did not hear the stop for {:?}",
        asked.elapsed()
    );
    Ok(())
}
