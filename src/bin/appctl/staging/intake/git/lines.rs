//! What git says on standard error, line by line. The far side decides how long a line is and how many there are: no more
//! of one is kept than a person reads.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// As much of a line as is kept.
const LONGEST: usize = 4096;
/// In place of the rest.
const CUT: &str = "…";

/// The lines of a stream.
pub(super) struct Lines<R> {
    from: BufReader<R>,
    /// What is not told, and what in its place.
    secret: Option<(String, String)>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(from: R, secret: Option<(String, String)>) -> Self {
        let from = BufReader::new(from);
        Self { from, secret }
    }

    /// The next line, or its begin; `None` at the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<String>> {
        let (mut line, mut read) = (Vec::new(), 0);
        loop {
            let chunk = self.from.fill_buf().await?;
            if chunk.is_empty() && read == 0 {
                return Ok(None);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = part.len().min(LONGEST - line.len());
            line.extend_from_slice(&part[..room]);
            read += part.len();
            let done = end.is_some() || chunk.is_empty();
            let used = part.len() + usize::from(end.is_some());
            self.from.consume(used);
            if done {
                return Ok(Some(self.told(&line, read > line.len())));
            }
        }
    }

    /// Where a line is cut, the begin of a secret may be all that is left of it, which no replacement finds.
    fn told(&self, line: &[u8], cut: bool) -> String {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        let Some((secret, shown)) = &self.secret else {
            return text.into_owned() + if cut { CUT } else { "" };
        };
        let told = text.replace(secret, shown);
        if !cut {
            return told;
        }
        let partly = (1..secret.len())
            .rev()
            .filter(|length| secret.is_char_boundary(*length));
        let partly = partly
            .map(|length| &secret[..length])
            .find(|begin| told.ends_with(begin));
        told[..told.len() - partly.map_or(0, str::len)].to_owned() + CUT
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncRead, AsyncReadExt as _};

    use super::{CUT, LONGEST, Lines};

    fn all(from: impl AsyncRead + Unpin, secret: Option<(&str, &str)>) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let secret = secret.map(|(secret, shown)| (secret.to_owned(), shown.to_owned()));
        runtime.block_on(async {
            let (mut lines, mut all) = (Lines::new(from, secret), Vec::new());
            while let Some(line) = lines.next().await.expect("readable") {
                all.push(line);
            }
            all
        })
    }

    #[test]
    fn lines_are_told_as_they_come() {
        let text = &b"one\n\ntwo\r\n\xff\nno end"[..];
        assert_eq!(all(text, None), ["one", "", "two", "\u{fffd}", "no end"]);
        assert!(all(&b""[..], None).is_empty());
    }

    /// A gigabyte without an end, which would not be held in memory by a test.
    #[test]
    fn of_a_line_without_end_only_the_begin_is_kept() {
        let endless = tokio::io::repeat(b'x').take(1 << 30);
        let told = all(endless.chain(&b"\nnext\n"[..]), None);
        assert_eq!(told, ["x".repeat(LONGEST) + CUT, "next".to_owned()]);
    }

    #[test]
    fn a_secret_is_not_told_where_a_line_is_cut_either() {
        let secret = Some(("https://ann:hunter2@host/x", "https://host/x"));
        for length in LONGEST - 30..=LONGEST + 30 {
            let line = "y".repeat(length) + "https://ann:hunter2@host/x is gone";
            for told in all(line.as_bytes(), secret) {
                assert!(!told.contains("ann") && told.len() <= LONGEST + CUT.len(), "{told}");
            }
        }
    }
}
