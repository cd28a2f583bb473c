//! `appctl move-out`, hidden, which the package runs after an upgrade: once all apps without a user were in one group,
//! and their releases belonged to it.

use crate::account;
use crate::apps::{self, App};
use crate::context::Context;
use crate::exit::Exit;

/// Runs the verb: each such app gets an account and a group of its own. Processes go on with the groups that they have.
pub(crate) fn run(context: &Context) -> anyhow::Result<Exit> {
    context.require_root("move-out")?;
    for name in apps::installed(&context.layout)? {
        if let Some(spec) = App::load(context.layout.of(&name))?.in_force() {
            account::move_out(context.layout.of(&name), spec)?;
        }
    }
    Ok(Exit::DONE)
}
