//! Which release to go back to, and which ones to remove.

use std::collections::BTreeSet;

use super::ReleaseId;

/// What is known of an app's releases.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    /// Complete ones, oldest first.
    pub all: Vec<ReleaseId>,
    /// The live one.
    pub live: Option<ReleaseId>,
    /// What the live one was deployed over, as far as that is known.
    pub before: Option<ReleaseId>,
    /// Those that failed.
    pub bad: BTreeSet<ReleaseId>,
}

impl Stock {
    /// The release `steps` before the live one: 1 is the one that the live one was deployed over, or where that is not
    /// known the one made right before it. From there it goes on by age; those that are bad are not counted.
    pub fn back(&self, steps: usize) -> Option<&ReleaseId> {
        let live = self.live.as_ref();
        let is_good = |id: &&ReleaseId| !self.bad.contains(*id) && Some(*id) != live;
        let mut good: Vec<&ReleaseId> = self.all.iter().filter(is_good).collect();
        good.sort();
        let known = self.before.as_ref().filter(|before| good.contains(before));
        good.retain(|id| match known {
            Some(before) => *id <= before,
            None => live.is_none_or(|live| *id < live),
        });
        good.into_iter().rev().nth(steps.checked_sub(1)?)
    }

    /// What may go, oldest first, when `keep` are to stay. What is in use stays besides. A bad one stays as long as it
    /// is among the newest: so that it is not deployed again by mistake, and does not push out what one can go back to.
    pub fn prunable(&self, in_use: &BTreeSet<ReleaseId>, keep: usize) -> Vec<ReleaseId> {
        let mut newest: Vec<&ReleaseId> = self.all.iter().collect();
        newest.sort();
        newest.reverse();
        let good = newest.iter().filter(|id| !self.bad.contains(**id)).take(keep);
        let kept: BTreeSet<&ReleaseId> = good.chain(newest.iter().take(keep)).copied().collect();
        let gone = newest
            .iter()
            .rev()
            .filter(|id| !kept.contains(**id) && !in_use.contains(**id));
        gone.map(|id| (*id).clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Stock;
    use crate::release::ReleaseId;

    fn id(nth: usize) -> ReleaseId {
        format!("20261122T1015{nth:02}Z").parse().expect("an id")
    }

    fn ids(which: impl IntoIterator<Item = usize>) -> BTreeSet<ReleaseId> {
        which.into_iter().map(id).collect()
    }

    /// Of five releases.
    fn stock(live: Option<usize>, before: Option<usize>, bad: impl IntoIterator<Item = usize>) -> Stock {
        Stock {
            all: (1..=5).map(id).collect(),
            live: live.map(id),
            before: before.map(id),
            bad: ids(bad),
        }
    }

    #[test]
    fn a_rollback_passes_over_what_is_bad_and_what_is_newer() {
        let mut stock = stock(Some(4), None, [3]);
        let to = |steps| stock.back(steps).cloned();
        assert_eq!([to(1), to(2), to(3), to(0)], [Some(id(2)), Some(id(1)), None, None]);
        stock.live = None;
        assert_eq!(stock.back(1), Some(&id(5)));
    }

    #[test]
    fn a_rollback_goes_to_what_the_live_one_was_deployed_over() {
        let to = |before, steps| stock(Some(5), Some(before), [3]).back(steps).cloned();
        assert_eq!([to(2, 1), to(2, 2), to(2, 3)], [Some(id(2)), Some(id(1)), None]);
        assert_eq!(to(3, 1), Some(id(4)), "that one is bad");
        let deployed_anew = stock(Some(2), Some(5), []);
        assert_eq!(deployed_anew.back(1), Some(&id(5)));
    }

    #[test]
    fn bad_releases_do_not_push_out_good_ones() {
        let (all, bad) = ((1..=9).map(id).collect(), ids([6, 7, 8, 9]));
        let stock = Stock {
            all,
            bad,
            ..Stock::default()
        };
        assert_eq!(stock.prunable(&ids([2]), 3), [1, 6].map(id));
    }

    proptest! {
        #[test]
        fn nothing_in_use_goes_and_enough_stays(
            count in 0_usize..30,
            used in proptest::collection::btree_set(0_usize..30, 0..6),
            bad in proptest::collection::btree_set(0_usize..30, 0..12),
            keep in 2_usize..8,
        ) {
            let all: Vec<ReleaseId> = (0..count).map(id).collect();
            let (used, bad) = (ids(used), ids(bad));
            let stock = |all: &[ReleaseId]| Stock { all: all.to_vec(), bad: bad.clone(), ..Stock::default() };
            let gone = stock(&all).prunable(&used, keep);
            prop_assert!(gone.iter().all(|id| !used.contains(id)));
            let left: Vec<_> = all.iter().filter(|id| !gone.contains(id)).cloned().collect();
            let good = |of: &[ReleaseId]| of.iter().filter(|id| !bad.contains(id)).count();
            prop_assert!(good(&left) >= keep.min(good(&all)));
            prop_assert!(left.len() <= 2 * keep + used.len());
            prop_assert!(stock(&left).prunable(&used, keep).is_empty());
        }
    }
}
