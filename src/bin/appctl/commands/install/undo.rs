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
        let (layout, name) = (&context.layout, &plan.spec.name);
        Self {
            had_state: layout.state(name).exists(),
            live_before: std::fs::read_link(layout.current(name)).ok(),
            account_made: reader.own_made,
            release: None,
        }
    }

    /// Leaves things as they were, but for an account that was named and made: its number may own files by now.
    pub(super) async fn erase(&self, session: &Session<'_>, plan: &Plan) -> anyhow::Result<()> {
        let (layout, name) = (&session.context.layout, &session.app);
        // The first file that an installation writes.
        if layout.wanted_file(name).exists() {
            session.take_away().await?;
        }
        clear(&layout.run(name))?;
        self.erase_state(session.context, plan)
    }

    fn erase_state(&self, context: &Context, plan: &Plan) -> anyhow::Result<()> {
        let (layout, name) = (&context.layout, &plan.spec.name);
        if !self.had_state {
            clear(&layout.state(name))?;
            clear(&layout.private_state(name))?;
            if self.account_made {
                account::remove(name)?;
            }
            return Ok(());
        }
        let Some(release) = &self.release else { return Ok(()) };
        match &self.live_before {
            Some(target) => files::switch_link(&layout.current(name), target)?,
            None => clear(&layout.current(name))?,
        }
        clear(&layout.release(name, release))?;
        Ok(())
    }
}
