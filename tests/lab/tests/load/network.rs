//! A network namespace with nothing but loopback (`network_namespaces(7)`): any port is free, whoever else runs here.

use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, unshare};

/// Runs the test in a network of its own. Threads and processes that it starts are in it too.
pub(crate) fn private<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace of its own needs root");
            let up = Command::new("ip")
                .args(["link", "set", "lo", "up"])
                .status()
                .expect("ip(8) is installed");
            assert!(up.success(), "loopback is up");
            test()
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
