//! Several streams on each HTTP/2 connection (RFC 9113), in clear text with prior knowledge. GOAWAY is heeded: no stream is
//! opened after it, and none is sent again.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::client::{self, SendRequest};
use h2::{Error, Reason, RecvStream};
use http::response::Parts;
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{Instant, timeout_at};

use super::super::counts::Bucket;
use super::super::lane::Lane;
use super::super::ledger::Answered;
use super::super::request::{Request, Template};

/// Room for each stream's response and for all of a connection, so that no window is ever the limit.
const WINDOW: u32 = 1 << 24;

/// Why a stream's place on its connection became free for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parting {
    /// The run is over.
    Done,
    /// The server said GOAWAY.
    Told,
    /// The connection ended without a word.
    Untold,
}

type Think = Option<RangeInclusive<Duration>>;

pub(super) async fn drive(mut lane: Lane, template: Template, streams: usize, think: Think) {
    while !lane.is_over() {
        if let Err(bucket) = connection(&mut lane, &template, streams, &think).await {
            let mut request = template.request();
            lane.stamp(&mut request);
            lane.settle(&request, bucket, Instant::now());
            lane.breathe_after(bucket).await;
        }
    }
}

/// One connection from its start to its end.
async fn connection(lane: &mut Lane, template: &Template, streams: usize, think: &Think) -> Result<(), Bucket> {
    let deadline = lane.deadline();
    let stream = lane.bare(deadline).await?;
    let mut builder = client::Builder::new();
    builder
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    let handshake = timeout_at(deadline, builder.handshake::<_, Bytes>(stream)).await;
    let (sender, wire) = handshake.map_err(|_| Bucket::Timeout)?.map_err(|error| loss(&error))?;
    let wire = spawn_local(wire);
    let mut places = JoinSet::new();
    for _ in 0..streams {
        let place = in_turn(lane.sibling(), sender.clone(), template.clone(), think.clone());
        places.spawn_local(place);
    }
    drop(sender);
    let partings = places.join_all().await;
    let mut ledger = lane.ledger();
    if partings.contains(&Parting::Told) {
        ledger.told_close += 1;
    } else if partings.contains(&Parting::Untold) {
        ledger.idle_fins += 1;
    }
    // Nothing is under way on it any more.
    wire.abort();
    Ok(())
}

/// One stream after the other.
async fn in_turn(mut lane: Lane, mut sender: SendRequest<Bytes>, template: Template, think: Think) -> Parting {
    let mut request = template.request();
    loop {
        sender = match sender.ready().await {
            Ok(sender) => sender,
            Err(error) if error.is_go_away() => return Parting::Told,
            Err(_) => return Parting::Untold,
        };
        if !lane.may_start(1) {
            return Parting::Done;
        }
        lane.stamp(&mut request);
        let (start, deadline) = (Instant::now(), lane.deadline());
        let answer = timeout_at(deadline, ask(&lane, &mut sender, &template, &request)).await;
        let bucket = answer.unwrap_or(Bucket::Timeout);
        lane.settle(&request, bucket, start);
        lane.breathe_after(bucket).await;
        if let Some(think) = &think {
            let pause = lane.between(*think.start(), *think.end());
            lane.pause_until(Instant::now() + pause).await;
        }
    }
}

async fn ask(lane: &Lane, sender: &mut SendRequest<Bytes>, template: &Template, request: &Request) -> Bucket {
    let body = Bytes::copy_from_slice(request.body());
    let head = http::Request::builder()
        .method(if body.is_empty() { "GET" } else { "POST" })
        .uri(format!("http://localhost{}", template.path))
        .header("x-request-id", request.id());
    let head = head.body(()).expect("a checked path, and an id of hex digits");
    let response = match sender.send_request(head, body.is_empty()) {
        Err(error) => return loss(&error),
        Ok((response, _)) if body.is_empty() => response,
        Ok((response, mut stream)) => match stream.send_data(body, true) {
            Ok(()) => response,
            Err(error) => return loss(&error),
        },
    };
    match response.await {
        Err(error) => loss(&error),
        Ok(response) => {
            let (head, stream) = response.into_parts();
            match whole(stream).await {
                Err(_) => Bucket::Truncated,
                Ok(body) => judge(lane, request, &head, &body),
            }
        }
    }
}

async fn whole(mut stream: RecvStream) -> Result<BytesMut, Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk?;
        stream.flow_control().release_capacity(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn judge(lane: &Lane, request: &Request, head: &Parts, body: &[u8]) -> Bucket {
    let field = |name| head.headers.get(name).map_or(&b""[..], |value| value.as_bytes());
    let pid = std::str::from_utf8(field("x-pid")).ok();
    let answer = Answered {
        status: head.status.as_u16(),
        id: field("x-request-id"),
        pid: pid.and_then(|pid| pid.parse().ok()),
        release: field("x-release"),
        close: false,
        body,
    };
    lane.ledger().judge(request, &answer)
}

/// Only what the server says it has not touched may be sent again (RFC 9113 §6.8, §8.7).
fn loss(error: &Error) -> Bucket {
    let untouched = match error.reason() {
        Some(Reason::NO_ERROR) => error.is_go_away(),
        Some(Reason::REFUSED_STREAM) => true,
        _ => false,
    };
    match error.get_io().map(std::io::Error::kind) {
        None if untouched && error.is_remote() => Bucket::Declined,
        Some(std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::UnexpectedEof) => Bucket::Eof,
        _ => Bucket::Reset,
    }
}
