//! What a shape may ask for: nothing without end, and nothing that could never be answered in time.

use std::time::Duration;

use anyhow::ensure;

use super::super::identity::ID_LEN;
use super::Shape;

const MAX_BODY: usize = 16 << 20;
const MAX_RATE: f64 = 50_000.0;
const MAX_STREAMS: usize = 100;

impl Shape {
    /// Fails when something is out of bounds, or could never be answered in time.
    pub(in super::super) fn check(&self, timeout: Duration) -> anyhow::Result<()> {
        match self {
            Self::OnePerConnection { rate } => {
                ensure!(
                    rate.is_none_or(|rate| rate > 0.01 && rate <= MAX_RATE),
                    "rate: up to {MAX_RATE} a second"
                );
            }
            Self::KeepAlive { body, .. } => posted(*body)?,
            Self::Pipelined => {}
            Self::SlowUpload { body, piece, every } => {
                ensure!(valid_body(*body), "body: {ID_LEN} bytes to 16 MiB");
                in_pieces((*body, *piece), *every, timeout)?;
            }
            Self::SlowReader { body, piece, every } => {
                ensure!(*body <= MAX_BODY, "body: up to 16 MiB");
                in_pieces((*body, *piece), *every, timeout)?;
            }
            Self::SlowResponse { handler } => ensure!(*handler < timeout, "the handler takes longer than the timeout"),
            Self::Events { count, every } => {
                ensure!(*count > 0, "no events");
                ensure!(
                    every.saturating_mul(*count) < timeout,
                    "the events take longer than the timeout"
                );
            }
            Self::WebSocket { messages, .. } => ensure!(*messages > 0, "no messages"),
            Self::Http2 { streams, body, .. } => {
                ensure!((1..=MAX_STREAMS).contains(streams), "streams: 1 to {MAX_STREAMS}");
                posted(*body)?;
            }
        }
        Ok(())
    }
}

fn posted(body: usize) -> anyhow::Result<()> {
    ensure!(body == 0 || valid_body(body), "body: {ID_LEN} bytes to 16 MiB");
    Ok(())
}

fn in_pieces((body, piece): (usize, usize), every: Duration, timeout: Duration) -> anyhow::Result<()> {
    ensure!((1..=body).contains(&piece), "piece: 1 byte to the whole body");
    let pauses = u32::try_from(body.div_ceil(piece) - 1)?;
    ensure!(
        every.saturating_mul(pauses) < timeout,
        "the body takes longer than the timeout"
    );
    Ok(())
}

fn valid_body(body: usize) -> bool {
    (ID_LEN..=MAX_BODY).contains(&body)
}
