//! Sizes as systemd.resource-control(5) reads them: `K`, `M`, `G` and `T` are powers of 1024.

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSize {
    /// Does not begin with a number.
    #[error("a size is a number followed by K, M, G or T")]
    NoNumber,
    /// Something else than one of the units behind the number.
    #[error("unknown unit {0:?}; use K, M, G or T (powers of 1024)")]
    Unit(String),
    /// Over 2^63-1 bytes.
    #[error("the size is too large")]
    TooLarge,
    /// `infinity`: no key takes it, as the absence of the key means that or a default.
    #[error("a size must be finite")]
    Infinite,
}

const UNITS: [(&str, u32); 5] = [("", 0), ("K", 10), ("M", 20), ("G", 30), ("T", 40)];

/// Bytes in `512M`, `1.5G`, `1048576`. Rounds a fraction of a byte down.
pub fn parse_bytes(text: &str) -> Result<u64, InvalidSize> {
    let text = text.trim();
    if text == "infinity" {
        return Err(InvalidSize::Infinite);
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let shift = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, shift)| *shift);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(InvalidSize::NoNumber);
    }
    let shift = shift.ok_or_else(|| InvalidSize::Unit(unit.to_owned()))?;
    scaled(whole, fraction, shift).ok_or(InvalidSize::TooLarge)
}

fn scaled(whole: &str, fraction: &str, shift: u32) -> Option<u64> {
    let whole = whole.parse::<u64>().ok()?.checked_mul(1 << shift)?;
    let digits = &fraction[..fraction.len().min(15)];
    let part = (digits.parse::<u128>().ok()? << shift) / 10_u128.pow(u32::try_from(digits.len()).ok()?);
    whole
        .checked_add(u64::try_from(part).ok()?)
        .filter(|bytes| i64::try_from(*bytes).is_ok())
}

/// The shortest exact way to write a number of bytes; [`parse_bytes`] reads it back.
pub fn format_bytes(bytes: u64) -> String {
    let exact = |shift: u32| bytes != 0 && bytes.trailing_zeros() >= shift;
    let (unit, shift) = UNITS
        .into_iter()
        .rev()
        .find(|(_, shift)| exact(*shift))
        .unwrap_or(("", 0));
    format!("{}{unit}", bytes >> shift)
}

#[cfg(test)]
mod tests {
    use super::{InvalidSize, format_bytes, parse_bytes};

    #[test]
    fn units_are_powers_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("512K", 512 << 10),
            ("512M", 512 << 20),
            ("1.5G", 1536 << 20),
            ("2 T", 2 << 40),
            ("0.1K", 102),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn other_units_are_refused_rather_than_guessed() {
        for text in ["512MB", "512m", "512Mi", "512KiB", "5 potatoes", "50%", "1M 5"] {
            assert!(matches!(parse_bytes(text), Err(InvalidSize::Unit(_))), "{text}");
        }
        for text in ["", "M", "-1", "+1", "1.", ".5G", "1.2.3", "٣"] {
            assert_eq!(parse_bytes(text), Err(InvalidSize::NoNumber), "{text}");
        }
        assert_eq!(parse_bytes("16777216T"), Err(InvalidSize::TooLarge));
        assert_eq!(parse_bytes("99999999999999999999"), Err(InvalidSize::TooLarge));
        assert_eq!(parse_bytes("infinity"), Err(InvalidSize::Infinite));
    }

    #[test]
    fn is_written_in_the_largest_exact_unit() {
        for (bytes, text) in [
            (0, "0"),
            (1, "1"),
            (1 << 20, "1M"),
            (1536 << 20, "1536M"),
            (3 << 40, "3T"),
        ] {
            assert_eq!(format_bytes(bytes), text);
        }
    }
}
