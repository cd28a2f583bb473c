//! Rollouts in a machine that is made up: its instances die, its answers are late or lost, its disk fails, and `appctl` is
//! killed wherever it can be. [`judge`] says what must be true all the while.

mod case;
mod dice;
mod fleet;
mod judge;
mod machine;
mod play;
mod world;

use case::{Case, Quality};
use play::{Luck, Story, chance};

use crate::rollout::{Outcome, State, Verb};

const VERBS: [Verb; 5] = [
    Verb::RollingRestart,
    Verb::Apply,
    Verb::Scale,
    Verb::Deploy,
    Verb::Rollback,
];

/// How many stories of chance are told.
const STORIES: u64 = 3_000;

#[test]
fn whatever_happens_a_rollout_keeps_its_promises() {
    for seed in 0..STORIES {
        chance(seed);
    }
}

#[test]
fn where_nothing_goes_wrong_every_verb_comes_to_its_end() {
    for verb in VERBS {
        let mut story = Story::of(&Case::plain(verb), 1);
        let ended = story.begin(&Luck::default()).expect("an end");
        assert!(matches!(ended.outcome, Outcome::Done { .. }), "{verb}: {ended:?}");
        story.judge_rest();
    }
}

/// Each with code that works, that never comes up, and that does not stay up.
fn cases() -> Vec<Case> {
    let qualities = [Quality::Good, Quality::NeverUp, Quality::Dies(40), Quality::Dies(250)];
    let with = |verb: Verb| {
        qualities.into_iter().flat_map(move |new| {
            [true, false].map(|surge| Case {
                surge,
                new,
                bake: 300,
                ..Case::plain(verb)
            })
        })
    };
    VERBS.into_iter().flat_map(with).collect()
}

#[test]
fn killed_at_any_effect_a_rollout_is_finished_or_taken_back_by_the_next_appctl() {
    for case in cases() {
        let mut whole = Story::of(&case, 1);
        whole.begin(&Luck::default());
        for fuse in 0..=whole.effects() {
            for abort in [false, true] {
                let mut story = Story::of(&case, 1);
                let fuse = Some(fuse);
                story.begin(&Luck {
                    fuse,
                    ..Luck::default()
                });
                story.calm();
                for _ in 0..3 {
                    story.go_on(&Luck {
                        abort,
                        ..Luck::default()
                    });
                }
                story.judge_rest();
            }
        }
    }
}

#[test]
fn a_kill_of_the_one_that_goes_on_changes_nothing() {
    for case in cases().into_iter().filter(|case| case.surge) {
        for first in (10..70).step_by(9) {
            for second in (0..60).step_by(3) {
                let mut story = Story::of(&case, first);
                let killed = |fuse| Luck {
                    fuse: Some(fuse),
                    ..Luck::default()
                };
                story.begin(&killed(first));
                story.go_on(&killed(second));
                story.calm();
                for _ in 0..3 {
                    story.go_on(&Luck::default());
                }
                story.judge_rest();
            }
        }
    }
}

#[test]
fn a_release_that_never_comes_up_leaves_the_old_one_live() {
    for verb in [Verb::Deploy, Verb::Rollback] {
        let case = Case {
            new: Quality::NeverUp,
            ..Case::plain(verb)
        };
        let mut story = Story::of(&case, 1);
        let ended = story.begin(&Luck::default()).expect("an end");
        assert!(matches!(ended.outcome, Outcome::Kept(_)), "{ended:?}");
        assert!(story.open().is_none_or(|record| record.rollout.state() != State::Done));
        story.judge_rest();
    }
}
