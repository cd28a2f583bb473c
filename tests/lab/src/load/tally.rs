//! What another thread may know of a run while it goes on.

use std::sync::atomic::{AtomicU64, Ordering};

use super::counts::Bucket;

/// Proper answers and losses so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    answered: AtomicU64,
    lost: AtomicU64,
}

impl Tally {
    pub(super) fn add(&self, bucket: Bucket) {
        match bucket {
            Bucket::Ok => &self.answered,
            _ if bucket.is_loss() => &self.lost,
            _ => return,
        }
        .fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}
