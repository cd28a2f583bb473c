//! The books of a run: which ids were given out and seen again, and what each request came to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::connection::End;
use super::counts::{Bucket, Counts};
use super::identity::Run;
use super::latency::Histogram;
use super::request::Request;
use super::response;

/// How many losses are described one by one.
const DESCRIBED_LOSSES: usize = 20;

/// One request that was lost, or one answer too many.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loss {
    /// Seconds since the run began.
    pub at: f64,
    /// What became of it.
    pub bucket: Bucket,
    /// The request's id; empty for an answer nobody asked for.
    pub id: String,
    /// Responses that its connection had given before.
    pub answered_before: u64,
    /// Seconds its connection had been idle when the request was written: beyond the server's linger it may have met
    /// a FIN on its way.
    pub idle: f64,
}

/// What a connection had done before a request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    pub answered: u64,
    pub idle: Duration,
}

/// What the books need of a complete response, whatever protocol it came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    pub status: u16,
    pub id: &'a [u8],
    pub pid: Option<u32>,
    pub release: &'a [u8],
    pub close: bool,
    pub body: &'a [u8],
}

/// Everything counted.
#[derive(Debug)]
pub(super) struct Ledger {
    run: Run,
    start: Instant,
    next: u64,
    /// One bit per request number: its id came back.
    seen: Vec<u64>,
    pub counts: Counts,
    pub latency: Histogram,
    pub pids: BTreeMap<u32, u64>,
    pub releases: BTreeMap<String, u64>,
    pub losses: Vec<Loss>,
    pub connections: u64,
    pub told_close: u64,
    pub idle_fins: u64,
    pub idle_rsts: u64,
}

impl Ledger {
    pub(super) fn new(run: Run, start: Instant) -> Self {
        Self {
            run,
            start,
            next: 0,
            seen: Vec::new(),
            counts: Counts::default(),
            latency: Histogram::default(),
            pids: BTreeMap::new(),
            releases: BTreeMap::new(),
            losses: Vec::new(),
            connections: 0,
            told_close: 0,
            idle_fins: 0,
            idle_rsts: 0,
        }
    }

    /// Gives the request an id that no other has.
    pub(super) fn stamp(&mut self, request: &mut Request) {
        request.stamp(&self.run.id(self.next));
        self.next += 1;
    }

    /// What a complete response is to its request.
    pub(super) fn judge(&mut self, request: &Request, answer: &Answered<'_>) -> Bucket {
        self.told_close += u64::from(answer.close);
        let seen_before = self.see(answer.id);
        self.tally(answer.pid, answer.release);
        match answer.status {
            500..=599 => Bucket::ServerError,
            _ if seen_before => Bucket::Duplicate,
            status
                if status == request.status() && answer.id == request.id() && request.is_answered_by(answer.body) =>
            {
                Bucket::Ok
            }
            _ => Bucket::WrongBody,
        }
    }

    fn tally(&mut self, pid: Option<u32>, release: &[u8]) {
        if let Some(pid) = pid {
            *self.pids.entry(pid).or_default() += 1;
        }
        let release = std::str::from_utf8(release).unwrap_or("?");
        match self.releases.get_mut(release) {
            Some(count) => *count += 1,
            None if release.is_empty() => {}
            None => _ = self.releases.insert(release.to_owned(), 1),
        }
    }

    /// Marks an id as seen; true when it was already.
    fn see(&mut self, id: &[u8]) -> bool {
        let Some(number) = self.run.number(id).filter(|&number| number < self.next) else {
            return false;
        };
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if word >= self.seen.len() {
            self.seen.resize(word + 1, 0);
        }
        let before = self.seen[word] & bit != 0;
        self.seen[word] |= bit;
        before
    }

    /// Enters how a request ended.
    pub(super) fn settle(&mut self, request: &Request, bucket: Bucket, latency: Duration, before: Before) {
        self.counts.add(bucket);
        if bucket == Bucket::Ok {
            self.latency.record(latency);
        } else if bucket.is_loss() {
            self.describe(bucket, request.id(), before);
        }
    }

    /// Enters bytes that came when nothing was asked, and says as what.
    pub(super) fn surplus(&mut self, bytes: &[u8], before: Before) -> Bucket {
        let bucket = match response::head(bytes) {
            Ok(Some(head)) if self.see(&bytes[head.id.clone()]) => Bucket::Duplicate,
            _ => Bucket::WrongBody,
        };
        self.broken(bucket, before);
        bucket
    }

    /// Enters a connection that ended as none may, although nothing had been asked.
    pub(super) fn broken(&mut self, bucket: Bucket, before: Before) {
        self.counts.add(bucket);
        self.describe(bucket, b"", before);
    }

    /// Enters the end of a connection that had nothing under way.
    pub(super) fn idle_end(&mut self, end: End) {
        match end {
            End::Fin => self.idle_fins += 1,
            End::Rst => self.idle_rsts += 1,
        }
    }

    fn describe(&mut self, bucket: Bucket, id: &[u8], before: Before) {
        if self.losses.len() < DESCRIBED_LOSSES {
            self.losses.push(Loss {
                at: self.start.elapsed().as_secs_f64(),
                bucket,
                id: String::from_utf8_lossy(id).into_owned(),
                answered_before: before.answered,
                idle: before.idle.as_secs_f64(),
            });
        }
    }
}
