//! The bytes of a request: laid out once per lane, only the ids are written anew.

use std::ops::Range;

use super::identity::ID_LEN;

/// What stays the same in all requests of a shape.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// Path and query.
    pub path: String,
    /// Bytes of POST body; 0 means GET.
    pub body: usize,
    /// Ask the server to close after the response.
    pub close: bool,
}

/// One request, ready to be written.
#[derive(Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
    id: Range<usize>,
    body: Range<usize>,
    /// What a GET must be answered with.
    line: [u8; ID_LEN + 1],
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
        text.push_str("\r\n");
        let body = text.len()..text.len() + self.body;
        let mut bytes = text.into_bytes();
        bytes.resize(body.end, b'\n');
        Request {
            bytes,
            id,
            body,
            line: [b'\n'; ID_LEN + 1],
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

    /// The body that the response must have: a POST's own, else the id and a newline.
    pub(super) fn expected(&self) -> &[u8] {
        if self.body.is_empty() {
            &self.line
        } else {
            &self.bytes[self.body.clone()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_expects_its_id_and_a_newline() {
        let mut request = Template {
            path: "/".into(),
            body: 0,
            close: true,
        }
        .request();
        request.stamp(b"00c0ffee-00000000002a");
        let text =
            "GET / HTTP/1.1\r\nHost: localhost\r\nx-request-id: 00c0ffee-00000000002a\r\nConnection: close\r\n\r\n";
        assert_eq!(request.bytes(), text.as_bytes());
        assert_eq!(request.expected(), b"00c0ffee-00000000002a\n");
    }

    #[test]
    fn a_post_carries_its_id_all_through_its_body() {
        let mut request = Template {
            path: "/p".into(),
            body: 50,
            close: false,
        }
        .request();
        request.stamp(b"00c0ffee-000000000001");
        request.stamp(b"00c0ffee-000000000002");
        assert_eq!(
            request.expected(),
            b"00c0ffee-000000000002\n00c0ffee-000000000002\n00c0ff"
        );
        assert!(request.bytes().ends_with(request.expected()));
        assert_eq!(request.body_start() + 50, request.bytes().len());
    }
}
