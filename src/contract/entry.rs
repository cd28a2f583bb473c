//! An entry of the journal on its way to journald, <https://systemd.io/JOURNAL_NATIVE_PROTOCOL>.

/// The datagram of an entry. A value of several lines goes with its length, so that no line of it becomes a field.
pub fn encode(fields: &[(&str, String)]) -> Vec<u8> {
    let mut entry = Vec::new();
    for (name, value) in fields {
        entry.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            entry.push(b'\n');
            entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            entry.push(b'=');
        }
        entry.extend_from_slice(value.as_bytes());
        entry.push(b'\n');
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn no_line_of_a_value_becomes_a_field() {
        let fields = [("A", "1".to_owned()), ("B", "x\nA=2".to_owned())];
        assert_eq!(encode(&fields), b"A=1\nB\n\x05\0\0\0\0\0\0\0x\nA=2\n");
    }
}
