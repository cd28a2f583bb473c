//! Which release to go back to, and which ones to remove.

use std::collections::BTreeSet;

use super::ReleaseId;

/// The release `steps` before the live one: 1 is `before`, which the live one was deployed over, or where that is not
/// known the one made right before it. From there it goes on by age; those that are bad are not counted.
pub fn back<'a>(
    all: &'a [ReleaseId],
    live: Option<&ReleaseId>,
    before: Option<&ReleaseId>,
    bad: &BTreeSet<ReleaseId>,
    steps: usize,
) -> Option<&'a ReleaseId> {
    let mut good: Vec<&ReleaseId> = all
        .iter()
        .filter(|id| !bad.contains(*id) && Some(*id) != live)
        .collect();
    good.sort();
    let known = before.filter(|before| good.contains(before));
    good.retain(|id| match known {
        Some(before) => *id <= before,
        None => live.is_none_or(|live| *id < live),
    });
    good.into_iter().rev().nth(steps.checked_sub(1)?)
}

/// What may go, oldest first, when `keep` are to stay. What is in use stays besides. A bad one stays as long as it
/// is among the newest: so that it is not deployed again by mistake, and does not push out what one can go back to.
pub fn prunable(
    all: &[ReleaseId],
    in_use: &BTreeSet<ReleaseId>,
    bad: &BTreeSet<ReleaseId>,
    keep: usize,
) -> Vec<ReleaseId> {
    let mut newest: Vec<&ReleaseId> = all.iter().collect();
    newest.sort();
    newest.reverse();
    let good = newest.iter().filter(|id| !bad.contains(**id)).take(keep);
    let kept: BTreeSet<&ReleaseId> = good.chain(newest.iter().take(keep)).copied().collect();
    let gone = newest
        .iter()
        .rev()
        .filter(|id| !kept.contains(**id) && !in_use.contains(**id));
    gone.map(|id| (*id).clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{back, prunable};
    use crate::release::ReleaseId;

    fn id(nth: usize) -> ReleaseId {
        format!("20261122T1015{nth:02}Z").parse().expect("an id")
    }

    fn ids(which: impl IntoIterator<Item = usize>) -> BTreeSet<ReleaseId> {
        which.into_iter().map(id).collect()
    }

    #[test]
    fn a_rollback_passes_over_what_is_bad_and_what_is_newer() {
        let all: Vec<ReleaseId> = (1..=5).map(id).collect();
        let bad = ids([3]);
        let to = |steps| back(&all, Some(&id(4)), None, &bad, steps).cloned();
        assert_eq!([to(1), to(2), to(3), to(0)], [Some(id(2)), Some(id(1)), None, None]);
        assert_eq!(back(&all, None, None, &bad, 1), Some(&id(5)));
    }

    #[test]
    fn a_rollback_goes_to_what_the_live_one_was_deployed_over() {
        let all: Vec<ReleaseId> = (1..=5).map(id).collect();
        let to = |before, steps| back(&all, Some(&id(5)), Some(&id(before)), &ids([3]), steps).cloned();
        assert_eq!([to(2, 1), to(2, 2), to(2, 3)], [Some(id(2)), Some(id(1)), None]);
        assert_eq!(to(3, 1), Some(id(4)), "that one is bad");
        assert_eq!(
            back(&all, Some(&id(2)), Some(&id(5)), &ids([]), 1),
            Some(&id(5)),
            "an old one deployed anew"
        );
    }

    #[test]
    fn bad_releases_do_not_push_out_good_ones() {
        let all: Vec<ReleaseId> = (1..=9).map(id).collect();
        assert_eq!(prunable(&all, &ids([2]), &ids([6, 7, 8, 9]), 3), [1, 6].map(id));
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
            let gone = prunable(&all, &used, &bad, keep);
            prop_assert!(gone.iter().all(|id| !used.contains(id)));
            let left: Vec<_> = all.iter().filter(|id| !gone.contains(id)).cloned().collect();
            let good = |of: &[ReleaseId]| of.iter().filter(|id| !bad.contains(id)).count();
            prop_assert!(good(&left) >= keep.min(good(&all)));
            prop_assert!(left.len() <= 2 * keep + used.len());
            prop_assert!(prunable(&left, &used, &bad, keep).is_empty());
        }
    }
}
