//! Where complaints go: the kernel log, which the journal reads, because systemd connects us to nothing; and stderr for
//! whoever runs us by hand. Failing to complain is never an error.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::process::ExitCode;

use appctl::spec::visible;

/// The kernel takes about this many bytes of one message.
const LONGEST: usize = 900;

/// All complaints of one run.
pub(crate) struct Complaints {
    kernel_log: Option<File>,
    any: bool,
}

impl Complaints {
    /// Complains on stderr, and in the kernel log too when asked.
    pub(crate) fn new(kernel: bool) -> Self {
        let open = || OpenOptions::new().write(true).open("/dev/kmsg").ok();
        Self {
            kernel_log: if kernel { open() } else { None },
            any: false,
        }
    }

    /// One line at error level.
    pub(crate) fn add(&mut self, message: &str) {
        self.any = true;
        let mut line = format!("<3>appctl-generator[{}]: {}", std::process::id(), visible(message));
        line.truncate(line.floor_char_boundary(LONGEST));
        line.push('\n');
        // One write is one message; a full or missing log must not stop the units.
        if let Some(log) = &mut self.kernel_log {
            let _ = log.write_all(line.as_bytes());
        }
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    /// 1 after any complaint: systemd logs that a generator failed, and goes on.
    pub(crate) fn exit(&self) -> ExitCode {
        ExitCode::from(u8::from(self.any))
    }
}
