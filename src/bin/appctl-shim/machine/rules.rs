//! What stays the same for the whole life of an instance. Pure.

use appctl::contract::shim_args::Ready;

use super::event::Millis;
use crate::backoff::Policy;

/// What proves that the app can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Its own `READY=1`.
    Notify,
    /// An adapter saw it listen on a socket of ours.
    Listening,
    /// Its answer on the instance's private socket.
    Http,
    /// `process.send("ready")`.
    Message,
    /// It is alive after this long.
    Started(Millis),
}

impl Proof {
    /// As the command line has it.
    pub(crate) fn of(ready: &Ready) -> Self {
        match ready {
            Ready::Notify => Self::Notify,
            Ready::Listening => Self::Listening,
            Ready::Http { .. } => Self::Http,
            Ready::Message => Self::Message,
            Ready::Started { after } => Self::Started(*after),
        }
    }

    /// Whether the app listens before it is ready: until then its siblings take what comes to the shared sockets.
    pub(crate) fn holds(self) -> bool {
        match self {
            Self::Notify | Self::Http | Self::Message => true,
            Self::Listening | Self::Started(_) => false,
        }
    }

    /// Whether the app may accept connections that the shim has not heard of, before it is ready.
    pub(super) fn accepts_unheard(self) -> bool {
        match self {
            Self::Listening | Self::Http | Self::Started(_) => true,
            Self::Notify | Self::Message => false,
        }
    }
}

/// What stays the same for the whole life.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The app's name, for messages.
    pub(crate) app: String,
    pub(crate) proof: Proof,
    pub(crate) ready_timeout: Millis,
    pub(crate) stop_timeout: Millis,
    pub(crate) linger: Millis,
    /// The app is told to stop by a message before it is by a signal.
    pub(crate) stop_message: bool,
    pub(crate) backoff: Policy,
    /// The held addresses, for messages; empty when there are none.
    pub(crate) held: String,
    /// How long the event loop of a ready app may stand still; `None`: for ever.
    pub(crate) blocked_after: Option<Millis>,
    /// systemd expects `WATCHDOG=1`.
    pub(crate) watchdog: bool,
}
