//! What else than plain HTTP/1.1 the client speaks: which ends are clean, and which lose something.

use std::time::Duration;

use appctl_lab::load::{Bucket, Counts, Load, Plan, Report, Shape, Target};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use tokio::io::AsyncReadExt;

use crate::network::private;
use crate::server::{Asked, Peer, closing, respond, serve, twisted};

const MILLI: Duration = Duration::from_millis(1);

fn four(target: Target, shape: Shape) -> Report {
    Load::start(Plan::new(target, shape).connections(1).requests(4).timeout(300 * MILLI)).wait()
}

/// The handshake and up to three messages. A pause ends when the server says something.
const fn talk(pause: Duration) -> Shape {
    Shape::WebSocket {
        messages: 3,
        think: pause..=pause,
    }
}

const TALK: Shape = talk(MILLI);
/// As long as it takes the server to say something.
const PATIENT: Shape = talk(Duration::from_secs(10));

/// Takes the handshake.
async fn greeted(peer: &mut Peer) -> Option<()> {
    let asked = peer.asked().await?;
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nx-pid: 7\r\nx-release: r1\r\n";
    peer.say(format!("{head}x-request-id: {}\r\n\r\n", asked.id)).await;
    Some(())
}

/// The next frame of a client: its opcode and payload.
async fn heard(peer: &mut Peer) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 6];
    peer.stream.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; usize::from(head[1] & 0x7f)];
    peer.stream.read_exact(&mut payload).await.ok()?;
    let masks = head[2..].iter().cycle();
    payload.iter_mut().zip(masks).for_each(|(byte, mask)| *byte ^= mask);
    Some((head[0] & 0x0f, payload))
}

async fn tell(peer: &mut Peer, opcode: u8, payload: &[u8]) {
    let len = u8::try_from(payload.len()).unwrap();
    peer.say([&[0x80 | opcode, len], payload].concat()).await;
}

/// Echoes so many messages of each conversation, then does something else with the next.
fn talking<F>(echoes: usize, then: impl Fn(Peer) -> F + Copy + Send + Sync + 'static) -> Target
where
    F: Future<Output = ()> + Send + 'static,
{
    serve(move |mut peer| async move {
        if greeted(&mut peer).await.is_none() {
            return;
        }
        for _ in 0..echoes {
            let Some((opcode, payload)) = heard(&mut peer).await else {
                return;
            };
            tell(&mut peer, opcode, &payload).await;
        }
        then(peer).await;
    })
}

#[test]
fn a_conversation_is_a_handshake_echoes_and_a_close_frame() {
    // The fourth frame of the client is its close, and is confirmed like an echo.
    let report = private(|| four(talking(4, |_| async {}), TALK));
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 4), "{report}");
    assert_eq!((report.connections, report.told_close), (1, 0), "{report}");
}

#[test]
fn a_close_frame_that_says_come_back_costs_nothing() {
    for code in [1001_u16, 1012] {
        let then = move |mut peer: Peer| async move {
            tell(&mut peer, 8, &code.to_be_bytes()).await;
            heard(&mut peer).await;
        };
        let report = private(|| four(talking(1, then), PATIENT));
        assert_eq!(report.counts, Counts::only(Bucket::Ok, 4), "{report}");
        assert_eq!((report.connections, report.told_close), (2, 2), "{report}");
    }
}

#[test]
fn a_message_that_crossed_with_such_a_frame_is_declined() {
    let then = |mut peer: Peer| async move {
        heard(&mut peer).await;
        tell(&mut peer, 8, &1001_u16.to_be_bytes()).await;
        heard(&mut peer).await;
    };
    let report = private(|| four(talking(1, then), TALK));
    let counts = Counts::only(Bucket::Ok, 3).and(Bucket::Declined, 1);
    assert_eq!(report.counts, counts, "{report}");
}

#[test]
fn an_end_without_a_close_frame_is_a_loss_even_while_nothing_is_said() {
    let report = private(|| four(talking(1, |_| async {}), PATIENT));
    assert_eq!(
        report.counts,
        Counts::only(Bucket::Ok, 4).and(Bucket::Eof, 2),
        "{report}"
    );
    let report = private(|| four(talking(1, |peer| async { peer.reset() }), PATIENT));
    assert_eq!(
        report.counts,
        Counts::only(Bucket::Ok, 4).and(Bucket::Reset, 2),
        "{report}"
    );
}

#[test]
fn another_echo_or_another_code_is_no_echo_and_no_farewell() {
    let wrong = |mut peer: Peer| async move {
        heard(&mut peer).await;
        tell(&mut peer, 1, b"something else").await;
    };
    let report = private(|| four(talking(1, wrong), TALK));
    assert_eq!((report.counts.ok, report.counts.wrong_body), (3, 1), "{report}");
    let failed = |mut peer: Peer| async move { tell(&mut peer, 8, &1011_u16.to_be_bytes()).await };
    let report = private(|| four(talking(1, failed), PATIENT));
    assert_eq!((report.counts.ok, report.counts.eof), (4, 2), "{report}");
}

#[test]
fn a_handshake_without_the_proper_key_is_refused() {
    let twist = |asked: &Asked, _| Some(respond("101 Switching Protocols", &asked.id, ""));
    let report = private(|| four(twisted(twist), TALK));
    assert_eq!(report.counts, Counts::only(Bucket::WrongBody, 4), "{report}");
}

/// Events with these numbers, and the last chunk if wanted.
fn stream(numbers: &'static [u32], whole: bool) -> Report {
    let target = move || {
        twisted(move |asked, _| {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-request-id: ";
            let chunk = |number| {
                let event = format!("id: {number}\ndata: {}\n\n", asked.id);
                format!("{:x}\r\n{event}\r\n", event.len())
            };
            let chunks: String = numbers.iter().map(chunk).collect();
            Some(closing(&format!(
                "{head}{}\r\n\r\n{chunks}{}",
                asked.id,
                if whole { "0\r\n\r\n" } else { "" }
            )))
        })
    };
    let shape = Shape::Events { count: 3, every: MILLI };
    private(|| four(target(), shape))
}

#[test]
fn events_are_whole_and_in_order_and_their_stream_has_an_end() {
    for (numbers, whole, bucket) in [
        (&[1, 2, 3][..], true, Bucket::Ok),
        (&[1, 2], true, Bucket::Ok),
        (&[1, 2, 3], false, Bucket::Truncated),
        (&[1, 3], true, Bucket::WrongBody),
        (&[2, 3], true, Bucket::WrongBody),
        (&[], true, Bucket::WrongBody),
    ] {
        let report = stream(numbers, whole);
        assert_eq!(report.counts, Counts::only(bucket, 4), "{numbers:?} {whole} {report}");
    }
}

#[test]
fn a_slow_reader_takes_its_time_and_knows_what_is_missing() {
    for (missing, bucket) in [(0, Bucket::Ok), (1, Bucket::Truncated)] {
        let target = move || {
            twisted(move |asked, _| {
                let body = format!("{}\n", asked.id).repeat(20);
                let whole = closing(&respond("200 OK", &asked.id, &body[..400]));
                Some(whole[..whole.len() - missing].to_owned())
            })
        };
        let shape = Shape::SlowReader {
            body: 400,
            piece: 100,
            every: 10 * MILLI,
        };
        let report = private(|| four(target(), shape));
        assert_eq!(report.counts, Counts::only(bucket, 4), "{report}");
        assert!(report.seconds > 0.16, "four pieces of the body each: {report}");
    }
}

const STREAMS: Shape = Shape::Http2 {
    streams: 2,
    body: 50,
    think: None,
};

/// What becomes of a stream: its number on the connection, from 0.
type Fate = fn(u32, RecvStream, SendResponse<Bytes>, String);

/// Serves HTTP/2; after `last` streams of a connection, it says GOAWAY and finishes what it has.
fn http2(last: u32, fate: Fate) -> Target {
    serve(move |peer| async move {
        let Ok(mut connection) = h2::server::handshake(peer.stream).await else {
            return;
        };
        let mut number = 0;
        while let Some(Ok((request, answer))) = connection.accept().await {
            let id = request.headers()["x-request-id"].to_str().unwrap().to_owned();
            fate(number, request.into_body(), answer, id);
            number += 1;
            if number == last {
                connection.graceful_shutdown();
            }
        }
    })
}

fn echo(_: u32, mut body: RecvStream, mut answer: SendResponse<Bytes>, id: String) {
    tokio::spawn(async move {
        let response = http::Response::builder().header("x-request-id", id).header("x-pid", 7);
        let mut sent = answer.send_response(response.body(()).unwrap(), false).unwrap();
        while let Some(Ok(piece)) = body.data().await {
            sent.send_data(piece, false).unwrap();
        }
        sent.send_data(Bytes::new(), true).unwrap();
    });
}

#[test]
fn streams_are_answered_and_goaway_is_heeded() {
    let report = private(|| four(http2(2, echo), STREAMS));
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 4), "{report}");
    assert!(report.told_close > 0 && report.idle_fins == 0, "{report}");
    assert_eq!(report.pids.into_iter().collect::<Vec<_>>(), [(7, 4)]);
}

#[test]
fn only_a_refused_stream_is_declined() {
    let reset = |reason| {
        let report = private(|| four(http2(100, reason), STREAMS));
        assert_eq!(report.counts.total(), 4, "{report}");
        report.counts
    };
    let refused = reset(|_, _, mut answer, _| answer.send_reset(Reason::REFUSED_STREAM));
    assert_eq!(refused, Counts::only(Bucket::Declined, 4));
    let failed = reset(|_, _, mut answer, _| answer.send_reset(Reason::INTERNAL_ERROR));
    assert_eq!(failed, Counts::only(Bucket::Reset, 4));
}

#[test]
fn a_connection_that_ends_with_streams_under_way_loses_them() {
    let target = || {
        serve(|peer| async move {
            let mut connection = h2::server::handshake(peer.stream).await.unwrap();
            // Both are here, and gone with the connection.
            let first = connection.accept().await;
            let _second = connection.accept().await;
            drop((first, connection));
        })
    };
    let report = private(|| four(target(), STREAMS));
    assert_eq!((report.counts.ok, report.lost()), (0, 4), "{report}");
}
