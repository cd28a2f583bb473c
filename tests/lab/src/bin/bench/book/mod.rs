//! What was measured: samples by line and contender, each told as it comes, and what could not be measured.

pub(crate) mod about;
mod bars;
mod plot;
mod spread;
pub(crate) mod subject;
mod table;

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use about::About;
use bars::Bar;
use spread::Spread;
use subject::{Subject, Unit, Who};

/// Samples as they come in.
#[derive(Debug)]
pub(crate) struct Book {
    start: Instant,
    lines: Vec<(Subject, BTreeMap<Who, Vec<f64>>)>,
    failures: Vec<String>,
    client_cpu: f64,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    #[serde(rename = "what")]
    subject: Subject,
    unit: Unit,
    more_is_better: bool,
    cells: BTreeMap<Who, Spread>,
    /// appctl's median to that of PM2's better one.
    appctl_to_pm2: Option<f64>,
}

/// Everything, as it is published.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    about: About,
    /// The most that the load client used of its own core while throughput was measured.
    client_cpu_percent: f64,
    lines: Vec<Line>,
    bars: Vec<Bar>,
    failures: Vec<String>,
}

impl Book {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            lines: Vec::new(),
            failures: Vec::new(),
            client_cpu: 0.0,
        }
    }

    /// Enters one sample.
    pub(crate) fn enter(&mut self, subject: Subject, who: Who, sample: f64) {
        eprintln!(
            "bench: {:6.1} s  {:<46} {:<20} {sample:.1} {}",
            self.start.elapsed().as_secs_f64(),
            subject.what,
            who.title(),
            subject.unit.title()
        );
        let at = self.lines.iter().position(|(known, _)| *known == subject);
        let at = at.unwrap_or_else(|| {
            self.lines.push((subject, BTreeMap::new()));
            self.lines.len() - 1
        });
        self.lines[at].1.entry(who).or_default().push(sample);
    }

    /// Enters what came of a measurement: its samples, or why there are none.
    pub(crate) fn attempt(&mut self, who: Who, what: &str, measure: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        if let Err(error) = measure(self) {
            let failure = format!("{}, {what}: {error:#}", who.title());
            eprintln!("bench: failed: {failure}");
            self.failures.push(failure);
        }
    }

    /// Enters what share of its core the load client used: near 1 it measured itself.
    pub(crate) fn client_used(&mut self, share: f64) {
        self.client_cpu = self.client_cpu.max(share);
    }

    /// The lines of the table.
    pub(crate) fn close(self, about: About) -> Results {
        let lines: Vec<Line> = self
            .lines
            .iter()
            .map(|(subject, cells)| line(*subject, cells))
            .collect();
        Results {
            about,
            client_cpu_percent: self.client_cpu * 100.0,
            bars: bars::judge(&lines),
            lines,
            failures: self.failures,
        }
    }
}

fn line(subject: Subject, samples: &BTreeMap<Who, Vec<f64>>) -> Line {
    let spreads = samples
        .iter()
        .filter_map(|(who, samples)| Some((*who, Spread::of(samples)?)));
    let mut line = Line {
        subject,
        unit: subject.unit,
        more_is_better: subject.unit.more_is_better(),
        cells: spreads.collect(),
        appctl_to_pm2: None,
    };
    line.appctl_to_pm2 = line.ratio();
    line
}

impl Line {
    fn median(&self, who: Who) -> Option<f64> {
        self.cells.get(&who).map(|spread| spread.median)
    }

    /// PM2's better median of the two.
    fn pm2(&self) -> Option<f64> {
        let both = [Who::Pm2, Who::Pm2Handler]
            .into_iter()
            .filter_map(|who| self.median(who));
        both.reduce(if self.more_is_better { f64::max } else { f64::min })
    }

    fn ratio(&self) -> Option<f64> {
        let ratio = self.median(Who::Appctl)? / self.pm2()?;
        ratio.is_finite().then_some(ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::subject::{LOST_KEEP, RATE_KEEP_1, Who};
    use super::{Book, line};

    #[test]
    fn the_ratio_is_to_the_better_pm2() {
        let mut book = Book::new();
        for (who, lost) in [(Who::Pm2, 8.0), (Who::Pm2Handler, 4.0), (Who::Appctl, 1.0)] {
            book.enter(LOST_KEEP, who, lost);
            book.enter(RATE_KEEP_1, who, lost);
        }
        let ratios: Vec<_> = book
            .lines
            .iter()
            .map(|(subject, cells)| line(*subject, cells).appctl_to_pm2)
            .collect();
        assert_eq!(ratios, [Some(0.25), Some(0.125)]);
    }

    #[test]
    fn there_is_no_ratio_to_nothing() {
        let mut book = Book::new();
        book.enter(LOST_KEEP, Who::Pm2, 0.0);
        book.enter(LOST_KEEP, Who::Appctl, 0.0);
        assert_eq!(line(LOST_KEEP, &book.lines[0].1).appctl_to_pm2, None);
    }

    #[test]
    fn a_failed_measurement_is_named_and_the_rest_goes_on() {
        let mut book = Book::new();
        book.attempt(Who::Pm2, "reload", |_| anyhow::bail!("no answer"));
        book.attempt(Who::Appctl, "reload", |book| {
            book.enter(LOST_KEEP, Who::Appctl, 0.0);
            Ok(())
        });
        assert_eq!(book.failures, ["PM2, reload: no answer"]);
        assert_eq!(book.lines.len(), 1);
    }
}
