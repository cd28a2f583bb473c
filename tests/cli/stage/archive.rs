//! An archive, from a file and from standard input.

use super::{again, releases, sh, test, text};

#[test]
fn archives_of_every_compression_come_from_files_and_standard_input() {
    for (flag, name) in [("", "a.tar"), ("--gzip", "misnamed"), ("--zstd", "a.tar.zst")] {
        let test = test("")
            .file("app/server.js", "1")
            .file("app/lib/x.js", "2")
            .args(&format!("stage web {name}"));
        let compress: Vec<&str> = Some(flag).into_iter().filter(|flag| !flag.is_empty()).collect();
        sh(
            &test,
            "tar",
            &[&compress[..], &["--create", "--file", name, "--directory", "app", "."]].concat(),
        );
        test.exits(0);
        assert_eq!(text(&releases(&test)[0], "lib/x.js").as_deref(), Some("2"), "{name}");
        let bytes = std::fs::read(test.path(name)).expect("a file");
        let output = again(test, "stage web - --json").stdin(bytes).exits(0);
        let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
        assert!(said.contains(r#""existing":true"#), "{said}");
    }
}

#[test]
fn the_one_directory_of_an_archive_is_the_app() {
    let test = test("").file("app/server.js", "1").args("stage web a.tgz");
    sh(&test, "tar", &["--create", "--gzip", "--file", "a.tgz", "app"]);
    test.exits(0);
    assert_eq!(text(&releases(&test)[0], "server.js").as_deref(), Some("1"));
}

/// Half of them are unpacked before the bound is met; none of them stays.
#[test]
fn too_many_entries_leave_nothing() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(0);
    for n in 0..100_000 {
        tar.append_data(&mut header, format!("{}/{n}", n % 100), std::io::empty())
            .expect("in memory");
    }
    let bytes = tar.into_inner().expect("in memory");
    let test = test("max_files = 50000\n").args("stage web -").stdin(bytes);
    let output = test.exits(3);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("more than 50000 files in the archive"), "{said}");
    assert_eq!(releases(&test).len(), 0);
}
