//! What a shim costs: its memory is paid once per instance.

use std::fs;

use crate::harness::Lab;

/// Anonymous memory of the shim as it ships (static, `--profile shim`), which `APPCTL_SHIM` names.
const SHIPPED_KIB: u64 = 160;
/// A test build carries the dynamic loader's relocations and unoptimised code.
const TEST_BUILD_KIB: u64 = 320;

#[test]
fn one_thread_little_memory_and_no_wakeup_while_nothing_happens() {
    let (lab, _) = Lab::new("--ready=listening").with_adapter();
    let mut shim = lab.start(&["sleep", "1000"]);
    let mut adapter = shim.adapter();
    adapter.say("listening x");
    shim.notified("STATUS=ready");
    let field = |name: &str| {
        let status = fs::read_to_string(format!("/proc/{}/status", shim.pid())).expect("a live shim");
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a field of proc(5)")
            .to_owned();
        line.split_whitespace()
            .nth(1)
            .and_then(|number| number.parse::<u64>().ok())
            .expect("a number")
    };
    let most = if std::env::var_os("APPCTL_SHIM").is_some() {
        SHIPPED_KIB
    } else {
        TEST_BUILD_KIB
    };
    assert!(field("RssAnon:") <= most, "{} KiB", field("RssAnon:"));
    assert_eq!(field("Threads:"), 1);
    // poll(fds, count, -1) of syscalls(2): the third argument. Only root may see the call, since the shim is closed to its
    // own account.
    let waits_for_ever = || {
        let call = fs::read_to_string(format!("/proc/{}/syscall", shim.pid())).ok()?;
        call.split_whitespace().nth(3)?.ends_with("ffffffff").then_some(())
    };
    // What any account may see: it has given its processor back, and not once more since.
    let rests = || {
        let before = field("voluntary_ctxt_switches:");
        std::thread::sleep(std::time::Duration::from_millis(200));
        (field("voluntary_ctxt_switches:") == before).then_some(())
    };
    if nix::unistd::geteuid().is_root() {
        crate::harness::eventually("asleep without a timeout", waits_for_ever);
    } else {
        crate::harness::eventually("asleep", rests);
    }
    let switches = field("voluntary_ctxt_switches:");
    let start = std::time::Instant::now();
    crate::harness::eventually("half a second", || (start.elapsed().as_millis() > 500).then_some(()));
    assert_eq!(field("voluntary_ctxt_switches:"), switches);
    drop(adapter);
    shim.stop();
}
