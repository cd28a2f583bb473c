//! Other addresses. systemd cannot change those of an open socket: the app stops, and starts on the new ones. If it does
//! not, whatever the reason, it goes back to the old ones: a change of addresses leaves no app down.

use appctl::spec::{AppSpec, Listen};

use crate::exit::{Exit, ExpectedError};
use crate::rolling::{self, Interrupts};
use crate::session::Session;
use crate::{addresses, between};

/// Makes the change, or leaves things as they were.
pub(super) async fn rebind(session: &Session<'_>, change: &rolling::Change<'_>) -> anyhow::Result<()> {
    let (old, new) = (change.old.0, change.new.0);
    rolling::refuse_open_release(session.context, &new.name)?;
    let (paths, name) = (session.context.layout.of(&new.name), &new.name);
    let run = between::runs(session.systemd, name).await? || between::is_abandoned(paths);
    if run {
        refuse_taken(old, new)?;
        between::begin(paths)?;
    }
    let mut interrupts = Interrupts::catch()?;
    let moved = tokio::select! {
        moved = go(session, change.new, change.env.1, run) => moved,
        _ = interrupts.next() => Err(ExpectedError::new(Exit::FAILED, "interrupted").into()),
    };
    let Err(error) = moved else {
        return between::end(paths);
    };
    match go(session, change.old, change.env.0, run).await {
        Ok(()) => {
            between::end(paths)?;
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
async fn go(session: &Session<'_>, to: (&AppSpec, &str), env: Option<&str>, run: bool) -> anyhow::Result<()> {
    session.stop_all(&|_| ()).await?;
    rolling::put_in_force(session.context, session.systemd, to, env).await?;
    if run {
        session.bring_up(to.0).await?;
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
