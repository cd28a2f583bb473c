//! Small servers that answer well, or in one particular way badly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use appctl_lab::load::Target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What was asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub id: String,
    pub body: Vec<u8>,
    pub path: String,
    /// The client wants the connection closed after the answer.
    pub close: bool,
}

/// A connection on the server's side.
#[derive(Debug)]
pub(crate) struct Peer {
    pub stream: TcpStream,
    received: Vec<u8>,
}

/// Serves each connection with the given function, on a thread of its own for as long as the test process lives.
pub(crate) fn serve<F>(handle: impl Fn(Peer) -> F + Send + Sync + 'static) -> Target
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(accept(listener, handle));
    });
    Target::Tcp(address)
}

async fn accept<F>(listener: std::net::TcpListener, handle: impl Fn(Peer) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(handle(Peer {
            stream,
            received: Vec::new(),
        }));
    }
}

/// An address on which nothing listens.
pub(crate) fn nothing() -> Target {
    let address: SocketAddr = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    Target::Tcp(address)
}

/// Answers everything as the client expects, keeps connections.
pub(crate) fn good() -> Target {
    twisted(|_, _| None)
}

/// As [`good`], but the given function sees each request first, with its number; when it returns bytes, they are sent
/// instead, and the connection is closed.
pub(crate) fn twisted(twist: impl Fn(&Asked, u64) -> Option<String> + Send + Sync + 'static) -> Target {
    let twist = Arc::new(twist);
    let count = Arc::new(AtomicU64::new(0));
    serve(move |mut peer| {
        let (twist, count) = (Arc::clone(&twist), Arc::clone(&count));
        async move {
            while let Some(asked) = peer.asked().await {
                let twisted = twist(&asked, count.fetch_add(1, Ordering::Relaxed));
                let last = twisted.is_some() || asked.close;
                peer.say(twisted.unwrap_or_else(|| answer(&asked))).await;
                if last {
                    return;
                }
            }
        }
    })
}

/// The proper answer.
pub(crate) fn answer(asked: &Asked) -> String {
    let body = if asked.body.is_empty() {
        format!("{}\n", asked.id)
    } else {
        text(&asked.body)
    };
    let response = respond("200 OK", &asked.id, &body);
    if asked.close { closing(&response) } else { response }
}

pub(crate) fn respond(status: &str, id: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nx-request-id: {id}\r\nx-pid: 7\r\nx-release: r1\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// The same response, announcing the end of the connection.
pub(crate) fn closing(response: &str) -> String {
    response.replacen("\r\n", "\r\nConnection: close\r\n", 1)
}

impl Peer {
    /// The next request; `None` when the client has gone.
    pub(crate) async fn asked(&mut self) -> Option<Asked> {
        loop {
            if let Some(asked) = self.parsed() {
                return Some(asked);
            }
            if self.stream.read_buf(&mut self.received).await.ok()? == 0 {
                return None;
            }
        }
    }

    fn parsed(&mut self) -> Option<Asked> {
        let head = self.received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let lines = text(&self.received[..head]);
        let field = |name: &str| {
            lines
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or("")
                .trim()
                .to_owned()
        };
        let end = head + field("Content-Length:").parse().unwrap_or(0);
        let body = self.received.get(head..end)?.to_vec();
        self.received.drain(..end);
        let path = lines.split(' ').nth(1).unwrap_or("").to_owned();
        Some(Asked {
            id: field("x-request-id:"),
            body,
            path,
            close: field("Connection:") == "close",
        })
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // The client may have gone; what it makes of that is what the test looks at.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Ends the connection with a RST.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
