//! Which commands run Node, so that the adapter can be loaded into the app.

use super::Adapter;

const RUNNERS: [&str; 14] = [
    "node",
    "nodejs",
    "npm",
    "npx",
    "yarn",
    "yarnpkg",
    "pnpm",
    "pnpx",
    "corepack",
    "tsx",
    "ts-node",
    "ts-node-esm",
    "ts-node-dev",
    "nodemon",
];

/// The adapter of an app that names none: by the file name of the program, or where it lies.
pub(super) fn adapter_for(exec: &[String]) -> Adapter {
    let program = exec.first().map_or("", String::as_str);
    let (place, file) = program.rsplit_once('/').unwrap_or(("", program));
    let plain = file.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let script = [".js", ".cjs", ".mjs"].iter().any(|end| file.ends_with(end));
    let local = place.split('/').any(|part| part == "node_modules");
    if RUNNERS.contains(&plain) || script || local {
        Adapter::Node
    } else {
        Adapter::None
    }
}

#[cfg(test)]
mod tests {
    use super::adapter_for;
    use crate::spec::Adapter;

    #[test]
    fn node_is_known_by_its_names_and_places() {
        for program in [
            "node",
            "/usr/bin/node",
            "node22",
            "node-20.1",
            "npm",
            "ts-node",
            "./server.mjs",
            "node_modules/.bin/next",
        ] {
            assert_eq!(adapter_for(&[program.to_owned()]), Adapter::Node, "{program}");
        }
        for program in ["python3", "/opt/node/bin/python", "nodes", "bun", "deno", "", "server"] {
            assert_eq!(adapter_for(&[program.to_owned()]), Adapter::None, "{program}");
        }
    }
}
