//! The shapes of load, one per file: what a connection does with its requests.

mod bounds;
mod events;
mod http2;
mod keep_alive;
mod one_per_connection;
mod pipelined;
mod slow_reader;
mod slow_response;
mod slow_upload;
mod text;
mod web_socket;

use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use super::connection::Pace;
use super::lane::Lane;
use super::request::{Answer, Template};
use one_per_connection::Arrivals;

/// What each connection does.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A new connection for every request. With a rate (requests per second over all connections) an open loop, whose
    /// latencies count from the time a request was due; else each connection follows the one before.
    OnePerConnection {
        /// Requests per second.
        rate: Option<f64>,
    },
    /// Requests in turn on a kept connection.
    KeepAlive {
        /// Bytes of POST body; 0 sends GETs.
        body: usize,
        /// Evenly spread pause between an answer and the next request.
        think: Option<RangeInclusive<Duration>>,
    },
    /// Two requests in each write.
    Pipelined,
    /// A POST whose body goes out in pieces.
    SlowUpload {
        /// Bytes of body.
        body: usize,
        /// Bytes of a piece.
        piece: usize,
        /// Pause between pieces.
        every: Duration,
    },
    /// The app takes its time: `GET /slow?ms=N`.
    SlowResponse {
        /// What the handler waits.
        handler: Duration,
    },
    /// A large response that is read in pieces, one per connection: `GET /large?bytes=N`.
    SlowReader {
        /// Bytes of response body.
        body: usize,
        /// Bytes of a piece, and of the kernel's buffer behind it.
        piece: usize,
        /// Pause before each piece.
        every: Duration,
    },
    /// Server-sent events: `GET /events?count=N&ms=M`.
    Events {
        /// How many; the server may end the stream earlier, but not in the middle of an event.
        count: u32,
        /// Pause between them.
        every: Duration,
    },
    /// Conversations over WebSockets: a handshake, echoes, a close frame.
    WebSocket {
        /// Messages of a conversation; then the client closes it and begins another.
        messages: u32,
        /// Evenly spread pause after an echo.
        think: RangeInclusive<Duration>,
    },
    /// HTTP/2 in clear text, with prior knowledge.
    Http2 {
        /// Streams at a time on each connection.
        streams: usize,
        /// Bytes of POST body; 0 sends GETs.
        body: usize,
        /// Evenly spread pause between an answer and the stream's next request.
        think: Option<RangeInclusive<Duration>>,
    },
}

impl Shape {
    /// What all requests of the shape look like.
    pub(super) fn template(&self, path: &str) -> Template {
        let plain = Template {
            path: path.to_owned(),
            ..Template::default()
        };
        match self {
            Self::OnePerConnection { .. } => Template { close: true, ..plain },
            Self::KeepAlive { body, .. } | Self::SlowUpload { body, .. } | Self::Http2 { body, .. } => {
                Template { body: *body, ..plain }
            }
            Self::Pipelined => plain,
            Self::SlowResponse { handler } => asking(slow_response::path(*handler), Answer::Echo),
            // A kept connection looks idle to the server as soon as the kernel has all of the response.
            Self::SlowReader { body, .. } => Template {
                close: true,
                ..asking(slow_reader::path(*body), Answer::Filled(*body))
            },
            Self::Events { count, every } => asking(events::path(*count, *every), Answer::Events(*count)),
            Self::WebSocket { .. } => Template {
                headers: web_socket::UPGRADE,
                answer: Answer::Upgrade,
                ..plain
            },
        }
    }

    /// What one lane does until the run ends; called once per connection of the plan.
    pub(super) fn driver(&self, template: Template) -> impl Fn(Lane) -> Work + use<> {
        let shape = self.clone();
        let arrivals = Rc::new(Arrivals::new(&shape));
        move |lane| {
            let template = template.clone();
            match shape.clone() {
                Self::OnePerConnection { rate: None } => Box::pin(one_per_connection::closed(lane, template)),
                Self::OnePerConnection { .. } => Box::pin(one_per_connection::open(lane, template, arrivals.clone())),
                Self::KeepAlive { think, .. } => Box::pin(keep_alive::drive(lane, template, think)),
                Self::Pipelined => Box::pin(pipelined::drive(lane, template)),
                Self::SlowUpload { piece, every, .. } => Box::pin(slow_upload::drive(lane, template, piece, every)),
                Self::SlowResponse { .. } | Self::Events { .. } => Box::pin(keep_alive::drive(lane, template, None)),
                Self::SlowReader { piece, every, .. } => {
                    Box::pin(slow_reader::drive(lane, template, Pace { piece, every }))
                }
                Self::WebSocket { messages, think } => Box::pin(web_socket::drive(lane, template, messages, think)),
                Self::Http2 { streams, think, .. } => Box::pin(http2::drive(lane, template, streams, think)),
            }
        }
    }
}

/// A lane at work.
pub(super) type Work = std::pin::Pin<Box<dyn Future<Output = ()>>>;

fn asking(path: String, answer: Answer) -> Template {
    Template {
        path,
        answer,
        ..Template::default()
    }
}
