//! A connected stream socket of either kind, read and written without waiting.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UnixStream};

use super::target::Target;

/// A 4-tuple stays taken for a minute after its connection (`TIME_WAIT`), and one source address has about 28,000 ports.
/// Loopback has more addresses: connections to 127.0.0.0/8 go out from 127.0.1.1 to 127.0.1.250 in turn.
const SOURCES: u8 = 250;
/// How many source addresses are tried before the lack of a free port is reported.
const SOURCE_TRIES: u8 = 5;

/// The source addresses, in turn.
#[derive(Debug, Default)]
pub(super) struct Sources(Cell<u8>);

impl Sources {
    fn next(&self) -> Ipv4Addr {
        self.0.set((self.0.get() + 1) % SOURCES);
        Ipv4Addr::new(127, 0, 1, self.0.get() + 1)
    }
}

/// A connection on this machine.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// `window`: bytes the kernel may take in before this side reads them (TCP only), else as many as it likes.
    pub(super) async fn connect(target: &Target, sources: &Sources, window: Option<usize>) -> io::Result<Self> {
        match target {
            Target::Tcp(address) => tcp(*address, sources, window).await.map(Self::Tcp),
            Target::Unix(path) => UnixStream::connect(path).await.map(Self::Unix),
        }
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
        }
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
        }
    }

    /// Appends what has arrived to `buffer`, as far as that has room and at most `limit` bytes; `WouldBlock` clears the
    /// readiness that [`Stream::readable`] waits for.
    pub(super) fn try_read(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        let mut room = buffer.limit(limit);
        match self {
            Self::Tcp(stream) => stream.try_read_buf(&mut room),
            Self::Unix(stream) => stream.try_read_buf(&mut room),
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
        }
    }

    /// Reads from the kernel now, whatever the event loop has heard so far: a FIN that arrived a moment ago counts.
    pub(super) fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(match self {
            Self::Tcp(stream) => nix::unistd::read(stream, buffer),
            Self::Unix(stream) => nix::unistd::read(stream, buffer),
        }?)
    }
}

/// For a protocol that somebody else implements.
impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

async fn tcp(address: SocketAddr, sources: &Sources, window: Option<usize>) -> io::Result<TcpStream> {
    let IpAddr::V4(_) = address.ip() else {
        return with_nodelay(TcpStream::connect(address).await);
    };
    let mut tries = SOURCE_TRIES;
    loop {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        if let Some(window) = window {
            socket.set_recv_buffer_size(u32::try_from(window).unwrap_or(u32::MAX))?;
        }
        let bound = socket.bind(SocketAddr::from((sources.next(), 0)));
        let connected = match bound {
            Ok(()) => socket.connect(address).await,
            Err(error) => Err(error),
        };
        tries -= 1;
        match connected {
            // No SYN has left in this case, so another source address is not a retry of anything.
            Err(error) if is_local(&error) && tries > 0 => {}
            done => return with_nodelay(done),
        }
    }
}

fn with_nodelay(connected: io::Result<TcpStream>) -> io::Result<TcpStream> {
    let stream = connected?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// No free port, or none at this address: this side's trouble, not the server's.
fn is_local(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse)
}
