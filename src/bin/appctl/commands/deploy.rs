//! `appctl deploy`: makes a release and puts it in force, one instance after the other.

use std::time::Duration;

use appctl::host::{bad, releases};
use appctl::release::ReleaseId;
use appctl::rollout::{Canary, Verb};
use appctl::spec::{AppName, AppSpec, parse_span};
use appctl::unit::Purpose;

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::rolling::{self, Hold, Interrupts, Roll, Target};
use crate::session::Session;
use crate::staging::{self, Asked, Commands, Progress, Staged};
use crate::{apps, retention, trust, ui, units};

/// What `deploy` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl deploy myapp                          the current directory
  appctl deploy myapp build.tar.zst            an archive; - reads one from standard input
  appctl deploy myapp --git https://example.org/myapp.git --ref v1.2
  appctl deploy myapp --canary 1 --bake 5m     one instance first, watched for five minutes

Behind sudo, the source is read with the rights of the person who typed the command, otherwise with those of the account
that owns it: a link that another account made to a file of root's leads nowhere.

The new release must prove itself on the surge instance before any other is touched; then all instances are watched for
a while ([deploy] bake). If anything goes wrong, the previous release serves again and the new one is marked bad. Ctrl-C
before the release is live leaves everything as it was; later, appctl status shows what is left to do.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// What it is made from
    #[command(flatten)]
    pub(crate) from: Asked,

    /// How careful to be
    #[command(flatten)]
    pub(crate) how: How,

    /// Let this many instances run the new release first, and watch them before the others follow
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) canary: Option<u16>,
}

/// What `deploy` and `rollback` have in common.
#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// Accept a release that failed before, and make a new release even of content that is there already
    #[arg(long)]
    pub(crate) force: bool,

    /// Wait for another rollout of the app to end instead of failing
    #[arg(long)]
    pub(crate) wait: bool,

    /// How long to watch the new release, or its canaries, such as 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub(crate) bake: Option<Duration>,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Canaries are watched for so long when nobody says how long.
const CANARY_BAKE: Duration = Duration::from_mins(5);

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let spec = releasable(context, &args.name)?;
    let canary = canary(args, &spec)?;
    let wanted = Wanted {
        args,
        spec: &spec,
        canary,
    };
    let systemd = context.systemd().await?;
    if args.how.dry_run {
        context.say(&spec.name, &format!("would make a release from {}", args.from));
        // Only a place holder: the steps are the same for every release.
        let target = wanted.target("20000101T000000Z".parse()?);
        rolling::show(context, &systemd, &spec, &target).await?;
        return Ok(Exit::DONE);
    }
    context.require_root("deploy")?;
    let mut interrupts = Interrupts::catch()?;
    let hold = Hold::take_or_wait(context, &spec.name, "deploy", args.how.wait, &mut interrupts).await?;
    let session = Session::of(context, &systemd, &spec.name, hold);
    session.carry_out(wanted.deploy(&session, &mut interrupts)).await?;
    Ok(Exit::DONE)
}

/// What the operator asked for.
struct Wanted<'a> {
    args: &'a Args,
    spec: &'a AppSpec,
    canary: Option<Canary>,
}

impl Wanted<'_> {
    fn target(&self, to: ReleaseId) -> Target {
        let bake = self.args.how.bake.filter(|_| self.canary.is_none());
        Target {
            verb: Verb::Deploy,
            to,
            canary: self.canary,
            bake: bake.unwrap_or(self.spec.deploy.bake),
        }
    }

    async fn deploy(&self, session: &Session<'_>, interrupts: &mut Interrupts) -> anyhow::Result<()> {
        let staged = tokio::select! {
            staged = stage(self.args, self.spec, session.context) => staged?,
            _ = interrupts.next() => {
                return Err(ExpectedError::new(Exit::FAILED, "interrupted; nothing was changed").into());
            }
        };
        self.put_in_force(session, &staged, interrupts).await?;
        prune(&session.roll(self.spec)).await;
        Ok(())
    }

    async fn put_in_force(
        &self,
        session: &Session<'_>,
        staged: &Staged,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<()> {
        let (context, spec) = (session.context, self.spec);
        let roll = session.roll(spec);
        if roll.is_live(&staged.id).await? {
            session.operation.changes_nothing();
            context.say(&spec.name, &format!("nothing to do: release {} is live", staged.id));
            return Ok(());
        }
        let live = releases::live(context.layout.of(&spec.name));
        session.operation.moves(live.as_ref(), &staged.id);
        if !self.args.how.force {
            refuse_bad(context, &spec.name, &staged.id)?;
        }
        if roll.settle_earlier(&staged.id, interrupts).await? || roll.is_live(&staged.id).await? {
            return Ok(());
        }
        tokio::select! {
            done = before_it_serves(&roll, staged) => done?,
            _ = interrupts.next() => {
                return Err(ExpectedError::new(Exit::FAILED, "interrupted; no instance was touched").into());
            }
        }
        let target = self.target(staged.id.clone());
        Box::pin(roll.switch(&target, interrupts)).await
    }
}

/// What the app wants done once, such as a migration.
async fn before_it_serves(roll: &Roll<'_>, staged: &Staged) -> anyhow::Result<()> {
    let (context, spec) = (roll.context, roll.spec);
    let mut tell = |progress: Progress| context.say(&spec.name, &progress.to_string());
    let commands = Commands {
        spec,
        purpose: Purpose::Release,
        directory: &context.layout.of(&spec.name).release(&staged.id),
    };
    staging::run(context, &commands, &mut tell).await
}

/// The settings of an app that has releases.
pub(crate) fn releasable(context: &Context, name: &AppName) -> anyhow::Result<AppSpec> {
    if !apps::installed(&context.layout)?.contains(name) {
        let error = ExpectedError::new(Exit::NOT_FOUND, format!("no app is called {name}"));
        let help =
            format!("appctl install makes the first release; in the app's directory, type: sudo appctl install {name}");
        return Err(error.help(help).into());
    }
    let spec = apps::in_force(context.layout.of(name))?;
    if let Some(directory) = &spec.directory {
        let message = format!("{name} runs in place, in {}: it has no releases", directory.display());
        let help = format!("change it there and type: sudo appctl rolling-restart {name}");
        return Err(ExpectedError::new(Exit::INVALID_CONFIG, message).help(help).into());
    }
    trust::refuse(context, std::slice::from_ref(&spec), Exit::ROLLOUT_FAILED)?;
    Ok(spec)
}

/// What failed once is not tried again by mistake.
pub(crate) fn refuse_bad(context: &Context, app: &AppName, id: &ReleaseId) -> anyhow::Result<()> {
    let Some(why) = bad::why(context.layout.of(app), id)? else {
        return Ok(());
    };
    let error = ExpectedError::new(Exit::ROLLOUT_FAILED, format!("{app}: release {id} is bad: {why}"));
    Err(error.help("to try it again, add --force").into())
}

/// Removes what is not kept. That it cannot is no failure of what was done before.
pub(crate) async fn prune(roll: &Roll<'_>) {
    let removed = async {
        let (context, spec) = (roll.context, roll.spec);
        for id in retention::prunable(context, roll.systemd, spec, spec.deploy.keep).await? {
            retention::remove(context, &spec.name, &id)?;
        }
        anyhow::Ok(())
    };
    if let Err(error) = removed.await {
        let text = format!("old releases were not removed: {error:#}");
        roll.context.say(&roll.spec.name, &text);
    }
}

async fn stage(args: &Args, spec: &AppSpec, context: &Context) -> anyhow::Result<Staged> {
    let wanted = staging::Wanted {
        source: args.from.source(),
        force: args.how.force,
    };
    let mut tell = |progress: Progress| context.say(&spec.name, &progress.to_string());
    staging::stage(context, spec, &wanted, &mut tell).await
}

fn canary(args: &Args, spec: &AppSpec) -> Result<Option<Canary>, ExpectedError> {
    let Some(count) = args.canary else { return Ok(None) };
    let all = units::count(spec);
    if count >= all {
        let instances = ui::quantity::count(all.into(), "instance");
        let message = format!(
            "{} has {instances}: with --canary {count}, none would stay on the old release",
            spec.name
        );
        return Err(ExpectedError::new(Exit::USAGE, message).help("use a smaller number, or leave out --canary"));
    }
    Ok(Some(Canary {
        count: count.into(),
        bake: args.how.bake.unwrap_or(CANARY_BAKE),
    }))
}
