//! Reads one HTTP/1.1 response out of the bytes received so far (RFC 9112). Pure and strict: what a careful proxy would
//! refuse is [`Malformed`].

use std::ops::Range;

use super::frame::ACCEPT;

/// A response head longer than this is refused.
const MAX_HEAD: usize = 16 * 1024;
/// A body longer than this is refused.
const MAX_BODY: usize = 64 << 20;

/// Not an HTTP/1.1 response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Known(usize),
    Chunked,
    UntilClose,
}

/// What the client needs of a response head. Ranges point into the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    pub length: Length,
    /// `Connection: close` was said (or HTTP/1.0 without keep-alive).
    pub close: bool,
    pub id: Range<usize>,
    pub pid: Option<u32>,
    pub release: Range<usize>,
    /// The WebSocket key was answered as RFC 6455 §4.2.2 wants it.
    accepted: bool,
    /// Bytes of the head.
    pub end: usize,
}

/// A complete response: its body and how many bytes it took.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// These bytes of the input.
    Plain(Range<usize>),
    /// Decoded from chunks; the second is where the input goes on.
    Decoded(Vec<u8>, usize),
}

/// The head, once all of it is there. Interim responses (1xx) are skipped.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let mut start = 0;
    loop {
        let Some(end) = head_end(&bytes[start..])? else {
            return Ok(None);
        };
        let mut head = Head::parse(bytes, start, start + end)?;
        if head.status == 101 && !head.accepted {
            return Err(Malformed);
        }
        if head.status == 101 || head.status >= 200 {
            if matches!(head.status, 101 | 204 | 304) {
                head.length = Length::Known(0);
            }
            return Ok(Some(head));
        }
        start += end;
    }
}

fn head_end(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let known = bytes.len().min(5);
    if bytes[..known] != b"HTTP/"[..known] {
        return Err(Malformed);
    }
    let searched = &bytes[..bytes.len().min(MAX_HEAD)];
    match searched.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) => Ok(Some(at + 4)),
        None if bytes.len() >= MAX_HEAD => Err(Malformed),
        None => Ok(None),
    }
}

impl Head {
    /// `bytes[start..end]` is one head with its empty line.
    fn parse(bytes: &[u8], start: usize, end: usize) -> Result<Self, Malformed> {
        let mut at = start + line_len(&bytes[start..end])?;
        let (status, old) = status_line(&bytes[start..at])?;
        let mut head = Self {
            status,
            length: Length::UntilClose,
            close: old,
            id: 0..0,
            pid: None,
            release: 0..0,
            accepted: false,
            end,
        };
        at += 2;
        while at + 2 < end {
            let len = line_len(&bytes[at..end])?;
            head.field(bytes, at..at + len)?;
            at += len + 2;
        }
        Ok(head)
    }

    fn field(&mut self, bytes: &[u8], line: Range<usize>) -> Result<(), Malformed> {
        let colon = line.start
            + bytes[line.clone()]
                .iter()
                .position(|&byte| byte == b':')
                .ok_or(Malformed)?;
        let value = trimmed(bytes, colon + 1..line.end);
        let text = &bytes[value.clone()];
        let name = &bytes[line.start..colon];
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return Err(Malformed);
        }
        if name.eq_ignore_ascii_case(b"x-request-id") {
            self.id = value;
        } else if name.eq_ignore_ascii_case(b"x-release") {
            self.release = value;
        } else if name.eq_ignore_ascii_case(b"x-pid") {
            self.pid = decimal(text).and_then(|pid| u32::try_from(pid).ok());
        } else if name.eq_ignore_ascii_case(b"sec-websocket-accept") {
            self.accepted = text == ACCEPT;
        } else if name.eq_ignore_ascii_case(b"connection") {
            self.close = has_token(text, b"close") || (self.close && !has_token(text, b"keep-alive"));
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.framed(Length::Known(
                decimal(text).filter(|&len| len <= MAX_BODY).ok_or(Malformed)?,
            ))?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.framed(
                text.eq_ignore_ascii_case(b"chunked")
                    .then_some(Length::Chunked)
                    .ok_or(Malformed)?,
            )?;
        }
        Ok(())
    }

    /// A second, contradicting length is how responses get smuggled.
    fn framed(&mut self, length: Length) -> Result<(), Malformed> {
        if self.length != Length::UntilClose && self.length != length {
            return Err(Malformed);
        }
        self.length = length;
        Ok(())
    }

    /// The body, once all of it is there. `closed`: nothing will follow these bytes.
    pub(super) fn body(&self, bytes: &[u8], closed: bool) -> Result<Option<Body>, Malformed> {
        let have = bytes.len() - self.end;
        match self.length {
            Length::Known(len) => Ok((have >= len).then(|| Body::Plain(self.end..self.end + len))),
            Length::UntilClose if have > MAX_BODY => Err(Malformed),
            Length::UntilClose => Ok(closed.then_some(Body::Plain(self.end..bytes.len()))),
            Length::Chunked => dechunk(bytes, self.end),
        }
    }
}

impl Body {
    pub(super) fn bytes<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Plain(range) => &input[range.clone()],
            Self::Decoded(body, _) => body,
        }
    }

    /// Where the input goes on behind this response.
    pub(super) fn end(&self) -> usize {
        match self {
            Self::Plain(range) => range.end,
            Self::Decoded(_, end) => *end,
        }
    }
}

/// Chunks up to the last one; trailer fields are not supported, no app of ours sends them.
fn dechunk(bytes: &[u8], mut at: usize) -> Result<Option<Body>, Malformed> {
    let mut body = Vec::new();
    loop {
        let Some(line) = bytes[at..].windows(2).take(20).position(|window| window == b"\r\n") else {
            return if bytes.len() - at > 20 {
                Err(Malformed)
            } else {
                Ok(None)
            };
        };
        let size = std::str::from_utf8(&bytes[at..at + line]).map_err(|_| Malformed)?;
        let size = usize::from_str_radix(size, 16)
            .ok()
            .filter(|&size| size <= MAX_BODY)
            .ok_or(Malformed)?;
        let data = at + line + 2;
        let Some(chunk) = bytes.get(data..data + size + 2) else {
            return Ok(None);
        };
        let (chunk, b"\r\n") = chunk.split_at(size) else {
            return Err(Malformed);
        };
        body.extend_from_slice(chunk);
        at = data + size + 2;
        if size == 0 {
            return Ok(Some(Body::Decoded(body, at)));
        }
    }
}

fn line_len(bytes: &[u8]) -> Result<usize, Malformed> {
    let len = bytes.windows(2).position(|window| window == b"\r\n").ok_or(Malformed)?;
    if bytes[..len].contains(&b'\n') {
        Err(Malformed)
    } else {
        Ok(len)
    }
}

/// The status, and whether the version is 1.0 (which closes unless it says otherwise).
fn status_line(line: &[u8]) -> Result<(u16, bool), Malformed> {
    let (old, rest) = match (line.strip_prefix(b"HTTP/1.1 "), line.strip_prefix(b"HTTP/1.0 ")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        _ => return Err(Malformed),
    };
    let status = rest
        .get(..3)
        .and_then(decimal)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or(Malformed)?;
    if status < 100 || rest.get(3).is_some_and(|&byte| byte != b' ') {
        return Err(Malformed);
    }
    Ok((status, old))
}

fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let start = range.start + (range.len() - bytes[range.clone()].trim_ascii_start().len());
    start..start + bytes[start..range.end].trim_ascii_end().len()
}

fn decimal(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn has_token(list: &[u8], token: &[u8]) -> bool {
    list.split(|&byte| byte == b',')
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests;
