//! Makes the installation real: release, file, units, instances. What fails is taken back.

use std::path::Path;

use appctl::contract::paths::RELEASES;
use appctl::host::{applied, files, releases};
use appctl::observe::InstanceState;
use appctl::spec::Instance;

use super::account::Reader;
use super::plan::Plan;
use super::undo::Traces;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::release;
use crate::rolling::Interrupts;
use crate::session::Session;
use crate::{trust, units};

/// What came of it.
#[derive(Debug)]
pub(super) struct Done {
    /// The first release; `None` in place.
    pub(super) release: Option<String>,
    /// All instances.
    pub(super) instances: Vec<InstanceState>,
    /// Whether the account was made.
    pub(super) account_made: bool,
}

/// Installs and waits until every instance is ready.
pub(super) async fn install(session: &Session<'_>, plan: &Plan, reader: &Reader) -> anyhow::Result<Done> {
    let mut interrupts = Interrupts::catch()?;
    let mut traces = Traces::look(session.context, plan, reader);
    let result = tokio::select! {
        result = attempt(session, plan, &mut traces) => result,
        _ = interrupts.next() => Err(ExpectedError::new(Exit::FAILED, "interrupted").into()),
    };
    match result {
        Ok(instances) => Ok(Done {
            release: traces.release.as_ref().map(ToString::to_string),
            instances,
            account_made: reader.made,
        }),
        Err(error) => {
            let undone = traces.erase(session, plan).await;
            Err(match undone {
                Ok(()) => advised(error, plan),
                Err(undo) => error.context(format!("and undoing the installation failed, too: {undo:#}")),
            })
        }
    }
}

/// An app that asks for another port gets the command that gives it that port.
fn advised(mut error: anyhow::Error, plan: &Plan) -> anyhow::Error {
    if let Some(expected) = error.downcast_mut::<ExpectedError>()
        && let Some(port) = expected.asked_port
    {
        let directory = plan.directory.display();
        let help = format!(
            "if that is its port, type: appctl install {} {directory} --listen {port}",
            plan.spec.name
        );
        expected.help = Some(help);
        expected.failure = None;
    }
    error
}

async fn attempt(session: &Session<'_>, plan: &Plan, traces: &mut Traces) -> anyhow::Result<Vec<InstanceState>> {
    let (context, name) = (session.context, &session.app);
    let paths = context.layout.of(name);
    if plan.spec.directory.is_none() {
        let id = release::create(context, &plan.spec, &plan.reader).await?;
        let live = releases::live(paths);
        session.operation.moves(live.as_ref(), &id);
        let target = Path::new(RELEASES).join(id.to_string());
        traces.release = Some(id);
        files::switch_link(&paths.current(), &target)?;
    }
    write_files(context, plan)?;
    session.systemd.reload().await?;
    session.bring_up(&plan.spec).await?;
    let all: Vec<String> = numbers(plan).map(|number| units::instance(name, number)).collect();
    Ok(session.systemd.instances(&all).await?)
}

/// Variables that look like secrets are for root only, wherever they stand.
fn write_files(context: &Context, plan: &Plan) -> anyhow::Result<()> {
    let (paths, name) = (context.layout.of(&plan.spec.name), &plan.spec.name);
    let wanted = paths.wanted_file();
    if trust::secrets(name, &plan.spec.env).is_some() {
        files::write_closed(&wanted, &plan.toml)?;
    } else {
        files::write_atomic(&wanted, &plan.toml)?;
    }
    Ok(applied::write(paths, &plan.toml, plan.kept.as_deref())?)
}

fn numbers(plan: &Plan) -> impl Iterator<Item = Instance> {
    (1..=units::count(&plan.spec)).map(Instance::Number)
}
