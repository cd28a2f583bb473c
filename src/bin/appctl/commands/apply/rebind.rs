//! Other addresses. systemd cannot change those of an open socket: the app stops, and starts on the new ones. If it does
//! not, whatever the reason, it goes back to the old ones: a change of addresses leaves no app down.

use appctl::contract::times;
use appctl::host::bus::Systemd;
use appctl::spec::{AppSpec, Listen};

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::rolling::{self, Interrupts};
use crate::{addresses, between, lifecycle, takedown};

/// Makes the change, or leaves things as they were.
pub(super) async fn rebind(context: &Context, systemd: &Systemd, change: &rolling::Change<'_>) -> anyhow::Result<()> {
    let (old, new) = (change.old.0, change.new.0);
    rolling::refuse_open_release(context, &new.name)?;
    let (layout, name) = (&context.layout, &new.name);
    let run = between::runs(systemd, name).await? || between::is_abandoned(layout, name);
    if run {
        refuse_taken(old, new)?;
        between::begin(layout, name)?;
    }
    let mut interrupts = Interrupts::catch()?;
    let moved = tokio::select! {
        moved = go(context, systemd, old, (change.new, change.env.1), run) => moved,
        _ = interrupts.next() => Err(ExpectedError::new(Exit::FAILED, "interrupted").into()),
    };
    let Err(error) = moved else {
        return between::end(layout, name);
    };
    match go(context, systemd, new, (change.old, change.env.0), run).await {
        Ok(()) => {
            between::end(layout, name)?;
            Err(kept(&error))
        }
        Err(back) => Err(error.context(format!("going back to the old addresses failed too: {back:#}"))),
    }
}

/// What can be known beforehand costs no moment without a port. A port that the app has already is its own.
fn refuse_taken(old: &AppSpec, new: &AppSpec) -> anyhow::Result<()> {
    let own = |listen: &Listen| old.listen.iter().any(|own| own.overlaps(listen));
    for listen in new.listen.iter().filter(|listen| !own(listen)) {
        let place = format!("in /etc/appctl/apps/{}.toml", new.name);
        if let Some(error) = addresses::obstacle_beside(&new.name, listen, &place)? {
            return Err(error.into());
        }
    }
    Ok(())
}

/// From what is there to a configuration.
async fn go(
    context: &Context,
    systemd: &Systemd,
    there: &AppSpec,
    (to, env): ((&AppSpec, &str), Option<&str>),
    run: bool,
) -> anyhow::Result<()> {
    takedown::stop(systemd, &there.name, times::worst_app_stop(Some(there)), &|_| ()).await?;
    rolling::put_in_force(context, systemd, to, env).await?;
    if run {
        lifecycle::bring_up(systemd, to.0).await?;
    }
    Ok(())
}

/// The error, once the app serves as before.
fn kept(error: &anyhow::Error) -> anyhow::Error {
    let expected = error.downcast_ref::<ExpectedError>();
    let kept = ExpectedError {
        help: expected.and_then(|expected| expected.help.clone()),
        failure: expected.and_then(|expected| expected.failure.clone()),
        ..ExpectedError::new(
            Exit::ROLLOUT_FAILED,
            format!("{error:#}; the old addresses are in force again"),
        )
    };
    kept.into()
}
