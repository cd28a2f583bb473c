//! Request ids: unique in a run, told apart between runs, and cheap to read back. `RRRRRRRR-NNNNNNNNNNNN`, both hex.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Bytes of an id.
pub(super) const ID_LEN: usize = 21;
const RUN_LEN: usize = 8;

/// One run of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run(u32);

impl Run {
    pub(super) fn random() -> Self {
        Self((RandomState::new().hash_one("run") & 0xffff_ffff) as u32)
    }

    /// The id of the run's request `number`.
    pub(super) fn id(self, number: u64) -> [u8; ID_LEN] {
        let mut id = [b'-'; ID_LEN];
        write_hex(&mut id[..RUN_LEN], u64::from(self.0));
        write_hex(&mut id[RUN_LEN + 1..], number);
        id
    }

    /// The request number in an id of this run; `None` for anything else.
    pub(super) fn number(self, id: &[u8]) -> Option<u64> {
        let (run, rest) = id.split_at_checked(RUN_LEN)?;
        let number = rest
            .strip_prefix(b"-")
            .filter(|hex| hex.len() == ID_LEN - RUN_LEN - 1)?;
        (read_hex(run)? == u64::from(self.0)).then_some(())?;
        read_hex(number)
    }
}

fn write_hex(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

fn read_hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        let nibble = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(nibble))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_its_own_ids_only() {
        let run = Run(0x00c0_ffee);
        assert_eq!(&run.id(0x2a), b"00c0ffee-00000000002a");
        assert_eq!(run.number(b"00c0ffee-00000000002a"), Some(42));
        for foreign in [
            "",
            "00c0ffee",
            "00c0ffef-00000000002a",
            "00c0ffee-2a",
            "00c0ffee-00000000002A",
            "00c0ffee 00000000002a",
        ] {
            assert_eq!(run.number(foreign.as_bytes()), None, "{foreign}");
        }
    }
}
