//! The answer to a readiness probe: whether it is the wanted one, and else what of it people are shown. Pure.

/// As much of an answer as is kept: its headers, and the beginning of its body.
const LONGEST: usize = 4_096;
/// As much of the status line, and of the body, as a message shows.
const SHOWN: (usize, usize) = (60, 200);

/// The bytes so far.
#[derive(Debug, Default)]
pub(crate) struct Answer(Vec<u8>);

impl Answer {
    /// Takes more in; false: that is as much as is needed.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> bool {
        let room = LONGEST - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.0.len() < LONGEST
    }

    /// The status, once its line is complete.
    pub(crate) fn status(&self) -> Option<u16> {
        let line = self
            .0
            .split(|byte| *byte == b'\n')
            .next()
            .filter(|line| line.ends_with(b"\r"))?;
        let mut words = str::from_utf8(line).ok()?.split_ascii_whitespace();
        words.next().filter(|version| version.starts_with("HTTP/1."))?;
        words.next().filter(|code| code.len() == 3)?.parse().ok()
    }

    /// What is wrong with it.
    pub(crate) fn complaint(&self, wanted: u16) -> String {
        let text = String::from_utf8_lossy(&self.0);
        if self.status().is_none() {
            let silent = text.is_empty();
            let what = if silent {
                "cut off before an answer"
            } else {
                "not answered in HTTP"
            };
            return format!("its probe was {what}");
        }
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let line = head.lines().next().and_then(|line| line.split_once(' '));
        let line = shown(line.map_or("", |(_, rest)| rest), SHOWN.0);
        let body = shown(unchunked(head, body), SHOWN.1);
        let colon = if body.is_empty() { "" } else { ": " };
        format!("its probe was answered with {line}, not {wanted}{colon}{body}")
    }
}

/// The first chunk of a chunked body, without its length.
fn unchunked<'a>(head: &str, body: &'a str) -> &'a str {
    let chunked = head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked");
    let (length, rest) = body.split_once("\r\n").unwrap_or_default();
    match usize::from_str_radix(length, 16) {
        Ok(length) if chunked => rest.get(..length).unwrap_or(rest),
        _ => body,
    }
}

/// One line that does nothing to a terminal.
fn shown(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(plain).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Answer, LONGEST};

    fn answer(text: &[u8]) -> Answer {
        let mut answer = Answer::default();
        answer.take(text);
        answer
    }

    #[test]
    fn the_status_is_in_the_first_line() {
        assert_eq!(answer(b"HTTP/1.1 204 No Content\r\n").status(), Some(204));
        assert_eq!(answer(b"HTTP/1.0 200\r\nX: y\r\n\r\nbody").status(), Some(200));
        for other in [
            &b""[..],
            b"HTTP/1.1 20",
            b"HTTP/1.1 200 OK",
            b"SSH-2.0-x\r\n",
            b"HTTP/1.1 2000 x\r\n",
            b"\xff 200 \r\n",
        ] {
            assert_eq!(answer(other).status(), None, "{other:?}");
        }
    }

    #[test]
    fn a_complaint_shows_the_status_line_and_how_the_body_begins() {
        let headers = "X-Powered-By: Express\r\n".repeat(40);
        for (text, complaint) in [
            (
                format!("HTTP/1.1 500 Oops\r\n{headers}\r\nno\ndatabase\u{1b}[2J"),
                "answered with 500 Oops, not 200: no database [2J",
            ),
            (
                "HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwarm \r\n3\r\nup!\r\n0\r\n\r\n".to_owned(),
                "answered with 503, not 200: warm",
            ),
            (
                "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
                "answered with 404 Not Found, not 200",
            ),
            ("HTTP/1.1 500 x\r\n".to_owned(), "answered with 500 x, not 200"),
            ("SSH-2.0\r\n".to_owned(), "not answered in HTTP"),
            (String::new(), "cut off before an answer"),
        ] {
            assert_eq!(
                answer(text.as_bytes()).complaint(200),
                format!("its probe was {complaint}")
            );
        }
    }

    proptest! {
        #[test]
        fn a_complaint_is_one_short_plain_line_whatever_came(
            line in "[^\r\n]{0,80}",
            bytes in proptest::collection::vec(any::<u8>(), 0..6_000)
        ) {
            let text = [format!("HTTP/1.1 500 {line}\r\n").into_bytes(), bytes].concat();
            let mut answer = Answer::default();
            let more = answer.take(&text);
            prop_assert_eq!(more, text.len() < LONGEST);
            let complaint = answer.complaint(200);
            prop_assert!(complaint.chars().count() < 330 && !complaint.chars().any(char::is_control), "{:?}", complaint);
        }
    }
}
