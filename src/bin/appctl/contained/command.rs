//! What to type: the command that failed, with the sandbox opened first. It works as it stands, pasted into the shell that
//! the command was typed in.

use appctl::spec::{AppName, quote_words};

use super::Kind;

/// The words behind `appctl`.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    words: Vec<String>,
    behind_sudo: bool,
}

impl Typed {
    /// Of this process.
    pub(crate) fn here() -> Self {
        let words = std::env::args_os().skip(1);
        let words = words.map(|word| word.to_string_lossy().into_owned());
        Self::of(words, std::env::var_os("SUDO_UID").is_some())
    }

    /// These.
    pub(super) fn of(words: impl IntoIterator<Item = String>, behind_sudo: bool) -> Self {
        Self {
            words: words.into_iter().collect(),
            behind_sudo,
        }
    }

    /// With these options of `install` and `apply`.
    pub(super) fn with(&self, app: &AppName, options: &[String], kind: Kind) -> String {
        // Global options have no values, so the first word that is none is the verb.
        let at = self.words.iter().position(|word| !word.starts_with('-'));
        let at = at.unwrap_or(self.words.len());
        let verb = self.words.get(at).map_or("", String::as_str);
        if verb == "install" {
            let (before, behind) = self.words.split_at(at + 1);
            return self.line([before, options, behind].concat());
        }
        let apply = ["apply", app.as_str()].map(str::to_owned);
        let apply = self.line([&apply, options].concat());
        match self.again(verb, kind) {
            Some(again) => format!("{apply} && {again}"),
            None => apply,
        }
    }

    /// What has to be typed once more: to apply replaces what runs, and nothing else.
    fn again(&self, verb: &str, kind: Kind) -> Option<String> {
        let mut words = self.words.clone();
        match verb {
            // Whatever came from standard input has to come once more.
            _ if words.iter().any(|word| word == "-") => return None,
            // A release that failed is bad until it is forced.
            "deploy" | "rollback" | "revert" if kind == Kind::App && !words.iter().any(|word| word == "--force") => {
                words.push("--force".to_owned());
            }
            "deploy" | "rollback" | "revert" | "start" | "scale" | "stage" => {}
            _ => return None,
        }
        Some(self.line(words))
    }

    fn line(&self, words: Vec<String>) -> String {
        let sudo = self.behind_sudo.then_some("sudo").into_iter();
        let words = sudo.chain(["appctl"]).map(str::to_owned).chain(words);
        quote_words(&words.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Typed};

    fn with(line: &str, behind_sudo: bool, kind: Kind) -> String {
        let typed = Typed::of(line.split(' ').map(str::to_owned), behind_sudo);
        typed.with(
            &"web".parse().expect("a name"),
            &["--allow", "tmp"].map(str::to_owned),
            kind,
        )
    }

    #[test]
    fn the_command_that_failed_is_typed_again() {
        for (line, expected) in [
            (
                "--json install web /srv/web -- x",
                "appctl --json install --allow tmp web /srv/web -- x",
            ),
            ("apply", "appctl apply web --allow tmp"),
            ("rolling-restart web", "appctl apply web --allow tmp"),
            ("deploy web -", "appctl apply web --allow tmp"),
            ("start web", "appctl apply web --allow tmp && appctl start web"),
            ("scale web 4", "appctl apply web --allow tmp && appctl scale web 4"),
            (
                "deploy web .",
                "appctl apply web --allow tmp && appctl deploy web . --force",
            ),
            (
                "deploy web . --force",
                "appctl apply web --allow tmp && appctl deploy web . --force",
            ),
        ] {
            assert_eq!(with(line, false, Kind::App), expected);
        }
        let build = "appctl apply web --allow tmp && appctl deploy web .";
        assert_eq!(with("deploy web .", false, Kind::Build), build);
    }

    #[test]
    fn behind_sudo_each_command_is() {
        let expected = "sudo appctl apply web --allow tmp && sudo appctl start web";
        assert_eq!(with("start web", true, Kind::App), expected);
    }
}
