//! Another configuration of an app: for `apply` and `scale`.

use appctl::drive::{Order, Swap, Texts};
use appctl::host::bus::Systemd;
use appctl::host::{applied, survey};
use appctl::rollout::{Policy, Request, Verb};
use appctl::spec::AppSpec;

use super::{Hold, Interrupts, carry_out};
use crate::context::Context;
use crate::units;

/// From one configuration to another.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// What is in force, and its text.
    pub(crate) old: (&'a AppSpec, &'a str),
    /// What will be, and its text.
    pub(crate) new: (&'a AppSpec, &'a str),
    /// What `appctl env` keeps, as it is in force and as it will be.
    pub(crate) env: (Option<&'a str>, Option<&'a str>),
    /// Whether instances that stay are replaced.
    pub(crate) replace: bool,
}

/// Makes the change. On an error the old configuration is in force again, or the error says why it is not.
pub(crate) async fn roll(context: &Context, systemd: &Systemd, change: &Change<'_>, hold: &Hold) -> anyhow::Result<()> {
    let spec = change.new.0;
    let verb = if change.replace { Verb::Apply } else { Verb::Scale };
    super::refuse_open_release(context, &spec.name)?;
    if !systemd.instance(&units::service(&spec.name)).await?.activity.is_up() {
        return put_in_force(context, systemd, change.new, change.env.1).await;
    }
    let counts = (units::count(change.old.0), units::count(spec));
    let survey = survey::take(systemd, &spec.name, counts.0).await?;
    let policy = Policy {
        surge: spec.surge,
        settle: spec.ready.settle,
    };
    let order = Order {
        spec: spec.clone(),
        request: Request::new(verb, counts, change.replace, survey.ailing(), policy),
        swap: Swap::Config {
            texts: Texts {
                before: Some(change.old.1.to_owned()),
                after: Some(change.new.1.to_owned()),
                env_before: change.env.0.map(str::to_owned),
                env_after: change.env.1.map(str::to_owned),
            },
            wanted: verb == Verb::Scale,
        },
    };
    let mut interrupts = Interrupts::catch()?;
    carry_out(order, hold, context, systemd, &mut interrupts).await
}

/// Writes what is in force and lets systemd read it. The caller holds the app.
pub(crate) async fn put_in_force(
    context: &Context,
    systemd: &Systemd,
    (spec, text): (&AppSpec, &str),
    env: Option<&str>,
) -> anyhow::Result<()> {
    applied::write(context.layout.of(&spec.name), text, env)?;
    Ok(systemd.reload().await?)
}
