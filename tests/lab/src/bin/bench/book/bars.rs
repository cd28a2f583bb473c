//! The bars appctl set for itself before it was measured, and whether it cleared them. Pure.

use serde::Serialize;

use super::Line;
use super::subject::{
    BESIDE_KEEP, BESIDE_ONE, KILL_TIME, LOST_KEEP, LOST_ONE, LOST_PIPE, LOST_SLOW, LOST_UPLOAD, RATE_KEEP_2,
    RATE_ONE_2, RELOAD_KEEP, RELOAD_UPSTREAM, Subject, Who,
};

const LONGEST_RELOAD_MS: f64 = 1500.0;

/// One bar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Bar {
    pub(crate) what: &'static str,
    pub(crate) measured: String,
    pub(crate) cleared: bool,
}

/// The bars whose lines were measured.
pub(super) fn judge(lines: &[Line]) -> Vec<Bar> {
    let judged = [
        nothing_lost(lines),
        short_reload(
            lines,
            RELOAD_KEEP,
            "a full reload of 4 workers under keep-alive load takes less than 1.5 s",
        ),
        short_reload(lines, RELOAD_UPSTREAM, "the same with nodejs.org's Node"),
        ratio(
            lines,
            RELOAD_KEEP,
            "a full reload under keep-alive load takes less than PM2's",
            &|it| it < 1.0,
        ),
        ratio(lines, RELOAD_UPSTREAM, "the same with nodejs.org's Node", &|it| {
            it < 1.0
        }),
        ratio(
            lines,
            KILL_TIME,
            "full strength after kill -9 is back sooner than with PM2",
            &|it| it < 1.0,
        ),
        ratio(
            lines,
            RATE_ONE_2,
            "one per connection: at least 2x PM2's cluster",
            &|it| it >= 2.0,
        ),
        ratio(lines, RATE_KEEP_2, "keep-alive: at least 1x PM2's cluster", &|it| {
            it >= 1.0
        }),
        beside_node(lines, BESIDE_KEEP, "keep-alive: within 2 % of Node alone"),
        beside_node(lines, BESIDE_ONE, "one per connection: within 2 % of Node alone"),
    ];
    judged.into_iter().flatten().collect()
}

fn find(lines: &[Line], subject: Subject) -> Option<&Line> {
    lines.iter().find(|line| line.subject == subject)
}

fn nothing_lost(lines: &[Line]) -> Option<Bar> {
    let shapes = [LOST_ONE, LOST_KEEP, LOST_PIPE, LOST_UPLOAD, LOST_SLOW];
    let worst = shapes
        .into_iter()
        .filter_map(|shape| Some(find(lines, shape)?.cells.get(&Who::Appctl)?.max))
        .reduce(f64::max)?;
    Some(Bar {
        what: "no request lost in any reload",
        measured: format!("{worst:.0} in the worst one"),
        cleared: worst <= 0.0,
    })
}

fn short_reload(lines: &[Line], subject: Subject, what: &'static str) -> Option<Bar> {
    let median = find(lines, subject)?.median(Who::Appctl)?;
    Some(Bar {
        what,
        measured: format!("{median:.0} ms"),
        cleared: median < LONGEST_RELOAD_MS,
    })
}

fn ratio(lines: &[Line], subject: Subject, what: &'static str, cleared: &dyn Fn(f64) -> bool) -> Option<Bar> {
    let ratio = find(lines, subject)?.appctl_to_pm2?;
    Some(Bar {
        what,
        measured: format!("{ratio:.2}x"),
        cleared: cleared(ratio),
    })
}

/// Requests per CPU time, pair by pair: the mean, and how far chance may have moved it (one standard error).
fn beside_node(lines: &[Line], subject: Subject, what: &'static str) -> Option<Bar> {
    let line = find(lines, subject)?;
    let [node, ours] = [Who::Node, Who::Appctl].map(|who| line.cells.get(&who).map(|spread| &spread.samples));
    let shares: Vec<f64> = node?.iter().zip(ours?).map(|(node, ours)| node / ours).collect();
    let (mean, error) = mean(&shares)?;
    Some(Bar {
        what,
        measured: format!("{:+.1} % ± {:.1}", (mean - 1.0) * 100.0, error * 100.0),
        cleared: mean >= 0.98,
    })
}

/// With its standard error.
fn mean(values: &[f64]) -> Option<(f64, f64)> {
    let count = f64::from(u32::try_from(values.len()).ok().filter(|count| *count > 0)?);
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, (squares / (count - 1.0).max(1.0) / count).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::super::subject::{BESIDE_KEEP, LOST_KEEP, LOST_ONE, RATE_ONE_2, RELOAD_KEEP, Subject, Who};
    use super::super::{Book, line};
    use super::{judge, mean};

    fn verdicts(samples: &[(Subject, Who, f64)]) -> Vec<(&'static str, bool)> {
        let mut book = Book::new();
        for (subject, who, sample) in samples {
            book.enter(*subject, *who, *sample);
        }
        let lines: Vec<_> = book
            .lines
            .iter()
            .map(|(subject, cells)| line(*subject, cells))
            .collect();
        judge(&lines).into_iter().map(|bar| (bar.what, bar.cleared)).collect()
    }

    #[test]
    fn one_lost_request_in_one_reload_misses_the_bar() {
        let samples = [
            (LOST_ONE, Who::Appctl, 0.0),
            (LOST_KEEP, Who::Appctl, 0.0),
            (LOST_KEEP, Who::Appctl, 1.0),
        ];
        assert_eq!(verdicts(&samples), [("no request lost in any reload", false)]);
        assert_eq!(verdicts(&samples[..2]), [("no request lost in any reload", true)]);
    }

    #[test]
    fn a_slow_reload_misses_both_of_its_bars() {
        let cleared = |appctl| verdicts(&[(RELOAD_KEEP, Who::Pm2, 1400.0), (RELOAD_KEEP, Who::Appctl, appctl)]);
        assert!(cleared(1300.0).iter().all(|(_, cleared)| *cleared));
        assert_eq!(cleared(1450.0).iter().filter(|(_, cleared)| *cleared).count(), 1);
        assert!(cleared(1600.0).iter().all(|(_, cleared)| !cleared));
    }

    #[test]
    fn throughput_is_held_against_pm2_and_against_node() {
        let one = |appctl| verdicts(&[(RATE_ONE_2, Who::Pm2, 1000.0), (RATE_ONE_2, Who::Appctl, appctl)])[0].1;
        assert!(one(2000.0) && !one(1990.0));
        let keep = |appctl| verdicts(&[(BESIDE_KEEP, Who::Node, 100.0), (BESIDE_KEEP, Who::Appctl, appctl)])[0].1;
        assert!(keep(101.0) && !keep(103.0));
    }

    #[test]
    fn a_mean_of_pairs_comes_with_what_chance_may_have_done() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[0.9]), Some((0.9, 0.0)));
        let (mean, error) = mean(&[1.0, 3.0]).expect("two values");
        assert!(
            (mean - 2.0).abs() < 1e-9 && (error - 1.0).abs() < 1e-9,
            "{mean} ± {error}"
        );
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert_eq!(verdicts(&[]), []);
    }
}
