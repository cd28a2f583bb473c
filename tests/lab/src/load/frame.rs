//! WebSocket frames (RFC 6455 §5), as far as a client of short messages needs them. Pure and strict: what a server may not
//! send is [`Malformed`].

use super::response::Malformed;

/// A whole text message.
pub(super) const TEXT: u8 = 1;
/// The end of the conversation, with a code.
pub(super) const CLOSE: u8 = 8;
/// Asks for a pong.
pub(super) const PING: u8 = 9;
/// Answers a ping.
pub(super) const PONG: u8 = 10;
/// What a server makes of the key in the example of RFC 6455 §1.3, which every handshake of this client has.
pub(super) const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const WHOLE: u8 = 0x80;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// The longest payload whose length fits into the second byte.
const SHORT: u8 = 125;
const TWO_BYTES: u8 = 126;

/// One frame from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub opcode: u8,
    pub payload: Vec<u8>,
    /// Bytes it took.
    pub len: usize,
}

impl Frame {
    /// The code of a close frame; 1005 when it has none.
    pub(super) fn code(&self) -> u16 {
        self.payload
            .first_chunk()
            .map_or(1005, |code| u16::from_be_bytes(*code))
    }
}

/// A client's frame. The payload is at most 125 bytes.
pub(super) fn client(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap_or(SHORT).min(SHORT);
    let masked = payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let head = [WHOLE | opcode, MASKED | len].into_iter().chain(MASK);
    head.chain(masked.take(len.into())).collect()
}

/// The next frame of a server, once all of it is there. Messages in several frames are not supported, no app of ours
/// sends them.
pub(super) fn server(bytes: &[u8]) -> Result<Option<Frame>, Malformed> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    let opcode = first & 0x0f;
    if first & 0xf0 != WHOLE || second & MASKED != 0 || !matches!(opcode, TEXT | CLOSE | PING | PONG) {
        return Err(Malformed);
    }
    let (len, start) = match (*second, rest.first_chunk()) {
        (0..=SHORT, _) => (usize::from(*second), 2),
        (TWO_BYTES, Some(len)) if opcode == TEXT => (usize::from(u16::from_be_bytes(*len)), 4),
        (TWO_BYTES, None) => return Ok(None),
        _ => return Err(Malformed),
    };
    Ok(bytes.get(start..start + len).map(|payload| Frame {
        opcode,
        payload: payload.to_owned(),
        len: start + len,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_masks_what_it_says() {
        // The masked example of RFC 6455 §5.7.
        assert_eq!(client(TEXT, b"Hello"), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    }

    #[test]
    fn a_server_is_heard_once_its_frame_is_whole() {
        let bytes = b"\x81\x05Hello\x88\x02\x03\xe9";
        assert!((0..7).all(|len| server(&bytes[..len]) == Ok(None)));
        let text = server(bytes).unwrap().unwrap();
        assert_eq!((text.opcode, &text.payload[..], text.len), (TEXT, &b"Hello"[..], 7));
        let close = server(&bytes[7..]).unwrap().unwrap();
        assert_eq!((close.opcode, close.code()), (CLOSE, 1001));
    }

    #[test]
    fn a_longer_message_has_its_length_in_two_bytes() {
        let bytes = [&[0x81, 126, 1, 0][..], &[b'x'; 256]].concat();
        assert_eq!(server(&bytes).unwrap().unwrap().payload.len(), 256);
        assert_eq!(server(&bytes[..bytes.len() - 1]), Ok(None));
    }

    #[test]
    fn what_a_server_may_not_send_is_refused() {
        for bytes in [
            &b"\x01\x05Hello"[..],
            b"\x81\x85mask",
            b"\xc1\x00",
            b"\x83\x00",
            b"\x88\x7e\x01\x00",
            b"HT",
        ] {
            assert_eq!(server(bytes), Err(Malformed), "{bytes:?}");
        }
    }
}
