//! `appctl apply`: puts changed configuration files in force, and rolls only what changed.

use appctl::host::bus::Systemd;
use appctl::host::{applied, files, trusted};
use appctl::spec::{AppName, AppSpec};
use appctl::unit::Host;
use futures_util::future::join_all;

use crate::account;
use crate::apps::{self, App, Kept};
use crate::commands::check;
use crate::context::Context;
use crate::ending::unless_ended;
use crate::exit::{Exit, ExpectedError, InvalidFile};
use crate::names::Names;
use crate::session::Session;
use crate::{between, rolling, trust, units};

mod accounts;
mod change;
mod diff;
mod opened;
mod rebind;
mod report;

use change::{Change, Kind};
use opened::Opened;

/// What `apply` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl apply --dry-run       what would change, as a diff of the units
  appctl apply                 every app whose file changed
  appctl apply myapp           only this one
  appctl apply myapp --allow namespaces --write /srv/uploads
                               written into its file first; comments there are kept

An app whose file did not change is left alone. If any file has problems, nothing is applied.")]
pub(crate) struct Args {
    /// Names of apps; all when none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<AppName>,

    /// What to write into their files first
    #[command(flatten)]
    pub(crate) opened: Opened,

    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Args {
    /// Of one app, as its file is.
    pub(crate) fn of(app: &AppName) -> Self {
        Self {
            names: vec![app.clone()],
            opened: Opened::default(),
            dry_run: false,
        }
    }
}

/// A valid app with what is in force, if anything.
struct Candidate {
    text: String,
    /// Whether the file does not say so yet.
    edited: bool,
    spec: AppSpec,
    /// What is in force: its text and, when it can still be read, its settings.
    old: Option<(AppSpec, String)>,
    /// What `appctl env` keeps.
    env: Kept,
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    apply(args, context, None).await?;
    Ok(Exit::DONE)
}

/// The same for the one app of a session.
pub(crate) async fn within(session: &Session<'_>) -> anyhow::Result<()> {
    apply(&Args::of(&session.app), session.context, Some(session)).await
}

async fn apply(args: &Args, context: &Context, held: Option<&Session<'_>>) -> anyhow::Result<()> {
    let names = apps::select_by_file(&context.layout, &args.names)?;
    let taken = Names::look(&context.layout);
    names.iter().try_for_each(|name| taken.refuse(name))?;
    let (candidates, gone) = candidates(context, &names, &args.opened)?;
    let specs: Vec<AppSpec> = candidates.iter().map(|candidate| candidate.spec.clone()).collect();
    check::refuse_conflicts(&check::conflicts(context, &specs)?)?;
    accounts::refuse_missing(context, &specs)?;
    trust::refuse(context, &specs, Exit::INVALID_CONFIG)?;
    let mut new = Vec::new();
    for candidate in candidates {
        let Some(change) = candidate.change_in_force(context).await? else {
            new.push(candidate);
            continue;
        };
        report::change(context, &candidate.spec, Some(&change), args.dry_run)?;
        match change.kind {
            _ if args.dry_run => {}
            Kind::Nothing => candidate.close(context)?,
            kind => candidate.put_in_force(kind, context, held).await?,
        }
    }
    for candidate in &new {
        report::change(context, &candidate.spec, None, args.dry_run)?;
    }
    if !args.dry_run && !new.is_empty() {
        bring_up_new(context, &new, held).await?;
    }
    Ok(report::gone(context, &gone)?)
}

/// All apps with a valid file, and those without a file. Problems of any stop everything.
fn candidates(context: &Context, names: &[AppName], opened: &Opened) -> anyhow::Result<(Vec<Candidate>, Vec<AppName>)> {
    let (mut good, mut bad, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let mut app = App::load(context.layout.of(name))?;
        let text = app.wanted.as_ref().and_then(|file| opened.written_into(&file.text));
        let edited = text.is_some();
        if let Some(text) = text {
            app = app.with_text(text);
        }
        let old = app
            .applied
            .and_then(|file| file.spec.ok().map(|spec| (spec, file.text)));
        match app.wanted {
            None => gone.push(name.clone()),
            Some(file) => match file.spec {
                Ok(spec) => good.push(Candidate {
                    text: file.text,
                    edited,
                    spec,
                    old,
                    env: app.env,
                }),
                Err(problems) => bad.push(InvalidFile {
                    path: file.path,
                    text: file.text,
                    problems,
                }),
            },
        }
    }
    if bad.is_empty() {
        Ok((good, gone))
    } else {
        Err(ExpectedError::invalid(bad).into())
    }
}

impl Candidate {
    fn change(&self, old: (&AppSpec, &str)) -> Change {
        Change::between(old, (&self.spec, &self.text), &host([old.0, &self.spec]))
    }

    /// A file that was closed to other accounts is no longer open in its copy.
    fn close(&self, context: &Context) -> anyhow::Result<()> {
        let paths = context.layout.of(&self.spec.name);
        if context.layout.is_moved() || nix::unistd::geteuid().is_root() {
            files::narrow(&paths.applied_file(), &paths.wanted_file())?;
        }
        Ok(())
    }

    /// Like an operator who edits it, whatever comes of it.
    fn write_wanted(&self, context: &Context) -> anyhow::Result<()> {
        if self.edited {
            files::write_atomic(&context.layout.of(&self.spec.name).wanted_file(), &self.text)?;
        }
        Ok(())
    }

    fn write_applied(&self, context: &Context) -> anyhow::Result<()> {
        let (paths, env) = (context.layout.of(&self.spec.name), self.env.wanted.as_deref());
        Ok(applied::write(paths, &self.text, env)?)
    }

    /// What was in force before the app was held may have been replaced since.
    fn with_what_is_in_force(&self, context: &Context) -> anyhow::Result<Self> {
        let app = App::load(context.layout.of(&self.spec.name))?;
        let file = app.applied;
        Ok(Self {
            text: self.text.clone(),
            edited: self.edited,
            spec: self.spec.clone(),
            old: file.and_then(|file| file.spec.ok().map(|spec| (spec, file.text))),
            env: app.env,
        })
    }

    /// By a change of addresses that was killed half way.
    async fn is_left_down(&self, context: &Context) -> anyhow::Result<bool> {
        let paths = context.layout.of(&self.spec.name);
        Ok(between::is_abandoned(paths) && between::left_down(paths, &context.systemd().await?).await?)
    }

    /// What it changes; `None` when nothing is in force.
    async fn change_in_force(&self, context: &Context) -> anyhow::Result<Option<Change>> {
        let Some((old, text)) = &self.old else {
            return Ok(None);
        };
        let mut change = self.change((old, text.as_str()));
        if self.is_left_down(context).await? {
            change.kind = Kind::Finish;
        }
        Ok(Some(change))
    }

    /// Makes the change, in a session of its own unless the app is held already.
    async fn put_in_force(&self, kind: Kind, context: &Context, held: Option<&Session<'_>>) -> anyhow::Result<()> {
        context.require_root("apply")?;
        if let Some(session) = held {
            return Box::pin(self.within(session, kind)).await;
        }
        let systemd = context.systemd().await?;
        let session = Session::take(context, &systemd, &self.spec.name, "apply")?;
        session.carry_out(self.within(&session, kind)).await
    }

    async fn within(&self, session: &Session<'_>, kind: Kind) -> anyhow::Result<()> {
        let candidate = self.with_what_is_in_force(session.context)?;
        candidate.write_wanted(session.context)?;
        candidate.change_app(session, kind == Kind::Finish).await?;
        Ok(report::applied(session.context, &candidate.spec)?)
    }

    /// `finish`: what another program began and left.
    async fn change_app(&self, session: &Session<'_>, finish: bool) -> anyhow::Result<()> {
        let Some((old, text)) = &self.old else {
            let message = format!(
                "{} is no longer in force: another command removed it meanwhile",
                self.spec.name
            );
            return Err(ExpectedError::new(Exit::FAILED, message)
                .help("type the command again")
                .into());
        };
        let (context, systemd) = (session.context, session.systemd);
        let (old, new) = ((old, text.as_str()), (&self.spec, self.text.as_str()));
        let kind = if finish { Kind::Finish } else { self.change(old).kind };
        account::ensure_for(context, &self.spec)?;
        let replace = kind == Kind::Roll;
        let env = (self.env.applied.as_deref(), self.env.wanted.as_deref());
        let change = rolling::Change { old, new, env, replace };
        match kind {
            Kind::Nothing => Ok(()),
            Kind::Text => self.write_applied(context),
            Kind::Reload => rolling::put_in_force(context, systemd, new, env.1).await,
            Kind::Scale | Kind::Roll => rolling::roll(context, systemd, &change, &session.hold).await,
            Kind::Rebind | Kind::Finish => rebind::rebind(session, &change).await,
        }
    }
}

/// Files that were put there by hand and never applied. systemd reads units once for all of them: a reload takes longer
/// the more units there are. Apps do not wait for each other; the first problem is the error, after all have ended.
async fn bring_up_new(context: &Context, new: &[Candidate], held: Option<&Session<'_>>) -> anyhow::Result<()> {
    context.require_root("apply")?;
    let systemd = context.systemd().await?;
    let take = |one: &Candidate| Session::take(context, &systemd, &one.spec.name, "apply");
    let not_held = if held.is_none() { new } else { &[] };
    let own = not_held.iter().map(take).collect::<Result<Vec<_>, _>>()?;
    let written = unless_ended(write(context, &systemd, new)).await;
    if written.is_err() {
        for session in &own {
            session.operation.ended(&written);
        }
        return written;
    }
    let sessions = held.into_iter().chain(&own);
    let brought = join_all(new.iter().zip(sessions).map(async |(candidate, session)| {
        let up = async {
            session.bring_up(&candidate.spec).await?;
            Ok(report::applied(context, &candidate.spec)?)
        };
        session.carry_out(up).await
    }));
    brought.await.into_iter().collect()
}

async fn write(context: &Context, systemd: &Systemd, new: &[Candidate]) -> anyhow::Result<()> {
    for candidate in new {
        account::ensure_for(context, &candidate.spec)?;
        candidate.write_wanted(context)?;
        candidate.write_applied(context)?;
    }
    Ok(systemd.reload().await?)
}

/// What units are rendered for when they are compared.
pub(crate) fn host<'s>(specs: impl IntoIterator<Item = &'s AppSpec>) -> Host {
    let machine = units::machine();
    let files = specs.into_iter().flat_map(|spec| &spec.env_files);
    Host {
        systemd: machine.systemd,
        cpus: machine.cpus,
        source: "applied".into(),
        foreign: trusted::foreign(files.map(|file| file.path.as_path()), true),
    }
}
