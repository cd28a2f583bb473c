//! One connection: writes requests, reads responses, and knows how the other side ended it.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::ledger::Before;
use super::response::{self, Body, Head, Malformed};
use super::stream::{Sources, Stream};
use super::target::Target;

/// Room for a read; a buffer grows to what its responses need and stays there.
const READ_ROOM: usize = 4096;

/// How the other side ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Fin,
    Rst,
}

/// Why no response could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Reset,
    Eof,
    Truncated,
    Malformed,
}

/// What an idle connection is found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    Quiet,
    Ended(End),
    /// Bytes that nobody asked for.
    Surplus,
}

/// A reader that takes its time: so many bytes, then a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub piece: usize,
    pub every: Duration,
}

/// A connection and what it has received.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    received: Vec<u8>,
    ended: Option<End>,
    /// The last response said `Connection: close`.
    pub told_close: bool,
    /// Responses read from it.
    pub answered: u64,
    /// When the last of them was complete.
    since: Instant,
    /// Slows reading down.
    pub pace: Option<Pace>,
}

impl From<Malformed> for Fault {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Connection {
    pub(super) async fn open(target: &Target, sources: &Sources, pace: Option<Pace>) -> io::Result<Self> {
        let stream = Stream::connect(target, sources, pace.map(|pace| pace.piece)).await?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(READ_ROOM),
            ended: None,
            told_close: false,
            answered: 0,
            since: Instant::now(),
            pace,
        })
    }

    /// What it has done so far, and for how long it has done nothing.
    pub(super) fn before(&self) -> Before {
        Before {
            answered: self.answered,
            idle: self.since.elapsed(),
        }
    }

    /// Writes all of it, taking in whatever arrives meanwhile. A connection that broke shows in what is read next.
    pub(super) async fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.ended != Some(End::Rst) {
            match self.stream.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.until_writable().await,
                Err(_) => return self.write_failed(),
            }
        }
    }

    async fn until_writable(&mut self) {
        let ended = self.ended.is_some();
        let readable = tokio::select! {
            _ = self.stream.writable() => false,
            _ = self.stream.readable(), if !ended => true,
        };
        if readable {
            self.take_in();
        }
    }

    /// The other side has reset the connection. What it sent before can still be read, and decides.
    fn write_failed(&mut self) {
        while self.ended.is_none() && self.fetch() {}
        self.ended = Some(End::Rst);
    }

    /// Waits until the given time; true when the other side said or did something before.
    pub(super) async fn disturbed_before(&mut self, time: Instant) -> bool {
        timeout_at(time, self.fill()).await.is_ok()
    }

    /// Reads until there is more than before, or the connection ended.
    async fn fill(&mut self) {
        while self.ended.is_none() {
            if let Some(pace) = self.pace {
                sleep(pace.every).await;
            }
            // An error here means a broken event loop; the read below reports it.
            let _ = self.stream.readable().await;
            if self.take_in() {
                return;
            }
        }
    }

    /// One read; false when there was nothing to read.
    fn take_in(&mut self) -> bool {
        let room = self.pace.map_or(READ_ROOM, |pace| pace.piece);
        self.received.reserve(room);
        let limit = self.pace.map_or(usize::MAX, |pace| pace.piece);
        match self.stream.try_read(&mut self.received, limit) {
            Ok(0) => self.ended = Some(End::Fin),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(_) => self.ended = Some(End::Rst),
        }
        true
    }

    /// The next response. It stays in the buffer until [`Connection::consume`].
    pub(super) async fn receive(&mut self) -> Result<(Head, Body), Fault> {
        let mut head = None;
        loop {
            if head.is_none() {
                head = response::head(&self.received)?;
            }
            if let Some(head) = &head
                && let Some(body) = head.body(&self.received, self.ended == Some(End::Fin))?
            {
                return Ok((head.clone(), body));
            }
            if let Some(end) = self.ended {
                return Err(self.fault(end));
            }
            self.fill().await;
        }
    }

    fn fault(&self, end: End) -> Fault {
        match end {
            _ if !self.received.is_empty() => Fault::Truncated,
            End::Fin => Fault::Eof,
            End::Rst => Fault::Reset,
        }
    }

    pub(super) fn received(&self) -> &[u8] {
        &self.received
    }

    /// Forgets a response that ended at the given byte.
    pub(super) fn consume(&mut self, end: usize, told_close: bool) {
        self.skip(end);
        self.told_close = told_close;
        self.answered += 1;
        self.since = Instant::now();
    }

    /// Forgets the first bytes.
    pub(super) fn skip(&mut self, count: usize) {
        self.received.drain(..count);
    }

    /// Waits for more bytes than there are; how the connection ended instead.
    pub(super) async fn more(&mut self) -> Result<(), End> {
        let before = self.received.len();
        while self.received.len() == before {
            if let Some(end) = self.ended {
                return Err(end);
            }
            self.fill().await;
        }
        Ok(())
    }

    /// How the connection is right now, asked of the kernel and not of the event loop, which may not have heard of a
    /// FIN yet: only what could not be known before the write may count as the server's fault.
    pub(super) fn look(&mut self) -> Idle {
        if self.received.is_empty() && self.ended.is_none() {
            self.fetch();
        }
        match self.ended {
            _ if !self.received.is_empty() => Idle::Surplus,
            Some(end) => Idle::Ended(end),
            None => Idle::Quiet,
        }
    }

    /// As [`Connection::take_in`], but asks the kernel and not the event loop.
    fn fetch(&mut self) -> bool {
        let mut bytes = [0; 1024];
        match self.stream.read_now(&mut bytes) {
            Ok(0) => self.ended = Some(End::Fin),
            Ok(count) => self.received.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(_) => self.ended = Some(End::Rst),
        }
        true
    }
}
