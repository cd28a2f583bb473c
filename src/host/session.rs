//! A child that runs what `appctl` does not vouch for: in a session of its own, setsid(2), so that no terminal of root's
//! takes what it types, `tty_ioctl(4)`, and with none of root's descriptors but the three it is given.

#![allow(unsafe_code)]

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::errno::Errno;
use nix::libc::{self, close_range};

/// The first descriptor that is not a standard one.
const FIRST: libc::c_uint = 3;

/// Lets a command begin like that. It leads its process group as well, for killpg(3).
pub fn isolate(command: &mut Command) -> &mut Command {
    // SAFETY: both calls are safe between fork(2) and execve(2), signal-safety(7), and none allocates.
    unsafe { command.pre_exec(|| Ok(leave().and_then(|()| keep_nothing())?)) }
}

/// Without the controlling terminal.
fn leave() -> nix::Result<()> {
    nix::unistd::setsid().map(drop)
}

/// What a shell left open for `appctl` ends with execve(2).
fn keep_nothing() -> nix::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    // SAFETY: only changes flags of descriptors.
    Errno::result(unsafe { close_range(FIRST, libc::c_uint::MAX, flags) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::isolate;
    use std::process::Command;

    #[test]
    fn it_leads_a_session_and_inherits_no_descriptor() {
        let (open, _other) = nix::unistd::pipe().expect("a pipe");
        let number = std::os::fd::AsRawFd::as_raw_fd(&open);
        let script = format!("test -e /proc/self/fd/{number} && echo inherited; cut -d' ' -f1,6 /proc/$$/stat");
        let output = isolate(Command::new("sh").args(["-c", &script]))
            .output()
            .expect("it runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let (pid, session) = text.trim_end().split_once(' ').expect("two numbers");
        assert_eq!(pid, session);
    }
}
