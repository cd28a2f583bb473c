//! `appctl logs`: what apps print, merged and coloured per instance.

use anstyle::{AnsiColor, Style};
use appctl::host::journal::Query;
use appctl::observe::journal::{Entry, KEPT, Operated};
use appctl::spec::{AppName, Instance};
use jiff::Timestamp;
use serde_json::json;

use crate::apps::{self, App};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::ui::style::{BAD, HEAD};
use crate::ui::{self, Text, paint};
use crate::units;

/// What `logs` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl logs myapp -f                follow
  appctl logs myapp -n 100 --instance 2
  appctl logs --since '10 min ago'    all apps
  appctl logs myapp --json | jq .     one object per line

Lines an app wrote to standard error are marked with '!'. What operators did
with an app, by appctl, stands between them, marked with '>'. Control characters
are shown as escapes such as \\u{1b}, in a pipe too, and an app's colours are left out;
for the exact text use --json.
The same lines: journalctl -u 'myapp@*' -u myapp")]
pub(crate) struct Args {
    /// Names of apps; all when none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<AppName>,

    /// Keep printing new lines
    #[arg(long, short)]
    pub(crate) follow: bool,

    /// How many old lines to print; 20 unless --since is given
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "since")]
    pub(crate) lines: Option<u32>,

    /// Only this instance: a number from 1, or surge
    #[arg(long, value_name = "I")]
    pub(crate) instance: Option<Instance>,

    /// Only lines since this time, as in systemd.time(7)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
}

const LINES: u32 = 20;

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let names = apps::select(&context.layout, &args.names)?;
    if names.is_empty() {
        return Ok(Exit::DONE);
    }
    let mut journal = query(args, context, &names)?.open()?;
    let printer = Printer::new(context.json, &names);
    while let Some(fields) = journal.next().await? {
        // What looks like an operation and is not root's is a line of the app like others.
        if let Some(operated) = Operated::of(&fields) {
            printer.operated(&operated)?;
        } else if let Some(entry) = Entry::of(&fields) {
            printer.print(&entry)?;
        }
    }
    journal.finish().await.map_err(unreadable)?;
    Ok(Exit::DONE)
}

/// journalctl has said what it has to say on standard error.
fn unreadable(error: std::io::Error) -> anyhow::Error {
    if nix::unistd::geteuid().is_root() {
        return error.into();
    }
    let help = "members of the group systemd-journal may read it: sudo usermod -aG systemd-journal $USER; or use sudo";
    ExpectedError::new(Exit::NOT_PERMITTED, "cannot read the journal")
        .help(help)
        .into()
}

fn query(args: &Args, context: &Context, names: &[AppName]) -> anyhow::Result<Query> {
    let mut query = Query {
        follow: args.follow,
        lines: args.lines.or_else(|| args.since.is_none().then_some(LINES)),
        since: args.since.clone(),
        ..Query::default()
    };
    for name in names {
        if let Some(instance) = args.instance {
            query.units.push(units::instance(name, instance));
            continue;
        }
        let count = App::load(context.layout.of(name))?.in_force().map_or(1, units::count);
        // By name what exists, because a process that is gone at once leaves only its unit's name behind; by slice what
        // a later `scale` may add.
        query.units.extend(units::instances(name, count));
        query.slices.push(units::slice(name));
        query.operations.push(name.clone());
    }
    Ok(query)
}

/// How lines are printed.
struct Printer {
    json: bool,
    width: usize,
}

impl Printer {
    fn new(json: bool, names: &[AppName]) -> Self {
        let longest = names.iter().map(|name| name.as_str().len()).max().unwrap_or(0);
        let width = longest + 2;
        Self { json, width }
    }

    fn operated(&self, Operated { time, operation }: &Operated) -> std::io::Result<()> {
        if self.json {
            let releases = operation.releases.as_ref();
            return ui::print_json(&json!({
                "time": timestamp(*time),
                "app": operation.app.as_str(),
                "event": "operation",
                "verb": operation.verb,
                "by": operation.by,
                "from": releases.and_then(|releases| releases.from.as_ref()),
                "to": releases.map(|releases| &releases.to),
                "exit_code": operation.exit,
                "message": operation.to_string(),
            }));
        }
        let who = format!("{:<width$}", operation.app.as_str(), width = self.width);
        let head = paint(HEAD, &who) + " " + paint(HEAD, ">") + " ";
        ui::print(Text::default().line(head + operation.to_string()))
    }

    fn print(&self, entry: &Entry) -> std::io::Result<()> {
        if self.json {
            return ui::print_json(&as_json(entry));
        }
        let who = format!(
            "{:<width$}",
            format!("{}@{}", entry.app, entry.instance),
            width = self.width
        );
        let mark = if entry.is_error() {
            paint(BAD, "!")
        } else {
            Text::from("|")
        };
        let head = paint(colour(entry.instance), &who) + " " + mark + " ";
        let shown = entry.message.shown(KEPT);
        // An app that writes to the journal itself may write several lines at once.
        let lines = shown.lines().chain(shown.is_empty().then_some(""));
        ui::print(lines.fold(Text::default(), |text, line| text.line(head.clone() + line)))
    }
}

/// One colour per instance, the same on every run. Red is left to errors.
fn colour(instance: Instance) -> Style {
    const COLOURS: [AnsiColor; 5] = [
        AnsiColor::Green,
        AnsiColor::Cyan,
        AnsiColor::Yellow,
        AnsiColor::Blue,
        AnsiColor::Magenta,
    ];
    COLOURS[usize::from(instance.index()) % COLOURS.len()].on_default()
}

fn timestamp(microseconds: u64) -> Option<String> {
    let time = Timestamp::from_microsecond(i64::try_from(microseconds).ok()?).ok()?;
    Some(time.to_string())
}

/// One line of `--json`.
pub(crate) fn as_json(entry: &Entry) -> serde_json::Value {
    json!({
        "time": timestamp(entry.time),
        "app": entry.app.as_str(),
        "instance": entry.instance.to_string(),
        "stream": if entry.is_error() { "stderr" } else { "stdout" },
        "pid": entry.pid,
        "message": entry.message.text,
        "truncated_from_bytes": entry.message.cut_from,
    })
}
