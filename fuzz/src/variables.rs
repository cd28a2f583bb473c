//! A file of variables, whatever stands in it: what is read from it can be written, and is then read again as it was.

use appctl::spec::variables::{parse, parse_strictly, refusal, write};

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let all = parse(text);
    let sound: Vec<_> = all
        .iter()
        .filter(|(name, value)| refusal(name, value).is_none())
        .cloned()
        .collect();
    assert_eq!(parse(&write(&sound)), sound);
    match parse_strictly(text) {
        Ok(strict) => assert_eq!(strict, all),
        Err((line, why)) => assert!(line >= 1 && !why.is_empty()),
    }
}
