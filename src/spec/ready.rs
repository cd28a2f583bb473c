//! The `[ready]` table: which proof, and whether this app can give it.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::check::fitting;
use super::fields::Fields;
use super::keys::{self, Proof};
use super::problem::Findings;
use super::{Ready, ReadyWhen};

/// What decides which proofs an app can give.
#[derive(Clone, Copy)]
pub(super) struct App {
    /// The Node adapter is loaded into it.
    pub(super) node: bool,
    /// A socket is held for it.
    pub(super) listens: bool,
}

pub(super) fn ready(fields: &Fields<'_>, app: App, findings: &mut Findings<'_>) -> Ready {
    let given = fields.take(&keys::READY_WHEN, findings);
    if let Some(proof) = &given {
        refuse_impossible(*proof.get_ref(), proof.span(), app, findings);
    }
    let understood = given.is_some() || fields.span(&keys::READY_WHEN).is_none();
    let fallback = if app.node && app.listens {
        Proof::Listening
    } else {
        Proof::Started
    };
    let proof = given.map_or(fallback, Spanned::into_inner);
    if understood {
        refuse_unused(fields, proof, findings);
    }
    let timeout = fields.take_or_default(&keys::READY_TIMEOUT, findings);
    let settle = settle(fields, timeout, findings);
    let after = after(fields, timeout, findings);
    let path = fields.take_or_default(&keys::READY_PATH, findings);
    let status = u16::try_from(fields.take_or_default(&keys::READY_STATUS, findings)).unwrap_or(200);
    let when = match proof {
        Proof::Notify => ReadyWhen::Notify,
        Proof::Listening => ReadyWhen::Listening,
        Proof::Http => ReadyWhen::Http { path, status },
        Proof::Message => ReadyWhen::Message,
        Proof::Started => ReadyWhen::Started { after },
    };
    Ready { when, timeout, settle }
}

fn settle(fields: &Fields<'_>, timeout: Duration, findings: &mut Findings<'_>) -> Duration {
    let settle = fitting(fields, &keys::READY_SETTLE, timeout, findings);
    if let Some(span) = fields.span(&keys::READY_SETTLE).filter(|_| settle > timeout) {
        findings.rule(
            span,
            "`settle` cannot be longer than `timeout`",
            "the default is settle = \"1500ms\"",
        );
    }
    settle
}

fn after(fields: &Fields<'_>, timeout: Duration, findings: &mut Findings<'_>) -> Duration {
    let after = fitting(fields, &keys::READY_AFTER, timeout / 2, findings);
    if let Some(span) = fields.span(&keys::READY_AFTER).filter(|_| after >= timeout) {
        let message = "`after` must be shorter than `timeout`: no instance would ever be ready in time";
        findings.rule(span, message, "the default is after = \"1s\"");
    }
    after
}

fn refuse_impossible(proof: Proof, span: Range<usize>, app: App, findings: &mut Findings<'_>) {
    let (message, help) = match proof {
        Proof::Http if !app.node => (
            "\"http\" probes each instance through the Node adapter, and this app runs without it",
            "if it is a Node app, add adapter = \"node\"; otherwise use \"notify\" or \"started\"",
        ),
        Proof::Listening if !app.node => (
            "\"listening\" is reported by the Node adapter, and this app runs without it",
            "if it is a Node app, add adapter = \"node\"; otherwise use \"notify\" or \"started\"",
        ),
        Proof::Listening if !app.listens => (
            "\"listening\" needs an address in `listen`",
            "add listen = 3000, or use \"message\" or \"started\"",
        ),
        _ => return,
    };
    findings.rule(span, message, help);
}

/// A key that another proof would read is a misunderstanding, not a default.
fn refuse_unused(fields: &Fields<'_>, proof: Proof, findings: &mut Findings<'_>) {
    let keys = [
        (fields.span(&keys::READY_PATH), Proof::Http, "path", "http"),
        (fields.span(&keys::READY_STATUS), Proof::Http, "status", "http"),
        (fields.span(&keys::READY_AFTER), Proof::Started, "after", "started"),
    ];
    for (span, owner, name, when) in keys {
        if let Some(span) = span.filter(|_| proof != owner) {
            let message = format!("`{name}` is used only with when = \"{when}\"");
            findings.rule(span, message, format!("set when = \"{when}\", or remove this key"));
        }
    }
}
