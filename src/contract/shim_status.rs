//! What a shim says of its instance in `STATUS=` (`sd_notify(3)`), and what `appctl status` reads back.
//!
//! One line, readable in `systemctl status NAME@1` as it is:
//! `ready; pid 4711; release 20261122T101500Z; responses 630; errors 37; app "in its own words"; crashes 0; a remark`.
//! What the app says of itself stands in quotes and is only shown. A remark is the shim's, the last part, and steers no
//! terminal.

use std::fmt;
use std::str::FromStr;

use super::{Responses, quote, unquote};
use crate::spec::visible;

/// What the shim is doing for its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShimState {
    /// The app runs and has not proven itself.
    Starting,
    /// The app has proven itself.
    Ready,
    /// Asked to stop; requests in flight are waited for.
    Draining,
    /// Waiting before the app is started again after a crash.
    BackingOff,
    /// The app is gone, or never became ready.
    Failed,
}

/// One status line of a shim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShimStatus {
    /// What the shim is doing.
    pub state: ShimState,
    /// The app's own main process.
    pub pid: Option<u32>,
    /// The release it runs, when it runs in one.
    pub release: Option<String>,
    /// What it answered in this run, when an adapter counts it.
    pub responses: Option<Responses>,
    /// The port that the app listens on, and its socket does not.
    pub elsewhere: Option<u16>,
    /// What the app says of itself.
    pub words: Option<String>,
    /// The signal that ended the last crash, if one did; a shell tells it as 128 and more.
    pub signal: Option<i32>,
    /// Crashes in a row, without `[restart] reset_after` of uptime between them.
    pub crashes: u32,
    /// Why it is in this state, for people.
    pub remark: Option<String>,
}

/// A status line that no shim wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a status line of appctl-shim")]
pub struct NotAShimStatus;

/// In characters: systemd takes no message over 4 KiB.
const LONGEST_REMARK: usize = 500;

const STATES: [(ShimState, &str); 5] = [
    (ShimState::Starting, "starting"),
    (ShimState::Ready, "ready"),
    (ShimState::Draining, "draining"),
    (ShimState::BackingOff, "backing-off"),
    (ShimState::Failed, "failed"),
];

impl fmt::Display for ShimState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = STATES
            .iter()
            .find(|(state, _)| state == self)
            .map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for ShimState {
    type Err = NotAShimStatus;

    fn from_str(text: &str) -> Result<Self, NotAShimStatus> {
        STATES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(state, _)| *state)
            .ok_or(NotAShimStatus)
    }
}

impl fmt::Display for ShimStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state)?;
        if let Some(pid) = self.pid {
            write!(f, "; pid {pid}")?;
        }
        if let Some(release) = &self.release {
            write!(f, "; release {release}")?;
        }
        if let Some(Responses { all, errors }) = self.responses {
            write!(f, "; responses {all}; errors {errors}")?;
        }
        if let Some(port) = self.elsewhere {
            write!(f, "; elsewhere {port}")?;
        }
        if let Some(words) = &self.words {
            write!(f, "; app {}", quote(words))?;
        }
        if let Some(signal) = self.signal {
            write!(f, "; signal {signal}")?;
        }
        write!(f, "; crashes {}", self.crashes)?;
        match &self.remark {
            Some(remark) => write!(f, "; {}", one_line(remark)),
            None => Ok(()),
        }
    }
}

impl FromStr for ShimStatus {
    type Err = NotAShimStatus;

    fn from_str(line: &str) -> Result<Self, NotAShimStatus> {
        let (state, mut rest) = line.split_once("; ").ok_or(NotAShimStatus)?;
        let state = state.parse()?;
        let pid = take(&mut rest, "pid ")
            .map(str::parse)
            .transpose()
            .map_err(|_| NotAShimStatus)?;
        let release = take(&mut rest, "release ").map(str::to_owned);
        let responses = take_responses(&mut rest)?;
        let elsewhere = take(&mut rest, "elsewhere ")
            .map(str::parse)
            .transpose()
            .map_err(|_| NotAShimStatus)?;
        let words = take_words(&mut rest)?;
        let signal = take(&mut rest, "signal ")
            .map(str::parse)
            .transpose()
            .map_err(|_| NotAShimStatus)?;
        let (crashes, remark) = match rest.split_once("; ") {
            Some((crashes, remark)) => (crashes, Some(remark.to_owned())),
            None => (rest, None),
        };
        let crashes = crashes.strip_prefix("crashes ").ok_or(NotAShimStatus)?;
        let crashes = crashes.parse().map_err(|_| NotAShimStatus)?;
        Ok(Self {
            state,
            pid,
            release,
            responses,
            elsewhere,
            words,
            signal,
            crashes,
            remark,
        })
    }
}

/// Takes `; responses N; errors N`; both counts, or neither.
fn take_responses(rest: &mut &str) -> Result<Option<Responses>, NotAShimStatus> {
    let number = |text: &str| text.parse().map_err(|_| NotAShimStatus);
    let Some(all) = take(rest, "responses ") else {
        return Ok(None);
    };
    let errors = take(rest, "errors ").ok_or(NotAShimStatus)?;
    let (all, errors) = (number(all)?, number(errors)?);
    Ok(Some(Responses { all, errors }))
}

/// Takes `; app "…"`: the app's own status, unescaped.
fn take_words(rest: &mut &str) -> Result<Option<String>, NotAShimStatus> {
    let Some(quoted) = rest.strip_prefix("app ") else {
        return Ok(None);
    };
    let (words, after) = unquote(quoted).ok_or(NotAShimStatus)?;
    *rest = after.strip_prefix("; ").ok_or(NotAShimStatus)?;
    Ok(Some(words))
}

/// A remark may cite an answer of the app.
fn one_line(remark: &str) -> String {
    visible(&remark.chars().take(LONGEST_REMARK).collect::<String>())
}

/// Cuts `label value; ` off the front of `rest`, when it stands there.
fn take<'a>(rest: &mut &'a str, label: &str) -> Option<&'a str> {
    let (value, after) = rest.strip_prefix(label)?.split_once("; ")?;
    *rest = after;
    Some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NotAShimStatus, Responses, STATES, ShimState, ShimStatus};

    prop_compose! {
        fn any_status()(
            state in proptest::sample::select(STATES.map(|(state, _)| state).to_vec()),
            (pid, signal, elsewhere, crashes) in any::<(Option<u32>, Option<i32>, Option<u16>, u32)>(),
            release in proptest::option::of("[0-9A-Za-z-]{1,20}"),
            responses in proptest::option::of(any::<(u64, u64)>()),
            words in any::<Option<String>>(),
            remark in proptest::option::of("[ -~]{1,80}"),
        ) -> ShimStatus {
            let responses = responses.map(|(all, errors)| Responses { all, errors });
            ShimStatus { state, pid, release, responses, elsewhere, words, signal, crashes, remark }
        }
    }

    proptest! {
        #[test]
        fn whatever_an_app_says_of_itself_is_read_back(status in any_status()) {
            let line = status.to_string();
            prop_assert!(!line.contains(char::is_control), "{line}");
            prop_assert_eq!(line.parse(), Ok(status));
        }
    }

    #[test]
    fn what_the_shim_writes_is_read_back() {
        for (pid, release, remark) in [
            (Some(4711), Some("20261122T101500Z"), Some("listening; on [::]:3000")),
            (None, None, None),
            (
                Some(1),
                None,
                Some("pid 2; release x; responses 5; errors 1; crashes 9"),
            ),
            (None, None, Some("responses 5; errors 1; crashes 9")),
            (None, Some("r"), None),
        ] {
            let status = ShimStatus {
                state: ShimState::BackingOff,
                pid,
                release: release.map(str::to_owned),
                responses: pid.map(|_| Responses { all: 630, errors: 37 }),
                elsewhere: pid.map(|_| 4_000),
                words: release.map(|_| "so \"far\"; crashes 7; \u{1b}[31mred\nREADY=1".to_owned()),
                signal: release.map(|_| 31),
                crashes: 3,
                remark: remark.map(str::to_owned),
            };
            assert_eq!(status.to_string().parse(), Ok(status));
        }
    }

    #[test]
    fn what_an_app_says_of_itself_is_marked_and_plain() {
        let status = ShimStatus {
            state: ShimState::Ready,
            pid: None,
            release: None,
            responses: None,
            elsewhere: None,
            words: Some("x\"; crashes 9\u{1b}]0;t\u{7}\u{202e}".to_owned()),
            signal: None,
            crashes: 0,
            remark: Some("said\n\u{1b}[2J".to_owned()),
        };
        let line = r#"ready; app "x%22; crashes 9%1b]0;t%07%e2%80%ae"; crashes 0; said\n\u{1b}[2J"#;
        assert_eq!(status.to_string(), line);
    }

    #[test]
    fn other_texts_are_not_mistaken_for_it() {
        for line in [
            "",
            "ready",
            "Processing requests...",
            "ready; pid x; crashes 0",
            "ready; crashes",
            "ready; responses 5; crashes 0",
            "ready; elsewhere 70000; crashes 0",
            "ready; signal x; crashes 0",
            "ready; app up; crashes 0",
            "ready; app \"up",
            "ready; responses 5; errors x; crashes 0",
            "ready; responses -5; errors 1; crashes 0",
        ] {
            assert_eq!(line.parse::<ShimStatus>(), Err(NotAShimStatus), "{line:?}");
        }
    }
}
