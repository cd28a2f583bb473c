//! Sizes and times as people read them.

use std::time::Duration;

/// `512 B`, `38.2 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Tenths, in whole numbers: no float is needed to print one digit.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// `0.4s`, `12s`, `3m 5s`, `2h 10m`, `5d 3h`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..10 => format!("{}.{}s", seconds, span.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86400, seconds % 86400 / 3600),
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, span};
    use std::time::Duration;

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        assert_eq!(
            [0, 1023, 1024, 40_055_603, 3 << 40].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "38.1 MiB", "3.0 TiB"]
        );
    }

    #[test]
    fn times_have_two_parts_at_most() {
        let spans = [400, 12_000, 185_000, 7_800_000, 442_800_000].map(|ms| span(Duration::from_millis(ms)));
        assert_eq!(spans, ["0.4s", "12s", "3m 5s", "2h 10m", "5d 3h"]);
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            (count(1, "file"), count(0, "file")),
            ("1 file".to_owned(), "0 files".to_owned())
        );
    }
}
