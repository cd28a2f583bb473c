//! Conversations over WebSockets (RFC 6455): an echo per message, and no end without a close frame.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::super::connection::End;
use super::super::counts::Bucket;
use super::super::frame::{self, CLOSE, PING, PONG, TEXT};
use super::super::lane::Lane;
use super::super::request::{Request, Template};

/// The header lines of the handshake, with the key of [`frame::ACCEPT`].
pub(super) const UPGRADE: &str = concat!(
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
);
/// "Going away", and "service restart" of the IANA registry: the client is to come back.
const COME_BACK: [u16; 2] = [1001, 1012];
const NORMAL: u16 = 1000;

/// What is heard next.
enum Heard {
    Text(Vec<u8>),
    Close(u16),
    /// The connection ended, or spoke nonsense.
    Broken(Bucket),
    /// Nothing until the deadline.
    Nothing,
}

pub(super) async fn drive(mut lane: Lane, template: Template, messages: u32, think: RangeInclusive<Duration>) {
    let mut greeting = template.request();
    let mut message = Template::default().request();
    while lane.may_start(1) {
        let bucket = lane.ask(&mut greeting, Instant::now()).await;
        if bucket == Bucket::Ok {
            converse(&mut lane, &mut message, messages, &think).await;
            lane.drop_connection();
        }
        lane.breathe_after(bucket).await;
    }
}

/// Until all is said, or the server ends it.
async fn converse(lane: &mut Lane, message: &mut Request, messages: u32, think: &RangeInclusive<Duration>) {
    for _ in 0..messages {
        if !lane.may_start(1) {
            break;
        }
        lane.stamp(message);
        let start = Instant::now();
        let (bucket, code) = say(lane, message).await;
        lane.settle(message, bucket, start);
        if let Some(code) = code {
            return take_leave(lane, code).await;
        }
        if bucket != Bucket::Ok {
            return;
        }
        let pause = lane.between(*think.start(), *think.end());
        match hear(lane, Instant::now() + pause).await {
            Heard::Nothing => {}
            Heard::Text(_) => return lane.broken(Bucket::WrongBody),
            Heard::Close(code) if COME_BACK.contains(&code) => return take_leave(lane, code).await,
            Heard::Close(_) => return lane.broken(Bucket::Eof),
            Heard::Broken(bucket) => return lane.broken(bucket),
        }
    }
    leave(lane).await;
}

/// Says the message and hears its echo; the code when the server closes instead.
async fn say(lane: &mut Lane, message: &Request) -> (Bucket, Option<u16>) {
    let deadline = lane.deadline();
    if let Err(bucket) = lane.write(&frame::client(TEXT, message.id()), deadline).await {
        return (bucket, None);
    }
    match hear(lane, deadline).await {
        Heard::Text(text) if text == message.id() => (Bucket::Ok, None),
        Heard::Text(_) => (Bucket::WrongBody, None),
        Heard::Close(code) if COME_BACK.contains(&code) => (Bucket::Declined, Some(code)),
        Heard::Close(_) => (Bucket::Eof, None),
        Heard::Broken(bucket) => (bucket, None),
        Heard::Nothing => (Bucket::Timeout, None),
    }
}

/// The server has closed: confirmed, and the rest is its affair.
async fn take_leave(lane: &mut Lane, code: u16) {
    lane.ledger().told_close += 1;
    let deadline = lane.deadline();
    // The server may be gone already: it has said all it had to.
    let _ = lane.write(&frame::client(CLOSE, &code.to_be_bytes()), deadline).await;
}

/// This side closes, and the server has to confirm.
async fn leave(lane: &mut Lane) {
    let deadline = lane.deadline();
    if let Err(bucket) = lane.write(&frame::client(CLOSE, &NORMAL.to_be_bytes()), deadline).await {
        return lane.broken(bucket);
    }
    match hear(lane, deadline).await {
        Heard::Close(_) => {}
        Heard::Broken(bucket) => lane.broken(bucket),
        Heard::Text(_) => lane.broken(Bucket::WrongBody),
        Heard::Nothing => lane.broken(Bucket::Timeout),
    }
}

/// The next thing that is not a ping.
async fn hear(lane: &mut Lane, deadline: Instant) -> Heard {
    let Some(connection) = lane.connection() else {
        return Heard::Broken(Bucket::Eof);
    };
    loop {
        let Ok(frame) = frame::server(connection.received()) else {
            return Heard::Broken(Bucket::WrongBody);
        };
        if let Some(frame) = frame {
            connection.skip(frame.len);
            match frame.opcode {
                TEXT => return Heard::Text(frame.payload),
                CLOSE => return Heard::Close(frame.code()),
                PING => connection.send(&frame::client(PONG, &frame.payload)).await,
                _ => {}
            }
            continue;
        }
        match timeout_at(deadline, connection.more()).await {
            Err(_) => return Heard::Nothing,
            Ok(Ok(())) => {}
            Ok(Err(_)) if !connection.received().is_empty() => return Heard::Broken(Bucket::Truncated),
            Ok(Err(End::Fin)) => return Heard::Broken(Bucket::Eof),
            Ok(Err(End::Rst)) => return Heard::Broken(Bucket::Reset),
        }
    }
}
