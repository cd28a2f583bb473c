//! What is measured, each behind the same few verbs. Only one has a port at a time.

mod appctl;
mod node;
mod pm2;

use anyhow::Result;

use crate::asking::{self, PORT};
use crate::book::subject::Who;
use crate::scene::Scene;

pub(crate) use appctl::Appctl;
pub(crate) use node::Node;
pub(crate) use pm2::Pm2;

/// Directories below `/srv`.
pub(crate) const APP: &str = "bench";
pub(crate) const PM2: &str = "pm2";
pub(crate) const UPSTREAM: &str = "node";

/// A way to run the app.
pub(crate) trait Contender {
    fn who(&self) -> Who;

    /// Where it listens.
    fn port(&self) -> u16 {
        PORT
    }

    /// Starts that many workers; returns when the contender says that they serve.
    fn start(&self, scene: &Scene, workers: usize) -> Result<()>;

    /// Replaces every worker, by the command that users are told to use.
    fn reload(&self, scene: &Scene) -> Result<()>;

    /// Ends the app and everything that supervises it.
    fn stop(&self, scene: &Scene) -> Result<()>;

    /// The process of each worker in the box, in the order of their numbers.
    fn workers(&self, scene: &Scene) -> Result<Vec<u32>>;

    /// The processes that do nothing but supervise.
    fn supervisors(&self, scene: &Scene) -> Result<Vec<u32>>;

    /// What a user types to see how the apps are.
    fn listing(&self) -> Vec<&'static str>;
}

/// Those that can be reloaded.
pub(crate) fn supervised() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(Pm2 { handler: false }),
        Box::new(Pm2 { handler: true }),
        Box::new(Appctl),
    ]
}

/// Starts `workers` workers, does the work, and stops them, come of it what may.
pub(crate) fn with<T>(
    scene: &Scene,
    contender: &dyn Contender,
    workers: usize,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let outcome = contender.start(scene, workers).and_then(|()| {
        asking::until_all_answer(contender.port(), &contender.workers(scene)?)?;
        work()
    });
    let stopped = contender.stop(scene);
    let outcome = outcome?;
    stopped.map(|()| outcome)
}
