//! `Procfile`: the `web:` line. Text in, command out; `$PORT` is the only variable it may use.

use appctl::spec::WordsError;

use super::command_line::{self, Start};

/// The command of `web:`, with `port` for `$PORT`; `None` without such a line.
pub(super) fn web(text: &str, port: u16) -> Result<Option<Start>, WordsError> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("web:"));
    let Some(line) = line.map(str::trim).filter(|line| !line.is_empty()) else {
        return Ok(None);
    };
    command_line::parse(&fill(line, port)).map(Some)
}

fn fill(line: &str, port: u16) -> String {
    let port = port.to_string();
    let line = line.replace("${PORT:-3000}", &port).replace("${PORT}", &port);
    let mut filled = String::new();
    let mut rest = line.as_str();
    while let Some((before, after)) = rest.split_once("$PORT") {
        let longer = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        filled.extend([before, if longer { "$PORT" } else { &port }]);
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::web;

    #[test]
    fn the_port_is_filled_in_and_nothing_else() {
        let start = web("worker: x\nweb: RACK=1 puma -p $PORT -e ${PORT}\n", 3000);
        let start = start.expect("words").expect("a command");
        assert_eq!(start.exec, ["puma", "-p", "3000", "-e", "3000"]);
        assert_eq!(start.env, [("RACK".to_owned(), "1".to_owned())]);
        assert!(web("web: x $PORTS", 1).is_err());
    }

    #[test]
    fn what_needs_a_shell_is_not_guessed() {
        for line in ["web: a && b", "web: x $HOME", "web: `x`", "web: x 'y"] {
            assert!(web(line, 1).is_err(), "{line}");
        }
        assert_eq!(web("worker: x", 1), Ok(None));
    }
}
