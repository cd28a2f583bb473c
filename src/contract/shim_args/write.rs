//! From [`Options`] to words.

use super::{EnvFile, Options, Ready, Streams};

impl Options {
    /// The words before `--`, from which [`super::RunArgs::parse`] reads the same. What an operator sees in `systemctl cat`
    /// comes first and is always there; of the rest, what is not the default.
    pub fn to_argv(&self) -> Vec<String> {
        let default = Self::default();
        let mut argv = self.files();
        argv.extend(self.ready());
        argv.push(format!("--ready-timeout-ms={}", self.ready_timeout));
        argv.push(format!("--stop-signal={}", self.stop_signal));
        argv.push(format!("--stop-timeout-ms={}", self.stop_timeout));
        argv.push(format!("--linger-ms={}", self.linger));
        if self.streams != default.streams {
            argv.push(format!("--streams={}", streams_word(self.streams)));
        }
        if self.spread != default.spread {
            argv.push(format!("--spread-ms={}", self.spread));
        }
        argv.extend(self.stop_message.then(|| "--stop-message=yes".to_owned()));
        argv.extend(self.increment.iter().map(|name| format!("--increment={name}")));
        let backoff = self.backoff;
        let pauses = [backoff.delay, backoff.longest, backoff.reset_after].map(|pause| pause.to_string());
        argv.push(format!("--backoff-ms={}", pauses.join(",")));
        argv.extend(self.watchdog.map(|span| format!("--watchdog-ms={span}")));
        let adapter = self.adapter.iter();
        argv.extend(adapter.map(|path| format!("--adapter={}", path.to_string_lossy())));
        if self.sockets != default.sockets {
            argv.push(format!("--sockets={}", self.sockets));
        }
        if self.sockets != default.sockets || self.backlog != default.backlog {
            argv.push(format!("--backlog={}", self.backlog));
        }
        if self.journal != default.journal {
            argv.push(format!("--journal={}", self.journal.to_string_lossy()));
        }
        argv
    }

    fn files(&self) -> Vec<String> {
        let directory = self.directory.iter();
        let mut argv: Vec<String> = directory
            .map(|path| format!("--directory={}", path.to_string_lossy()))
            .collect();
        let files = self.env_files.iter();
        argv.extend(files.map(|path| format!("--env-file={}", path.to_string_lossy())));
        argv.extend(self.read_env_files.iter().map(write_env_file));
        argv
    }

    fn ready(&self) -> Vec<String> {
        let option = |word: &str| format!("--ready={word}");
        match &self.ready {
            Ready::Notify => vec![option("notify")],
            Ready::Listening => vec![option("listening")],
            Ready::Message => vec![option("message")],
            Ready::Http { path, status } => vec![
                option("http"),
                format!("--ready-path={path}"),
                format!("--ready-status={status}"),
            ],
            Ready::Started { after } => vec![option("started"), format!("--started-after-ms={after}")],
        }
    }
}

/// The option, from which [`super::read_env_file`] reads the same.
pub fn write_env_file(file: &EnvFile) -> String {
    let dash = if file.optional { "-" } else { "" };
    format!("--read-env-file={dash}{}", file.path.to_string_lossy())
}

/// The word for it, on the command line and for the adapter.
pub fn streams_word(streams: Streams) -> &'static str {
    match streams {
        Streams::Close => "close",
        Streams::Wait => "wait",
        Streams::Cut => "cut",
    }
}
