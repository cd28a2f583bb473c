//! Becoming an account that can do less, for good: what nobody vouches for is unpacked and fetched by processes of their
//! own, which do this first, credentials(7).

use std::ffi::CString;

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, User};

/// Whom to become; nobody else when absent, as in a moved tree.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Account {
    /// Become this user, a number
    #[arg(long, requires = "gid")]
    pub(crate) uid: Option<u32>,

    /// Be in this group, a number
    #[arg(long, requires = "uid")]
    pub(crate) gid: Option<u32>,
}

impl Account {
    /// The same on a command line.
    pub(crate) fn arguments(self) -> impl Iterator<Item = String> {
        let uid = self.uid.map(|uid| format!("--uid={uid}"));
        let gid = self.gid.map(|gid| format!("--gid={gid}"));
        uid.into_iter().chain(gid)
    }

    /// Becomes it, with all of its groups. The process ends when the one that started it does, and leaves no core.
    pub(crate) fn become_it(self) -> nix::Result<()> {
        if let (Some(uid), Some(gid)) = (self.uid, self.gid) {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            let name = User::from_uid(uid)?.and_then(|user| CString::new(user.name).ok());
            match name {
                Some(name) => nix::unistd::initgroups(&name, gid)?,
                None => nix::unistd::setgroups(&[gid])?,
            }
            nix::unistd::setresgid(gid, gid, gid)?;
            nix::unistd::setresuid(uid, uid, uid)?;
        }
        umask(Mode::from_bits_truncate(0o077));
        setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
        // After the change of user, which takes it back.
        prctl::set_pdeathsig(Signal::SIGKILL)
    }
}
