//! The port an app is given: `--listen`, else `PORT` of its variables, else 3000.

use appctl::spec::Listen;

use super::command_line::assignment;
use crate::exit::{Exit, ExpectedError};

/// The port of most Node examples.
const DEFAULT_PORT: u16 = 3000;

/// The first TCP port in `listen`, else `PORT` of the variables, else of the text of the file of variables, else 3000.
pub(super) fn port(listen: &[Listen], env: &[(String, String)], env_file: Option<&str>) -> Result<u16, ExpectedError> {
    let held = listen.iter().find_map(|listen| match listen {
        Listen::Tcp { port, .. } => Some(*port),
        Listen::Unix(_) => None,
    });
    if let Some(port) = held {
        return Ok(port);
    }
    let in_file = || {
        env_file.and_then(|text| {
            text.lines()
                .rev()
                .filter_map(file_line)
                .find(|(name, _)| name == "PORT")
        })
    };
    let variable = env
        .iter()
        .rev()
        .find(|(name, _)| name == "PORT")
        .cloned()
        .or_else(in_file);
    match variable {
        None => Ok(DEFAULT_PORT),
        Some((_, text)) => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            ExpectedError::new(Exit::INVALID_CONFIG, format!("PORT={text} is not a port"))
                .help("set the port with --listen")
        }),
    }
}

/// One line of an environment file, systemd.exec(5): comments begin with `#` or `;`, values may be quoted.
fn file_line(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (name, value) = assignment(line)?;
    let value = value.trim();
    let quoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    Some((name, quoted.unwrap_or(value).to_owned()))
}

/// `K=V` of `--env`.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    assignment(text).ok_or_else(|| "expected NAME=value, with only letters, digits and '_' in NAME".to_owned())
}

#[cfg(test)]
mod tests {
    use super::port;

    fn env(value: &str) -> Vec<(String, String)> {
        vec![("PORT".to_owned(), value.to_owned())]
    }

    #[test]
    fn what_was_said_last_and_closest_wins() {
        let listen = ["/run/x.sock", "127.0.0.1:8080"].map(|text| text.parse().expect("an address"));
        assert_eq!(port(&listen, &env("1"), Some("PORT=2")).ok(), Some(8080));
        assert_eq!(port(&[], &env("4000"), Some("PORT=2")).ok(), Some(4000));
        assert_eq!(port(&[], &[], Some("# PORT=1\nA=b\nPORT='5000'\n")).ok(), Some(5000));
        assert_eq!(port(&[], &[], None).ok(), Some(3000));
        assert!(port(&[], &env("http"), None).is_err());
    }
}
