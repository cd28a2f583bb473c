//! What holds for every text.

use std::path::PathBuf;
use std::time::Duration;

use appctl::spec::{
    EnvFile, Instances, Listen, NewApp, Problem, format_bytes, format_span, parse, parse_bytes, parse_span,
    quote_words, split_words, text_of,
};
use proptest::prelude::*;

use super::{name, report};

const KEYS: &str = "exec instances listen user group env env.A ready ready.when stop.timeout [stop] [ready [[limits]] \
    limits.memory restart.delay directory env_file exce é \"a\\u0000\"";

const VALUES: [&str; 19] = [
    "1",
    "-1",
    "0x10",
    "1.5",
    "true",
    "\"\"",
    "\"node x\"",
    "'a | $PORT'",
    "[1, 'é']",
    "{ A = 1 }",
    "\"30s\"",
    "nope",
    "\"\\u0000\"",
    "'''\né\n'''",
    "\"unclosed",
    "1979-05-27",
    "",
    "99999999999999999999",
    "\"512M\"",
];

/// Texts that look like our files, with pieces that do not belong.
fn like_a_file() -> impl Strategy<Value = String> {
    let key = prop::sample::select(KEYS.split_whitespace().collect::<Vec<_>>());
    let line = prop_oneof![
        6 => (key, prop::sample::select(VALUES.to_vec())).prop_map(|(key, value)| format!("{key} = {value}\n")),
        1 => "\\PC{0,12}\n",
        1 => "[\\[\\]{}=,.'\"a\u{feff}\r\n\\\\#é]{0,12}",
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
}

fn well_placed(text: &str, problems: &[Problem]) {
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(text.get(problem.span.clone()).is_some(), "{problem:?} in {text:?}");
        let (line, column) = problem.position(text);
        assert!(line >= 1 && column >= 1);
        assert!(!problem.message.is_empty() && !problem.to_string().contains(char::is_control));
    }
    report::render("x.toml", text, problems, false);
}

fn good_words() -> impl Strategy<Value = Vec<String>> {
    let first = "[a-z/.='$ ]{0,8}".prop_map(|tail| format!("p{tail}"));
    let word = prop_oneof!["[^\0]{0,12}", "[a-z0-9=/.-]{1,12}", "[|&;<>()$`*~#'\" \\\\\n\t]{0,8}"];
    (first, prop::collection::vec(word, 0..6)).prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect())
}

fn good_listen() -> impl Strategy<Value = Listen> {
    prop_oneof![
        (1..=u16::MAX).prop_map(|port| Listen::Tcp { host: None, port }),
        (any::<std::net::IpAddr>(), 1..=u16::MAX).prop_map(|(host, port)| Listen::Tcp { host: Some(host), port }),
        "/srv/[a-zé%\" ']{1,20}".prop_map(|path| Listen::Unix(path.into())),
    ]
}

fn new_app() -> impl Strategy<Value = NewApp> {
    let instances = prop_oneof![
        (1..=Instances::MOST).prop_map(Instances::Fixed),
        (0..999_u16).prop_map(|less| Instances::Max { less }),
    ];
    let user = prop::option::of(prop_oneof![Just("root".to_owned()), "[a-z_][a-z0-9_-]{0,30}"]);
    let file = ("/etc/[a-z\"\\\\ é]{1,9}", any::<bool>());
    let files = file.prop_map(|(path, optional)| EnvFile {
        path: path.into(),
        optional,
    });
    let env = prop::collection::btree_map("E[A-Z0-9_]{0,9}", "[^\0]{0,20}", 0..4);
    let rest = (
        prop::option::of("/[a-z\"\\\\ ]{1,20}"),
        env,
        prop::collection::vec(files, 0..3),
    );
    (good_words(), instances, user, prop::option::of(good_listen()), rest).prop_map(
        |(exec, instances, user, listen, (directory, env, env_files))| NewApp {
            exec,
            instances,
            group: user.as_ref().map(|_| "www-data".to_owned()),
            user,
            listen: listen.into_iter().collect(),
            directory: directory.map(PathBuf::from),
            env: env.into_iter().collect(),
            env_files,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_an_app_or_has_well_placed_problems(text in prop_oneof![3 => like_a_file(), 1 => "\\PC{0,80}", 1 => any::<String>()]) {
        let first = parse(&name("x"), &text);
        prop_assert_eq!(&first, &parse(&name("x"), &text));
        if let Err(problems) = first {
            well_placed(&text, &problems);
        }
    }

    #[test]
    fn any_bytes_are_text_or_a_problem(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(text_of(&bytes).ok(), std::str::from_utf8(&bytes).ok());
    }

    #[test]
    fn quoted_words_are_split_into_the_same(words in prop::collection::vec(".{0,12}", 0..6)) {
        prop_assert_eq!(split_words(&quote_words(&words)), Ok(words));
    }

    #[test]
    fn errors_of_words_lie_within_the_text(text in any::<String>()) {
        if let Err(error) = split_words(&text) {
            prop_assert!(text.get(error.at).is_some());
        }
    }

    #[test]
    fn sizes_come_back(bytes in 0..=i64::MAX as u64, shift in 0..60_u32) {
        for bytes in [bytes, bytes >> shift << shift] {
            prop_assert_eq!(parse_bytes(&format_bytes(bytes)), Ok(bytes));
        }
    }

    #[test]
    fn spans_come_back(micros in any::<u64>(), shift in 0..64_u32) {
        let span = Duration::from_micros(micros >> shift);
        prop_assert_eq!(parse_span(&format_span(span)), Ok(span));
    }

    #[test]
    fn addresses_come_back(listen in good_listen()) {
        prop_assert_eq!(listen.to_string().parse(), Ok(listen));
    }

    #[test]
    fn a_written_app_is_read_back_as_it_was(app in new_app()) {
        let text = app.to_toml();
        let spec = match parse(&name("x"), &text) {
            Ok(spec) => spec,
            Err(problems) => panic!("{}", report::render("x.toml", &text, &problems, false)),
        };
        let group = app.group.clone();
        let account = app.user.clone().map_or(appctl::spec::Account::Dynamic, |user| appctl::spec::Account::Named { user, group });
        prop_assert_eq!((spec.exec, spec.instances, spec.listen), (app.exec, app.instances, app.listen));
        prop_assert_eq!((spec.directory, spec.env, spec.env_files, spec.account), (app.directory, app.env, app.env_files, account));
    }
}
