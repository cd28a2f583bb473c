//! Latencies of answered requests: a log-linear histogram (64 steps per power of two, error below 1.6 %), exact maximum.

use std::time::Duration;

use serde::Serialize;

const STEP_BITS: u32 = 6;
const STEPS: u64 = 1 << STEP_BITS;

/// Counts per latency class, microseconds.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    classes: Vec<u64>,
    total: u64,
    max: Duration,
}

/// Seconds. Zero when nothing was answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the requests were answered within this.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1000.
    pub p999: f64,
    /// The slowest one, exact.
    pub max: f64,
}

impl Histogram {
    pub(super) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX >> 1);
        let class = class_of(micros);
        if class >= self.classes.len() {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] += 1;
        self.total += 1;
        self.max = self.max.max(latency);
    }

    pub(super) fn summary(&self) -> Latency {
        Latency {
            p50: self.percentile(500),
            p99: self.percentile(990),
            p999: self.percentile(999),
            max: self.max.as_secs_f64(),
        }
    }

    /// The upper bound, in seconds, of the class that holds the given rank (per thousand), at most the maximum.
    fn percentile(&self, per_thousand: u64) -> f64 {
        let rank = (self.total * per_thousand).div_ceil(1000);
        let mut below = 0;
        let class = self.classes.iter().position(|count| {
            below += count;
            below >= rank && rank > 0
        });
        let bound = class.map_or(Duration::ZERO, |class| Duration::from_micros(last_of(class)));
        bound.min(self.max).as_secs_f64()
    }
}

/// Exact below 64 µs; above, the top six bits behind the leading one.
fn class_of(micros: u64) -> usize {
    let shift = (u64::BITS - micros.leading_zeros()).saturating_sub(STEP_BITS + 1);
    usize::try_from(u64::from(shift) * STEPS + (micros >> shift)).unwrap_or(usize::MAX)
}

/// The largest number of microseconds in a class.
fn last_of(class: usize) -> u64 {
    let class = class as u64;
    let shift = (class / STEPS).saturating_sub(1);
    ((class - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_and_off_by_less_than_two_percent() {
        let mut last = 0;
        for micros in (0..5_000).chain((5_000..90_000_000).step_by(7_919)) {
            let class = class_of(micros);
            assert!(class >= last, "{micros}");
            last = class;
            let bound = last_of(class);
            assert!(bound >= micros && (bound - micros) * 64 <= micros, "{micros} {bound}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_recorded_values() {
        let mut histogram = Histogram::default();
        for millis in 1..=1000 {
            histogram.record(Duration::from_millis(millis));
        }
        let latency = histogram.summary();
        assert!((0.500..0.509).contains(&latency.p50), "{latency:?}");
        assert!((0.990..1.0).contains(&latency.p99), "{latency:?}");
        assert!((0.999..=1.0).contains(&latency.p999), "{latency:?}");
        assert!((latency.max - 1.0).abs() < 1e-9, "{latency:?}");
    }

    #[test]
    fn nothing_recorded_is_zero() {
        assert_eq!(Histogram::default().summary(), Latency::default());
    }
}
