//! The fixture apps: web apps as users write them, which know nothing of `appctl`. Copied out of the source tree into a
//! cache and, where they have dependencies, installed there once with `npm`.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{Context, ensure};

use crate::network;

/// Where an app's source is.
pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("apps").join(name)
}

/// A copy of the app with everything it needs to run, ready to be copied into a box. Shared by all tests: do not write
/// to it. Fails when there is no such app, or `npm` fails.
pub fn prepare(name: &str) -> anyhow::Result<PathBuf> {
    let files = read_all(&source(name)).with_context(|| format!("no app {name:?}"))?;
    let ready = cache()?.join(format!("{name}-{:016x}", fingerprint(&files)));
    // Another test may be at it just now, and need not be helped.
    let lock = File::create(cache()?.join(format!("{name}.lock")))?;
    lock.lock().context("cannot lock the cache of apps")?;
    if ready.exists() {
        return Ok(ready);
    }
    let building = tempfile::Builder::new().prefix(name).tempdir_in(cache()?)?;
    let copy = building.path().join(name);
    fs::create_dir(&copy)?;
    for (file, content) in &files {
        fs::write(copy.join(file), content)?;
    }
    install(&copy)?;
    publish(&copy, &ready)?;
    Ok(ready)
}

/// `APPCTL_LAB_CACHE`, else the user's cache directory.
fn cache() -> anyhow::Result<PathBuf> {
    let given = env::var_os("APPCTL_LAB_CACHE").map(PathBuf::from);
    let user = || env::var_os("XDG_CACHE_HOME").map(|cache| PathBuf::from(cache).join("appctl-lab"));
    let home = || env::home_dir().map(|home| home.join(".cache/appctl-lab"));
    let cache = given
        .or_else(user)
        .or_else(home)
        .context("no HOME and no APPCTL_LAB_CACHE")?
        .join("apps");
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    Ok(cache)
}

/// The app's own files, without what a run or an install by hand may have left. Apps are flat directories.
fn read_all(source: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && name != "package-lock.json" {
            files.push((name, fs::read(entry.path())?));
        }
    }
    files.sort();
    Ok(files)
}

fn fingerprint(files: &[(String, Vec<u8>)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

fn install(app: &Path) -> anyhow::Result<()> {
    let Ok(package) = fs::read_to_string(app.join("package.json")) else {
        return Ok(());
    };
    let package: serde_json::Value = serde_json::from_str(&package)?;
    if package.get("dependencies").is_some() {
        npm(
            app,
            &[
                "install",
                "--omit=dev",
                "--no-audit",
                "--no-fund",
                "--no-package-lock",
                "--fetch-retries=1",
            ],
        )?;
    }
    if package.pointer("/scripts/setup").is_some() {
        npm(app, &["run", "setup"])?;
    }
    Ok(())
}

fn npm(app: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = network::outside("npm")
        .args(arguments)
        .current_dir(app)
        .output()
        .context("cannot run npm")?;
    let command = arguments.join(" ");
    ensure!(
        output.status.success(),
        "npm {command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Puts the copy in its place in one step.
fn publish(copy: &Path, ready: &Path) -> anyhow::Result<()> {
    fs::rename(copy, ready).with_context(|| format!("cannot move the app to {}", ready.display()))
}
