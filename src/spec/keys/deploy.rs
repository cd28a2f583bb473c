//! The keys of `[deploy]`.

use std::time::Duration;

use super::span_from;
use crate::spec::key::{Key, Section};
use crate::spec::kind::{Commands, OneOrMany, SharedPath, Size, Span, Whole};

pub(in crate::spec) static DEPLOY: Section = Section {
    name: "deploy",
    doc: "How releases are made and put in force: appctl deploy.",
    required: &[],
    keys: &[
        &DEPLOY_BUILD,
        &DEPLOY_BUILD_TIMEOUT,
        &DEPLOY_RELEASE,
        &DEPLOY_SHARED,
        &DEPLOY_MAX_SIZE,
        &DEPLOY_MAX_FILES,
    ],
};

pub(in crate::spec) static DEPLOY_BUILD: Key<Commands> = Key {
    name: "build",
    aka: &["post_deploy", "build_command", "buildcommand", "compile"],
    kind: Commands,
    default: Some("[]"),
    doc: "Makes a release out of its source, as the app's user: a command, an array of words, or an array of commands.",
};

pub(in crate::spec) static DEPLOY_BUILD_TIMEOUT: Key<Span> = Key {
    name: "build_timeout",
    aka: &["timeout"],
    kind: span_from(Duration::from_secs(1)),
    default: Some("\"15min\""),
    doc: "Longest time for all commands of build, and for all commands of release.",
};

pub(in crate::spec) static DEPLOY_RELEASE: Key<Commands> = Key {
    name: "release",
    aka: &["migrate", "release_command", "tasks"],
    kind: Commands,
    default: Some("[]"),
    doc: "Runs once before a new release serves, in the sealed release, as the app's user. Written like build.",
};

pub(in crate::spec) static DEPLOY_SHARED: Key<OneOrMany<SharedPath>> = Key {
    name: "shared",
    aka: &[
        "shared_files",
        "shared_dirs",
        "shared_paths",
        "linked_files",
        "linked_dirs",
    ],
    kind: OneOrMany(SharedPath),
    default: Some("[]"),
    doc: "Files and directories that all releases have in common, linked to /var/lib/appctl/NAME/shared. A slash at \
          the end says that it is a directory.",
};

pub(in crate::spec) static DEPLOY_MAX_SIZE: Key<Size> = Key {
    name: "max_size",
    aka: &["max_bytes"],
    kind: Size { least: 1 << 20 },
    default: Some("\"16G\""),
    doc: "Largest release. K, M, G and T are powers of 1024.",
};

pub(in crate::spec) static DEPLOY_MAX_FILES: Key<Whole> = Key {
    name: "max_files",
    aka: &["max_entries"],
    kind: Whole {
        least: 1,
        most: 100_000_000,
    },
    default: Some("1000000"),
    doc: "Most files, directories and links of a release.",
};
