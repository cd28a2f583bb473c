//! The shapes of load, one per file: what a connection does with its requests.

mod keep_alive;
mod one_per_connection;
mod pipelined;
mod slow_response;
mod slow_upload;

use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use anyhow::ensure;

use super::identity::ID_LEN;
use super::lane::Lane;
use super::request::Template;
use one_per_connection::Arrivals;

const MAX_BODY: usize = 16 << 20;
const MAX_RATE: f64 = 50_000.0;

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
}

impl Shape {
    /// Fails when something is out of bounds, or could never be answered in time.
    pub(super) fn check(&self, timeout: Duration) -> anyhow::Result<()> {
        match self {
            Self::OnePerConnection { rate } => {
                ensure!(
                    rate.is_none_or(|rate| rate > 0.01 && rate <= MAX_RATE),
                    "rate: up to {MAX_RATE} a second"
                );
            }
            Self::KeepAlive { body, .. } => ensure!(*body == 0 || valid_body(*body), "body: {ID_LEN} bytes to 16 MiB"),
            Self::Pipelined => {}
            Self::SlowUpload { body, piece, every } => {
                ensure!(valid_body(*body), "body: {ID_LEN} bytes to 16 MiB");
                ensure!((1..=*body).contains(piece), "piece: 1 byte to the whole body");
                let pauses = u32::try_from(body.div_ceil(*piece) - 1)?;
                ensure!(
                    every.saturating_mul(pauses) < timeout,
                    "the upload takes longer than the timeout"
                );
            }
            Self::SlowResponse { handler } => ensure!(*handler < timeout, "the handler takes longer than the timeout"),
        }
        Ok(())
    }

    /// What all requests of the shape look like.
    pub(super) fn template(&self, path: &str) -> Template {
        let (body, close) = match self {
            Self::OnePerConnection { .. } => (0, true),
            Self::KeepAlive { body, .. } | Self::SlowUpload { body, .. } => (*body, false),
            Self::Pipelined | Self::SlowResponse { .. } => (0, false),
        };
        let path = match self {
            Self::SlowResponse { handler } => slow_response::path(*handler),
            _ => path.to_owned(),
        };
        Template { path, body, close }
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
                Self::SlowResponse { .. } => Box::pin(keep_alive::drive(lane, template, None)),
            }
        }
    }
}

/// A lane at work.
pub(super) type Work = std::pin::Pin<Box<dyn Future<Output = ()>>>;

fn valid_body(body: usize) -> bool {
    (ID_LEN..=MAX_BODY).contains(&body)
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnePerConnection { rate: None } => f.write_str("one-per-connection"),
            Self::OnePerConnection { rate: Some(rate) } => write!(f, "one-per-connection {rate}/s"),
            Self::KeepAlive { body, think: None } => write!(f, "keep-alive body {body}"),
            Self::KeepAlive {
                body,
                think: Some(think),
            } => {
                write!(f, "keep-alive body {body} think {:?}..{:?}", think.start(), think.end())
            }
            Self::Pipelined => f.write_str("pipelined"),
            Self::SlowUpload { body, piece, every } => write!(f, "slow-upload {body} by {piece} every {every:?}"),
            Self::SlowResponse { handler } => write!(f, "slow-response {handler:?}"),
        }
    }
}
