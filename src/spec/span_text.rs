//! Time spans in the grammar of systemd.time(7): `90`, `1min 30s`, `500ms`, `1.5h`.

use std::time::Duration;

/// Why a text is no time span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpan {
    /// An empty string, or blanks only.
    #[error("a time span is a number and a unit, such as 500ms, 30s or 1min 30s")]
    Empty,
    /// A number is missing or malformed before this.
    #[error("expected a number and a unit at {0:?}")]
    NoNumber(String),
    /// Not one of the units.
    #[error("unknown unit of time {0:?}; use us, ms, s, min, h, d or w")]
    Unit(String),
    /// Over 2^64-1 microseconds.
    #[error("the time span is too long")]
    TooLong,
    /// `infinity`: every time span of a file must end.
    #[error("a time span must be finite")]
    Infinite,
}

const SECOND: u64 = 1_000_000;

/// Microseconds of every unit of systemd.time(7); the first name of each is how it is written.
const UNITS: [(&[&str], u64); 9] = [
    (&["y", "year", "years"], 31_557_600 * SECOND),
    (&["M", "month", "months"], 2_629_800 * SECOND),
    (&["w", "week", "weeks"], 7 * 86_400 * SECOND),
    (&["d", "day", "days"], 86_400 * SECOND),
    (&["h", "hr", "hour", "hours"], 3_600 * SECOND),
    (&["min", "m", "minute", "minutes"], 60 * SECOND),
    (&["s", "", "sec", "second", "seconds"], SECOND),
    (&["ms", "msec"], 1_000),
    (&["us", "usec", "µs", "μs"], 1),
];

/// Units that [`format_span`] writes: months and years are no whole number of days.
const WRITTEN: std::ops::Range<usize> = 3..9;

/// The duration a text means; a number without a unit is seconds. Microsecond precision.
pub fn parse_span(text: &str) -> Result<Duration, InvalidSpan> {
    let mut rest = text.trim();
    match rest {
        "" => return Err(InvalidSpan::Empty),
        "infinity" => return Err(InvalidSpan::Infinite),
        _ => {}
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (micros, after) = first_part(rest)?;
        total = total.checked_add(micros).ok_or(InvalidSpan::TooLong)?;
        rest = after;
    }
    Ok(Duration::from_micros(total))
}

/// Microseconds of the leading `NUMBER UNIT`, and what follows it.
fn first_part(text: &str) -> Result<(u64, &str), InvalidSpan> {
    let no_number = || InvalidSpan::NoNumber(text.to_owned());
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if number.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(no_number());
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == '.')
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let known = UNITS.iter().find(|(names, _)| names.contains(&unit));
    let (_, micros) = known.ok_or_else(|| InvalidSpan::Unit(unit.to_owned()))?;
    let total = scaled(whole, fraction, *micros).ok_or(InvalidSpan::TooLong)?;
    Ok((total, rest.trim_start()))
}

fn scaled(whole: &str, fraction: &str, unit: u64) -> Option<u64> {
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let digits = &fraction[..fraction.len().min(15)];
    let part = digits.parse::<u128>().ok()? * u128::from(unit) / 10_u128.pow(u32::try_from(digits.len()).ok()?);
    whole.checked_add(u64::try_from(part).ok()?)
}

/// An exact way to write a duration, to the microsecond; [`parse_span`] reads it back.
pub fn format_span(span: Duration) -> String {
    let mut rest = span.as_micros();
    let mut parts = Vec::new();
    for (names, unit) in &UNITS[WRITTEN] {
        let unit = u128::from(*unit);
        if rest >= unit {
            parts.push(format!("{}{}", rest / unit, names[0]));
            rest %= unit;
        }
    }
    if parts.is_empty() {
        "0".to_owned()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{InvalidSpan, format_span, parse_span};

    #[test]
    fn reads_what_systemd_reads() {
        for (text, millis) in [
            ("0", 0),
            ("90", 90_000),
            ("500ms", 500),
            ("1min 30s", 90_000),
            ("1min30s", 90_000),
            ("2 h", 7_200_000),
            ("1.5s", 1_500),
            ("1d 2hours 3minutes 4sec 5msec", 93_784_005),
            ("2000us", 2),
            ("  30s  ", 30_000),
            ("1w", 604_800_000),
            ("5s 5s", 10_000),
            (".5s", 500),
        ] {
            assert_eq!(parse_span(text), Ok(Duration::from_millis(millis)), "{text:?}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_rest() {
        for (text, error) in [
            ("", InvalidSpan::Empty),
            ("infinity", InvalidSpan::Infinite),
            ("s", InvalidSpan::NoNumber("s".into())),
            ("-5s", InvalidSpan::NoNumber("-5s".into())),
            ("1..5s", InvalidSpan::NoNumber("1..5s".into())),
            ("30 secs", InvalidSpan::Unit("secs".into())),
            ("1min,30s", InvalidSpan::Unit("min,".into())),
            ("99999999999y", InvalidSpan::TooLong),
        ] {
            assert_eq!(parse_span(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn is_written_in_parts() {
        for (millis, text) in [(0, "0"), (500, "500ms"), (1_500, "1s 500ms"), (90_000, "1min 30s")] {
            assert_eq!(format_span(Duration::from_millis(millis)), text);
        }
    }
}
