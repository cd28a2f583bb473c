//! Takes an installation back that did not work: what it made goes, what was there before stays.

use std::path::PathBuf;

use appctl::host::files;
use appctl::release::ReleaseId;

use super::account::Reader;
use super::plan::Plan;
use crate::account;
use crate::clear::clear;
use crate::context::Context;
use crate::session::Session;

/// What an earlier installation left, and what this one made.
#[derive(Debug)]
pub(super) struct Traces {
    had_state: bool,
    live_before: Option<PathBuf>,
    account_made: bool,
    /// The release made by this installation.
    pub(super) release: Option<ReleaseId>,
}

impl Traces {
    /// Looks at what is there before anything is made.
    pub(super) fn look(context: &Context, plan: &Plan, reader: &Reader) -> Self {
        let paths = context.layout.of(&plan.spec.name);
        Self {
            had_state: paths.state().exists(),
            live_before: std::fs::read_link(paths.current()).ok(),
            account_made: reader.own_made,
            release: None,
        }
    }

    /// Leaves things as they were, but for an account that was named and made: its number may own files by now.
    pub(super) async fn erase(&self, session: &Session<'_>, plan: &Plan) -> anyhow::Result<()> {
        let paths = session.paths();
        // The first file that an installation writes.
        if paths.wanted_file().exists() {
            session.take_away().await?;
        }
        clear(&paths.run())?;
        self.erase_state(session.context, plan)
    }

    fn erase_state(&self, context: &Context, plan: &Plan) -> anyhow::Result<()> {
        let (paths, name) = (context.layout.of(&plan.spec.name), &plan.spec.name);
        if !self.had_state {
            clear(&paths.state())?;
            clear(&paths.private_state())?;
            if self.account_made {
                account::remove(name)?;
            }
            return Ok(());
        }
        let Some(release) = &self.release else { return Ok(()) };
        match &self.live_before {
            Some(target) => files::switch_link(&paths.current(), target)?,
            None => clear(&paths.current())?,
        }
        clear(&paths.release(release))?;
        Ok(())
    }
}
