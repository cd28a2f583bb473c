//! Which file is executed for a command of root, and with which words: each is held to [`crate::host::trusted`].

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::HookError;
use crate::host::trusted::{self, Owner, Trusted, Untrusted, Why};

/// As much of a first line as the kernel reads, `BINPRM_BUF_SIZE`.
const FIRST_LINE: usize = 256;
/// Interpreters that are scripts themselves, as the kernel has it.
const MOST_INTERPRETERS: usize = 5;

/// What is executed: a binary, by the descriptor that was walked to.
#[derive(Debug)]
pub(super) struct Program {
    file: File,
    /// Its first argument, as the kernel would have set it.
    pub(super) name: OsString,
    /// Behind that, of a script: the interpreter's option, and the script. Only root can change what that path leads to.
    pub(super) before: Vec<OsString>,
}

impl Program {
    /// Names the descriptor; the child still has it when it executes this, and the program no more.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

/// The program of a command, with its arguments looked at.
pub(super) fn find(argv: &[String], owner: Owner) -> Result<Program, HookError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(run(String::new(), io::ErrorKind::InvalidInput.into()));
    };
    let error = |untrusted: Untrusted| explained(program, untrusted);
    let trusted = trusted::walk(Path::new(program), owner).map_err(error)?;
    arguments
        .iter()
        .try_for_each(|argument| named_by(argument, owner))
        .map_err(error)?;
    let mut found = Program {
        file: trusted.file,
        name: program.into(),
        before: Vec::new(),
    };
    let mut real = trusted.real;
    for _ in 0..MOST_INTERPRETERS {
        let failed = |source| run(real.display().to_string(), source);
        let Some((interpreter, option)) = interpreter(&found.file).map_err(failed)? else {
            return Ok(found);
        };
        let Trusted { file, real: next } = trusted::walk(Path::new(&interpreter), owner).map_err(error)?;
        let script = OsString::from(std::mem::replace(&mut real, next));
        found.before.splice(0..0, option.into_iter().chain([script]));
        (found.file, found.name) = (file, interpreter);
    }
    Err(run(program.clone(), nix::errno::Errno::ELOOP.into()))
}

/// What an argument names below `/`, where hooks run, or behind an `=`: nothing, or what only root can change.
fn named_by(argument: &str, owner: Owner) -> Result<(), Untrusted> {
    let value = argument.split_once('=').map(|(_, value)| value);
    [argument]
        .into_iter()
        .chain(value)
        .try_for_each(|path| trusted::walk_if_any(&Path::new("/").join(path), owner).map(drop))
}

/// The interpreter in the first line of a script, and the one option that may stand there; `None` for a binary.
fn interpreter(program: &File) -> io::Result<Option<(OsString, Option<OsString>)>> {
    let metadata = program.metadata()?;
    if !metadata.is_file() || metadata.mode() & 0o111 == 0 {
        return Err(nix::errno::Errno::EACCES.into());
    }
    let mut start = Vec::new();
    // The descriptor is only a place; this opens the file at that place.
    let file = File::open(format!("/proc/self/fd/{}", program.as_raw_fd()))?;
    file.take(FIRST_LINE as u64).read_to_end(&mut start)?;
    let Some(line) = start.strip_prefix(b"#!") else {
        // execvp(3) would give anything else to a shell.
        return if start.starts_with(b"\x7fELF") {
            Ok(None)
        } else {
            Err(nix::errno::Errno::ENOEXEC.into())
        };
    };
    let line = line
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let end = line
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t'))
        .unwrap_or(line.len());
    let (interpreter, option) = (&line[..end], line[end..].trim_ascii());
    if !interpreter.starts_with(b"/") {
        return Err(nix::errno::Errno::ENOEXEC.into());
    }
    let word = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    Ok(Some((word(interpreter), (!option.is_empty()).then(|| word(option)))))
}

fn explained(program: &str, untrusted: Untrusted) -> HookError {
    match untrusted.why {
        Why::Io(source) => run(untrusted.path.display().to_string(), source),
        _ => HookError::Unsafe {
            program: program.to_owned(),
            untrusted,
        },
    }
}

fn run(program: String, source: io::Error) -> HookError {
    HookError::Run { program, source }
}
