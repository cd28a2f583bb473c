//! A release is what its source was, minus what root must not take over.

use std::ffi::CStr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::{Access, Bounds, DEEPEST, Event, Ignore, Plan, TreeError, Walk, copy};

const ENOUGH: Bounds = Bounds {
    entries: 1000,
    bytes: 1000,
};

static NEVER: AtomicBool = AtomicBool::new(false);

fn plan(bounds: Bounds) -> Plan<'static> {
    Plan {
        owner: None,
        access: Access::Sealed,
        bounds,
        before: None,
        stop: &NEVER,
    }
}

const LARGE: Bounds = Bounds {
    entries: 1000,
    bytes: 1 << 20,
};

struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(folder.path().join("from")).expect("a directory");
        Self { folder }
    }

    fn file(self, name: &str, text: &str, mode: u32) -> Self {
        let path = self.folder.path().join("from").join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        self
    }

    fn link(self, name: &str, target: &str) -> Self {
        symlink(target, self.folder.path().join("from").join(name)).expect("a link");
        self
    }

    fn copy(&self, bounds: Bounds) -> Result<super::Copied, TreeError> {
        self.copy_as(bounds, Ignore::nothing())
    }

    fn copy_as(&self, bounds: Bounds, ignore: Ignore) -> Result<super::Copied, TreeError> {
        let walk = Walk::open(&self.folder.path().join("from"), ignore)?;
        copy(walk, &self.to(""), plan(bounds))
    }

    fn to(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("to").join(name)
    }

    fn mode(&self, name: &str) -> u32 {
        std::fs::symlink_metadata(self.to(name))
            .expect("metadata")
            .permissions()
            .mode()
            & 0o7777
    }
}

#[test]
fn copies_files_links_and_who_may_execute() {
    let tree = Tree::new()
        .file("server.js", "listen", 0o600)
        .file("node_modules/x/cli.js", "cli", 0o4777)
        .file(".git/config", "secret", 0o600)
        .link("node_modules/bin", "x/cli.js");
    let copied = tree.copy(ENOUGH).expect("a copy");
    assert_eq!((copied.entries, copied.bytes), (5, 9));
    assert_eq!(
        std::fs::read_to_string(tree.to("node_modules/bin")).expect("through the link"),
        "cli"
    );
    assert_eq!(tree.mode("server.js"), 0o640);
    assert_eq!(tree.mode("node_modules/x/cli.js"), 0o750);
    assert_eq!(tree.mode("node_modules"), 0o750);
    assert!(!tree.to(".git").exists());
}

#[test]
fn names_the_link_that_would_leave_the_release() {
    for target in ["/etc/shadow", "/usr/../etc/shadow", "../outside", "x/../../outside"] {
        let error = Tree::new().link("bad", target).copy(ENOUGH).expect_err("refused");
        assert!(
            matches!(&error, TreeError::Escapes { path, .. } if path == Path::new("bad")),
            "{error}"
        );
    }
}

#[test]
fn takes_no_fifo_for_a_file() {
    let tree = Tree::new();
    let path = tree.folder.path().join("from/pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    assert!(matches!(
        tree.copy(ENOUGH),
        Err(TreeError::Special { kind: "fifo", .. })
    ));
}

#[test]
fn stops_at_the_bounds() {
    let tree = Tree::new().file("big", &"x".repeat(1001), 0o600);
    assert!(matches!(
        tree.copy(ENOUGH),
        Err(TreeError::TooMuch { what: "bytes", .. })
    ));
    let tree = Tree::new().file("a", "", 0o600).file("b", "", 0o600);
    let one = Bounds { entries: 1, bytes: 1 };
    assert!(matches!(tree.copy(one), Err(TreeError::TooMuch { what: "files", .. })));
}

#[test]
fn goes_no_deeper_than_any_app_does() {
    let most = Tree::new().file(&format!("{}x", "d/".repeat(DEEPEST)), "", 0o600);
    assert!(most.copy(ENOUGH).is_ok_and(|copied| copied.entries == 101));
    let more = Tree::new().file(&format!("{}x", "d/".repeat(DEEPEST + 1)), "", 0o600);
    let error = more.copy(ENOUGH).expect_err("too deep");
    assert_eq!(error.to_string(), "d/d/d/d/d has more than 100 levels of directories");
}

/// The walk may be a process of the tree's owner.
#[test]
fn believes_no_walk() {
    let enter = |name: &CStr| Event::Enter(name.to_owned());
    let link = |name: &CStr, target: &str| Event::Link(name.to_owned(), target.into());
    let fifo = || {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("fifo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        let open = std::fs::File::options().read(true).write(true).open(path);
        Event::File(c"x".to_owned(), open.expect("opened"))
    };
    for events in [
        vec![enter(c"..")],
        vec![enter(c"a/../..")],
        vec![enter(c"")],
        vec![link(c"../x", "y")],
        vec![link(c"x", "/etc/shadow")],
        vec![enter(c"a"), Event::Leave, link(c"x", "../y")],
        vec![link(c"a", "."), enter(c"a")],
        vec![Event::Leave],
        vec![enter(c"a")],
        vec![fifo()],
        std::iter::repeat_with(|| enter(c"a")).take(DEEPEST + 1).collect(),
    ] {
        let (said, folder) = (format!("{events:?}"), tempfile::tempdir().expect("a directory"));
        let result = copy(events.into_iter().map(Ok), &folder.path().join("to"), plan(ENOUGH));
        assert!(result.is_err(), "{said}");
    }
}

#[test]
fn rules_that_would_take_for_ever_are_refused() {
    let refused = |text: &str| {
        let tree = Tree::new().file("x/.gitignore", text, 0o600);
        tree.copy_as(ENOUGH, Ignore::as_written(false))
            .expect_err("refused")
            .to_string()
    };
    let long = "x".repeat(501);
    assert_eq!(
        refused(&format!("# {long}\n\n{long}")),
        "line 3 of x/.gitignore is longer than 500 bytes"
    );
    assert_eq!(
        refused(&"*a".repeat(17)),
        "line 1 of x/.gitignore has more than 16 wildcards"
    );
    let many = "a\n".repeat(1001);
    assert!(refused(&many).starts_with("line 1001 of x/.gitignore is one rule too many"));
    let all = "a\n".repeat(1000);
    let enough = || {
        (0..10).fold(Tree::new(), |tree, n| {
            tree.file(&format!("{n}/.gitignore"), &all, 0o600)
        })
    };
    assert!(enough().copy_as(LARGE, Ignore::as_written(false)).is_ok());
    let one_more = enough().file("x/.appctlignore", "a", 0o600);
    let error = one_more.copy_as(LARGE, Ignore::as_written(false)).expect_err("refused");
    assert!(error.to_string().contains("10000 in all"), "{error}");
}
