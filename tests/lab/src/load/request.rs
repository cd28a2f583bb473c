//! The bytes of a request: laid out once per lane, only the ids are written anew; and the answer it must have.

use std::ops::Range;

use super::identity::ID_LEN;

/// What the body of a proper answer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Answer {
    /// A POST's own body, else the id and a newline.
    #[default]
    Echo,
    /// The id and a newline over and over, so many bytes.
    Filled(usize),
    /// Server-sent events with the numbers from 1 on, each with the id as its data, at most so many.
    Events(u32),
    /// None: the connection is a WebSocket from then on.
    Upgrade,
}

/// What stays the same in all requests of a shape.
#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    /// Path and query.
    pub path: String,
    /// Bytes of POST body; 0 means GET.
    pub body: usize,
    /// Ask the server to close after the response.
    pub close: bool,
    /// Further header lines, each with its line end.
    pub headers: &'static str,
    /// What it must be answered with.
    pub answer: Answer,
}

/// One request, ready to be written.
#[derive(Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
    id: Range<usize>,
    body: Range<usize>,
    /// What a GET must be answered with.
    line: [u8; ID_LEN + 1],
    answer: Answer,
}

impl Template {
    pub(super) fn request(&self) -> Request {
        let method = if self.body == 0 { "GET" } else { "POST" };
        let mut text = format!("{method} {} HTTP/1.1\r\nHost: localhost\r\nx-request-id: ", self.path);
        let id = text.len()..text.len() + ID_LEN;
        text.push_str(&"0".repeat(ID_LEN));
        text.push_str("\r\n");
        if self.body > 0 {
            text.push_str("Content-Type: text/plain\r\nContent-Length: ");
            text.push_str(&self.body.to_string());
            text.push_str("\r\n");
        }
        if self.close {
            text.push_str("Connection: close\r\n");
        }
        text.push_str(self.headers);
        text.push_str("\r\n");
        let body = text.len()..text.len() + self.body;
        let mut bytes = text.into_bytes();
        bytes.resize(body.end, b'\n');
        Request {
            bytes,
            id,
            body,
            line: [b'\n'; ID_LEN + 1],
            answer: self.answer,
        }
    }
}

impl Request {
    /// Makes this the request with the given id. The body is the id and a newline, over and over.
    pub(super) fn stamp(&mut self, id: &[u8; ID_LEN]) {
        self.bytes[self.id.clone()].copy_from_slice(id);
        self.line[..ID_LEN].copy_from_slice(id);
        for piece in self.bytes[self.body.clone()].chunks_mut(self.line.len()) {
            piece.copy_from_slice(&self.line[..piece.len()]);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the body starts in the bytes.
    pub(super) fn body_start(&self) -> usize {
        self.body.start
    }

    pub(super) fn id(&self) -> &[u8] {
        &self.bytes[self.id.clone()]
    }

    /// What a POST carries; empty for a GET.
    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[self.body.clone()]
    }

    /// The status of the proper answer.
    pub(super) fn status(&self) -> u16 {
        if self.answer == Answer::Upgrade { 101 } else { 200 }
    }

    /// Whether a response's body is the proper one.
    pub(super) fn is_answered_by(&self, body: &[u8]) -> bool {
        match self.answer {
            Answer::Echo if self.body.is_empty() => body == self.line,
            Answer::Echo => body == self.body(),
            Answer::Filled(size) => {
                body.len() == size && body.chunks(self.line.len()).all(|line| self.line.starts_with(line))
            }
            Answer::Events(most) => self.is_told_in_order_by(body, most),
            Answer::Upgrade => body.is_empty(),
        }
    }

    /// A stream may end before its time, but only behind a whole event.
    fn is_told_in_order_by(&self, body: &[u8], most: u32) -> bool {
        let mut rest = body;
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let event = [format!("id: {number}\ndata: ").as_bytes(), &self.line, b"\n"].concat();
            let Some(behind) = rest.strip_prefix(event.as_slice()) else {
                return false;
            };
            rest = behind;
        }
        (1..=most).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_expects_its_id_and_a_newline() {
        let mut request = Template {
            path: "/".into(),
            close: true,
            ..Template::default()
        }
        .request();
        request.stamp(b"00c0ffee-00000000002a");
        let text =
            "GET / HTTP/1.1\r\nHost: localhost\r\nx-request-id: 00c0ffee-00000000002a\r\nConnection: close\r\n\r\n";
        assert_eq!(request.bytes(), text.as_bytes());
        assert!(request.is_answered_by(b"00c0ffee-00000000002a\n"));
        assert!(!request.is_answered_by(b"00c0ffee-00000000002a"));
    }

    #[test]
    fn a_post_carries_its_id_all_through_its_body() {
        let mut request = Template {
            path: "/p".into(),
            body: 50,
            ..Template::default()
        }
        .request();
        request.stamp(b"00c0ffee-000000000001");
        request.stamp(b"00c0ffee-000000000002");
        let body = b"00c0ffee-000000000002\n00c0ffee-000000000002\n00c0ff";
        assert!(request.is_answered_by(body) && request.bytes().ends_with(body));
        assert_eq!(request.body_start() + 50, request.bytes().len());
    }

    fn asked(answer: Answer) -> Request {
        let mut request = Template {
            answer,
            ..Template::default()
        }
        .request();
        request.stamp(b"00c0ffee-000000000001");
        request
    }

    #[test]
    fn a_filled_answer_has_its_size_and_nothing_but_the_id() {
        let request = asked(Answer::Filled(30));
        assert!(request.is_answered_by(b"00c0ffee-000000000001\n00c0ffee"));
        assert!(!request.is_answered_by(b"00c0ffee-000000000001\n00c0ffe"));
        assert!(!request.is_answered_by(b"00c0ffee-000000000001\n00c0ffef"));
    }

    #[test]
    fn events_come_in_order_and_whole_though_perhaps_not_all() {
        let request = asked(Answer::Events(2));
        let event = |number: u32| format!("id: {number}\ndata: 00c0ffee-000000000001\n\n");
        let good = [event(1), event(1) + &event(2)];
        let bad = [
            String::new(),
            event(2),
            event(1) + &event(1),
            event(1) + &event(2) + &event(3),
            event(1) + "id: 2\n",
        ];
        assert!(good.iter().all(|body| request.is_answered_by(body.as_bytes())));
        assert!(!bad.iter().any(|body| request.is_answered_by(body.as_bytes())));
    }
}
