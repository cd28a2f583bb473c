//! The keys of `[deploy]`.

use std::time::Duration;

use super::span_from;
use crate::spec::key::{Key, Section};
use crate::spec::kind::{Commands, OneOrMany, OrOff, Percent, SharedPath, Size, Span, Whole};

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
        &DEPLOY_KEEP,
        &DEPLOY_BAKE,
        &DEPLOY_ERRORS,
        &DEPLOY_BEFORE,
        &DEPLOY_AFTER,
        &DEPLOY_BEFORE_INSTANCE,
        &DEPLOY_AFTER_INSTANCE,
        &DEPLOY_HOOK_TIMEOUT,
    ],
};

pub(in crate::spec) static DEPLOY_KEEP: Key<Whole> = Key {
    name: "keep",
    aka: &["keep_releases", "retain", "retain_containers", "revision_history_limit"],
    kind: Whole { least: 2, most: 1000 },
    default: Some("5"),
    doc: "How many releases are kept. The live one, the one before it and any that still runs are never removed.",
};

pub(in crate::spec) static DEPLOY_BAKE: Key<Span> = Key {
    name: "bake",
    aka: &["bake_time", "min_healthy_time", "soak"],
    kind: span_from(Duration::ZERO),
    default: Some("\"30s\""),
    doc: "How long a new release is watched once all instances run it; a crash within takes it back.",
};

pub(in crate::spec) static DEPLOY_ERRORS: Key<OrOff<Percent>> = Key {
    name: "errors",
    aka: &["error_rate", "max_errors", "error_threshold", "max_5xx"],
    kind: OrOff(Percent {
        most: 100,
        what: "a share of all responses, as in \"5%\"",
        hint: "5 percent is \"5%\"",
    }),
    default: Some("\"5%\""),
    doc: "A release that is watched is taken back when more of its responses than this have a status of 500 or above, \
          at least ten have, and their share is more than twice that of the release before; or \"off\". \
          Counted by the Node adapter.",
};

pub(in crate::spec) static DEPLOY_BEFORE: Key<Commands> = Key {
    name: "before",
    aka: &["pre_deploy", "before_deploy"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands of root that run before a rollout touches anything; one that fails keeps it from beginning.",
};

pub(in crate::spec) static DEPLOY_AFTER: Key<Commands> = Key {
    name: "after",
    aka: &["after_deploy"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands of root that run after a rollout, however it ended: APPCTL_OUTCOME.",
};

pub(in crate::spec) static DEPLOY_BEFORE_INSTANCE: Key<Commands> = Key {
    name: "before_instance",
    aka: &["pre_instance"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands of root that run before an instance is touched, as to take it out of a load balancer; one that \
          fails takes the rollout back.",
};

pub(in crate::spec) static DEPLOY_AFTER_INSTANCE: Key<Commands> = Key {
    name: "after_instance",
    aka: &["post_instance"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands of root that run once the instance is up again or gone.",
};

pub(in crate::spec) static DEPLOY_HOOK_TIMEOUT: Key<Span> = Key {
    name: "hook_timeout",
    aka: &["hooks_timeout"],
    kind: span_from(Duration::from_millis(100)),
    default: Some("\"30s\""),
    doc: "Longest time for each command of before, after, before_instance and after_instance.",
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
