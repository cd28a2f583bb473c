//! `package.json`, the part of it that says how an app is started. Text in, command out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::command_line::{self, Start};

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    scripts: BTreeMap<String, String>,
    main: Option<String>,
}

/// How the package wants to be started; `None` when it does not say. An error is the text's own.
pub(super) fn start(text: &str) -> Result<Option<Start>, serde_json::Error> {
    let package: Package = serde_json::from_str(text)?;
    let hooks = ["prestart", "poststart"]
        .iter()
        .any(|hook| package.scripts.contains_key(*hook));
    let script = package.scripts.get("start");
    if let Some(script) = script {
        let direct = command_line::parse(script)
            .ok()
            .filter(|start| !hooks && is_node(start));
        return Ok(Some(direct.unwrap_or_else(|| command(["npm", "start"]))));
    }
    let main = package.main.filter(|main| !main.is_empty() && !main.starts_with('-'));
    Ok(main.map(|main| command(["node", &main])))
}

fn command(words: [&str; 2]) -> Start {
    Start {
        exec: words.map(str::to_owned).into(),
        env: Vec::new(),
    }
}

/// A script that npm would only pass on: without npm it is one process less for every instance.
fn is_node(start: &Start) -> bool {
    start.exec.len() > 1 && start.exec[0] == "node"
}

#[cfg(test)]
mod tests {
    use super::start;

    fn command(text: &str) -> String {
        let start = start(text).expect("JSON").expect("a command");
        let env: Vec<String> = start
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value} "))
            .collect();
        format!("{}{}", env.concat(), start.exec.join(" "))
    }

    #[test]
    fn a_plain_node_script_needs_no_npm() {
        assert_eq!(
            command(r#"{"scripts":{"start":"node server.js --x"}}"#),
            "node server.js --x"
        );
        assert_eq!(
            command(r#"{"scripts":{"start":"NODE_ENV=production node ."}}"#),
            "NODE_ENV=production node ."
        );
    }

    #[test]
    fn anything_npm_must_do_is_left_to_npm() {
        for script in [
            "next start",
            "node a.js && node b.js",
            "node $FILE",
            "tsc; node x",
            "node 'x",
        ] {
            let text = serde_json::json!({ "scripts": { "start": script } }).to_string();
            assert_eq!(command(&text), "npm start", "{script}");
        }
        assert_eq!(
            command(r#"{"scripts":{"start":"node x.js","prestart":"make"}}"#),
            "npm start"
        );
    }

    #[test]
    fn without_a_script_it_is_main() {
        assert_eq!(command(r#"{"main":"lib/app.js"}"#), "node lib/app.js");
        assert_eq!(start("{}").expect("JSON"), None);
        assert!(start("{").is_err());
        assert_eq!(start(r#"{"main":"--eval"}"#).expect("JSON"), None);
    }
}
