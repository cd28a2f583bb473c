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
use super::response::{self, Head};

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

    /// What a complete response is to its request. `bytes` are those the head was read from.
    pub(super) fn judge(&mut self, request: &Request, head: &Head, bytes: &[u8], body: &[u8]) -> Bucket {
        let id = &bytes[head.id.clone()];
        self.told_close += u64::from(head.close);
        let seen_before = self.see(id);
        self.tally(head, &bytes[head.release.clone()]);
        match head.status {
            500..=599 => Bucket::ServerError,
            _ if seen_before => Bucket::Duplicate,
            200 if id == request.id() && body == request.expected() => Bucket::Ok,
            _ => Bucket::WrongBody,
        }
    }

    fn tally(&mut self, head: &Head, release: &[u8]) {
        if let Some(pid) = head.pid {
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
    pub(super) fn settle(&mut self, request: &Request, bucket: Bucket, latency: Duration, answered_before: u64) {
        self.counts.add(bucket);
        if bucket == Bucket::Ok {
            self.latency.record(latency);
        } else if bucket != Bucket::Declined {
            self.describe(bucket, request.id(), answered_before);
        }
    }

    /// Enters bytes that came when nothing was asked.
    pub(super) fn surplus(&mut self, bytes: &[u8], answered_before: u64) {
        let bucket = match response::head(bytes) {
            Ok(Some(head)) if self.see(&bytes[head.id.clone()]) => Bucket::Duplicate,
            _ => Bucket::WrongBody,
        };
        self.counts.add(bucket);
        self.describe(bucket, b"", answered_before);
    }

    /// Enters the end of a connection that had nothing under way.
    pub(super) fn idle_end(&mut self, end: End) {
        match end {
            End::Fin => self.idle_fins += 1,
            End::Rst => self.idle_rsts += 1,
        }
    }

    fn describe(&mut self, bucket: Bucket, id: &[u8], answered_before: u64) {
        if self.losses.len() < DESCRIBED_LOSSES {
            let at = self.start.elapsed().as_secs_f64();
            self.losses.push(Loss {
                at,
                bucket,
                id: String::from_utf8_lossy(id).into_owned(),
                answered_before,
            });
        }
    }
}
