//! The results as a Markdown table: good or bad, in the same words. Pure.

use std::fmt::{self, Write};

use super::spread::Spread;
use super::subject::{Unit, Who};
use super::{Line, Results};

impl Results {
    /// Markdown: the table, the bars, what failed, and where it was measured.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, f: &mut impl Write) -> fmt::Result {
        f.write_str("| measured |")?;
        Who::ALL.iter().try_for_each(|who| write!(f, " {} |", who.title()))?;
        f.write_str(" appctl to PM2 |\n|---|")?;
        Who::ALL.iter().try_for_each(|_| f.write_str("---:|"))?;
        f.write_str("---:|\n")?;
        self.lines.iter().try_for_each(|line| row(f, line))?;
        let about = self.about.sentence();
        write!(
            f,
            "\nMedians, in brackets least and most. \"appctl to PM2\" is to PM2's better column.\n\
             The load client used at most {:.0} % of its core while throughput was measured.\n\n{about}\n",
            self.client_cpu_percent
        )?;
        self.write_bars(f)?;
        self.write_failures(f)
    }

    fn write_bars(&self, f: &mut impl Write) -> fmt::Result {
        f.write_str("\n| bar | measured | |\n|---|---:|---|\n")?;
        self.bars.iter().try_for_each(|bar| {
            let verdict = if bar.cleared { "cleared" } else { "**missed**" };
            writeln!(f, "| {} | {} | {verdict} |", bar.what, bar.measured)
        })
    }

    fn write_failures(&self, f: &mut impl Write) -> fmt::Result {
        if self.failures.is_empty() {
            return Ok(());
        }
        f.write_str("\nNot measured, because it failed:\n\n")?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "- {failure}"))
    }
}

fn row(f: &mut impl Write, line: &Line) -> fmt::Result {
    write!(f, "| {}, {} |", line.subject.what, line.unit.title())?;
    for who in Who::ALL {
        let cell = line.cells.get(&who).map(|spread| cell(spread, line.unit));
        write!(f, " {} |", cell.as_deref().unwrap_or("–"))?;
    }
    writeln!(f, " {} |", comparison(line))
}

fn cell(spread: &Spread, unit: Unit) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|value| number(value, unit));
    if min == max {
        median
    } else {
        format!("{median} ({min}–{max})")
    }
}

fn comparison(line: &Line) -> String {
    let Some(ratio) = line.appctl_to_pm2 else {
        return "–".to_owned();
    };
    if ratio == 0.0 {
        return "nothing".to_owned();
    }
    let verdict = match (ratio > 1.0, line.more_is_better) {
        _ if (ratio - 1.0).abs() < 0.005 => "equal",
        (true, true) | (false, false) => "better",
        _ => "worse",
    };
    format!("{ratio:.2}x {verdict}")
}

/// As many digits as mean something.
pub(super) fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Requests if value.fract() != 0.0 => format!("{value:.1}"),
        Unit::Milliseconds | Unit::Microseconds if value < 10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::about::About;
    use super::super::subject::{LOST_KEEP, RATE_ONE_2, RELOAD_IDLE, Who};
    use super::super::{Book, Results};

    pub(in super::super) fn sample() -> Results {
        let mut book = Book::new();
        for lost in [3.0, 12.0, 4.0] {
            book.enter(LOST_KEEP, Who::Pm2, lost);
        }
        book.enter(LOST_KEEP, Who::Appctl, 0.0);
        book.enter(RELOAD_IDLE, Who::Pm2, 1000.0);
        book.enter(RELOAD_IDLE, Who::Appctl, 2500.0);
        book.enter(RATE_ONE_2, Who::Pm2, 1000.0);
        book.enter(RATE_ONE_2, Who::Appctl, 2000.0);
        book.attempt(Who::Pm2Handler, "a < b", |_| anyhow::bail!("gone & away"));
        book.close(About::default())
    }

    #[test]
    fn a_row_shows_every_contender_and_who_is_better() {
        let text = sample().markdown();
        for row in [
            "| lost per reload: keep-alive POST 16 KiB, requests | – | 4 (3–12) | – | 0 | nothing |",
            "| full reload of 4 workers, no load, ms | – | 1000 | – | 2500 | 2.50x worse |",
            "| one per connection, 2 workers on a core, requests/s | – | 1000 | – | 2000 | 2.00x better |",
        ] {
            assert!(text.contains(row), "no {row}\nin\n{text}");
        }
    }

    #[test]
    fn bars_and_failures_are_told() {
        let text = sample().markdown();
        assert!(
            text.contains("| no request lost in any reload | 0 in the worst one | cleared |"),
            "{text}"
        );
        assert!(text.contains("- PM2, SIGINT handler, a < b: gone & away"), "{text}");
    }

    #[test]
    fn every_row_has_as_many_cells_as_the_head() {
        let text = sample().markdown();
        let table: Vec<_> = text.lines().take_while(|line| !line.is_empty()).collect();
        assert_eq!(table.len(), 5);
        assert!(table.iter().all(|line| line.matches('|').count() == 7), "{text}");
    }
}
