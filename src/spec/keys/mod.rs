//! Every key of the file, once: the reader, "did you mean" and `packaging/appctl.schema.json` follow from this table.

mod deploy;
mod life;
mod limits;
mod ready;
mod sandbox;
mod watchdog;

use std::time::Duration;

use crate::spec::Adapter;
use crate::spec::key::{Key, Section};
use crate::spec::kind::{
    AccountName, Address, Choice, Directory, EnvFilePath, Exec, Flag, InstanceCount, Mode, OneOrMany, Span,
    VariableName, Variables, Whole,
};

pub(in crate::spec) use deploy::{
    DEPLOY, DEPLOY_AFTER, DEPLOY_AFTER_INSTANCE, DEPLOY_BAKE, DEPLOY_BEFORE, DEPLOY_BEFORE_INSTANCE, DEPLOY_BUILD,
    DEPLOY_BUILD_TIMEOUT, DEPLOY_ERRORS, DEPLOY_HOOK_TIMEOUT, DEPLOY_KEEP, DEPLOY_MAX_FILES, DEPLOY_MAX_SIZE,
    DEPLOY_RELEASE, DEPLOY_SHARED,
};
pub(in crate::spec) use life::{
    RESTART, RESTART_DELAY, RESTART_MAX_DELAY, RESTART_RESET_AFTER, ROLLOUT, ROLLOUT_SURGE, STOP, STOP_LINGER,
    STOP_MESSAGE, STOP_SIGNAL, STOP_SPREAD, STOP_STREAMS, STOP_TIMEOUT,
};
pub(in crate::spec) use limits::{
    LIMITS, LIMITS_CPU, LIMITS_MEMORY, LIMITS_MEMORY_HIGH, LIMITS_OPEN_FILES, LIMITS_TASKS,
};
pub(in crate::spec) use ready::{
    Proof, READY, READY_AFTER, READY_PATH, READY_SETTLE, READY_STATUS, READY_TIMEOUT, READY_WHEN,
};
pub(in crate::spec) use sandbox::{
    ALLOWED, LEVELS, SANDBOX, SANDBOX_ALLOW, SANDBOX_LEVEL, SANDBOX_TABLE, SANDBOX_WRITE,
};
pub(in crate::spec) use watchdog::{WATCHDOG, WATCHDOG_INTERVAL};

const DAY: Duration = Duration::from_hours(24);

const fn span_from(least: Duration) -> Span {
    Span { least, most: DAY }
}

pub(in crate::spec) static APP: Section = Section {
    name: "",
    doc: "One app that appctl runs: /etc/appctl/apps/NAME.toml",
    required: &["exec"],
    keys: &[
        &EXEC,
        &INSTANCES,
        &USER,
        &GROUP,
        &ALLOW_ROOT,
        &LISTEN,
        &BACKLOG,
        &SOCKET_MODE,
        &SOCKET_USER,
        &SOCKET_GROUP,
        &DIRECTORY,
        &ENV,
        &ENV_FILE,
        &INCREMENT,
        &ADAPTER,
        &SANDBOX,
        &READY,
        &STOP,
        &RESTART,
        &ROLLOUT,
        &WATCHDOG,
        &LIMITS,
        &DEPLOY,
    ],
};

pub(in crate::spec) static EXEC: Key<Exec> = Key {
    name: "exec",
    aka: &["script", "command", "cmd", "run", "start", "exec_start", "execstart"],
    kind: Exec,
    default: None,
    doc: "What to run: a string, split into words as a shell would but never given to one, or an array of words.",
};

pub(in crate::spec) static INSTANCES: Key<InstanceCount> = Key {
    name: "instances",
    aka: &["instance", "replicas", "workers", "scale", "processes", "count"],
    kind: InstanceCount,
    default: Some("1"),
    doc: "How many instances serve. \"max\" is one for each processor this machine may use, \"max-1\" one less.",
};

pub(in crate::spec) static USER: Key<AccountName> = Key {
    name: "user",
    aka: &["uid", "run_as", "username"],
    kind: AccountName,
    default: None,
    doc: "The system account the app runs as. Without it, an account of its own (DynamicUser=).",
};

pub(in crate::spec) static GROUP: Key<AccountName> = Key {
    name: "group",
    aka: &["gid"],
    kind: AccountName,
    default: None,
    doc: "The group the app runs as. Without it, the user's own group.",
};

pub(in crate::spec) static ALLOW_ROOT: Key<Flag> = Key {
    name: "allow_root",
    aka: &[],
    kind: Flag,
    default: Some("false"),
    doc: "Confirms that user = \"root\" is meant.",
};

pub(in crate::spec) static LISTEN: Key<OneOrMany<Address>> = Key {
    name: "listen",
    aka: &["port", "ports", "bind", "socket", "address"],
    kind: OneOrMany(Address),
    default: Some("[]"),
    doc: "What the app listens on, one or several: a port, an address with a port, or the path of a unix socket. \
          systemd holds it, so that it stays open while instances come and go.",
};

pub(in crate::spec) static BACKLOG: Key<Whole> = Key {
    name: "backlog",
    aka: &[],
    kind: Whole {
        least: 1,
        most: 1_000_000,
    },
    default: Some("4096"),
    doc: "Number of connections that may wait to be accepted; the kernel caps it at net.core.somaxconn.",
};

pub(in crate::spec) static SOCKET_MODE: Key<Mode> = Key {
    name: "socket_mode",
    aka: &["socketmode", "mode", "listen_mode"],
    kind: Mode,
    default: Some("\"0660\""),
    doc: "Permissions of the unix sockets in listen: an account that may write may connect. \"0666\" lets every \
          account of this machine connect.",
};

pub(in crate::spec) static SOCKET_USER: Key<AccountName> = Key {
    name: "socket_user",
    aka: &["socketuser", "listen_owner"],
    kind: AccountName,
    default: None,
    doc: "The owner of the unix sockets in listen. Without it, the user the app runs as, or root for an app without \
          user.",
};

pub(in crate::spec) static SOCKET_GROUP: Key<AccountName> = Key {
    name: "socket_group",
    aka: &["socketgroup", "listen_group"],
    kind: AccountName,
    default: None,
    doc: "The group of the unix sockets in listen, whose members may connect: the proxy's, such as \"www-data\". \
          Without it, the group the app runs as, or root for an app without user.",
};

pub(in crate::spec) static DIRECTORY: Key<Directory> = Key {
    name: "directory",
    aka: &["cwd", "workdir", "working_directory", "workingdirectory", "dir", "root"],
    kind: Directory,
    default: None,
    doc: "The directory in which the app runs in place. Without it, the app runs in its live release, \
          /var/lib/appctl/NAME/current.",
};

pub(in crate::spec) static ENV: Key<Variables> = Key {
    name: "env",
    aka: &["environment", "env_vars", "envs", "vars"],
    kind: Variables,
    default: Some("{}"),
    doc: "Environment variables of the app. Not for secrets: these are set by appctl env NAME set.",
};

pub(in crate::spec) static ENV_FILE: Key<OneOrMany<EnvFilePath>> = Key {
    name: "env_file",
    aka: &["env_files", "environment_file", "dotenv", "envfile"],
    kind: OneOrMany(EnvFilePath),
    default: Some("[]"),
    doc: "One or several files of NAME=value lines; later ones override earlier ones and env. With \"-\" before its \
          path, a file may be missing. systemd reads a file that only root can change; any other is read after all of \
          those, with the app's rights.",
};

pub(in crate::spec) static INCREMENT: Key<VariableName> = Key {
    name: "increment",
    aka: &["increment_var"],
    kind: VariableName,
    default: None,
    doc: "A variable with a number, such as METRICS_PORT = 9100: each instance adds its own number, from 0; the surge \
          instance adds 1000. Not for the port in listen, which all instances share.",
};

pub(in crate::spec) static ADAPTER: Key<Choice<Adapter>> = Key {
    name: "adapter",
    aka: &["runtime", "interpreter"],
    kind: Choice(&[("node", Adapter::Node), ("none", Adapter::None)]),
    default: None,
    doc: "What is loaded into the app so that it takes over the held sockets and drains. \
          Without it, \"node\" when exec runs node, npm, npx, yarn, pnpm, tsx and the like, else \"none\".",
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::APP;
    use crate::spec::key::Described;

    #[test]
    fn no_two_keys_of_a_table_answer_to_one_name() {
        let sections = APP.keys.iter().filter_map(|key| key.section()).chain([&APP]);
        for section in sections {
            let mut seen = HashSet::new();
            for name in section
                .keys
                .iter()
                .flat_map(|key| key.aka().iter().copied().chain([key.name()]))
            {
                assert!(seen.insert(name), "{name} twice in [{}]", section.name());
            }
        }
    }
}
