//! Time spans, sizes and percentages, within bounds.

use std::time::Duration;

use toml::de::DeValue;

use crate::spec::bytes::{InvalidSize, format_bytes, parse_bytes};
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind, decimal, type_of};
use crate::spec::problem::Findings;
use crate::spec::span_text::{format_span, parse_span};

/// A time span; a bare number is seconds.
pub(in crate::spec) struct Span {
    pub(in crate::spec) least: Duration,
    pub(in crate::spec) most: Duration,
}

impl Kind for Span {
    type Value = Duration;

    fn what(&self) -> String {
        "a time span such as \"500ms\", \"30s\" or \"1min 30s\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Duration> {
        let parsed = match given.value.get_ref() {
            DeValue::Integer(seconds) => parse_span(&decimal(seconds)),
            _ => parse_span(given.text(&self.what(), findings)?),
        };
        match parsed {
            Ok(span) if (self.least..=self.most).contains(&span) => return Some(span),
            Ok(_) => {
                let (least, most) = (format_span(self.least), format_span(self.most));
                given.refuse(format_args!("the time span must be from {least} to {most}"), findings);
            }
            Err(error) => given.refuse(error, findings),
        }
        None
    }

    fn schema(&self) -> Json {
        Json::any_of([
            Json::pattern(r"^\s*[0-9][0-9a-zA-Zµμ.\s]*$"),
            Json::Object(vec![("type", Json::text("integer")), ("minimum", Json::Number(0))]),
        ])
    }
}

/// A size in bytes.
pub(in crate::spec) struct Size {
    pub(in crate::spec) least: u64,
}

impl Kind for Size {
    type Value = u64;

    fn what(&self) -> String {
        "a size such as \"512M\" or \"2G\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<u64> {
        let parsed = match given.value.get_ref() {
            DeValue::Integer(bytes) => parse_bytes(&decimal(bytes)),
            _ => parse_bytes(given.text(&self.what(), findings)?),
        };
        match parsed {
            Ok(bytes) if bytes >= self.least => return Some(bytes),
            Ok(_) => {
                let why = format!(
                    "the size must be at least {}; a number without a unit means bytes",
                    format_bytes(self.least)
                );
                given.advise(why, "write a size such as \"512M\"", findings);
            }
            Err(InvalidSize::Infinite) => given.advise(InvalidSize::Infinite, "remove the line", findings),
            Err(error) => given.advise(error, "write a size such as \"512M\"", findings),
        }
        None
    }

    fn schema(&self) -> Json {
        Json::any_of([
            Json::pattern(r"^\s*[0-9]+(\.[0-9]+)?\s*[KMGT]?\s*$"),
            Json::Object(vec![
                ("type", Json::text("integer")),
                ("minimum", Json::Number(self.least)),
            ]),
        ])
    }
}

/// A percentage, from 1%.
pub(in crate::spec) struct Percent {
    pub(in crate::spec) most: u32,
    /// A noun phrase with examples: "a percentage such as \"5%\"".
    pub(in crate::spec) what: &'static str,
    /// Advice for a bare number: how to write it as a percentage.
    pub(in crate::spec) hint: &'static str,
}

impl Kind for Percent {
    type Value = u32;

    fn what(&self) -> String {
        self.what.to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<u32> {
        let DeValue::String(text) = given.value.get_ref() else {
            let message = format!(
                "`{}` must be {}, not {}",
                given.key,
                self.what(),
                type_of(given.value.get_ref())
            );
            findings.advise(given.value.span(), message, self.hint);
            return None;
        };
        let digits = text
            .strip_suffix('%')
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let percent = digits
            .and_then(|digits| digits.parse().ok())
            .filter(|n| (1..=self.most).contains(n));
        if percent.is_none() {
            let message = format!("`{}` must be {}, not {text:?}", given.key, self.what());
            findings.advise(
                given.value.span(),
                message,
                format!("write a percentage from \"1%\" to \"{}%\"", self.most),
            );
        }
        percent
    }

    fn schema(&self) -> Json {
        Json::pattern("^0*[1-9][0-9]{0,5}%$")
    }
}
