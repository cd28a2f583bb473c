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
use clap::Parser;

use book::{Book, Results};
use measure::Part;
use scene::Scene;
use settings::Settings;

/// Measure PM2 beside appctl. Needs root, and the package that `make deb` builds.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these parts; the results then go to target/bench
    #[arg(value_enum)]
    parts: Vec<Part>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let quick = env::var_os("BENCH_QUICK").is_some_and(|value| !value.is_empty() && value != "0");
    let settings = Settings::of(quick);
    let scene = Scene::set()?;
    let mut book = Book::new();
    measure::all(&scene, &settings, &arguments.parts, &mut book)?;
    let about = scene.about(&settings)?;
    let results = book.close(about);
    publish(&results, &directory(quick || !arguments.parts.is_empty()))
}

fn publish(results: &Results, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
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

/// Neither a short run nor a part of one may replace the published results.
fn directory(draft: bool) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(if draft { "target/bench" } else { "tests/bench" })
}
