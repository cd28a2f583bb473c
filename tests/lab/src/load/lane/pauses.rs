//! When a lane does nothing, and for how long.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Lane;
use crate::load::counts::Bucket;

/// A closed loop that failed waits this long, else a refusing server would be asked 50,000 times a second.
const AFTER_FAILURE: Duration = Duration::from_millis(5);

impl Lane {
    /// Waits in a closed loop after a failure; in every other case not at all.
    pub(in crate::load) async fn breathe_after(&mut self, bucket: Bucket) {
        if bucket.is_loss() {
            self.pause_until(Instant::now() + AFTER_FAILURE).await;
        }
    }

    /// Waits for the time, or for the end of the run.
    pub(in crate::load) async fn pause_until(&mut self, time: Instant) {
        tokio::select! {
            () = sleep_until(time.min(self.shared.budget.until())) => {}
            () = self.stop.wait() => {}
        }
    }

    /// As [`Lane::pause_until`], with an ear on the kept connection.
    pub(in crate::load) async fn idle_until(&mut self, time: Instant) {
        let time = time.min(self.shared.budget.until());
        if let Some(connection) = &mut self.connection {
            tokio::select! {
                _ = connection.disturbed_before(time) => {}
                () = self.stop.wait() => return,
            }
            self.look();
        }
        self.pause_until(time).await;
    }

    /// A random time between two, evenly spread (splitmix64).
    pub(in crate::load) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = f64::from((bits >> 32) as u32) / f64::from(u32::MAX);
        least + most.saturating_sub(least).mul_f64(share)
    }
}
