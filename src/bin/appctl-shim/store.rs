//! The crash record between two shims: a memfd(2) that systemd keeps in its file descriptor store, under a name.
//! Without a store (no systemd, `FileDescriptorStoreMax=0`) every shim begins with a clean record.

use std::fs::File;
use std::os::fd::AsFd;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::uio::{pread, pwrite};

use crate::backoff::Record;
use crate::notify;

/// `FDNAME=` of the stored file, and its part of `LISTEN_FDNAMES`.
pub(crate) const NAME: &str = "backoff";

/// The file, when there is one.
pub(crate) struct Store(Option<File>);

impl Store {
    /// The inherited file, or a new one that is handed to systemd.
    pub(crate) fn new(inherited: Option<File>) -> Self {
        Self(inherited.or_else(create))
    }

    /// What the shim before wrote.
    pub(crate) fn load(&self) -> Record {
        let mut bytes = [0; Record::SIZE];
        let read = self.0.as_ref().and_then(|file| pread(file.as_fd(), &mut bytes, 0).ok());
        read.and_then(|length| Record::from_bytes(&bytes[..length]))
            .unwrap_or_default()
    }

    /// Replaces it, in one write.
    pub(crate) fn save(&self, record: &Record) {
        if let Some(file) = &self.0 {
            let _ = pwrite(file.as_fd(), &record.to_bytes(), 0);
        }
    }
}

fn create() -> Option<File> {
    let file = memfd_create(NAME, MFdFlags::MFD_CLOEXEC).ok()?;
    notify::store(NAME, file.as_fd());
    Some(file.into())
}
