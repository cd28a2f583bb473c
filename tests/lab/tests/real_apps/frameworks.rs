//! NestJS, a native addon that comes built (sharp), a pool of threads (Piscina), child processes as a browser's driver
//! starts them, and npm between the unit and the app.

use anyhow::{Context, Result, ensure};
use appctl_lab::{Stage, on_each_debian};

use super::app::{self, App, Node};

on_each_debian!(serve_what_a_sandbox_might_forbid);

/// Name, what it is started with, what is asked, and the answer.
const APPS: [(&str, &str, &str, &str); 5] = [
    ("nest", "node nest.js", "/special/12", "144"),
    ("pictures", "node pictures.js", "/special", "webp 100x50 WEBP"),
    ("pool", "node pool.js", "/special", "500500 in a thread"),
    (
        "children",
        "node children.js",
        "/special",
        "42, LLEHS, rendered without a sandbox of its own",
    ),
    ("npm", "npm start", "/special/9", "81"),
];

fn serve_what_a_sandbox_might_forbid(stage: &Stage) -> Result<()> {
    stage.bring("real-apps", "real-apps")?;
    stage.bring("node-22", "node-22")?;
    on(stage, Node::Debian, "", 3100)?;
    on(stage, Node::TwentyTwo, "-22", 3200)
}

fn on(stage: &Stage, node: Node, suffix: &str, first: u16) -> Result<()> {
    let app = |((name, exec, ..), port): (&(&str, &'static str, &str, &str), u16)| App {
        name: format!("{name}{suffix}"),
        directory: "/srv/real-apps",
        port,
        node,
        options: Vec::new(),
        exec,
    };
    let apps: Vec<App> = APPS.iter().zip(first..).map(app).collect();
    app::install(stage, &apps)?;
    for (app, (.., path, wanted)) in apps.iter().zip(APPS) {
        let answer = app.ask(stage, path)?;
        ensure!(answer == wanted, "{}: {answer}", app.name);
        app::contained(stage, app).with_context(|| app.name.clone())?;
    }
    app::roll(stage, &apps)
}
