//! How much cheaper the second release of an app is: 200 MB in 20,000 files, of which one in a hundred changes. Prints
//! times and bytes; judges nothing. `staging-bench APPCTL [DIRECTORY]`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

const FILES: usize = 20_000;
const BYTES: usize = 10_000;
const FOLDERS: usize = 400;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let appctl = arguments.next().context("usage: staging-bench APPCTL [DIRECTORY]")?;
    let above = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(above)?;
    let (app, root) = (folder.path().join("app"), folder.path().join("root"));
    fs::create_dir_all(root.join("etc/appctl/apps"))?;
    fs::write(
        root.join("etc/appctl/apps/web.toml"),
        "exec = \"node server.js\"\nlisten = 3000\n",
    )?;
    for n in 0..FILES {
        write(&app, n, 0)?;
    }
    let copy = timed(|| run(Command::new("cp").arg("-r").arg(&app).arg(folder.path().join("copy"))))?;
    let stage = || {
        run(Command::new(&appctl)
            .args(["stage", "web"])
            .arg(&app)
            .env("APPCTL_ROOT", &root))
    };
    let first = timed(stage)?;
    let before = used(&root)?;
    for n in (0..FILES).step_by(100) {
        write(&app, n, 1)?;
    }
    let second = timed(stage)?;
    let grown = used(&root)? - before;
    let again = timed(stage)?;
    println!("cp -r, flushed       {:6.2} s", copy.as_secs_f64());
    println!(
        "first release        {:6.2} s, {before} KiB on disk",
        first.as_secs_f64()
    );
    println!(
        "second, 1 % changed  {:6.2} s, {grown} KiB more on disk",
        second.as_secs_f64()
    );
    println!("third, no change     {:6.2} s", again.as_secs_f64());
    println!(
        "second to first      {:6.2}",
        second.as_secs_f64() / first.as_secs_f64()
    );
    println!("second to cp -r      {:6.2}", second.as_secs_f64() / copy.as_secs_f64());
    Ok(())
}

/// Content that does not compress and differs from file to file.
fn write(app: &Path, n: usize, version: u64) -> Result<()> {
    let folder = app.join((n % FOLDERS).to_string());
    fs::create_dir_all(&folder)?;
    let mut state = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) + version;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    let bytes: Vec<u8> = std::iter::repeat_with(next).take(BYTES).collect();
    Ok(fs::write(folder.join(format!("{n}.js")), bytes)?)
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    run(&mut Command::new("sync"))?;
    let start = Instant::now();
    work()?;
    run(&mut Command::new("sync"))?;
    Ok(start.elapsed())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// KiB on disk, a file of several names counted once.
fn used(folder: &Path) -> Result<u64> {
    let output = Command::new("du").args(["--summarize", "-k"]).arg(folder).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().next().context("a number")?.parse()?)
}
