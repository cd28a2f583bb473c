//! The run directory of one box or machine: `/run/appctl-lab/NAME`, locked as long as its owner lives.
//! A directory whose lock is free was left by a killed run and is cleared at the next start.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use crate::cgroup;

/// Everything in the lab that is not an image.
pub(crate) const ROOT: &str = "/run/appctl-lab";
const LOCK: &str = "owner";

static NEXT: AtomicU32 = AtomicU32::new(1);

pub(crate) struct Place {
    name: String,
    path: PathBuf,
    _owner: File,
}

impl Place {
    /// A new directory, named after `kind` and this process; clears what killed runs have left.
    pub(crate) fn claim(kind: &str) -> Result<Self> {
        ensure!(
            nix::unistd::geteuid().is_root(),
            "the lab needs root: it builds root images, mounts and makes cgroups"
        );
        let runs = Path::new(ROOT).join("runs");
        fs::create_dir_all(&runs).with_context(|| format!("cannot make {}", runs.display()))?;
        let gate = File::create(Path::new(ROOT).join("gate"))?;
        gate.lock().context("cannot lock the lab's run directory")?;
        clear_abandoned(&runs)?;
        let name = format!("{kind}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = runs.join(&name);
        fs::create_dir(&path)?;
        let owner = File::create(path.join(LOCK))?;
        owner.lock()?;
        Ok(Self {
            name,
            path,
            _owner: owner,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn join(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        clear(&self.path, &self.name);
    }
}

fn clear_abandoned(runs: &Path) -> Result<()> {
    for entry in fs::read_dir(runs)?.flatten() {
        let free = File::open(entry.path().join(LOCK)).map_or(true, |lock| lock.try_lock().is_ok());
        if free {
            clear(&entry.path(), &entry.file_name().to_string_lossy());
        }
    }
    Ok(())
}

/// Nothing is mounted below it in this mount namespace: mounts live in the namespace of the box and end with it.
fn clear(path: &Path, name: &str) {
    cgroup::remove(name);
    if let Err(error) = fs::remove_dir_all(path) {
        eprintln!("lab: {} stays: {error}", path.display());
    }
}
