//! While every processor is busy, an instance that ends or begins waits behind all of its siblings, and so does whoever
//! waits for the rollout. It gets a larger share for a moment; for no longer, since its siblings serve meanwhile.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::host::autogroup::Autogroup;
use crate::host::cgroupfs;
use crate::spec::AppName;
use crate::unit::slice_path;

/// As long as most apps need to begin; a slow one goes on with the usual share.
const MOMENT: Duration = Duration::from_secs(1);
const SOONEST: Duration = Duration::from_millis(4);
const LATEST: Duration = Duration::from_millis(100);

/// The outcome of a job on a unit, whose processes have a larger share meanwhile: those that run, and those that systemd
/// starts.
pub(super) async fn during<T>(job: impl Future<Output = T>, app: &AppName, unit: &str) -> T {
    let mut haste = Haste {
        group: slice_path(app).join(unit),
        raised: BTreeMap::new(),
    };
    tokio::select! {
        biased;
        outcome = job => outcome,
        never = haste.go_on() => match never {},
    }
}

/// The sessions of one unit that have a larger share. Those that are left have the usual one again when this is dropped;
/// if there is no chance to, the shim sees to it once the app is ready.
struct Haste {
    group: PathBuf,
    /// By name; nothing is left of those that had their moment.
    raised: BTreeMap<String, Option<Raised>>,
}

struct Raised {
    session: Autogroup,
    until: Instant,
}

impl Haste {
    async fn go_on(&mut self) -> Infallible {
        let begin = Instant::now();
        loop {
            self.raise();
            self.settle_old();
            // What takes long already may take a little longer.
            sleep((begin.elapsed() / 32).clamp(SOONEST, LATEST)).await;
        }
    }

    fn raise(&mut self) {
        for session in cgroupfs::processes(&self.group).into_iter().filter_map(Autogroup::of) {
            self.raised.entry(session.name.clone()).or_insert_with(|| {
                session.raise();
                let until = Instant::now() + MOMENT;
                Some(Raised { session, until })
            });
        }
    }

    /// They stay known, or they would be raised once more.
    fn settle_old(&mut self) {
        let now = Instant::now();
        let old = self
            .raised
            .values_mut()
            .filter_map(|one| one.take_if(|one| one.until <= now));
        old.for_each(|one| one.session.settle());
    }
}

impl Drop for Haste {
    fn drop(&mut self) {
        self.raised.values().flatten().for_each(|one| one.session.settle());
    }
}
