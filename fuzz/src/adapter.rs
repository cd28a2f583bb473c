//! What an app's process says to its shim: words of the adapter's protocol, and the answer to a probe, however they are
//! cut. The first byte is the size of the pieces.

use appctl::contract::adapter::AdapterMessage;

use crate::adapter_messages::AdapterMessages;
use crate::answer::Answer;

pub(crate) fn check(bytes: &[u8]) {
    let Some((size, stream)) = bytes.split_first() else {
        return;
    };
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*size) + 1).collect();
    assert_eq!(heard(&pieces), heard(&[stream]));
    let mut answer = Answer::default();
    _ = pieces.iter().all(|piece| answer.take(piece));
    let complaint = answer.complaint(200);
    assert!(
        complaint.chars().count() < 330 && !complaint.contains(char::is_control),
        "{complaint:?}"
    );
}

/// Everything that was understood, and whether the connection is still open then.
fn heard(pieces: &[&[u8]]) -> (Vec<AdapterMessage>, bool) {
    let (mut messages, mut heard) = (AdapterMessages::default(), Vec::new());
    for piece in pieces {
        let unknown = |line: String| assert!(line.chars().count() <= 40);
        if !messages.read(piece, unknown, |one| heard.push(one)) {
            return (heard, false);
        }
    }
    (heard, true)
}
