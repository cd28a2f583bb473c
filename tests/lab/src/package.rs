//! The package under test: the one `.deb` that the build has left under `target/debian`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};

/// The built package. Fails when there is none, or several and so no way to tell which is meant.
pub fn built_deb() -> Result<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    let dir = target.join("debian");
    let entries = fs::read_dir(&dir).with_context(|| format!("no {}: run `make deb` first", dir.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut packages: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "deb"))
        .collect();
    match (packages.pop(), packages.len()) {
        (Some(package), 0) => Ok(package),
        (None, _) => bail!("no package in {}: run `make deb` first", dir.display()),
        (Some(_), more) => bail!("{} packages in {}: remove all but one", more + 1, dir.display()),
    }
}
