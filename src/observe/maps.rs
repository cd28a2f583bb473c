//! Files that a process has mapped, the text of `/proc/PID/maps`, proc(5).

/// Whether a program or library it runs from was replaced on disk since: an upgrade unlinks the old file.
pub fn replaced(maps: &str) -> bool {
    maps.lines().filter_map(path).any(|path| path.ends_with(" (deleted)"))
}

/// The sixth column, where it is a file of its own and not memory that only has a name.
fn path(line: &str) -> Option<&str> {
    let path = &line[line.find('/')?..];
    let nameless = ["/memfd:", "/dev/zero", "/dev/shm/", "/SYSV", "/[aio]"];
    (!nameless.iter().any(|prefix| path.starts_with(prefix))).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn an_upgraded_program_or_library_is_seen() {
        let kept = "00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/node\n7f0-7f1 rw-p 00000000 00:00 0 [heap]\n\
                    7f2-7f3 rw-s 00000000 00:01 1024 /memfd:backoff (deleted)\n7f4-7f5 rw-p 00000000 00:00 0\n";
        assert!(!replaced(kept));
        for gone in [
            "/usr/bin/node",
            "/usr/lib/x86_64-linux-gnu/libssl.so.3",
            "/opt/with space/x.node",
        ] {
            assert!(replaced(&format!(
                "{kept}7f6-7f7 r-xp 00000000 08:02 99 {gone} (deleted)\n"
            )));
        }
    }
}
