//! What journalctl writes, whatever an app put into it and however it is cut. The first byte is the size of the pieces.

use appctl::observe::journal::{Entry, KEPT, Reader, printed};

pub(crate) fn check(bytes: &[u8]) {
    let Some((size, stream)) = bytes.split_first() else {
        return;
    };
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*size) + 1).collect();
    assert_eq!(read(&pieces), read(&[stream]));
}

/// All messages, and whether the stream was one of entries.
fn read(pieces: &[&[u8]]) -> (Vec<String>, bool) {
    let (mut reader, mut said) = (Reader::default(), Vec::new());
    for piece in pieces {
        let fed = reader.feed(piece, |fields| {
            let messages = [Entry::of(&fields).map(|entry| entry.message), printed(&fields)];
            for message in messages.into_iter().flatten() {
                // A byte that is no text is shown as three.
                assert!(message.shown(KEPT).len() <= 3 * KEPT + 60);
                assert!(message.shown(7).len() <= 60);
                said.push(message.shown(KEPT));
            }
        });
        if fed.is_err() {
            return (said, false);
        }
    }
    (said, true)
}
