//! Names of environment variables: their syntax, and those that are not the user's to set.

/// Most bytes of `NAME=value`: the kernel's limit for one string of execve(2), less its end.
pub(super) const LONGEST: usize = 128 * 1024 - 1;

/// Whether a shell and systemd.exec(5) take this for a variable's name.
pub(super) fn is_variable_name(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Why a variable cannot be set by the user: what is told to each instance about itself would be overwritten.
pub(super) fn reserved(name: &str) -> Option<&'static str> {
    match name {
        "LISTEN_PID" | "LISTEN_FDS" | "LISTEN_FDNAMES" | "LISTEN_PIDFDID" => {
            Some("it tells the app which sockets it was given")
        }
        "NOTIFY_SOCKET" | "WATCHDOG_PID" | "WATCHDOG_USEC" | "MAINPID" | "FDSTORE" => {
            Some("it is how an instance reports to systemd")
        }
        "INSTANCE" | "NODE_APP_INSTANCE" | "NODE_UNIQUE_ID" => Some("it differs between the instances of an app"),
        "NODE_CHANNEL_FD" | "NODE_CHANNEL_SERIALIZATION_MODE" => Some("it is how an app says that it is ready"),
        "RUNTIME_DIRECTORY" | "STATE_DIRECTORY" | "INVOCATION_ID" | "JOURNAL_STREAM" => {
            Some("systemd sets it for each instance")
        }
        _ if name.starts_with("APPCTL_") => Some("names that begin with APPCTL_ are appctl's own"),
        _ => None,
    }
}
