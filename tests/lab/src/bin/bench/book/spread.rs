//! Several samples of one quantity: the median with the least and the most, nothing that hides an outlier.

use serde::Serialize;

/// Never empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// In the order they were taken.
    pub(crate) samples: Vec<f64>,
}

impl Spread {
    /// `None` without samples.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: median(&sorted)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
            samples: samples.to_vec(),
        })
    }
}

/// Of an even number of samples the mean of the two in the middle.
fn median(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        Some(upper)
    } else {
        Some(f64::midpoint(sorted[half - 1], upper))
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    fn three(samples: &[f64]) -> Option<(f64, f64, f64)> {
        Spread::of(samples).map(|spread| (spread.min, spread.median, spread.max))
    }

    #[test]
    fn the_median_is_the_one_in_the_middle_whatever_the_order() {
        assert_eq!(three(&[9.0, 1.0, 2.0]), Some((1.0, 2.0, 9.0)));
        assert_eq!(three(&[4.0, 1.0, 2.0, 100.0]), Some((1.0, 3.0, 100.0)));
        assert_eq!(three(&[5.0]), Some((5.0, 5.0, 5.0)));
    }

    #[test]
    fn nothing_measured_is_no_spread() {
        assert_eq!(three(&[]), None);
    }

    #[test]
    fn the_samples_keep_the_order_they_were_taken_in() {
        let spread = Spread::of(&[3.0, 1.0]).expect("two samples");
        assert_eq!(spread.samples, [3.0, 1.0]);
    }
}
