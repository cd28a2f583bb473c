//! From words to [`Options`].

use std::ffi::OsString;
use std::path::PathBuf;

use super::write::streams_word;
use super::{Backoff, EnvFile, Options, Ready, Streams, Usage};

/// Highest number of signal(7) below the real-time ones.
const LAST_SIGNAL: i32 = 31;

/// Options under way: a proof and what belongs to it may come in any order.
#[derive(Default)]
struct Given {
    options: Options,
    proof: Option<Word>,
    path: Option<String>,
    status: Option<u16>,
    after: Option<u64>,
}

#[derive(Clone, Copy)]
enum Word {
    Notify,
    Listening,
    Http,
    Message,
    Started,
}

impl Options {
    /// Reads the words before `--`.
    pub(super) fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, Usage> {
        let mut given = Given::default();
        for word in words {
            let word = word
                .into_string()
                .map_err(|word| Usage::Unknown(word.to_string_lossy().into_owned()))?;
            given.set(&word)?;
        }
        Ok(given.complete())
    }

    /// The options, unless their proof can never come.
    pub(super) fn checked(&self) -> Result<(), Usage> {
        match self.ready {
            Ready::Listening if self.adapter.is_none() => Err(Usage::NeedsAdapter("listening")),
            Ready::Http { .. } if self.adapter.is_none() => Err(Usage::NeedsAdapter("http")),
            Ready::Listening if self.sockets == 0 => Err(Usage::NeedsSockets),
            _ => Ok(()),
        }
    }
}

impl Given {
    fn set(&mut self, word: &str) -> Result<(), Usage> {
        let (key, value) = word.split_once('=').ok_or_else(|| Usage::Unknown(word.to_owned()))?;
        let options = &mut self.options;
        let known = match key {
            "--ready" => proof(value).map(|proof| self.proof = Some(proof)),
            "--ready-path" => value.starts_with('/').then(|| self.path = Some(value.to_owned())),
            "--ready-status" => value.parse().ok().map(|status| self.status = Some(status)),
            "--started-after-ms" => value.parse().ok().map(|after| self.after = Some(after)),
            "--ready-timeout-ms" => take(value, &mut options.ready_timeout),
            "--stop-signal" => signal(value).map(|signal| options.stop_signal = signal),
            "--stop-timeout-ms" => take(value, &mut options.stop_timeout),
            "--stop-message" => yes_or_no(value).map(|yes| options.stop_message = yes),
            "--linger-ms" => take(value, &mut options.linger),
            "--streams" => streams(value).map(|streams| options.streams = streams),
            "--spread-ms" => take(value, &mut options.spread),
            "--increment" => (!value.is_empty()).then(|| options.increment = Some(value.to_owned())),
            "--backoff-ms" => backoff(value).map(|backoff| options.backoff = backoff),
            "--watchdog-ms" => value.parse().ok().map(|span| options.watchdog = Some(span)),
            "--adapter" => absolute(value).map(|path| options.adapter = Some(path)),
            "--sockets" => take(value, &mut options.sockets),
            "--backlog" => take(value, &mut options.backlog),
            "--env-file" => absolute(value).map(|path| options.env_files.push(path)),
            "--read-env-file" => read_env_file(value).map(|file| options.read_env_files.push(file)),
            "--directory" => absolute(value).map(|path| options.directory = Some(path)),
            "--journal" => absolute(value).map(|path| options.journal = path),
            _ => return Err(Usage::Unknown(word.to_owned())),
        };
        known.ok_or_else(|| Usage::Value(word.to_owned()))
    }

    fn complete(self) -> Options {
        let ready = match self.proof {
            Some(Word::Notify) => Ready::Notify,
            Some(Word::Listening) => Ready::Listening,
            Some(Word::Http) => Ready::Http {
                path: self.path.unwrap_or_else(|| "/".to_owned()),
                status: self.status.unwrap_or(200),
            },
            Some(Word::Message) => Ready::Message,
            Some(Word::Started) | None => match self.after {
                Some(after) => Ready::Started { after },
                None => return self.options,
            },
        };
        Options { ready, ..self.options }
    }
}

/// The value of `--read-env-file`: an absolute path, behind a `-` when the file may be missing.
pub fn read_env_file(value: &str) -> Option<EnvFile> {
    let path = value.strip_prefix('-').unwrap_or(value);
    let optional = path.len() < value.len();
    absolute(path).map(|path| EnvFile { path, optional })
}

fn proof(value: &str) -> Option<Word> {
    Some(match value {
        "notify" => Word::Notify,
        "listening" => Word::Listening,
        "http" => Word::Http,
        "message" => Word::Message,
        "started" => Word::Started,
        _ => return None,
    })
}

fn streams(value: &str) -> Option<Streams> {
    [Streams::Close, Streams::Wait, Streams::Cut]
        .into_iter()
        .find(|streams| streams_word(*streams) == value)
}

fn take<T: std::str::FromStr>(value: &str, place: &mut T) -> Option<()> {
    *place = value.parse().ok()?;
    Some(())
}

fn signal(value: &str) -> Option<i32> {
    value.parse().ok().filter(|number| (1..=LAST_SIGNAL).contains(number))
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn absolute(value: &str) -> Option<PathBuf> {
    value.starts_with('/').then(|| PathBuf::from(value))
}

fn backoff(value: &str) -> Option<Backoff> {
    let mut parts = value.split(',').map(|part| part.parse().ok());
    let backoff = Backoff {
        delay: parts.next()??,
        longest: parts.next()??,
        reset_after: parts.next()??,
    };
    parts.next().is_none().then_some(backoff)
}
