//! What instances answered, in numbers, and when too much of it is errors. Pure.

use std::iter::Sum;
use std::ops::Add;

/// Finished responses of one or several instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Responses {
    /// All responses, with any status.
    pub all: u64,
    /// Those with a status of 500 or above.
    pub errors: u64,
}

/// Fewer errors than this may be chance.
const LEAST_ERRORS: u64 = 10;
/// Fewer responses than this are no yardstick.
const LEAST_RESPONSES: u64 = 10;
/// How many times the share of others is still like theirs.
const TIMES: u64 = 2;

impl Responses {
    /// The responses since `earlier`; zero where the counts went back.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            all: self.all.saturating_sub(earlier.all),
            errors: self.errors.saturating_sub(earlier.errors),
        }
    }

    /// Whether these are too many errors: at least ten, more than `percent` of all, and more than twice the share of
    /// `others`, if they answered at least ten requests. What is wrong with the old as well is no fault of the new.
    pub fn has_too_many_errors(self, others: Self, percent: u32) -> bool {
        let enough = self.errors >= LEAST_ERRORS;
        let many = product(self.errors, 100) > product(self.all, percent.into());
        let more = product(self.errors, others.all) > u128::from(TIMES) * product(others.errors, self.all);
        enough && many && (more || others.all < LEAST_RESPONSES)
    }
}

fn product(a: u64, b: u64) -> u128 {
    // Bounded, so that twice the product fits: no process lives to count to 2^62.
    u128::from(a.min(u64::MAX >> 2)) * u128::from(b.min(u64::MAX >> 2))
}

impl Add for Responses {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            all: self.all.saturating_add(other.all),
            errors: self.errors.saturating_add(other.errors),
        }
    }
}

impl Sum for Responses {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Self::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Responses;

    const NONE: Responses = Responses { all: 0, errors: 0 };

    fn of(errors: u64, all: u64) -> Responses {
        Responses { all, errors }
    }

    #[test]
    fn ten_errors_above_the_limit_are_too_many() {
        assert!(of(10, 199).has_too_many_errors(NONE, 5));
        assert!(!of(10, 200).has_too_many_errors(NONE, 5), "5 % is not more than 5 %");
        assert!(!of(9, 9).has_too_many_errors(NONE, 5), "that may be chance");
    }

    #[test]
    fn what_the_others_answer_as_well_is_no_fault_of_the_new() {
        assert!(!of(40, 200).has_too_many_errors(of(60, 300), 5), "the same share");
        assert!(!of(40, 200).has_too_many_errors(of(30, 300), 5), "twice the share");
        assert!(of(41, 200).has_too_many_errors(of(30, 300), 5));
        assert!(
            of(40, 200).has_too_many_errors(of(9, 9), 5),
            "nine requests tell nothing"
        );
    }

    #[test]
    fn no_share_is_above_all_of_them() {
        assert!(!of(1000, 1000).has_too_many_errors(NONE, 100));
    }

    fn responses() -> impl Strategy<Value = Responses> {
        let number = prop_oneof![0_u64..30, 0_u64..3_000, any::<u64>()];
        (number.clone(), number).prop_map(|(a, b)| of(a.min(b), a.max(b)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn more_errors_never_acquit_and_more_that_is_fine_never_convicts(
            new in responses(), others in responses(), percent in 1_u32..=100, more in 1_u64..1_000
        ) {
            let judged = new.has_too_many_errors(others, percent);
            let worse = of(new.errors.saturating_add(more).min(new.all), new.all);
            prop_assert!(!judged || worse.has_too_many_errors(others, percent));
            let better = of(new.errors, new.all.saturating_add(more));
            prop_assert!(judged || !better.has_too_many_errors(others, percent));
        }

        #[test]
        fn others_that_are_worse_never_convict_and_a_higher_limit_neither(
            new in responses(), others in responses(), percent in 1_u32..100, more in 1_u64..1_000
        ) {
            let judged = new.has_too_many_errors(others, percent);
            let worse = of(others.errors.saturating_add(more).min(others.all), others.all);
            prop_assert!(judged || !new.has_too_many_errors(worse, percent));
            prop_assert!(judged || !new.has_too_many_errors(others, percent + 1));
        }

        #[test]
        fn parts_add_up(first in responses(), second in responses()) {
            let sum: Responses = [first, second].into_iter().sum();
            prop_assert!(sum.all >= first.all && sum.errors <= sum.all);
            prop_assert_eq!(first.since(first), NONE);
            prop_assert_eq!(first.since(NONE), first);
        }
    }
}
