//! Who may not, where it cannot work, and apps that are not there.

use crate::case::{Case, as_nobody, case, unbooted};

/// Verbs that change something, with what they need.
const CHANGING: [&[&str]; 9] = [
    &["install", "x", "/srv/app"],
    &["uninstall", "taken"],
    &["start", "taken"],
    &["stop", "taken"],
    &["restart", "taken"],
    &["rolling-restart", "taken"],
    &["scale", "taken", "2"],
    &["resume", "taken"],
    &["abort", "taken"],
];

/// Anyone but root.
pub(crate) fn not_root() -> Vec<Case> {
    let refused = |words: &&[&str]| as_nobody(words, 6, &["only root may", &format!("sudo appctl {}", words[0])]);
    CHANGING.iter().map(refused).collect()
}

/// No systemd to talk to.
pub(crate) fn not_systemd() -> Vec<Case> {
    let says = ["systemd does not run this machine", "PID 1 must be systemd"];
    let reading: [&[&str]; 2] = [&["status"], &["status", "taken"]];
    let all = CHANGING.iter().chain(&reading);
    let of_systemd = all.filter(|words| !matches!(words[0], "resume" | "abort"));
    of_systemd.map(|words| unbooted(words, 1, &says)).collect()
}

/// Apps that are not installed, by every verb that takes a name.
pub(crate) fn unknown_apps() -> Vec<Case> {
    let verbs = [
        "uninstall",
        "status",
        "start",
        "stop",
        "restart",
        "rolling-restart",
        "logs",
        "apply",
        "show",
        "resume",
        "abort",
    ];
    let says = ["no app is called nope", "installed: taken"];
    let mut cases: Vec<Case> = verbs.into_iter().map(|verb| case(&[verb, "nope"], 5, &says)).collect();
    cases.push(case(&["scale", "nope", "2"], 5, &says));
    // One unknown name among known ones stops everything.
    cases.push(case(&["stop", "taken", "nope"], 5, &says));
    cases.push(case(&["uninstall", "taken", "nope"], 5, &says));
    cases
}

/// Command lines that mean nothing.
pub(crate) fn usage() -> Vec<Case> {
    let mut cases: Vec<Case> = ["0", "100000", "many", "1.5"]
        .into_iter()
        .map(|number| case(&["scale", "taken", number], 2, &[number]))
        .collect();
    cases.push(case(
        &["scale", "taken", "-1"],
        2,
        &["0 instances are not possible, only 1 to 512"],
    ));
    cases.push(case(&["frobnicate"], 2, &["frobnicate"]));
    cases.push(case(&["status", "--frobnicate"], 2, &["--frobnicate"]));
    cases.push(case(&["install"], 2, &["NAME"]));
    cases.push(case(&["scale", "taken"], 2, &["required"]));
    cases.push(case(
        &["uninstall", "taken", "--purge"],
        2,
        &["--purge would remove the releases and data of taken", "--yes"],
    ));
    cases
}
