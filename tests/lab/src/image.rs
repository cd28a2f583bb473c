//! Cached root images: built once from Debian packages, kept outside the checkout, keyed by the recipe's text.
//! A half-built image never gets the final name. See mmdebstrap(1).

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{env, io};

use anyhow::{Context, Result, bail, ensure};

use crate::{Debian, mirror, network};

const RECIPE: &str = include_str!("../image/build.sh");
const UNUSED: Duration = Duration::from_hours(24 * 14);

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A root directory for a container.
    Box,
    /// A disk, a kernel and an initrd for a whole machine.
    Machine,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::Machine => "machine",
        }
    }
}

/// The directory of this image; builds it first where it is missing or its recipe has changed (about a minute).
pub fn image(kind: Kind, debian: Debian) -> Result<PathBuf> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the lab needs root: it builds root images, mounts and makes cgroups"
    );
    let cache = cache_dir()?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let stem = format!("{}-{}", kind.name(), debian.number());
    let image = cache.join(format!("{stem}-{:016x}", fingerprint(RECIPE)));
    let lock = File::create(cache.join(format!("{stem}.lock")))?;
    lock.lock().context("cannot lock the image cache")?;
    if !image.exists() {
        build(kind, debian, &image)?;
    }
    fs::write(image.join("used"), "")?;
    remove_unused(&cache, &stem)?;
    Ok(image)
}

fn cache_dir() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("APPCTL_LAB_CACHE") {
        return Ok(dir.into());
    }
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    Ok(base
        .context("neither APPCTL_LAB_CACHE, XDG_CACHE_HOME nor HOME is set")?
        .join("appctl-lab"))
}

/// FNV-1a: the standard hasher may change with the compiler, and a new compiler must not mean new images.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn build(kind: Kind, debian: Debian, image: &Path) -> Result<()> {
    require_keyring(debian)?;
    let partial = image.with_extension("partial");
    let log = image.with_extension("log");
    remove_tree(&partial)?;
    fs::create_dir_all(&partial)?;
    let mut stderr = io::stderr();
    writeln!(
        stderr,
        "lab: building the {} image of {debian} (log: {})",
        kind.name(),
        log.display()
    )?;
    let start = Instant::now();
    run_recipe(kind, debian, &partial, &log)?;
    fs::rename(&partial, image)?;
    writeln!(stderr, "lab: built in {} s", start.elapsed().as_secs())?;
    Ok(())
}

fn run_recipe(kind: Kind, debian: Debian, out: &Path, log: &Path) -> Result<()> {
    let output = File::create(log)?;
    let status = network::outside("bash")
        .args([
            "-c",
            RECIPE,
            "build.sh",
            kind.name(),
            debian.suite(),
            &mirror::archive(),
        ])
        .arg(out)
        .args(mirror::proxy_options())
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .context("cannot start bash")?;
    ensure!(
        status.success(),
        "the image was not built ({status}); {}:\n{}",
        log.display(),
        tail(log, 15)
    );
    Ok(())
}

/// The last lines of a file, for an error's text.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn require_keyring(debian: Debian) -> Result<()> {
    let key = format!("/usr/share/keyrings/debian-archive-{}-stable.gpg", debian.suite());
    if !Path::new(&key).exists() {
        bail!("{key} is missing: install or upgrade the package debian-archive-keyring (2023.3+deb12u2 or later)");
    }
    Ok(())
}

/// Images of recipes that nothing has booted for two weeks; a fresh one of another branch stays.
fn remove_unused(cache: &Path, stem: &str) -> Result<()> {
    for entry in fs::read_dir(cache)?.flatten() {
        let is_image = entry.file_name().to_string_lossy().starts_with(&format!("{stem}-"));
        let used = fs::metadata(entry.path().join("used")).and_then(|meta| meta.modified());
        if is_image && used.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > UNUSED)) {
            remove_tree(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_follows_the_text() {
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
