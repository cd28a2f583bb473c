//! A shape in the words of its report.

use std::fmt;

use super::Shape;

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
            Self::SlowReader { body, piece, every } => write!(f, "slow-reader {body} by {piece} every {every:?}"),
            Self::Events { count, every } => write!(f, "events {count} every {every:?}"),
            Self::WebSocket { messages, think } => {
                write!(
                    f,
                    "web-socket of {messages} think {:?}..{:?}",
                    think.start(),
                    think.end()
                )
            }
            Self::Http2 {
                streams,
                body,
                think: None,
            } => write!(f, "http2 streams {streams} body {body}"),
            Self::Http2 {
                streams,
                body,
                think: Some(think),
            } => {
                let (least, most) = (think.start(), think.end());
                write!(f, "http2 streams {streams} body {body} think {least:?}..{most:?}")
            }
        }
    }
}
