//! Archives as people and attackers make them.

use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use super::{ArchiveError, Unpacked, unpack};
use crate::host::tree::Bounds;

const ENOUGH: Bounds = Bounds {
    entries: 100,
    bytes: 100_000,
};

struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// Writes the name as it is: the library refuses the bad ones.
    fn entry(mut self, kind: EntryType, name: &str, target: &str, text: &str, mode: u32) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(text.len() as u64);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        self.0.append(&header, text.as_bytes()).expect("in memory");
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.entry(EntryType::Regular, name, "", text, 0o644)
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, name, target, "", 0o777)
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("in memory")
    }
}

fn into(folder: &tempfile::TempDir, bytes: impl Read, bounds: Bounds) -> Result<Unpacked, ArchiveError> {
    let top = folder.path().join("top");
    std::fs::create_dir_all(&top).expect("a directory");
    unpack(bytes, &top, bounds)
}

fn refused(tar: Tar) -> ArchiveError {
    let folder = tempfile::tempdir().expect("a directory");
    let outside = folder.path().join("outside");
    std::fs::write(&outside, "kept").expect("a file");
    let error = into(&folder, &tar.bytes()[..], ENOUGH).expect_err("refused");
    assert_eq!(std::fs::read_to_string(&outside).expect("still there"), "kept");
    let names = std::fs::read_dir(folder.path()).expect("a directory").count();
    assert_eq!(names, 2, "something was written outside");
    assert!(error.is_invalid(), "{error}");
    error
}

fn app() -> Vec<u8> {
    Tar::new()
        .entry(EntryType::Directory, "./", "", "", 0o755)
        .file("./server.js", "listen")
        .entry(EntryType::Regular, "bin/run", "", "#!", 0o4755)
        .link("node_modules/.bin/run", "../../bin/run")
        .entry(EntryType::Link, "copy.js", "server.js", "", 0o644)
        .bytes()
}

#[test]
fn too_many_directories_in_each_other_are_refused() {
    let mut long = Builder::new(Vec::new());
    let path = "d/".repeat(1000);
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(0);
    long.append_data(&mut header, format!("{path}x"), &b""[..])
        .expect("in memory");
    let error = refused(Tar(long));
    assert!(matches!(error, ArchiveError::TooDeep(_)), "{error}");
}

#[test]
fn an_app_arrives_whole_however_it_is_compressed() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&app()).expect("in memory");
    let zstd = ruzstd::encoding::compress_to_vec(&app()[..], ruzstd::encoding::CompressionLevel::Fastest);
    for bytes in [app(), gzip.finish().expect("in memory"), zstd] {
        let folder = tempfile::tempdir().expect("a directory");
        let unpacked = into(&folder, &bytes[..], ENOUGH).expect("unpacked");
        assert_eq!(unpacked, Unpacked { entries: 4, bytes: 8 });
        let top = folder.path().join("top");
        assert_eq!(std::fs::read_to_string(top.join("copy.js")).expect("a file"), "listen");
        let run = std::fs::metadata(top.join("node_modules/.bin/run")).expect("through the link");
        assert_eq!(run.permissions().mode() & 0o7777, 0o700, "set-user-id is left out");
    }
}

#[test]
fn no_name_leads_out() {
    for name in [
        "../outside",
        "/etc/cron.d/x",
        "a/../../outside",
        "a/b/../../../outside",
        "..",
    ] {
        let error = refused(Tar::new().file(name, "evil"));
        assert!(matches!(error, ArchiveError::Outside(_)), "{name}: {error}");
    }
}

#[test]
fn no_link_leads_out() {
    for target in [
        "../outside",
        "/etc",
        "/usr/../etc",
        "a/../../outside",
        "../../../../etc/shadow",
    ] {
        let error = refused(Tar::new().link("l", target));
        assert!(matches!(error, ArchiveError::Escapes(..)), "{target}: {error}");
        let hard = Tar::new().entry(EntryType::Link, "l", target, "", 0o644);
        assert!(matches!(refused(hard), ArchiveError::Escapes(..)), "{target}");
    }
}

#[test]
fn nothing_is_written_through_a_link_of_the_archive() {
    let below_a_link = Tar::new().file("d/f", "1").link("l", "d").file("l/g", "2");
    assert!(matches!(refused(below_a_link), ArchiveError::Through(_)));
    let directory_onto_a_link =
        Tar::new()
            .file("d/f", "1")
            .link("l", "d")
            .entry(EntryType::Directory, "l", "", "", 0o755);
    assert!(matches!(refused(directory_onto_a_link), ArchiveError::Through(_)));
    let folder = tempfile::tempdir().expect("a directory");
    let onto = Tar::new().file("d", "1").link("l", "d").file("l", "2").bytes();
    into(&folder, &onto[..], ENOUGH).expect("the link is replaced");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("top/d")).expect("a file"),
        "1"
    );
}

#[test]
fn a_link_that_was_there_before_is_not_followed_either() {
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::create_dir_all(folder.path().join("top")).expect("a directory");
    symlink("..", folder.path().join("top/up")).expect("a link");
    let error = into(&folder, &Tar::new().file("up/outside", "evil").bytes()[..], ENOUGH).expect_err("refused");
    assert!(matches!(error, ArchiveError::Through(_)), "{error}");
    assert!(!folder.path().join("outside").exists());
}

#[test]
fn devices_and_fifos_are_refused() {
    for (kind, what) in [
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "fifo"),
    ] {
        let error = refused(Tar::new().entry(kind, "x", "", "", 0o666));
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_cut_off_archive_is_none() {
    let whole = Tar::new().file("a", &"x".repeat(3000)).file("b", "y").bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(&whole).expect("in memory");
    for bytes in [whole, gzip.finish().expect("in memory")] {
        // Inside of a header, of a file, between two entries, before the end.
        for length in [600, 2000, 512 + 3072, 512 + 3072 + 1024, bytes.len() - 1030] {
            let folder = tempfile::tempdir().expect("a directory");
            let error = into(&folder, &bytes[..length], ENOUGH).expect_err("cut off");
            assert!(matches!(error, ArchiveError::CutOff), "{length}: {error:?}");
        }
    }
}

#[test]
fn a_damaged_archive_is_told_from_a_cut_off_one() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&app()).expect("in memory");
    let mut bytes = gzip.finish().expect("in memory");
    let checksum = bytes.len() - 6;
    bytes[checksum] ^= 1;
    let folder = tempfile::tempdir().expect("a directory");
    let error = into(&folder, &bytes[..], ENOUGH).expect_err("damaged");
    assert!(matches!(error, ArchiveError::Damaged(_)), "{error}");
}

#[test]
fn what_is_no_archive_is_called_by_its_name() {
    for (bytes, what) in [
        (&b"PK\x03\x04rest"[..], "zip"),
        (b"\xfd7zXZ\0", "xz"),
        (b"", "empty"),
        (b"hello", "something else"),
    ] {
        let folder = tempfile::tempdir().expect("a directory");
        let error = into(&folder, bytes, ENOUGH).expect_err("no archive");
        assert!(
            matches!(error, ArchiveError::Format(_)) && error.to_string().contains(what),
            "{error}"
        );
    }
}

#[test]
fn bounds_hold_for_what_comes_out_and_not_for_what_goes_in() {
    let bomb = Tar::new().file("zeros", &"\0".repeat(1_000_000)).bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bomb).expect("in memory");
    let small = gzip.finish().expect("in memory");
    assert!(small.len() < 10_000);
    let folder = tempfile::tempdir().expect("a directory");
    let error = into(&folder, &small[..], ENOUGH).expect_err("too much");
    assert!(
        matches!(
            error,
            ArchiveError::TooMuch {
                most: 100_000,
                what: "bytes",
                ..
            }
        ),
        "{error}"
    );
    let many = (0..200).fold(Tar::new(), |tar, n| tar.file(&n.to_string(), ""));
    let error = into(&folder, &many.bytes()[..], ENOUGH).expect_err("too many");
    assert!(
        matches!(&error, ArchiveError::TooMuch { path, most: 100, .. } if path == Path::new("100")),
        "{error}"
    );
}
