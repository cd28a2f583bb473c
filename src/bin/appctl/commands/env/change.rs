//! What `set` and `unset` make of the variables that are kept.

use std::io::{IsTerminal as _, Read as _};

use appctl::host::files::LARGEST;
use appctl::spec::{AppName, variables};

use super::{Variables, unseen, wrong};
use crate::exit::{Exit, ExpectedError};
use crate::ui;

/// The variables of a command line, the value of one read from standard input.
pub(super) fn given(words: &[String]) -> Result<Variables, ExpectedError> {
    if words.iter().filter(|word| !word.contains('=')).count() > 1 {
        return Err(wrong("standard input can set only one variable").help("set the others one by one"));
    }
    // Names first: nothing is read for a name that cannot be.
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        refuse(name, value)?;
    }
    let one = |word: &String| match word.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => read(word).map(|value| (word.clone(), value)),
    };
    words.iter().map(one).collect()
}

fn refuse(name: &str, value: &str) -> Result<(), ExpectedError> {
    variables::refusal(name, value).map_or(Ok(()), |why| Err(wrong(why)))
}

/// All of standard input, without one newline at its end.
fn read(name: &str) -> Result<String, ExpectedError> {
    let bytes = bytes(name).map_err(|error| wrong(format!("cannot read the value of {name}: {error}")))?;
    let mut text = String::from_utf8(bytes).map_err(|_| wrong(format!("the value of {name} is not UTF-8 text")))?;
    if text.ends_with('\n') {
        text.pop();
    }
    refuse(name, &text)?;
    Ok(text)
}

/// What is typed at a terminal stays unseen.
fn bytes(name: &str) -> std::io::Result<Vec<u8>> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let question = format!("the value of {name} (not shown; end it with Ctrl-D on a line of its own):");
        let most = usize::try_from(LARGEST).unwrap_or(usize::MAX);
        return unseen::read(&stdin, most, || ui::ask(question.as_str()));
    }
    let mut bytes = Vec::new();
    stdin.lock().take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Each keeps its place, and a new one comes last.
pub(super) fn set(kept: &Variables, given: Variables) -> Variables {
    let mut after = kept.clone();
    for (name, value) in given {
        match after.iter_mut().find(|(known, _)| *known == name) {
            Some((_, place)) => *place = value,
            None => after.push((name, value)),
        }
    }
    after
}

pub(super) fn unset(app: &AppName, kept: &Variables, names: &[String]) -> Result<Variables, ExpectedError> {
    let unknown = |name: &&String| kept.iter().all(|(known, _)| known != *name);
    if let Some(name) = names.iter().find(unknown) {
        let error = ExpectedError::new(
            Exit::NOT_FOUND,
            format!("appctl env keeps no variable {name} for {app}"),
        );
        return Err(error.help(format!("appctl env {app} list shows those that it keeps")));
    }
    Ok(kept.iter().filter(|(name, _)| !names.contains(name)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::{given, set, unset};

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn variables_keep_their_places() {
        let kept = pairs(&[("A", "1"), ("B", "2")]);
        let words = ["A=x=y".to_owned(), "C=".to_owned()];
        let after = set(&kept, given(&words).expect("good names"));
        assert_eq!(after, pairs(&[("A", "x=y"), ("B", "2"), ("C", "")]));
        let app = "web".parse().expect("a name");
        assert_eq!(unset(&app, &after, &["B".to_owned()]).expect("it is there").len(), 2);
        assert!(unset(&app, &after, &["B".to_owned(), "D".to_owned()]).is_err());
    }

    #[test]
    fn a_name_that_cannot_be_is_refused_before_anything_is_read() {
        for word in ["1A=x", "LISTEN_FDS=3", "a-b", "=x", "APPCTL_X=1"] {
            assert!(given(&[word.to_owned()]).is_err(), "{word}");
        }
    }
}
