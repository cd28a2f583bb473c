//! Lines out of a byte stream, with a bound: what does not fit is an error or is dropped, never kept. Pure.

pub(crate) use appctl::contract::adapter::LONGEST_LINE as LONGEST;

/// The line a stream is in the middle of.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    overflown: bool,
}

/// A line over [`LONGEST`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Lines {
    /// Gives every line that `bytes` completes to `each`, without its newline. After a line that was too long, the
    /// next begins behind its newline.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Result<&[u8], TooLong>)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.overflown |= self.partial.len() + piece.len() > LONGEST;
            if self.overflown {
                self.partial.clear();
            } else {
                self.partial.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                each(if self.overflown {
                    Err(TooLong)
                } else {
                    Ok(&self.partial[..self.partial.len() - 1])
                });
                self.partial.clear();
                self.overflown = false;
            }
        }
    }

    /// Bytes it holds memory for.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.partial.capacity()
    }

    /// Whether the line under way is already too long.
    pub(crate) fn overflown(&self) -> bool {
        self.overflown
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LONGEST, Lines, TooLong};

    fn lines(pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, TooLong>> {
        let (mut lines, mut got) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.feed(piece, |line| got.push(line.map(<[u8]>::to_vec)));
        }
        got
    }

    #[test]
    fn the_longest_line_fits_and_one_byte_more_does_not() {
        let fits = [vec![b'x'; LONGEST - 1], vec![b'\n']].concat();
        let over = [vec![b'x'; LONGEST], vec![b'\n']].concat();
        assert_eq!(lines(&[&fits]), [Ok(vec![b'x'; LONGEST - 1])]);
        assert_eq!(lines(&[&over, b"next\n"]), [Err(TooLong), Ok(b"next".to_vec())]);
    }

    proptest! {
        #[test]
        fn how_a_stream_is_cut_does_not_matter(
            text in proptest::collection::vec(prop_oneof![4 => Just(b'a'), 1 => Just(b'\n')], 0..4_000),
            size in 1_usize..1_500
        ) {
            let pieces: Vec<_> = text.chunks(size).collect();
            prop_assert_eq!(lines(&pieces), lines(&[&text]));
        }

        #[test]
        fn never_holds_more_than_one_line(bytes: Vec<u8>) {
            let mut lines = Lines::default();
            for _ in 0..40 {
                lines.feed(&bytes, |_| ());
                prop_assert!(lines.partial.len() <= LONGEST);
            }
        }
    }
}
