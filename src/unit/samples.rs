//! A spec to vary, for the tests of this folder.

use std::time::Duration;

use super::{Host, SystemdVersion};
use crate::spec::{
    Account, Adapter, AppSpec, Deploy, Instances, Limits, Listen, Ready, ReadyWhen, Restart, Sandbox, SocketAccess,
    Stop, Streams,
};

/// `exec = "node server.js"`, `listen = 3000`, everything else by default.
pub(super) fn spec(name: &str) -> AppSpec {
    AppSpec {
        name: name.parse().expect("tests use valid names"),
        exec: ["node", "server.js"].map(str::to_owned).to_vec(),
        instances: Instances::Fixed(1),
        account: Account::Dynamic,
        listen: vec![Listen::Tcp { host: None, port: 3000 }],
        backlog: 4096,
        socket: SocketAccess::default(),
        directory: None,
        env: Vec::new(),
        env_files: Vec::new(),
        increment: None,
        adapter: Adapter::Node,
        ready: Ready {
            when: ReadyWhen::Listening,
            timeout: Duration::from_mins(1),
            settle: Duration::from_millis(1500),
        },
        stop: Stop {
            signal: 15,
            message: false,
            timeout: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            streams: Streams::Close,
            spread: Duration::from_secs(5),
        },
        restart: Restart {
            delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(30),
            reset_after: Duration::from_secs(10),
        },
        watchdog: Some(Duration::from_mins(1)),
        limits: Limits::default(),
        surge: true,
        sandbox: Sandbox::default(),
        deploy: Deploy::default(),
    }
}

/// Debian 12 with two processors.
pub(super) fn host() -> Host {
    Host {
        systemd: SystemdVersion::OLDEST,
        cpus: 2,
        source: "/etc/appctl/apps/web.toml".into(),
        foreign: Vec::new(),
    }
}
