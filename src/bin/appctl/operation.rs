//! An operation on an app, from its beginning to the entry of the journal that says how it ended, whatever the way.

use std::cell::{Cell, RefCell};

use appctl::contract::{Operation, Releases, outcome};
use appctl::host::journal;
use appctl::release::ReleaseId;
use appctl::spec::AppName;

use crate::context::Context;
use crate::ending::unless_ended;
use crate::exit::Exit;
use crate::{rolling, ui};

/// An operation that is under way. It is told when this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay<'c> {
    context: &'c Context,
    app: AppName,
    verb: String,
    releases: RefCell<Option<Releases>>,
    exit: Cell<u8>,
    /// Whether there was nothing to do.
    nothing: Cell<bool>,
    cuts_before: u32,
}

impl<'c> UnderWay<'c> {
    /// It begins.
    pub(crate) fn new(context: &'c Context, app: &AppName, verb: &str) -> Self {
        Self {
            context,
            app: app.clone(),
            verb: verb.to_owned(),
            releases: RefCell::new(None),
            exit: Cell::new(outcome::FAILED),
            nothing: Cell::new(false),
            cuts_before: context.cuts(),
        }
    }

    /// It is to make another release the live one.
    pub(crate) fn moves(&self, from: Option<&ReleaseId>, to: &ReleaseId) {
        let (from, to) = (from.map(ToString::to_string), to.to_string());
        *self.releases.borrow_mut() = Some(Releases { from, to });
    }

    /// There is nothing to do: a success is not told.
    pub(crate) fn changes_nothing(&self) {
        self.nothing.set(true);
    }

    /// Does it, and keeps how it ended. A signal ends it, too, where the verb does not hear signals itself.
    pub(crate) fn carry_out<T>(
        &self,
        body: impl Future<Output = anyhow::Result<T>>,
    ) -> impl Future<Output = anyhow::Result<T>> {
        let body = unless_ended(body);
        async move {
            let result = body.await;
            self.ended(&result);
            result
        }
    }

    /// Keeps how it ended.
    pub(crate) fn ended<T>(&self, result: &anyhow::Result<T>) {
        let exit = match result {
            Ok(_) if self.context.cuts() > self.cuts_before => Exit::CUT,
            Ok(_) => Exit::DONE,
            Err(error) if ui::error::is_closed_pipe(error) => Exit::DONE,
            Err(error) => Exit::of(error),
        };
        self.exit.set(exit.code());
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let nothing = self.nothing.get() && self.exit.get() == outcome::DONE;
        // Another tree than the machine's own has no part in its journal.
        if nothing || self.context.layout.is_moved() {
            return;
        }
        let panicked = std::thread::panicking().then_some(outcome::PANICKED);
        let operation = Operation {
            app: self.app.clone(),
            verb: self.verb.clone(),
            by: rolling::who(),
            releases: self.releases.take(),
            exit: panicked.unwrap_or(self.exit.get()),
        };
        // What was done is done, with a journald or without.
        let _ = journal::send(&operation.to_fields());
    }
}
