//! What the response reader takes, waits for, and refuses.

use super::*;

fn read(text: &str, closed: bool) -> Result<Option<(Head, Vec<u8>, usize)>, Malformed> {
    let bytes = text.as_bytes();
    let Some(head) = head(bytes)? else { return Ok(None) };
    let body = head.body(bytes, closed)?;
    Ok(body.map(|body| (head, body.bytes(bytes).to_vec(), body.end())))
}

#[test]
fn every_prefix_of_a_response_is_incomplete_and_never_malformed() {
    for text in [
        "HTTP/1.1 200 OK\r\nx-request-id: a\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        for cut in 0..text.len() {
            assert_eq!(read(&text[..cut], false), Ok(None), "{:?}", &text[..cut]);
        }
        let (head, body, end) = read(text, false).unwrap().unwrap();
        assert_eq!(
            (head.status, body.as_slice(), end),
            (200, b"hello".as_slice(), text.len())
        );
    }
}

#[test]
fn header_names_and_the_close_token_are_case_insensitive() {
    let text = "HTTP/1.1 200 OK\r\nX-REQUEST-ID:  abc \r\nX-Pid: 42\r\nx-Release: r1\r\ncontent-LENGTH: 0\r\nconnection: foo, CLOSE\r\n\r\n";
    let (head, ..) = read(text, false).unwrap().unwrap();
    assert_eq!((&text[head.id.clone()], &text[head.release.clone()]), ("abc", "r1"));
    assert_eq!((head.pid, head.close), (Some(42), true));
}

#[test]
fn an_old_version_closes_unless_it_says_keep_alive() {
    let close = |text| read(text, true).unwrap().unwrap().0.close;
    assert!(close("HTTP/1.0 200 OK\r\n\r\n"));
    assert!(!close("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"));
    assert!(!close("HTTP/1.1 200 OK\r\n\r\n"));
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    let text = "HTTP/1.1 200 OK\r\n\r\nhello";
    assert_eq!(read(text, false), Ok(None));
    assert_eq!(read(text, true).unwrap().unwrap().1, b"hello");
}

#[test]
fn a_no_content_response_has_no_body() {
    assert_eq!(read("HTTP/1.1 204 No Content\r\n\r\n", false).unwrap().unwrap().1, b"");
}

#[test]
fn what_follows_a_response_is_left_alone() {
    let first = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(
        read(&format!("{first}HTTP/1.1 200"), false).unwrap().unwrap().2,
        first.len()
    );
}

#[test]
fn refuses_what_is_not_http() {
    for text in [
        "hello",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nspaced name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: 1\nb: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
    ] {
        assert_eq!(read(text, true), Err(Malformed), "{text:?}");
    }
    assert_eq!(
        head(&[b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'a'; MAX_HEAD]].concat()),
        Err(Malformed)
    );
}
