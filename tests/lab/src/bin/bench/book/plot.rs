//! The results as a picture: one group of bars per line, each on a scale of its own, with a whisker from the least to
//! the most. SVG 1.1 that follows the reader's light or dark scheme. Pure.

use std::fmt::{self, Write};

use super::spread::Spread;
use super::subject::{Unit, Who};
use super::table::number;
use super::{Line, Results};

const COLUMN: u32 = 470;
const LEFT: u32 = 136;
const SPAN: f64 = 190.0;
const BAR: u32 = 14;
const HEAD: u32 = 22;
const GAP: u32 = 12;
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.w{font-weight:600}.n{fill:#59636e}\
.node{fill:#8c959f}.pm2{fill:#bf8700}.pm2h{fill:#e3b341}.appctl{fill:#0969da}path{stroke:#1f2328;fill:none}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9198a1}.appctl{fill:#4493f8}path{stroke:#e6edf3}}";

impl Results {
    /// An SVG document.
    pub(crate) fn svg(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.draw(&mut text);
        text
    }

    fn draw(&self, f: &mut impl Write) -> fmt::Result {
        let tall = |lines: &[Line]| GAP + lines.iter().map(height).sum::<u32>();
        let (left, right) = self.lines.split_at(self.left_column());
        let (width, height) = (2 * COLUMN, tall(left).max(tall(right)));
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\"><title>appctl beside PM2</title><style>{STYLE}</style>"
        )?;
        for (x, lines) in [(0, left), (COLUMN, right)] {
            writeln!(f, "<g transform=\"translate({x} 0)\">")?;
            column(f, lines)?;
            f.write_str("</g>\n")?;
        }
        f.write_str("</svg>\n")
    }

    /// How many lines go to the left, so that both columns are about as tall.
    fn left_column(&self) -> usize {
        let half = self.lines.iter().map(height).sum::<u32>().div_ceil(2);
        let mut below = 0;
        let full = self.lines.iter().position(|line| {
            below += height(line);
            below >= half
        });
        full.map_or(0, |last| last + 1)
    }
}

fn column(f: &mut impl Write, lines: &[Line]) -> fmt::Result {
    let mut top = GAP;
    lines.iter().try_for_each(|line| {
        group(f, line, top)?;
        top += height(line);
        Ok(())
    })
}

fn height(line: &Line) -> u32 {
    HEAD + GAP + BAR * u32::try_from(line.cells.len()).unwrap_or(0)
}

fn group(f: &mut impl Write, line: &Line, top: u32) -> fmt::Result {
    let better = if line.more_is_better {
        "more is better"
    } else {
        "less is better"
    };
    writeln!(
        f,
        "<text class=\"w\" x=\"8\" y=\"{}\">{}<tspan class=\"n\" dx=\"6\">{}, {better}</tspan></text>",
        top + 12,
        escape(line.subject.what),
        line.unit.title()
    )?;
    let most = line.cells.values().map(|spread| spread.max).fold(0.0, f64::max);
    let mut y = top + HEAD;
    for (who, spread) in &line.cells {
        bar(f, *who, spread, &Scale { most, y })?;
        values(f, spread, line.unit, y + 11)?;
        y += BAR;
    }
    Ok(())
}

fn values(f: &mut impl Write, spread: &Spread, unit: Unit, y: u32) -> fmt::Result {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|value| number(value, unit));
    write!(f, "<text x=\"{}\" y=\"{y}\">{median}", f64::from(LEFT) + SPAN + 8.0)?;
    if min != max {
        write!(f, "<tspan class=\"n\" dx=\"4\">({min}–{max})</tspan>")?;
    }
    f.write_str("</text>\n")
}

/// Where one bar goes.
struct Scale {
    most: f64,
    y: u32,
}

impl Scale {
    fn x(&self, value: f64) -> f64 {
        let share = if self.most > 0.0 { value / self.most } else { 0.0 };
        f64::from(LEFT) + SPAN * share
    }
}

fn bar(f: &mut impl Write, who: Who, spread: &Spread, scale: &Scale) -> fmt::Result {
    let y = scale.y;
    let width = scale.x(spread.median) - f64::from(LEFT);
    // Nothing is still something to see.
    let width = width.max(1.0);
    writeln!(
        f,
        "<text class=\"n\" x=\"16\" y=\"{}\">{}</text>",
        y + 11,
        escape(who.title())
    )?;
    writeln!(
        f,
        "<rect class=\"{}\" x=\"{LEFT}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\"/>",
        class(who),
        y + 2,
        BAR - 3
    )?;
    let (from, to, middle) = (scale.x(spread.min), scale.x(spread.max), y + 7);
    writeln!(f, "<path d=\"M{from:.1} {middle}H{to:.1}\"/>")
}

fn class(who: Who) -> &'static str {
    match who {
        Who::Node => "node",
        Who::Pm2 => "pm2",
        Who::Pm2Handler => "pm2h",
        Who::Appctl => "appctl",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::sample;
    use super::{SPAN, escape};

    /// The widths of all bars, in their order.
    fn widths(svg: &str) -> Vec<f64> {
        let bars = svg.lines().filter(|line| line.starts_with("<rect"));
        let width = |line: &str| line.split("width=\"").nth(1)?.split('"').next()?.parse().ok();
        bars.map(|line| width(line).expect("a width")).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_medians_on_the_scale_of_their_line() {
        let widths = widths(&sample().svg());
        let expected = [SPAN / 3.0, 1.0, SPAN * 0.4, SPAN, SPAN / 2.0, SPAN];
        assert_eq!(widths.len(), expected.len());
        for (found, expected) in widths.iter().zip(expected) {
            assert!((found - expected).abs() < 0.1, "{widths:?}");
        }
    }

    #[test]
    fn the_picture_follows_a_dark_scheme_and_fits_its_box() {
        let svg = sample().svg();
        assert!(svg.contains("prefers-color-scheme:dark"), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 940 136\""), "{svg}");
        let lowest = svg
            .match_indices(" y=\"")
            .filter_map(|(at, _)| svg[at + 4..].split('"').next()?.parse().ok());
        assert!(lowest.max().is_some_and(|y: u32| y < 136), "{svg}");
    }

    #[test]
    fn text_is_no_markup() {
        assert_eq!(escape("a < b & c"), "a &lt; b &amp; c");
    }
}
