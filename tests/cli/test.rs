//! One run of `appctl` in a tree of its own. Nothing outside that tree is read that differs between machines.

use std::path::{Path, PathBuf};
use std::process::Output;

use snapbox::cmd::{Command, OutputAssert, cargo_bin};

/// Files, then arguments, then what came of it.
pub(crate) struct Test {
    folder: tempfile::TempDir,
    args: Vec<String>,
    stdin: Vec<u8>,
}

impl Test {
    /// An empty tree; the app's directory is `app` in the working directory.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(folder.path().join("app")).expect("a directory");
        Self {
            folder,
            args: Vec::new(),
            stdin: Vec::new(),
        }
    }

    /// A file below the working directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// What an operator wants of an app.
    pub(crate) fn wanted(self, app: &str, text: &str) -> Self {
        self.file(&format!("root/etc/appctl/apps/{app}.toml"), text)
    }

    /// What is in force.
    pub(crate) fn applied(self, app: &str, text: &str) -> Self {
        self.file(&format!("root/etc/appctl/applied/{app}.toml"), text)
    }

    /// Arguments, separated by spaces.
    pub(crate) fn args(mut self, line: &str) -> Self {
        self.args.extend(line.split_whitespace().map(str::to_owned));
        self
    }

    /// No arguments, for another run in the same tree.
    pub(crate) fn no_args(mut self) -> Self {
        self.args.clear();
        self
    }

    /// What comes on standard input.
    pub(crate) fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = bytes;
        self
    }

    /// One argument as it is.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Where a file of the tree is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs it; the exit code must be `code`. The tree's place is written `[TREE]`.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> OutputAssert {
        let mut places = snapbox::Redactions::new();
        let tree = self.folder.path().to_str().expect("a text").to_owned();
        places.insert("[TREE]", tree).expect("a name in brackets");
        let config = snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .redact_with(places);
        self.command().with_assert(config).assert().code(code)
    }

    /// Runs it with everything in its output that a terminal would get.
    #[track_caller]
    pub(crate) fn exits_on_terminal(&self, code: i32) -> Output {
        let output = self.command().env("CLICOLOR_FORCE", "1").output().expect("it runs");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        output
    }

    fn command(&self) -> Command {
        Command::new(cargo_bin!("appctl"))
            .args(&self.args)
            .stdin(self.stdin.clone())
            .current_dir(self.folder.path())
            .env("APPCTL_ROOT", self.path("root"))
            .env("COLUMNS", "100")
            .env_remove("NO_COLOR")
    }

    /// Runs it like [`Test::exits`]; every file must be as it was before.
    #[track_caller]
    pub(crate) fn exits_and_changes_nothing(&self, code: i32) -> OutputAssert {
        let before = listing(self.folder.path());
        let output = self.exits(code);
        assert_eq!(listing(self.folder.path()), before);
        output
    }
}

/// All paths of a tree, with the texts of its files.
fn listing(folder: &Path) -> Vec<(PathBuf, Option<String>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(listing(&path));
        }
        let text = std::fs::read_to_string(&path).ok();
        found.push((path, text));
    }
    found.sort();
    found
}
