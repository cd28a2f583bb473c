//! `bench`: appctl beside PM2 and beside Node alone, in one box, one after the other, again and again. Prints what it
//! measured, good or bad, and writes it as a table, a picture and JSON. `BENCH_QUICK=1` makes a short run of it.

mod asking;
mod book;
mod contender;
mod measure;
mod process;
mod scene;
mod settings;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use book::{Book, Results};
use scene::Scene;
use settings::Settings;

fn main() -> Result<()> {
    let settings = Settings::of(env::var_os("BENCH_QUICK").is_some_and(|value| !value.is_empty() && value != "0"));
    let scene = Scene::set()?;
    let mut book = Book::default();
    measure::all(&scene, &settings, &mut book)?;
    let about = scene.about(&settings)?;
    let results = book.close(about);
    publish(&results, &settings)
}

fn publish(results: &Results, settings: &Settings) -> Result<()> {
    let directory = directory(settings.quick);
    fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let table = results.markdown();
    fs::write(directory.join("results.md"), &table)?;
    fs::write(directory.join("results.svg"), results.svg())?;
    fs::write(
        directory.join("results.json"),
        serde_json::to_string_pretty(results)? + "\n",
    )?;
    println!("{table}\nwritten to {}", directory.display());
    Ok(())
}

/// A short run must not replace the published results.
fn directory(quick: bool) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(if quick { "target/bench" } else { "tests/bench" })
}
