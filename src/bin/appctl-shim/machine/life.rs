//! What is known of an instance, whatever phase it is in. Pure.

use appctl::contract::{ShimState, ShimStatus};

use super::event::{Millis, Note};
use super::peers::Peers;
use super::report::Report;
use super::rules::Rules;
use crate::backoff::Record;

/// One instance.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) rules: Rules,
    pub(super) peers: Peers,
    pub(super) report: Report,
    pub(super) record: Record,
    pub(super) pid: Option<u32>,
    pub(super) release: Option<String>,
    /// Why it failed, or what it waits for.
    pub(super) remark: Option<String>,
    /// What the app says of itself.
    pub(super) words: Option<String>,
    /// The port that it listens on, and its socket does not.
    pub(super) elsewhere: Option<u16>,
    /// A wrong port was warned of.
    pub(super) warned: bool,
}

impl Life {
    pub(super) fn new(rules: Rules, record: Record) -> Self {
        Self {
            rules,
            record,
            peers: Peers::default(),
            report: Report::default(),
            pid: None,
            release: None,
            remark: None,
            words: None,
            elsewhere: None,
            warned: false,
        }
    }

    /// Until the next crash it tells how the last one went: a person who started the app again may ask only now.
    pub(super) fn status(&self, state: ShimState) -> ShimStatus {
        let runs = match state {
            ShimState::Starting | ShimState::Ready => true,
            ShimState::BackingOff | ShimState::Draining | ShimState::Failed => false,
        };
        let last = Some(&self.record).filter(|record| runs && record.crashes > 0);
        ShimStatus {
            state,
            pid: self.pid,
            release: self.release.clone(),
            responses: self.peers.responses(),
            elsewhere: self.elsewhere.or(last.and_then(|record| record.elsewhere)),
            words: self.words.clone(),
            signal: self.record.signal.filter(|_| self.record.crashes > 0),
            crashes: self.record.crashes,
            remark: self.remark.clone().or(last.map(|record| record.reason.clone())),
        }
    }

    /// One crash more in the record.
    pub(super) fn count_crash(&mut self, signal: Option<i32>, reason: &str, now: Millis) {
        self.pid = None;
        self.record = Record {
            elsewhere: self.elsewhere,
            signal,
            ..self.rules.backoff.crashed(&self.record, reason, now)
        };
    }

    /// A port beside ours is only a mistake while none of ours is listened on.
    pub(super) fn minds_elsewhere(&self, port: u16) -> bool {
        port != 0 && !self.rules.held.is_empty() && !self.peers.listening()
    }

    pub(super) fn wrong_port(&self, port: u16) -> Note {
        let (app, held) = (&self.rules.app, &self.rules.held);
        let advice = format!(
            "{app} listens on port {port}, but its socket holds {held}: \
             set listen = {port} in /etc/appctl/apps/{app}.toml and run \"appctl apply {app}\""
        );
        Note::WrongPort { port, advice }
    }
}
