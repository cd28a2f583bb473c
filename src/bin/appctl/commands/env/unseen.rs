//! What is typed at a terminal and not shown there, termios(3). A signal that ends or stops this program finds the terminal
//! as it was before.

use std::io::{self, Stdin};
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// Signals of a terminal and of an operator that end or stop a program.
const SIGNALS: [Signal; 5] = [
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTSTP,
    Signal::SIGHUP,
    Signal::SIGTERM,
];

/// All that is typed up to the end of input, and no more bytes than `most`. `ask` says what is waited for, and says it
/// again to an operator who comes back from something else.
pub(super) fn read(stdin: &Stdin, most: usize, ask: impl Fn()) -> io::Result<Vec<u8>> {
    let signals = Blocked::new()?;
    let mut silent = Silent::begin(stdin)?;
    ask();
    let (mut typed, mut chunk) = (Vec::new(), [0; 4096]);
    while typed.len() < most {
        if let Some(signal) = signals.or_input(stdin)? {
            drop(silent);
            signals.deliver(signal)?;
            silent = Silent::begin(stdin)?;
            ask();
            continue;
        }
        match nix::unistd::read(stdin, &mut chunk) {
            Ok(0) => break,
            Ok(length) => typed.extend_from_slice(&chunk[..length]),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    drop(silent);
    typed.truncate(most);
    Ok(typed)
}

/// Without echo, but for the ends of lines, until it is dropped.
struct Silent<'s> {
    stdin: &'s Stdin,
    before: Termios,
}

impl<'s> Silent<'s> {
    fn begin(stdin: &'s Stdin) -> nix::Result<Self> {
        let before = tcgetattr(stdin)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        silent.local_flags.insert(LocalFlags::ECHONL);
        tcsetattr(stdin, SetArg::TCSADRAIN, &silent)?;
        Ok(Self { stdin, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing.
        let _ = tcsetattr(self.stdin, SetArg::TCSADRAIN, &self.before);
    }
}

/// Signals wait here while the terminal is silent.
struct Blocked {
    set: SigSet,
    arrived: SignalFd,
}

impl Blocked {
    fn new() -> nix::Result<Self> {
        let set: SigSet = SIGNALS.into_iter().collect();
        let arrived = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        set.thread_block()?;
        Ok(Self { set, arrived })
    }

    /// Waits for a signal, or for input when there is `None`.
    fn or_input(&self, stdin: &Stdin) -> io::Result<Option<Signal>> {
        loop {
            let mut fds = [stdin.as_fd(), self.arrived.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut fds, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            let input = fds[0].any() == Some(true);
            if let Some(info) = self.arrived.read_signal()? {
                return Ok(Signal::try_from(info.ssi_signo.cast_signed()).ok());
            }
            if input {
                return Ok(None);
            }
        }
    }

    /// Does what the signal would have done.
    fn deliver(&self, signal: Signal) -> nix::Result<()> {
        self.set.thread_unblock()?;
        raise(signal)?;
        self.set.thread_block()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = self.set.thread_unblock();
    }
}
