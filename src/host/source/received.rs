//! The side that asks: what a walk of the other side meets, as if it were walked here.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use nix::errno::Errno;

use super::{Ask, Channel, Items, LIMIT, Message};
use crate::host::tree::{Event, TreeError};

/// Events as they come.
#[derive(Debug)]
pub struct Received<'c> {
    channel: &'c Channel,
    stop: &'c AtomicBool,
    end: Instant,
    items: Option<Items>,
    over: bool,
}

impl<'c> Received<'c> {
    /// Asks for a walk.
    pub fn ask(channel: &'c Channel, ask: &Ask, stop: &'c AtomicBool) -> Result<Self, TreeError> {
        channel.send(&ask.packet()).map_err(broken)?;
        Ok(Self {
            channel,
            stop,
            end: Instant::now() + LIMIT,
            items: None,
            over: false,
        })
    }

    fn advance(&mut self) -> Result<Option<Event>, TreeError> {
        loop {
            match self.items.as_mut().and_then(Iterator::next) {
                Some(Ok(Message::Event(event))) => return Ok(Some(event)),
                Some(Ok(Message::End)) => return Ok(None),
                Some(Ok(Message::Failed(error))) => return Err(error),
                Some(Ok(_)) => return Err(broken(Errno::EBADMSG)),
                Some(Err(errno)) => return Err(broken(errno)),
                None => self.fill()?,
            }
        }
    }

    fn fill(&mut self) -> Result<(), TreeError> {
        let wanted = || !self.stop.load(Ordering::Relaxed);
        let packet = self.channel.receive_until(self.end, wanted).map_err(broken)?;
        let packet = packet.ok_or_else(|| broken(Errno::EPIPE))?;
        // It may have ended already, having said all.
        _ = self.channel.send(&Ask::More.packet());
        self.items = Some(packet.messages());
        Ok(())
    }
}

impl Iterator for Received<'_> {
    type Item = Result<Event, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let event = self.advance().transpose();
        self.over = !matches!(event, Some(Ok(_)));
        event
    }
}

/// What the two sides have to do with each other went wrong.
pub fn broken(errno: Errno) -> TreeError {
    let source = match errno {
        Errno::EPIPE | Errno::ECONNRESET => io::Error::other("the process that reads it has ended"),
        Errno::ETIMEDOUT => io::Error::other(format!("it took longer than {} min", LIMIT.as_secs() / 60)),
        errno => errno.into(),
    };
    TreeError::io("read", Path::new("the source"), source)
}
