//! `appctl rollback`: puts an earlier release in force, as carefully as a new one.

use std::str::FromStr;

use appctl::host::releases;
use appctl::release::ReleaseId;
use appctl::rollout::Verb;
use appctl::spec::{AppName, AppSpec};

use super::deploy::{How, prune, refuse_bad, releasable};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::retention;
use crate::rolling::{self, Hold, Interrupts, Target};
use crate::session::Session;

/// What `rollback` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl rollback myapp                      to the release before the live one
  appctl rollback myapp -2                   two back; revert 2 is the same
  appctl rollback myapp 20261122T101500Z     to this one; appctl releases myapp names them

Bad releases are skipped, unless one is named with --force.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// The ID of a release, or how many releases to go back
    #[arg(value_name = "ID|-N", default_value = "-1", allow_hyphen_values = true)]
    pub(crate) to: To,

    /// How careful to be
    #[command(flatten)]
    pub(crate) how: How,
}

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum To {
    /// So many before the live one.
    Back(usize),
    /// This one.
    Release(ReleaseId),
}

impl FromStr for To {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        match digits.parse() {
            Ok(steps @ 1..=999) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Self::Back(steps)),
            _ => text
                .parse()
                .map(Self::Release)
                .map_err(|error| format!("{error}; or how many releases to go back, such as -1")),
        }
    }
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let spec = releasable(context, &args.name)?;
    if !args.how.dry_run {
        context.require_root("rollback")?;
    }
    let systemd = context.systemd().await?;
    let bake = args.how.bake.unwrap_or(spec.deploy.bake);
    let target = |to| Target {
        verb: Verb::Rollback,
        to,
        canary: None,
        bake,
    };
    if args.how.dry_run {
        let to = choose(args, context)?;
        context.say(&spec.name, &format!("would go back to release {to}"));
        rolling::show(context, &systemd, &spec, &target(to)).await?;
        return Ok(Exit::DONE);
    }
    let mut interrupts = Interrupts::catch()?;
    let hold = Hold::take_or_wait(context, &spec.name, "rollback", args.how.wait, &mut interrupts).await?;
    let session = Session::of(context, &systemd, &spec.name, hold);
    session
        .carry_out(async {
            let to = choose(args, context)?;
            go_back(&session, &spec, &target(to), &mut interrupts).await
        })
        .await?;
    Ok(Exit::DONE)
}

async fn go_back(
    session: &Session<'_>,
    spec: &AppSpec,
    target: &Target,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    let (context, to) = (session.context, &target.to);
    let roll = session.roll(spec);
    if roll.is_live(to).await? {
        session.operation.changes_nothing();
        context.say(&spec.name, &format!("nothing to do: release {to} is live"));
        return Ok(());
    }
    session
        .operation
        .moves(releases::live(context.layout.of(&spec.name)).as_ref(), to);
    context.say(&spec.name, &format!("going back to release {to}"));
    if !roll.settle_earlier(to, interrupts).await? && !roll.is_live(to).await? {
        Box::pin(roll.switch(target, interrupts)).await?;
    }
    prune(&roll).await;
    Ok(())
}

fn choose(args: &Args, context: &Context) -> anyhow::Result<ReleaseId> {
    let (name, stock) = (&args.name, retention::stock(context, &args.name)?);
    let help = format!("appctl releases {name} lists its releases");
    let none = |message: String| ExpectedError::new(Exit::NOT_FOUND, message).help(help.clone());
    match &args.to {
        To::Back(steps) => {
            let found = stock.back(*steps).cloned();
            let what = if *steps == 1 {
                "no release"
            } else {
                "not that many releases"
            };
            Ok(found.ok_or_else(|| none(format!("{name} has {what} to go back to")))?)
        }
        To::Release(id) if !stock.all.contains(id) => Err(none(format!("{name} has no release {id}")).into()),
        To::Release(id) => {
            if !args.how.force {
                refuse_bad(context, name, id)?;
            }
            Ok(id.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::To;

    #[test]
    fn steps_may_be_written_either_way() {
        for text in ["-1", "1"] {
            assert_eq!(text.parse(), Ok(To::Back(1)), "{text}");
        }
        assert!(matches!("20261122T101500Z".parse(), Ok(To::Release(_))));
        for bad in ["0", "-0", "", "-", "--1", "+1", "1000", "../x", "-x"] {
            assert!(bad.parse::<To>().is_err(), "{bad}");
        }
    }
}
