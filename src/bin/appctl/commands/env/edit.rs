//! `appctl env NAME edit`: the operator's editor on a copy in a directory for root only.

use std::path::{Path, PathBuf};
use std::process::Command;

use appctl::host::files;
use appctl::host::trusted::{self, Owner};
use appctl::spec::{AppName, split_words, variables};

use super::{Variables, wrong};
use crate::context::Context;
use crate::exit::ExpectedError;

/// Where programs of root are.
const PLACES: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];
/// What Debian calls the editor of the machine.
const DEFAULT: &str = "editor";

/// What the variables are once the editor has ended.
pub(super) fn edited(context: &Context, app: &AppName, kept: &Variables) -> anyhow::Result<Variables> {
    let (program, options) = editor()?;
    let parent = context.layout.env();
    files::make_private(&parent)?;
    // What an editor leaves beside the file goes with its directory.
    let folder = tempfile::Builder::new().prefix(".edit-").tempdir_in(&parent)?;
    let path = folder.path().join(format!("{app}.env"));
    files::write_private(&path, &variables::write(kept))?;
    let status = Command::new(&program).args(options).arg(&path).status();
    let status = status.map_err(|error| wrong(format!("cannot run the editor {}: {error}", program.display())))?;
    if !status.success() {
        return Err(wrong(format!("the editor ended with {status}")).into());
    }
    let text = files::read_config(&path)?;
    let read = variables::parse_strictly(&text);
    let all = read.map_err(|(line, why)| wrong(format!("line {line}: {why}")))?;
    // As systemd has it, the last of a name counts.
    Ok(super::change::set(&Variables::new(), all))
}

/// `$VISUAL`, else `$EDITOR`, else the machine's own; never a program that another account could change.
fn editor() -> Result<(PathBuf, Vec<String>), ExpectedError> {
    let named = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let text = named.unwrap_or_else(|| DEFAULT.to_owned());
    let words = split_words(&text).map_err(|error| wrong(format!("$EDITOR is {text:?}: {error}")))?;
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_else(|| DEFAULT.to_owned());
    let found = if program.starts_with('/') {
        Some(PathBuf::from(&program))
    } else {
        let mut places = PLACES.iter().map(|place| Path::new(place).join(&program));
        places.find(|path| path.is_file())
    };
    let missing = || {
        wrong(format!("there is no editor {program:?}")).help(
            "set EDITOR, for example: sudo EDITOR=nano appctl \
            env …",
        )
    };
    let found = found.ok_or_else(missing)?;
    trusted::walk(&found, Owner::Us)
        .map_err(|untrusted| wrong(format!("{program} would run as root, but {untrusted}")))?;
    Ok((found, words.collect()))
}
