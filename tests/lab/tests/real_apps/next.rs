//! Next.js: its server, its image optimizer, pages that are rendered anew, and `next build` as the build of a deploy.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use super::app::{self, App, Node};

on_each_debian!(next_serves_and_is_built);

const PATIENCE: Duration = Duration::from_secs(20);

fn next_serves_and_is_built(stage: &Stage) -> Result<()> {
    stage.bring("next", "next")?;
    stage.bring("node-22", "node-22")?;
    let app = |name: &str, port, node, options| App {
        name: name.to_owned(),
        directory: "/srv/next",
        port,
        node,
        options,
        exec: "npm start",
    };
    // A release, and the same directory in place.
    let apps = [
        app("next", 3100, Node::Debian, vec![]),
        app("next-22", 3101, Node::TwentyTwo, vec!["--in-place"]),
    ];
    app::install(stage, &apps)?;
    for app in &apps {
        serves(stage, app, "first").with_context(|| app.name.clone())?;
        app::contained(stage, app)?;
    }
    app::roll(stage, &apps)?;
    stage.appctl_ok(&["uninstall", "next-22", "--yes"])?;
    is_built(stage, &apps[0])
}

fn serves(stage: &Stage, app: &App, edition: &str) -> Result<()> {
    let rendered = app.ask(stage, "/rendered")?;
    ensure!(rendered.contains("edition") && rendered.contains(edition), "{rendered}");
    // Resized by its optimizer from what another route of it drew.
    let url = format!("http://127.0.0.1:{}/_next/image?url=%2Fpicture&w=64&q=75", app.port);
    let fetch = [
        "curl",
        "--silent",
        "--fail",
        "--header",
        "Accept: image/webp",
        "--output",
        "/tmp/picture",
        &url,
    ];
    stage.host().run_ok(&fetch)?;
    let look = "require('/srv/next/node_modules/sharp')('/tmp/picture').metadata().then((p) => console.log(p.format, p.width))";
    let picture = stage.host().run_ok(&["node", "--eval", look])?;
    ensure!(picture.trim_end() == "webp 64", "{picture}");
    Ok(())
}

/// The next release is built where it will be, in the sandbox, from a source without anything built. Pictures are kept
/// where they outlive it.
fn is_built(stage: &Stage, app: &App) -> Result<()> {
    let host = stage.host();
    let file = "/etc/appctl/apps/next.toml";
    let build = "\n[deploy]\nbuild = [\"npm\", \"run\", \"build\"]\nshared = [\".next/cache/\"]\n";
    host.write_file(file, &(host.read_file(file)? + build))?;
    stage.appctl_ok(&["apply", "next"])?;
    host.write_file("/srv/next/edition.txt", "second\n")?;
    host.run_ok(&["rm", "-r", "/srv/next/.next"])?;
    app::under_load(stage, std::slice::from_ref(app), || {
        let said = stage.appctl_ok(&["deploy", "next", "/srv/next", "--bake", "1s"])?;
        ensure!(said.contains("Compiled successfully"), "{said}");
        Ok(())
    })?;
    serves(stage, app, "second")?;
    until("the picture is kept", PATIENCE, || {
        let kept = [
            "find",
            "/var/lib/appctl/next/shared/.next/cache/images",
            "-name",
            "*.webp",
        ];
        Ok(host.run_ok(&kept)?.contains(".webp").then_some(()))
    })?;
    app::contained(stage, app)
}
