//! The stream of `journalctl -o export`, as it comes: of a field of any size only the beginning is kept. Each field of an
//! entry is `NAME=text` on a line, or `NAME`, eight bytes of length and any bytes; an empty line ends the entry.
//! <https://systemd.io/JOURNAL_EXPORT_FORMATS>

/// As much of a field as is kept: more than a line of a program's output may have (48 KiB, `LineMax=` of journald.conf(5)).
pub const KEPT: usize = 64 << 10;
/// The longest name that journald takes.
const LONGEST_NAME: usize = 64;
/// More fields than are ever asked for.
const MOST_FIELDS: usize = 32;

/// What an entry's field holds, or how it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Value {
    kept: Vec<u8>,
    size: u64,
}

impl Value {
    /// Its text, with bytes that are not UTF-8 replaced, and its whole size in bytes where that is more.
    pub fn text(&self) -> (String, Option<u64>) {
        let text = String::from_utf8_lossy(&self.kept).into_owned();
        (text, Some(self.size).filter(|size| *size > self.kept.len() as u64))
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = KEPT - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.size += bytes.len() as u64;
    }
}

/// The fields of one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Value)>);

impl Fields {
    /// The first field of this name: the others are an app's, systemd's own fields come once.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The whole text of a field that is short.
    pub fn short(&self, name: &str) -> Option<String> {
        let (text, cut) = self.get(name)?.text();
        Some(text).filter(|_| cut.is_none())
    }

    /// A field that is made of these bytes.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        let mut value = Value::default();
        value.take(bytes);
        self.add(name.to_owned(), value);
        self
    }

    fn add(&mut self, name: String, value: Value) {
        if self.0.len() < MOST_FIELDS && self.get(&name).is_none() {
            self.0.push((name, value));
        }
    }
}

/// What is no stream of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("journalctl wrote no stream of entries")]
pub struct Malformed;

/// Where in an entry the stream is.
#[derive(Debug)]
enum Place {
    Name(Vec<u8>),
    Text(String, Value),
    Length(String, Vec<u8>),
    Bytes(String, Value, u64),
    End(String, Value),
}

/// Reads a stream piece by piece.
#[derive(Debug)]
pub struct Reader {
    place: Place,
    fields: Fields,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            place: Place::Name(Vec::new()),
            fields: Fields::default(),
        }
    }
}

impl Reader {
    /// Gives every entry that `bytes` complete to `each`.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Fields)) -> Result<(), Malformed> {
        while !bytes.is_empty() {
            let place = std::mem::replace(&mut self.place, Place::Name(Vec::new()));
            let (place, rest) = match place {
                Place::Name(name) => self.name(name, bytes, &mut each)?,
                Place::Text(name, value) => self.text(name, value, bytes),
                Place::Length(name, length) => measured(name, length, bytes),
                Place::Bytes(name, value, left) => counted(name, value, left, bytes),
                Place::End(name, value) if bytes[0] == b'\n' => {
                    self.fields.add(name, value);
                    (Place::Name(Vec::new()), &bytes[1..])
                }
                Place::End(..) => return Err(Malformed),
            };
            (self.place, bytes) = (place, rest);
        }
        Ok(())
    }

    fn name<'b>(
        &mut self,
        mut name: Vec<u8>,
        bytes: &'b [u8],
        each: &mut impl FnMut(Fields),
    ) -> Result<(Place, &'b [u8]), Malformed> {
        let end = bytes.iter().position(|byte| matches!(byte, b'=' | b'\n'));
        name.extend_from_slice(&bytes[..end.unwrap_or(bytes.len()).min(LONGEST_NAME + 1)]);
        if name.len() > LONGEST_NAME {
            return Err(Malformed);
        }
        let Some(end) = end else {
            return Ok((Place::Name(name), &[]));
        };
        let rest = &bytes[end + 1..];
        let name = String::from_utf8(name).map_err(|_| Malformed)?;
        let place = match (bytes[end], name.is_empty()) {
            (b'=', true) => return Err(Malformed),
            (b'=', false) => Place::Text(name, Value::default()),
            (_, false) => Place::Length(name, Vec::new()),
            (_, true) => {
                let fields = std::mem::take(&mut self.fields);
                if !fields.0.is_empty() {
                    each(fields);
                }
                Place::Name(Vec::new())
            }
        };
        Ok((place, rest))
    }

    fn text<'b>(&mut self, name: String, mut value: Value, bytes: &'b [u8]) -> (Place, &'b [u8]) {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            value.take(bytes);
            return (Place::Text(name, value), &[]);
        };
        value.take(&bytes[..end]);
        self.fields.add(name, value);
        (Place::Name(Vec::new()), &bytes[end + 1..])
    }
}

fn measured(name: String, mut length: Vec<u8>, bytes: &[u8]) -> (Place, &[u8]) {
    let (more, rest) = bytes.split_at(bytes.len().min(8 - length.len()));
    length.extend_from_slice(more);
    match <[u8; 8]>::try_from(length.as_slice()).map(u64::from_le_bytes) {
        Ok(0) => (Place::End(name, Value::default()), rest),
        Ok(left) => (Place::Bytes(name, Value::default(), left), rest),
        Err(_) => (Place::Length(name, length), rest),
    }
}

fn counted(name: String, mut value: Value, left: u64, bytes: &[u8]) -> (Place, &[u8]) {
    let now = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    let (more, rest) = bytes.split_at(now);
    value.take(more);
    match left - now as u64 {
        0 => (Place::End(name, value), rest),
        left => (Place::Bytes(name, value, left), rest),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fields, KEPT, LONGEST_NAME, MOST_FIELDS, Malformed, Reader};

    fn read(pieces: &[&[u8]]) -> Result<Vec<Fields>, Malformed> {
        let (mut reader, mut got) = (Reader::default(), Vec::new());
        for piece in pieces {
            reader.feed(piece, |fields| got.push(fields))?;
        }
        Ok(got)
    }

    fn binary(name: &str, bytes: &[u8]) -> Vec<u8> {
        [
            name.as_bytes(),
            b"\n",
            &(bytes.len() as u64).to_le_bytes(),
            bytes,
            b"\n",
        ]
        .concat()
    }

    #[test]
    fn reads_text_and_bytes() {
        let bytes = b"hi\n\xffMESSAGE=no\n\nA=b";
        let stream = [
            b"A=x=y\nE=\n".to_vec(),
            binary("MESSAGE", bytes),
            binary("N", b""),
            b"\n".to_vec(),
        ]
        .concat();
        let entry = Fields::default().with("A", b"x=y").with("E", b"");
        let entry = entry.with("MESSAGE", bytes).with("N", b"");
        assert_eq!(read(&[&stream, &stream]), Ok(vec![entry.clone(), entry]));
    }

    #[test]
    fn the_first_field_of_a_name_counts() {
        let got = read(&[b"M=first\nM=second\n\n"]).expect("a stream");
        assert_eq!(got[0].short("M").as_deref(), Some("first"));
    }

    #[test]
    fn keeps_the_beginning_of_a_large_field_and_its_size() {
        let large = vec![b'x'; KEPT + 7];
        for stream in [
            [b"M=", &large[..], b"\n\n"].concat(),
            [&binary("M", &large)[..], b"\n"].concat(),
        ] {
            let got = read(&[&stream]).expect("a stream");
            let (text, size) = got[0].get("M").expect("a field").text();
            assert_eq!((text.len(), size), (KEPT, Some(KEPT as u64 + 7)));
            assert_eq!(got[0].short("M"), None);
        }
    }

    #[test]
    fn an_entry_that_does_not_end_is_none() {
        for stream in [&b"M=x\n"[..], b"M=x", b"M\n\x05\0\0\0\0\0\0\0he"] {
            assert_eq!(read(&[stream]), Ok(vec![]));
        }
    }

    #[test]
    fn what_is_no_stream_is_refused_early() {
        for stream in [&b"=x\n"[..], b"M\n\x01\0\0\0\0\0\0\0xy", &[b'A'; 65], b"\xff=1\n"] {
            assert_eq!(read(&[stream]), Err(Malformed));
        }
    }

    proptest! {
        #[test]
        fn how_a_stream_is_cut_does_not_matter(
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8),
            size in 1_usize..30
        ) {
            let fields: Vec<u8> = values.iter().enumerate().flat_map(|(at, value)| binary(&format!("F{at}"), value)).collect();
            let stream = [&fields[..], b"A=b\n\n"].concat();
            let pieces: Vec<_> = stream.chunks(size).collect();
            prop_assert_eq!(read(&pieces), read(&[&stream]));
        }

        #[test]
        fn no_bytes_break_it_and_little_is_kept(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut reader = Reader::default();
            let mut ended = reader.feed(&bytes, drop);
            for _ in 0..40 {
                ended = ended.and_then(|()| reader.feed(&bytes, drop));
            }
            prop_assert!(reader.fields.0.len() <= MOST_FIELDS);
            prop_assert!(reader.fields.0.iter().all(|(name, value)| name.len() <= LONGEST_NAME && value.kept.len() <= KEPT));
        }
    }
}
