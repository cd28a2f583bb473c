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
    doc: "How many releases are kept. The live one, the one before it and any that an instance still runs are never \
          removed.",
};

pub(in crate::spec) static DEPLOY_BAKE: Key<Span> = Key {
    name: "bake",
    aka: &["bake_time", "min_healthy_time", "soak"],
    kind: span_from(Duration::ZERO),
    default: Some("\"30s\""),
    doc: "How long a new release is watched once all instances run it; a crash in that time takes it back.",
};

pub(in crate::spec) static DEPLOY_ERRORS: Key<OrOff<Percent>> = Key {
    name: "errors",
    aka: &["error_rate", "max_errors", "error_threshold", "max_5xx"],
    kind: OrOff(Percent {
        most: 100,
        what: "a percentage such as \"5%\"",
        hint: "write 5 percent as \"5%\"",
    }),
    default: Some("\"5%\""),
    doc: "While a new release is watched, it is taken back if more of its responses than this have a status of 500 or \
          above, at least ten do, and their share is more than twice that of the previous release; or \"off\". The \
          Node adapter counts them.",
};

pub(in crate::spec) static DEPLOY_BEFORE: Key<Commands> = Key {
    name: "before",
    aka: &["pre_deploy", "before_deploy"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands that root runs before a rollout touches anything; if one fails, the rollout does not begin.",
};

pub(in crate::spec) static DEPLOY_AFTER: Key<Commands> = Key {
    name: "after",
    aka: &["after_deploy"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands that root runs after every rollout, with its outcome in APPCTL_OUTCOME.",
};

pub(in crate::spec) static DEPLOY_BEFORE_INSTANCE: Key<Commands> = Key {
    name: "before_instance",
    aka: &["pre_instance"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands that root runs before an instance is touched, for example to take it out of a load balancer; if \
          one fails, the rollout is taken back.",
};

pub(in crate::spec) static DEPLOY_AFTER_INSTANCE: Key<Commands> = Key {
    name: "after_instance",
    aka: &["post_instance"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands that root runs once the instance is up again or gone.",
};

pub(in crate::spec) static DEPLOY_HOOK_TIMEOUT: Key<Span> = Key {
    name: "hook_timeout",
    aka: &["hooks_timeout"],
    kind: span_from(Duration::from_millis(100)),
    default: Some("\"30s\""),
    doc: "Time limit of each command of before, after, before_instance and after_instance.",
};

pub(in crate::spec) static DEPLOY_BUILD: Key<Commands> = Key {
    name: "build",
    aka: &["post_deploy", "build_command", "buildcommand", "compile"],
    kind: Commands,
    default: Some("[]"),
    doc: "Builds a release from its source, as the app's user: a command, an array of words, or an array of commands.",
};

pub(in crate::spec) static DEPLOY_BUILD_TIMEOUT: Key<Span> = Key {
    name: "build_timeout",
    aka: &["timeout"],
    kind: span_from(Duration::from_secs(1)),
    default: Some("\"15min\""),
    doc: "Time limit of all commands of build together, and of all commands of release together.",
};

pub(in crate::spec) static DEPLOY_RELEASE: Key<Commands> = Key {
    name: "release",
    aka: &["migrate", "release_command", "tasks"],
    kind: Commands,
    default: Some("[]"),
    doc: "Commands that run once before a new release serves, such as a migration, in the sealed release and as the \
          app's user. Written like build.",
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
    doc: "Files and directories that all releases share, linked to /var/lib/appctl/NAME/shared. A trailing slash \
          means a directory.",
};

pub(in crate::spec) static DEPLOY_MAX_SIZE: Key<Size> = Key {
    name: "max_size",
    aka: &["max_bytes"],
    kind: Size { least: 1 << 20 },
    default: Some("\"16G\""),
    doc: "Maximum size of a release. K, M, G and T are powers of 1024.",
};

pub(in crate::spec) static DEPLOY_MAX_FILES: Key<Whole> = Key {
    name: "max_files",
    aka: &["max_entries"],
    kind: Whole {
        least: 1,
        most: 100_000_000,
    },
    default: Some("1000000"),
    doc: "Maximum number of files, directories and links in a release.",
};
