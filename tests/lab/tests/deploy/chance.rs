//! Random moments that can be had again: `APPCTL_SEED=N`. And how long a test is to be.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A stream of numbers, xorshift64*.
pub struct Chance(u64);

impl Chance {
    /// From `APPCTL_SEED`, else from the clock; printed either way.
    pub fn new(what: &str) -> Self {
        let given = std::env::var("APPCTL_SEED").ok().and_then(|seed| seed.parse().ok());
        let clock = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |time| time.as_micros())
        };
        let seed: u64 = given.unwrap_or_else(|| u64::try_from(clock()).unwrap_or(1));
        println!("{what}: APPCTL_SEED={seed}");
        Self(seed.max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let count = u64::try_from(choices.len()).expect("a few");
        &choices[usize::try_from(self.next() % count).expect("a few")]
    }

    /// Some time up to 1.1 times this.
    pub fn moment(&mut self, whole: Duration) -> Duration {
        let permille = u32::try_from(self.next() % 1100).expect("small");
        whole * permille / 1000
    }
}

/// How often: a slice for every day, or the whole of it.
pub fn times(slice: usize, full: usize) -> usize {
    if is_full() { full } else { slice }
}

/// Whether the long versions are wanted.
pub fn is_full() -> bool {
    std::env::var("APPCTL_TORTURE").is_ok_and(|torture| torture == "full")
}
