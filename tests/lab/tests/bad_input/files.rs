//! What configuration files are refused, and how the place in them is shown.

use crate::case::{Case, case};

const WANTED: &str = "/etc/appctl/apps/taken.toml";
const LOOSE: &str = "/srv/web.toml";

/// `appctl check` of a loose file and `appctl apply` of an installed one answer alike.
pub(crate) fn texts() -> Vec<Case> {
    let table: [(&str, &[&str]); 9] = [
        (
            "exec = \"node\nlisten = 3001\n",
            &["not closed on its line", ":1:13", "^"],
        ),
        ("exec = \"node x\"\nlisten = [3001\n[stop\n", &["^"]),
        ("exec = 7\n", &["`exec` must be a command", "not a number", ":1:8"]),
        (
            "exec = \"node x\"\ninstances = \"4\"\nlisten = true\n",
            &["`instances`", "`listen`", "2 problems"],
        ),
        (
            "exec = \"node x\"\nlistn = 3001\n",
            &["unknown key `listn`", ":2:1", "did you mean `listen`?"],
        ),
        (
            "exec = \"node x\"\n[stopp]\ntimeout = \"1s\"\n",
            &["unknown", "`stopp`", "did you mean `stop`?"],
        ),
        ("exec = \"node x\"\nuser = \"root\"\n", &["root", "allow_root"]),
        (
            "exec = \"node x\"\ninstances = 100000\n",
            &["from 1 to 512", "not 100000"],
        ),
        ("listen = 3001\n", &["exec"]),
    ];
    let both = |(text, says): (&str, &[&str])| {
        [
            case(&["check", LOOSE], 3, &[says, &[LOOSE, "in the configuration"]].concat()).with(LOOSE, text),
            case(
                &["apply", "taken"],
                3,
                &[says, &[WANTED, "in the configuration"]].concat(),
            )
            .with(WANTED, text),
        ]
    };
    table.into_iter().flat_map(both).collect()
}

/// Two apps cannot have one address, however it is written.
pub(crate) fn shared_addresses() -> Vec<Case> {
    let third = "/etc/appctl/apps/third.toml";
    let same = |listen: &str| format!("exec = \"node server.js\"\ndirectory = \"/srv/app\"\nlisten = {listen}\n");
    vec![
        case(&["check", LOOSE], 3, &["web", "taken", "3100", "another address"]).with(LOOSE, &same("3100")),
        case(&["check", LOOSE], 3, &["taken", "3100"]).with(LOOSE, &same("\"127.0.0.1:3100\"")),
        case(&["apply", "third"], 3, &["third", "taken", "3100"]).with(third, &same("3100")),
        case(&["apply"], 3, &["third", "taken", "3100"]).with(third, &same("[3001, 3100]")),
        case(&["check", LOOSE], 3, &["listed twice"]).with(LOOSE, &same("[3001, 3001]")),
    ]
}

/// Files that are not there, or whose name names no app.
pub(crate) fn paths() -> Vec<Case> {
    vec![
        case(&["check", "/srv/none.toml"], 3, &["/srv/none.toml", "No such file"]),
        case(&["check", "/srv"], 3, &["/srv"]),
        case(
            &["check", "/srv/Bad Name.toml"],
            3,
            &["does not name an app", "NAME.toml"],
        )
        .with("/srv/Bad Name.toml", "exec = \"x\"\n"),
    ]
}
