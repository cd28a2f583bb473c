//! `appctl scale`: changes how many instances an app has, in its file and on the machine.

use std::path::PathBuf;
use std::str::FromStr;

use appctl::host::files;
use appctl::spec::{AppName, AppSpec, Instances};
use serde_json::json;
use toml_edit::DocumentMut;

use crate::apps::{self, App, File};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::rolling;
use crate::session::Session;
use crate::{ui, units};

/// What `scale` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl scale myapp 4
  appctl scale myapp +2
  appctl scale myapp -1

The number is written into /etc/appctl/apps/myapp.toml; comments there are kept. Running instances are left alone.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// A number, +K or -K
    #[arg(value_name = "N|+K|-K", allow_hyphen_values = true)]
    pub(crate) instances: Target,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A number of instances, or a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Exactly.
    Exactly(u16),
    /// So many more, or fewer.
    By(i32),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a number from 1 to {}, +K or -K", Instances::MOST);
        match text.bytes().next() {
            Some(b'+' | b'-') => text.parse().map(Self::By).map_err(|_| wrong()),
            _ => text
                .parse()
                .ok()
                .filter(|n| (1..=Instances::MOST).contains(n))
                .map(Self::Exactly)
                .ok_or_else(wrong),
        }
    }
}

impl Target {
    /// The number, from `now` instances on.
    fn from(self, now: u16) -> Result<u16, ExpectedError> {
        let wanted = match self {
            Self::Exactly(number) => i32::from(number),
            Self::By(difference) => i32::from(now).saturating_add(difference),
        };
        let number = u16::try_from(wanted)
            .ok()
            .filter(|number| (1..=Instances::MOST).contains(number));
        number.ok_or_else(|| {
            let message = format!("{wanted} instances are not possible, only 1 to {}", Instances::MOST);
            ExpectedError::new(Exit::USAGE, message).help("appctl stop NAME stops all of them")
        })
    }
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let name = apps::select(&context.layout, std::slice::from_ref(&args.name))?.remove(0);
    let scaling = Scaling::read(&name, args, context)?;
    if scaling.from == scaling.to {
        return report(context, &name, &scaling, "nothing to do");
    }
    if args.dry_run {
        return report(context, &name, &scaling, "would scale");
    }
    context.require_root("scale")?;
    let systemd = context.systemd().await?;
    let session = Session::take(context, &systemd, &name, "scale")?;
    session.carry_out(scale(&session, args)).await
}

async fn scale(session: &Session<'_>, args: &Args) -> anyhow::Result<Exit> {
    let (context, name) = (session.context, &session.app);
    // What was read before the app was held may have been replaced since.
    let scaling = Scaling::read(name, args, context)?;
    if scaling.from == scaling.to {
        session.operation.changes_nothing();
        return report(context, name, &scaling, "nothing to do");
    }
    let (after, text) = scaling.after(name)?;
    let change = rolling::Change {
        old: (&scaling.spec, &scaling.text),
        new: (&after, &text),
        env: (scaling.env.as_deref(), scaling.env.as_deref()),
        replace: false,
    };
    rolling::roll(context, session.systemd, &change, &session.hold).await?;
    // A rollout has done so; an app that is stopped has none.
    files::write_atomic(&scaling.path, &text)?;
    report(context, name, &scaling, "scaled")
}

/// From one number of instances to another.
struct Scaling {
    path: PathBuf,
    text: String,
    spec: AppSpec,
    /// Variables that are kept for it, as they are in force.
    env: Option<String>,
    from: u16,
    to: u16,
}

impl Scaling {
    fn read(name: &AppName, args: &Args, context: &Context) -> anyhow::Result<Self> {
        let app = App::load(context.layout.of(name))?;
        refuse_pending(&app)?;
        let env = app.env.applied;
        let file = app.wanted.ok_or_else(|| no_file(name))?;
        let (path, text) = (file.path.clone(), file.text.clone());
        let spec = file.valid()?;
        let from = units::count(&spec);
        let to = args.instances.from(from)?;
        Ok(Self {
            path,
            text,
            spec,
            env,
            from,
            to,
        })
    }

    fn after(&self, name: &AppName) -> anyhow::Result<(AppSpec, String)> {
        let text = with_instances(&self.text, self.to)?;
        Ok((File::of(name, self.path.clone(), text.clone()).valid()?, text))
    }
}

fn refuse_pending(app: &App) -> Result<(), ExpectedError> {
    if app.applied.is_some() && app.is_pending() {
        let name = &app.name;
        let message = format!("the file of {name} has changes that are not in force");
        return Err(
            ExpectedError::new(Exit::INVALID_CONFIG, message).help(format!("first type: sudo appctl apply {name}"))
        );
    }
    Ok(())
}

fn no_file(name: &AppName) -> ExpectedError {
    ExpectedError::new(Exit::NOT_FOUND, format!("{name} has no file in /etc/appctl/apps"))
}

/// The text with another number of instances, everything else as it was.
fn with_instances(text: &str, number: u16) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse()?;
    let mut value = toml_edit::Value::from(i64::from(number));
    if let Some(old) = document.get("instances").and_then(toml_edit::Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    document.insert("instances", toml_edit::Item::Value(value));
    Ok(document.to_string())
}

fn report(context: &Context, name: &AppName, scaling: &Scaling, what: &str) -> anyhow::Result<Exit> {
    let (from, to) = (scaling.from, scaling.to);
    if context.json {
        ui::print_json(&json!({"app": name.as_str(), "from": from, "to": to, "result": what}))?;
    } else if from == to {
        ui::print(format!(
            "{name}: {}, {what}",
            ui::quantity::count(to.into(), "instance")
        ))?;
    } else {
        ui::print(format!(
            "{name}: {what} from {from} to {}",
            ui::quantity::count(to.into(), "instance")
        ))?;
    }
    Ok(Exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::{Target, with_instances};

    #[test]
    fn comments_and_order_survive() {
        let text = "# mine\nexec = \"x\"\ninstances = 2 # why\n\n[stop]\ntimeout = \"5s\"\n";
        assert_eq!(with_instances(text, 5).expect("a text"), text.replace("= 2", "= 5"));
        let text = "exec = \"x\"\n\n[stop]\ntimeout = \"5s\"\n";
        let after = with_instances(text, 5).expect("a text");
        assert_eq!(after, "exec = \"x\"\ninstances = 5\n\n[stop]\ntimeout = \"5s\"\n");
    }

    #[test]
    fn numbers_are_absolute_and_signs_are_relative() {
        let to = |text: &str, now| text.parse::<Target>().ok().and_then(|target| target.from(now).ok());
        assert_eq!([to("4", 1), to("+2", 1), to("-1", 3)], [Some(4), Some(3), Some(2)]);
        assert_eq!(
            [to("0", 1), to("-1", 1), to("513", 1), to("x", 1), to("+512", 1)],
            [None; 5]
        );
    }
}
