//! `appctl apply`: puts changed configuration files in force, and rolls only what changed.

use appctl::host::bus::Systemd;
use appctl::host::{files, trusted};
use appctl::spec::{AppName, AppSpec};
use appctl::unit::Host;
use futures_util::future::join_all;

use crate::account;
use crate::apps::{self, App, Kept};
use crate::commands::check;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError, InvalidFile};
use crate::names::Names;
use crate::rolling::Hold;
use crate::{between, lifecycle, rolling, trust, units};

mod accounts;
mod change;
mod diff;
mod opened;
mod rebind;
mod report;

use change::{Change, Kind};
pub(crate) use opened::Opened;

/// What `apply` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl apply --dry-run       what would change, as a diff of the units
  appctl apply                 every app whose file changed
  appctl apply myapp           only this one
  appctl apply myapp --allow namespaces --write /srv/uploads
                               written into its file first, which keeps its comments

Nothing is touched when nothing changed. A file with problems changes nothing at all.")]
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
        let Some((old, text)) = &candidate.old else {
            new.push(candidate);
            continue;
        };
        let mut change = candidate.change((old, text.as_str()));
        if candidate.is_left_down(context).await? {
            change.kind = Kind::Finish;
        }
        report::change(context, &candidate.spec, Some(&change), args.dry_run)?;
        if args.dry_run {
            continue;
        }
        if change.kind == Kind::Nothing {
            candidate.close(context)?;
            continue;
        }
        context.require_root("apply")?;
        let systemd = context.systemd().await?;
        let hold = Hold::take(context, &candidate.spec.name, "apply")?;
        let candidate = candidate.with_what_is_in_force(context)?;
        candidate.write_wanted(context)?;
        Box::pin(candidate.apply(change.kind == Kind::Finish, context, &systemd, &hold)).await?;
        report::applied(context, &candidate.spec)?;
    }
    bring_up_new(context, &new, args.dry_run).await?;
    report::gone(context, &gone)?;
    Ok(Exit::DONE)
}

/// All apps with a valid file, and those without a file. Problems of any stop everything.
fn candidates(context: &Context, names: &[AppName], opened: &Opened) -> anyhow::Result<(Vec<Candidate>, Vec<AppName>)> {
    let (mut good, mut bad, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let mut app = App::load(&context.layout, name)?;
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
        let (layout, name) = (&context.layout, &self.spec.name);
        if layout.is_moved() || nix::unistd::geteuid().is_root() {
            files::narrow(&layout.applied_file(name), &layout.wanted_file(name))?;
        }
        Ok(())
    }

    /// Like an operator who edits it, whatever comes of it.
    fn write_wanted(&self, context: &Context) -> anyhow::Result<()> {
        if self.edited {
            files::write_atomic(&context.layout.wanted_file(&self.spec.name), &self.text)?;
        }
        Ok(())
    }

    fn write_applied(&self, context: &Context) -> anyhow::Result<()> {
        rolling::write_applied(&context.layout, &self.spec.name, &self.text, self.env.wanted.as_deref())
    }

    /// What was in force before the app was held may have been replaced since.
    fn with_what_is_in_force(&self, context: &Context) -> anyhow::Result<Self> {
        let app = App::load(&context.layout, &self.spec.name)?;
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
        let (layout, name) = (&context.layout, &self.spec.name);
        Ok(between::is_abandoned(layout, name) && between::left_down(layout, &context.systemd().await?, name).await?)
    }

    /// `finish`: what another program began and left.
    async fn apply(&self, finish: bool, context: &Context, systemd: &Systemd, hold: &Hold) -> anyhow::Result<()> {
        let Some((old, text)) = &self.old else {
            let message = format!("{} is no longer in force: another command took it away", self.spec.name);
            return Err(ExpectedError::new(Exit::FAILED, message).help("type it again").into());
        };
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
            Kind::Scale | Kind::Roll => rolling::roll(context, systemd, &change, hold).await,
            Kind::Rebind | Kind::Finish => rebind::rebind(context, systemd, &change).await,
        }
    }
}

/// Files that were put there by hand and never applied. systemd reads units once for all of them: a reload takes longer
/// the more units there are. Apps do not wait for each other; the first problem is the error, after all have ended.
async fn bring_up_new(context: &Context, new: &[Candidate], dry_run: bool) -> anyhow::Result<()> {
    for candidate in new {
        report::change(context, &candidate.spec, None, dry_run)?;
    }
    if dry_run || new.is_empty() {
        return Ok(());
    }
    context.require_root("apply")?;
    let systemd = context.systemd().await?;
    let holds = new.iter().map(|one| Hold::take(context, &one.spec.name, "apply"));
    let _holds = holds.collect::<Result<Vec<Hold>, _>>()?;
    for candidate in new {
        account::ensure_for(context, &candidate.spec)?;
        candidate.write_wanted(context)?;
        candidate.write_applied(context)?;
    }
    systemd.reload().await?;
    let brought = join_all(new.iter().map(async |candidate| {
        lifecycle::bring_up(&systemd, &candidate.spec).await?;
        Ok(report::applied(context, &candidate.spec)?)
    }));
    brought.await.into_iter().collect()
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
