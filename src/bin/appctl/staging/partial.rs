//! A hidden directory that goes away again unless it is kept. The work on it happens in a thread of its own, so that the
//! operator can interrupt it; whoever drops the directory waits until that thread has let go of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clear::clear;
use crate::ui::warn;

/// A directory in the making.
#[derive(Debug)]
pub(super) struct Partial {
    paths: Vec<PathBuf>,
    work: Arc<Work>,
    kept: bool,
}

#[derive(Debug, Default)]
struct Work {
    stop: AtomicBool,
    busy: Mutex<()>,
}

impl Partial {
    /// `path`, which need not exist yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            paths: vec![path],
            work: Arc::default(),
            kept: false,
        }
    }

    /// Another path that goes with it.
    pub(super) fn and(mut self, path: PathBuf) -> Self {
        self.paths.push(path);
        self
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.paths[0]
    }

    /// Works on it. The flag is set when the result is of no use any more.
    pub(super) async fn fill<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AtomicBool) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let shared = Arc::clone(&self.work);
        let worker = tokio::task::spawn_blocking(move || {
            let _busy = shared.busy.lock().unwrap_or_else(PoisonError::into_inner);
            anyhow::ensure!(!shared.stop.load(Ordering::Relaxed), "interrupted");
            work(&shared.stop)
        });
        worker.await?
    }

    /// It has become something else.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        self.work.stop.store(true, Ordering::Relaxed);
        let _busy = self.work.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if self.kept {
            return;
        }
        for path in &self.paths {
            // What stays is removed by the next deploy.
            if let Err(error) = clear(path) {
                warn(&format!("{} was not removed yet: {error}", path.display()));
            }
        }
    }
}
