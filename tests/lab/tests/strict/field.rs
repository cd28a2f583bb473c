//! All shapes of load at once against one app: L1 to L9, each with a client of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::Stage;
use appctl_lab::load::{Load, Plan, Report, Shape, Target};
use appctl_lab::patience::eventually;

use crate::scale::Scale;
use crate::{millis, nginx};

const HTTP2: u16 = 3001;
/// Where the app's unix socket is, in the box.
pub(crate) const SOCKET: &str = "/run/web.sock";
/// The shape whose connections stay idle for up to twice the linger.
pub(crate) const IDLE: &str = "L3 idle connections";
const PATIENCE: Duration = Duration::from_secs(30);

/// One shape at work.
struct Strain {
    name: &'static str,
    load: Load,
}

/// All of them.
pub(crate) struct Field(Vec<Strain>);

pub(crate) fn port(port: u16) -> Target {
    Target::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// The box has a file system of its own; its root is seen through its first process.
pub(crate) fn socket(stage: &Stage) -> Target {
    let leader = stage.host().leader_pid();
    Target::Unix(PathBuf::from(format!("/proc/{leader}/root{SOCKET}")))
}

fn think(least: u64, most: u64) -> Option<std::ops::RangeInclusive<Duration>> {
    Some(millis(least)..=millis(most))
}

/// Each shape by name, with its connections.
fn shapes(scale: &Scale) -> [(&'static str, Shape, usize); 12] {
    let post = |think| Shape::KeepAlive { body: 16_256, think };
    let get = |think| Shape::KeepAlive { body: 0, think };
    let each = |rate| Shape::OnePerConnection { rate: Some(rate) };
    let twice_the_linger = Some(Duration::ZERO..=2 * scale.linger);
    // More than the kernel has room for on both sides: while it is read, the instance still has some of it to send.
    let (body, piece) = (8 << 20, 8 << 16);
    let every = scale.slow / 16;
    let http2 = Shape::Http2 {
        streams: 10,
        body: 0,
        think: think(200, 600),
    };
    let web_socket = Shape::WebSocket {
        messages: 5,
        think: Duration::ZERO..=millis(60),
    };
    [
        ("L1 a connection per request", each(100.0), 32),
        ("L2 kept connections", post(think(50, 150)), 64),
        (IDLE, get(twice_the_linger), 16),
        ("L4 pipelined", Shape::Pipelined, 1),
        ("L5 slow handler", Shape::SlowResponse { handler: scale.slow }, 4),
        (
            "L5 slow upload",
            Shape::SlowUpload {
                body: 16_384,
                piece: 1024,
                every,
            },
            4,
        ),
        ("L5 slow reader", Shape::SlowReader { body, piece, every }, 2),
        ("L6 web sockets", web_socket, 8),
        (
            "L6 events",
            Shape::Events {
                count: 10,
                every: millis(30),
            },
            4,
        ),
        ("L7 HTTP/2", http2, 8),
        ("L8 unix socket", each(50.0), 16),
        ("L9 through nginx", post(think(40, 120)), 8),
    ]
}

impl Field {
    /// Starts them all and waits until each is answered.
    pub(crate) fn start(stage: &Stage, scale: &Scale) -> Result<Self> {
        let strain = |(name, shape, connections): (&'static str, Shape, usize)| {
            let target = match name.split_once(' ') {
                Some(("L7", _)) => port(HTTP2),
                Some(("L8", _)) => socket(stage),
                Some(("L9", _)) => port(nginx::PORT),
                _ => port(3000),
            };
            let plan = Plan::new(target, shape).connections(connections).timeout(PATIENCE);
            let load = Load::start(plan);
            Strain { name, load }
        };
        let field = Self(shapes(scale).into_iter().map(strain).collect());
        field.goes_on(&vec![0; field.0.len()])?;
        Ok(field)
    }

    /// Proper answers so far, shape by shape.
    pub(crate) fn answered(&self) -> Vec<u64> {
        self.0.iter().map(|strain| strain.load.answered()).collect()
    }

    /// Waits until each shape has more answers than these.
    pub(crate) fn goes_on(&self, since: &[u64]) -> Result<()> {
        eventually(PATIENCE, || {
            for (strain, since) in self.0.iter().zip(since) {
                ensure!(strain.load.answered() > *since, "{}: no answers any more", strain.name);
            }
            Ok(())
        })
    }

    /// The shapes that have lost nothing so far.
    pub(crate) fn unharmed(&self) -> Vec<&'static str> {
        let unharmed = self.0.iter().filter(|strain| strain.load.lost() == 0);
        unharmed.map(|strain| strain.name).collect()
    }

    /// Stops them all; what each has to report.
    pub(crate) fn stop(self) -> Vec<(&'static str, Report)> {
        let stopped = self.0.into_iter().map(|strain| (strain.name, strain.load.stop()));
        stopped.collect()
    }
}

/// One line of a table.
pub(crate) fn line(name: &str, report: &Report) -> String {
    let (counts, latency) = (&report.counts, report.latency);
    format!(
        "  {name:<28} ok {:>6}  lost {:>3}  declined {:>3}  p50 {:>6.1} ms  p99.9 {:>7.1} ms  max {:>7.1} ms  told {:>4}  FIN {:>3}  RST {:>3}",
        counts.ok,
        report.lost(),
        counts.declined,
        latency.p50 * 1e3,
        latency.p999 * 1e3,
        latency.max * 1e3,
        report.told_close,
        report.idle_fins,
        report.idle_rsts,
    )
}
