//! The strict load client on the command line. Exit code 1 when anything was lost, 2 when the plan makes no sense.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use appctl_lab::load::{Load, Plan, Shape, Target};
use clap::{Parser, ValueEnum};

/// Ask a server on this machine, never retry, and say what became of every request.
#[derive(Debug, Parser)]
#[command(name = "strict-load")]
struct Arguments {
    /// A loopback ADDRESS:PORT, or the absolute path of a unix socket
    #[arg(long)]
    to: Target,
    #[arg(long, value_enum, default_value_t = Kind::OnePerConnection)]
    shape: Kind,
    /// Connections at a time
    #[arg(long, default_value_t = 32)]
    connections: usize,
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Stop after this many requests
    #[arg(long)]
    requests: Option<u64>,
    /// Seconds a request may take
    #[arg(long, default_value_t = 10.0)]
    timeout: f64,
    /// Path and query
    #[arg(long, default_value = "/")]
    path: String,
    /// Requests per second (one-per-connection: makes it an open loop)
    #[arg(long)]
    rate: Option<f64>,
    /// Bytes of POST body (keep-alive, slow-upload, http2), or of the response (slow-reader)
    #[arg(long, default_value_t = 0)]
    body: usize,
    /// Think time, milliseconds, FROM..TO (keep-alive, web-socket, http2)
    #[arg(long, value_parser = think)]
    think: Option<(u64, u64)>,
    /// Bytes per piece (slow-upload, slow-reader)
    #[arg(long, default_value_t = 1024)]
    piece: usize,
    /// Milliseconds between pieces (slow-upload, slow-reader) or events, or in the handler (slow-response)
    #[arg(long, default_value_t = 100)]
    millis: u64,
    /// Messages of a conversation (web-socket), events of a stream
    #[arg(long, default_value_t = 10)]
    count: u32,
    /// Streams at a time on each connection (http2)
    #[arg(long, default_value_t = 10)]
    streams: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    OnePerConnection,
    KeepAlive,
    Pipelined,
    SlowUpload,
    SlowResponse,
    SlowReader,
    Events,
    WebSocket,
    Http2,
}

impl Arguments {
    fn shape(&self) -> Shape {
        let every = Duration::from_millis(self.millis);
        let (body, piece, count) = (self.body, self.piece, self.count);
        let think = self
            .think
            .map(|(from, to)| Duration::from_millis(from)..=Duration::from_millis(to));
        match self.shape {
            Kind::OnePerConnection => Shape::OnePerConnection { rate: self.rate },
            Kind::KeepAlive => Shape::KeepAlive { body, think },
            Kind::Pipelined => Shape::Pipelined,
            Kind::SlowUpload => Shape::SlowUpload { body, piece, every },
            Kind::SlowResponse => Shape::SlowResponse { handler: every },
            Kind::SlowReader => Shape::SlowReader { body, piece, every },
            Kind::Events => Shape::Events { count, every },
            Kind::WebSocket => Shape::WebSocket {
                messages: count,
                think: think.unwrap_or(Duration::ZERO..=Duration::ZERO),
            },
            Kind::Http2 => Shape::Http2 {
                streams: self.streams,
                body,
                think,
            },
        }
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        let plan = Plan {
            path: self.path.clone(),
            connections: self.connections,
            duration: Some(Duration::try_from_secs_f64(self.seconds)?),
            requests: self.requests,
            timeout: Duration::try_from_secs_f64(self.timeout)?,
            ..Plan::new(self.to.clone(), self.shape())
        };
        plan.check()?;
        Ok(plan)
    }
}

fn think(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("FROM..TO, milliseconds")?;
    let number = |text: &str| {
        text.parse()
            .map_err(|_| format!("{text:?} is not a number of milliseconds"))
    };
    let (from, to) = (number(from)?, number(to)?);
    if from <= to {
        Ok((from, to))
    } else {
        Err("FROM must not be above TO".into())
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let report = Load::start(arguments.plan()?).wait();
    let text = if arguments.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.to_string()
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(report.lost() == 0 && report.counts.ok > 0)
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("strict-load: {error:#}");
            ExitCode::from(2)
        }
    }
}
