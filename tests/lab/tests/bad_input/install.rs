//! What `appctl install` refuses.

use crate::case::{Case, case};

const NAMED: &str = "a name can contain only a-z, 0-9, '_' and '-'";
const BEGINS: &str = "a name must begin with a lower-case letter or a digit";

/// The directory and what is in it.
pub(crate) fn directories() -> Vec<Case> {
    let unreadable = &["install", "x", "/srv/private/app", "--in-place", "--listen", "3001"];
    vec![
        case(
            &["install", "x", "/srv/none"],
            3,
            &["/srv/none cannot be opened: No such file", "name the app's directory"],
        ),
        case(&["install", "x", "/srv/empty"], 3, &["/srv/empty is empty", "--exec"]),
        case(
            &["install", "x", "/srv/app/server.js"],
            3,
            &["/srv/app/server.js is not a directory"],
        ),
        case(&["install", "x", "/"], 3, &["/ is the root directory"]),
        case(
            &[unreadable, &["--user", "reader"][..]].concat(),
            3,
            &[
                "user reader cannot read /srv/private",
                "setfacl -m u:reader:rX /srv/private",
                "--in-place",
            ],
        ),
        case(
            unreadable,
            3,
            &[
                "the app's own account cannot read /srv/private",
                "chmod o+rX /srv/private",
            ],
        ),
        // An account that is yet to be made is not made for this.
        case(
            &[unreadable, &["--user", "newcomer"][..]].concat(),
            3,
            &["user newcomer cannot read /srv/private"],
        ),
    ]
}

/// What to run.
pub(crate) fn programs() -> Vec<Case> {
    let run = |exec: &'static str| ["install", "x", "/srv/app", "--listen", "3001", "--exec", exec];
    vec![
        case(
            &run("nonode server.js"),
            3,
            &["there is no program \"nonode\"", "install nonode"],
        ),
        case(
            &run("/opt/nonode server.js"),
            3,
            &["/opt/nonode cannot be run: No such file"],
        ),
        case(
            &run("./server.js"),
            3,
            &[
                "server.js cannot be run: its mode lets no account execute it",
                "chmod +x",
            ],
        ),
        case(&run("node server.js && true"), 2, &["`&&` works only in a shell"]),
        case(&run("node 'server.js"), 2, &["--exec cannot be split into words"]),
        case(
            &["install", "x", "/srv/app", "--env-file", "/srv/none.env"],
            3,
            &["/srv/none.env", "No such file"],
        ),
    ]
}

/// Names: each would mean something else to systemd, to a path or to a terminal.
pub(crate) fn names() -> Vec<Case> {
    let long = "x".repeat(300);
    let bad = [
        ("a/b", NAMED),
        ("..", BEGINS),
        ("a@b", NAMED),
        ("a b", NAMED),
        ("a\nb", NAMED),
        ("naïve", NAMED),
        ("日本", BEGINS),
        ("UPPER", BEGINS),
        ("a.service", NAMED),
        ("%n", BEGINS),
        ("", "a name must not be empty"),
        (long.as_str(), "at most 63 characters; this one has 300"),
    ];
    let install = |(name, says): (&str, &str)| case(&["install", name, "/srv/app"], 2, &[says]);
    bad.into_iter().map(install).collect()
}

/// Names that systemd knows already: a service, a template, an alias, and one that only runs.
pub(crate) fn taken_names() -> Vec<Case> {
    let units = [
        ("dbus", "dbus.service"),
        ("getty", "getty@.service"),
        ("autovt", "autovt@.service"),
        ("foreign", "foreign.service"),
    ];
    let refused = |(name, unit): (&str, &str)| {
        let another = format!("another name, such as {name}-app");
        case(
            &["install", name, "/srv/app", "--listen", "3001"],
            3,
            &[unit, "does not belong to appctl", &another],
        )
    };
    let mut cases: Vec<Case> = units.into_iter().map(refused).collect();
    let again = [
        "taken is installed already",
        "appctl apply taken",
        "appctl uninstall taken",
    ];
    cases.push(case(&["install", "taken", "/srv/app"], 3, &again));
    cases
}

/// Ports and sockets that cannot be had.
pub(crate) fn addresses() -> Vec<Case> {
    let listen = |address: &'static str| ["install", "x", "/srv/app", "--listen", address];
    vec![
        case(&listen("3999"), 3, &["port 3999 is in use by node (pid ", "--listen"]),
        case(&listen("127.0.0.1:3999"), 3, &["port 3999 is in use by node (pid "]),
        case(&listen("3100"), 3, &["taken", "3100", "another address"]),
        case(&listen("127.0.0.1:3100"), 3, &["taken", "3100"]),
        case(
            &listen("192.0.2.1:3001"),
            3,
            &["no interface of this machine has the address", "ip address"],
        ),
        case(
            &listen("/srv/app/server.js"),
            3,
            &["/srv/app/server.js exists and is not a socket", "another path"],
        ),
        case(&listen("70000"), 2, &["70000"]),
        case(&listen("0"), 2, &["'0'"]),
        case(&listen("somewhere:3001"), 2, &["somewhere:3001"]),
    ]
}

/// How many, and as whom.
pub(crate) fn instances_and_users() -> Vec<Case> {
    let range = "expected a number from 1 to 512, max or max-1";
    let with =
        |option: &'static str, value: &'static str| ["install", "x", "/srv/app", "--listen", "3001", option, value];
    let mut cases: Vec<Case> = ["0", "-1", "100000", "many", "1.5", "max+1"]
        .into_iter()
        .map(|number| case(&with("--instances", number), 2, &[range]))
        .collect();
    for root in ["root", "0"] {
        cases.push(case(&with("--user", root), 3, &["would run as root", "--allow-root"]));
    }
    cases.push(case(&with("--user", "../etc"), 3, &["user"]));
    cases.push(case(&with("--user", "a b"), 3, &["user"]));
    cases.push(case(&with("--env", "novalue"), 2, &["novalue"]));
    let group = [&with("--user", "reader")[..], &["--group", "nogroup-here"]].concat();
    cases.push(case(&group, 3, &["there is no group \"nogroup-here\"", "groupadd"]));
    cases
}
