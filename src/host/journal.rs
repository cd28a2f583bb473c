//! A journalctl(1) child with fixed arguments. Of its entries, which an app may make as large as it likes, only the
//! beginnings are kept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};

use crate::contract::{MESSAGE_ID, OPERATION_ID};
use crate::observe::journal::{FIELDS, Fields, Reader};
use crate::spec::AppName;

mod send;

pub use send::send;

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Units by full name; entries of any of them.
    pub units: Vec<String>,
    /// Slices by full name; entries of anything in any of them, too.
    pub slices: Vec<String>,
    /// Apps; what operators did with any of them, too.
    pub operations: Vec<AppName>,
    /// Go on with new entries.
    pub follow: bool,
    /// At most this many old entries.
    pub lines: Option<u32>,
    /// At most this many of the newest entries, the newest first.
    pub newest: Option<u32>,
    /// From this time on, systemd.time(7).
    pub since: Option<String>,
    /// Behind the entry of this cursor.
    pub after: Option<String>,
    /// Only this run of a unit, 32 hexadecimal digits.
    pub invocation: Option<String>,
    /// Only notes of these runs' main processes, by invocation id: no other process can add to what is read.
    pub notes_of: BTreeMap<String, u32>,
}

/// Returns once journald has read and written all that was told to it before.
pub async fn sync() -> io::Result<()> {
    let mut command = Command::new("journalctl");
    command
        .arg("--sync")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = command.kill_on_drop(true).status().await?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("journalctl --sync: {status}")))
    }
}

/// Entries of a running journalctl. The child ends with it.
#[derive(Debug)]
pub struct Journal {
    child: Child,
    stdout: ChildStdout,
    reader: Reader,
    piece: Vec<u8>,
    read: VecDeque<Fields>,
}

/// Bytes that are read at once.
const PIECE: usize = 16 << 10;

impl Query {
    fn arguments(&self) -> Vec<String> {
        let fixed = ["--output=export", "--no-pager", "--quiet"];
        let mut arguments: Vec<String> = fixed.map(str::to_owned).into();
        arguments.push(format!("--output-fields={}", FIELDS.join(",")));
        arguments.extend(self.follow.then(|| "--follow".to_owned()));
        arguments.extend(self.newest.map(|_| "--reverse".to_owned()));
        arguments.push(
            self.lines
                .or(self.newest)
                .map_or_else(|| "--no-tail".to_owned(), |lines| format!("--lines={lines}")),
        );
        arguments.extend(self.after.as_ref().map(|cursor| format!("--after-cursor={cursor}")));
        arguments.extend(self.since.as_ref().map(|since| format!("--since={since}")));
        // Matches of one field are alternatives, and `+` separates alternatives of different fields.
        arguments.extend(self.units.iter().map(|unit| format!("_SYSTEMD_UNIT={unit}")));
        arguments.extend(self.invocation.iter().map(|id| format!("_SYSTEMD_INVOCATION_ID={id}")));
        if !self.notes_of.is_empty() {
            let pids: BTreeSet<_> = self.notes_of.values().collect();
            arguments.extend([format!("MESSAGE_ID={MESSAGE_ID}"), "_TRANSPORT=journal".to_owned()]);
            arguments.extend(self.notes_of.keys().map(|id| format!("_SYSTEMD_INVOCATION_ID={id}")));
            arguments.extend(pids.iter().map(|pid| format!("_PID={pid}")));
        }
        if !self.units.is_empty() && !self.slices.is_empty() {
            arguments.push("+".to_owned());
        }
        arguments.extend(self.slices.iter().map(|slice| format!("_SYSTEMD_SLICE={slice}")));
        if !self.operations.is_empty() {
            let by_root = [
                "+".to_owned(),
                "_UID=0".to_owned(),
                format!("MESSAGE_ID={OPERATION_ID}"),
            ];
            arguments.extend(by_root);
            arguments.extend(self.operations.iter().map(|app| format!("APPCTL_APP={app}")));
        }
        arguments
    }

    /// Starts reading. Complaints of journalctl go where ours go.
    pub fn open(&self) -> io::Result<Journal> {
        let mut child = Command::new("journalctl")
            .args(self.arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no pipe to journalctl"))?;
        Ok(Journal {
            child,
            stdout,
            reader: Reader::default(),
            piece: vec![0; PIECE],
            read: VecDeque::new(),
        })
    }
}

impl Journal {
    /// The next entry; `None` at the end. Ask [`Journal::finish`] then.
    pub async fn next(&mut self) -> io::Result<Option<Fields>> {
        while self.read.is_empty() {
            let length = self.stdout.read(&mut self.piece).await?;
            if length == 0 {
                return Ok(None);
            }
            let fed = self
                .reader
                .feed(&self.piece[..length], |fields| self.read.push_back(fields));
            fed.map_err(io::Error::other)?;
        }
        Ok(self.read.pop_front())
    }

    /// Waits for the child; an error when it failed.
    pub async fn finish(mut self) -> io::Result<()> {
        let status = self.child.wait().await?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("journalctl: {status}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn a_time_that_looks_like_an_option_stays_one_argument() {
        let query = Query {
            since: Some("--rotate".into()),
            lines: Some(5),
            ..Query::default()
        };
        let arguments = query.arguments();
        assert!(arguments.contains(&"--since=--rotate".to_owned()));
        assert!(arguments.contains(&"--lines=5".to_owned()));
    }

    #[test]
    fn notes_are_those_of_certain_processes() {
        let query = Query {
            notes_of: [("ab".to_owned(), 7), ("cd".to_owned(), 8)].into(),
            ..Query::default()
        };
        let arguments = query.arguments().join(" ");
        let matches = "_SYSTEMD_INVOCATION_ID=ab _SYSTEMD_INVOCATION_ID=cd _PID=7 _PID=8";
        assert!(
            arguments.ends_with(matches) && arguments.contains(" MESSAGE_ID="),
            "{arguments}"
        );
    }

    #[test]
    fn units_slices_and_operations_are_alternatives() {
        let query = Query {
            units: vec!["a@1.service".into()],
            slices: vec!["appctl-a.slice".into()],
            operations: vec!["a".parse().expect("a name")],
            ..Query::default()
        };
        let arguments = query.arguments();
        let matches: Vec<_> = arguments
            .iter()
            .filter(|argument| !argument.starts_with("--"))
            .collect();
        assert_eq!(
            matches,
            [
                "_SYSTEMD_UNIT=a@1.service",
                "+",
                "_SYSTEMD_SLICE=appctl-a.slice",
                "+",
                "_UID=0",
                &format!("MESSAGE_ID={}", super::OPERATION_ID),
                "APPCTL_APP=a",
            ]
        );
    }
}
