//! One of a plan's connections at a time: connect, write, read, judge. The shapes are made of these steps.

mod pauses;

use std::cell::{RefCell, RefMut};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::clock::{Budget, Stop};
use super::connection::{Connection, End, Fault, Idle, Pace};
use super::counts::Bucket;
use super::ledger::{Answered, Before, Ledger};
use super::plan::Plan;
use super::request::Request;
use super::response::Head;
use super::stream::{Sources, Stream};
use super::tally::Tally;

/// How long a server that said `Connection: close` has for its FIN before this side closes.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all lanes of a run have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub plan: Plan,
    pub ledger: RefCell<Ledger>,
    pub budget: Budget,
    pub sources: Sources,
    pub tally: Arc<Tally>,
}

impl Shared {
    fn surplus(&self, connection: &Connection) {
        let mut ledger = self.ledger.borrow_mut();
        let bucket = ledger.surplus(connection.received(), connection.before());
        self.tally.add(bucket);
    }
}

/// One connection at a time, with one request (or one pipelined pair) at a time.
#[derive(Debug)]
pub(super) struct Lane {
    shared: Rc<Shared>,
    stop: Stop,
    connection: Option<Connection>,
    /// What the connection had done before the request under way.
    before: Before,
    pace: Option<Pace>,
    random: u64,
}

impl Lane {
    pub(super) fn new(shared: Rc<Shared>, stop: Stop, number: usize) -> Self {
        Self {
            shared,
            stop,
            connection: None,
            before: Before::default(),
            pace: None,
            random: number as u64,
        }
    }

    /// Another one of the same run, without a connection.
    pub(super) fn sibling(&mut self) -> Self {
        let random = self.random;
        self.between(Duration::ZERO, Duration::ZERO);
        Self {
            random: random.rotate_left(32),
            ..Self::new(Rc::clone(&self.shared), self.stop.clone(), 0)
        }
    }

    /// Reads slowly from its next connection on.
    pub(super) fn read_slowly(&mut self, pace: Pace) {
        self.pace = Some(pace);
    }

    /// True when `count` more requests may be started.
    pub(super) fn may_start(&self, count: u64) -> bool {
        !self.stop.is_set() && self.shared.budget.take(count)
    }

    /// True when nothing more may be started.
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_set() || self.shared.budget.is_spent()
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
        self.before = Before::default();
        let before = self.connected(deadline).await?.before();
        self.before = before;
        self.write(bytes, deadline).await
    }

    /// The kept connection when it is still good, else a new one.
    pub(super) async fn connected(&mut self, deadline: Instant) -> Result<&mut Connection, Bucket> {
        self.look();
        if self.connection.is_none() {
            let open = Connection::open(&self.shared.plan.target, &self.shared.sources, self.pace);
            let opened = timeout_at(deadline, open).await.map_err(|_| Bucket::Timeout)?;
            self.connection = Some(opened.map_err(|error| connect_failure(&error))?);
            self.shared.ledger.borrow_mut().connections += 1;
        }
        Ok(self.connection.as_mut().expect("opened above"))
    }

    /// A connection that the caller reads and writes by other means.
    pub(super) async fn bare(&self, deadline: Instant) -> Result<Stream, Bucket> {
        let open = Stream::connect(&self.shared.plan.target, &self.shared.sources, None);
        let opened = timeout_at(deadline, open).await.map_err(|_| Bucket::Timeout)?;
        let stream = opened.map_err(|error| connect_failure(&error))?;
        self.shared.ledger.borrow_mut().connections += 1;
        Ok(stream)
    }

    /// Gives up a kept connection that ended, or that brought something nobody asked for.
    fn look(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        match connection.look() {
            Idle::Quiet => return,
            Idle::Ended(end) => self.shared.ledger.borrow_mut().idle_end(end),
            Idle::Surplus => self.shared.surplus(connection),
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
        let answer = answered(&head, bytes, body.bytes(bytes));
        let bucket = self.shared.ledger.borrow_mut().judge(request, &answer);
        connection.consume(body.end(), head.close);
        bucket
    }

    /// Enters how the request ended.
    pub(super) fn settle(&mut self, request: &Request, bucket: Bucket, due: Instant) {
        let (ledger, before) = (&self.shared.ledger, self.before);
        ledger.borrow_mut().settle(request, bucket, due.elapsed(), before);
        self.shared.tally.add(bucket);
    }

    /// The books, for what is not a request's own end.
    pub(super) fn ledger(&self) -> RefMut<'_, Ledger> {
        self.shared.ledger.borrow_mut()
    }

    /// The connection, for what is not a request and its response.
    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Closes this side, whatever the other has said.
    pub(super) fn drop_connection(&mut self) {
        self.connection = None;
    }

    /// Enters a connection that ended as none may while nothing was asked, and gives it up.
    pub(super) fn broken(&mut self, bucket: Bucket) {
        let before = self
            .connection
            .take()
            .map_or(self.before, |connection| connection.before());
        self.ledger().broken(bucket, before);
        self.shared.tally.add(bucket);
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
        match connection.look() {
            Idle::Surplus => self.shared.surplus(&connection),
            Idle::Ended(End::Rst) => self.ledger().idle_end(End::Rst),
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
            self.shared.surplus(&connection);
        }
    }
}

fn answered<'a>(head: &Head, bytes: &'a [u8], body: &'a [u8]) -> Answered<'a> {
    Answered {
        status: head.status,
        id: &bytes[head.id.clone()],
        pid: head.pid,
        release: &bytes[head.release.clone()],
        close: head.close,
        body,
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
