//! `appctl env NAME list`: names, and values only for those who ask.

use appctl::spec::quote_words;
use serde_json::json;

use super::Variables;
use crate::apps::App;
use crate::context::Context;
use crate::exit::Exit;
use crate::ui::{self, Text};

pub(super) fn run(context: &Context, app: &App, kept: &Variables, reveal: bool) -> anyhow::Result<Exit> {
    let pending = app.env.wanted != app.env.applied;
    if context.json {
        let one = |(name, value): &(String, String)| json!({"name": name, "value": reveal.then_some(value)});
        let all: Vec<_> = kept.iter().map(one).collect();
        ui::print_json(&json!({"app": app.name.as_str(), "variables": all, "pending": pending}))?;
        return Ok(Exit::DONE);
    }
    let mut text = Text::default();
    for (name, value) in kept {
        let line = if reveal {
            quote_words(&[format!("{name}={value}")])
        } else {
            name.clone()
        };
        text = text.line(line);
    }
    if kept.is_empty() {
        text = text.line(format!("appctl env keeps no variable for {}", app.name));
    }
    if pending {
        text = text.line(format!(
            "some changes are not in force; type: sudo appctl apply {}",
            app.name
        ));
    }
    ui::print(text)?;
    Ok(Exit::DONE)
}
