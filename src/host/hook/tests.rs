use super::{HookError, run};

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);

fn play(argv: &[&str], limit: Duration) -> Result<(), HookError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
    let variables = [("APPCTL_APP", "a".to_owned())];
    runtime.expect("a runtime").block_on(run(&argv, &variables, limit))
}

#[test]
fn is_told_what_it_is_about_and_nothing_else() {
    play(
        &["/bin/sh", "-c", "test \"$APPCTL_APP\" = a && test -z \"$HOME\""],
        LONG,
    )
    .expect("it is set");
    let error = play(&["/bin/sh", "-c", "echo the balancer is away; exit 3"], LONG).expect_err("it fails");
    assert_eq!(
        error.to_string(),
        "/bin/sh ended with exit status: 3: the balancer is away"
    );
}

#[test]
fn a_hook_that_hangs_is_killed_with_its_children() {
    let began = Instant::now();
    let error = play(&["/bin/sh", "-c", "sleep 300 & sleep 300"], Duration::from_millis(200));
    assert!(matches!(error, Err(HookError::TooLong { .. })), "{error:?}");
    assert!(began.elapsed() < LONG);
}

#[test]
fn a_program_that_others_can_change_is_not_run() {
    let folder = tempfile::tempdir().expect("a directory");
    let program = folder.path().join("hook");
    std::fs::write(&program, "#!/bin/sh\n").expect("writable");
    for mode in [0o777, 0o775] {
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).expect("ours");
        let error = play(&[program.to_str().expect("text")], LONG);
        assert!(matches!(error, Err(HookError::Unsafe { .. })), "{mode:o}: {error:?}");
    }
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("ours");
    play(&[program.to_str().expect("text")], LONG).expect("ours alone");
}

#[test]
fn a_script_knows_its_name_and_its_interpreter_is_held_to_the_same_rule() {
    let folder = tempfile::tempdir().expect("a directory");
    let (program, shell) = (folder.path().join("hook"), folder.path().join("shell"));
    let text = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let script = format!("#! {} -e\ntest \"$0 $1\" = \"{} out\"\n", text(&shell), text(&program));
    std::fs::copy("/bin/sh", &shell).expect("a shell");
    std::fs::write(&program, script).expect("writable");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("ours");
    play(&[&text(&program), "out"], LONG).expect("it is called by its name");
    std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o777)).expect("ours");
    let error = play(&[&text(&program), "out"], LONG).expect_err("its interpreter is not ours alone");
    assert!(error.to_string().contains(&text(&shell)), "{error}");
}

#[test]
fn a_program_of_no_kind_is_never_given_to_a_shell() {
    let folder = tempfile::tempdir().expect("a directory");
    let program = folder.path().join("hook");
    std::fs::write(&program, "exit 0\n").expect("writable");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let error = play(&[program.to_str().expect("text")], LONG);
    assert!(matches!(error, Err(HookError::Run { .. })), "{error:?}");
}

#[test]
fn an_argument_that_others_can_change_is_refused_however_it_is_written() {
    let folder = tempfile::tempdir().expect("a directory");
    let script = folder.path().join("script");
    std::fs::write(&script, "").expect("writable");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o666)).expect("ours");
    let absolute = script.to_str().expect("text").to_owned();
    // Hooks run in the root directory.
    let relative = absolute.trim_start_matches('/').to_owned();
    for argument in [absolute.clone(), relative, format!("--file={absolute}")] {
        let error = play(&["/bin/true", &argument], LONG);
        assert!(matches!(error, Err(HookError::Unsafe { .. })), "{argument}: {error:?}");
    }
    for argument in ["out", "--pool=web", "/health", "/dev/null", "https://example.org/x", ""] {
        play(&["/bin/true", argument], LONG).expect("it names nothing of others");
    }
}
