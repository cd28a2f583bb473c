//! One of a plan's connections at a time: connect, write, read, judge. The shapes are made of these steps.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::clock::{Budget, Stop};
use super::connection::{Connection, End, Fault, Idle};
use super::counts::Bucket;
use super::ledger::Ledger;
use super::plan::Plan;
use super::request::Request;
use super::stream::Sources;

/// How long a server that said `Connection: close` has for its FIN before this side closes.
const FAREWELL: Duration = Duration::from_secs(1);
/// A closed loop that failed waits this long, else a refusing server would be asked 50,000 times a second.
const AFTER_FAILURE: Duration = Duration::from_millis(5);

/// What all lanes of a run have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub plan: Plan,
    pub ledger: RefCell<Ledger>,
    pub budget: Budget,
    pub sources: Sources,
    pub answered: Arc<AtomicU64>,
}

/// One connection at a time, with one request (or one pipelined pair) at a time.
#[derive(Debug)]
pub(super) struct Lane {
    shared: Rc<Shared>,
    stop: Stop,
    connection: Option<Connection>,
    random: u64,
}

impl Lane {
    pub(super) fn new(shared: Rc<Shared>, stop: Stop, number: usize) -> Self {
        Self {
            shared,
            stop,
            connection: None,
            random: number as u64,
        }
    }

    /// True when `count` more requests may be started.
    pub(super) fn may_start(&self, count: u64) -> bool {
        !self.stop.is_set() && self.shared.budget.take(count)
    }

    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.shared.plan.timeout
    }

    pub(super) fn stamp(&self, request: &mut Request) {
        self.shared.ledger.borrow_mut().stamp(request);
    }

    /// One whole request: sent, answered, entered. Latency counts from `due`.
    pub(super) async fn ask(&mut self, request: &mut Request, due: Instant) -> Bucket {
        self.stamp(request);
        let deadline = self.deadline();
        let bucket = match self.deliver(request.bytes(), deadline).await {
            Ok(()) => self.answer(request, deadline).await,
            Err(bucket) => bucket,
        };
        self.settle(request, bucket, due);
        self.part(bucket).await;
        bucket
    }

    /// Connects when needed and writes.
    pub(super) async fn deliver(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), Bucket> {
        let connection = self.connected(deadline).await?;
        timeout_at(deadline, connection.send(bytes))
            .await
            .map_err(|_| Bucket::Timeout)
    }

    /// The kept connection when it is still good, else a new one.
    pub(super) async fn connected(&mut self, deadline: Instant) -> Result<&mut Connection, Bucket> {
        self.look();
        if self.connection.is_none() {
            let open = Connection::open(&self.shared.plan.target, &self.shared.sources);
            let opened = timeout_at(deadline, open).await.map_err(|_| Bucket::Timeout)?;
            self.connection = Some(opened.map_err(|error| connect_failure(&error))?);
            self.shared.ledger.borrow_mut().connections += 1;
        }
        Ok(self.connection.as_mut().expect("opened above"))
    }

    /// Gives up a kept connection that ended, or that brought something nobody asked for.
    fn look(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let mut ledger = self.shared.ledger.borrow_mut();
        match connection.look() {
            Idle::Quiet => return,
            Idle::Ended(end) => ledger.idle_end(end),
            Idle::Surplus => ledger.surplus(connection.received(), connection.answered),
        }
        self.connection = None;
    }

    /// Reads the next response and judges it as this request's.
    pub(super) async fn answer(&mut self, request: &Request, deadline: Instant) -> Bucket {
        let connection = self.connection.as_mut().expect("a request was written on it");
        let (head, body) = match timeout_at(deadline, connection.receive()).await {
            Err(_) => return Bucket::Timeout,
            Ok(Err(Fault::Reset)) => return Bucket::Reset,
            Ok(Err(Fault::Eof)) => return Bucket::Eof,
            Ok(Err(Fault::Truncated)) => return Bucket::Truncated,
            Ok(Err(Fault::Malformed)) => return Bucket::WrongBody,
            Ok(Ok(response)) => response,
        };
        let bytes = connection.received();
        let bucket = self
            .shared
            .ledger
            .borrow_mut()
            .judge(request, &head, bytes, body.bytes(bytes));
        connection.consume(body.end(), head.close);
        bucket
    }

    /// Enters how the request ended.
    pub(super) fn settle(&mut self, request: &Request, bucket: Bucket, due: Instant) {
        let before = self.connection.as_ref().map_or(0, |connection| connection.answered);
        self.shared
            .ledger
            .borrow_mut()
            .settle(request, bucket, due.elapsed(), before);
        self.shared
            .answered
            .fetch_add(u64::from(bucket == Bucket::Ok), Ordering::Relaxed);
    }

    /// Keeps the connection, waits for its announced end, or drops it when its state is not known any more.
    pub(super) async fn part(&mut self, bucket: Bucket) {
        match (bucket, &self.connection) {
            (Bucket::Ok | Bucket::ServerError, Some(connection)) if connection.told_close => self.farewell().await,
            (Bucket::Ok | Bucket::ServerError, _) => {}
            _ => self.connection = None,
        }
    }

    /// Lets the server close first; what comes instead of a FIN is entered.
    async fn farewell(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if connection.look() == Idle::Quiet {
            connection.disturbed_before(Instant::now() + FAREWELL).await;
        }
        let mut ledger = self.shared.ledger.borrow_mut();
        match connection.look() {
            Idle::Surplus => ledger.surplus(connection.received(), connection.answered),
            Idle::Ended(End::Rst) => ledger.idle_end(End::Rst),
            _ => {}
        }
    }

    /// Writes on the connection that [`Lane::deliver`] began with.
    pub(super) async fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), Bucket> {
        let connection = self.connection.as_mut().expect("delivered on it before");
        timeout_at(deadline, connection.send(bytes))
            .await
            .map_err(|_| Bucket::Timeout)
    }

    /// Waits until the time; true when the other side spoke or left before.
    pub(super) async fn disturbed_before(&mut self, time: Instant) -> bool {
        let connection = self.connection.as_mut().expect("delivered on it before");
        connection.disturbed_before(time).await
    }

    /// The last response said `Connection: close`.
    pub(super) fn told_close(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.told_close)
    }

    /// Closes this side, after a last look for an answer too many.
    pub(super) fn hang_up(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && connection.look() == Idle::Surplus
        {
            self.shared
                .ledger
                .borrow_mut()
                .surplus(connection.received(), connection.answered);
        }
    }

    /// Waits in a closed loop after a failure; in every other case not at all.
    pub(super) async fn breathe_after(&mut self, bucket: Bucket) {
        if !matches!(bucket, Bucket::Ok | Bucket::Declined) {
            self.pause_until(Instant::now() + AFTER_FAILURE).await;
        }
    }

    /// Waits for the time, or for the end of the run.
    pub(super) async fn pause_until(&mut self, time: Instant) {
        tokio::select! {
            () = sleep_until(time.min(self.shared.budget.until())) => {}
            () = self.stop.wait() => {}
        }
    }

    /// As [`Lane::pause_until`], with an ear on the kept connection.
    pub(super) async fn idle_until(&mut self, time: Instant) {
        let time = time.min(self.shared.budget.until());
        if let Some(connection) = &mut self.connection {
            tokio::select! {
                _ = connection.disturbed_before(time) => {}
                () = self.stop.wait() => return,
            }
            self.look();
        }
        self.pause_until(time).await;
    }

    /// A random time between two, evenly spread (splitmix64).
    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = f64::from((bits >> 32) as u32) / f64::from(u32::MAX);
        least + most.saturating_sub(least).mul_f64(share)
    }
}

fn connect_failure(error: &io::Error) -> Bucket {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound | io::ErrorKind::WouldBlock => Bucket::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Bucket::Reset,
        io::ErrorKind::TimedOut => Bucket::Timeout,
        _ => Bucket::Local,
    }
}
