//! How many instances: a number, `"max"` or `"max-1"`.

use toml::de::DeValue;

use crate::spec::Instances;
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind, integer};
use crate::spec::problem::Findings;

/// `4`, `"max"` or `"max-1"`.
pub(in crate::spec) struct InstanceCount;

impl Kind for InstanceCount {
    type Value = Instances;

    fn what(&self) -> String {
        format!("a number from 1 to {}, \"max\" or \"max-1\"", Instances::MOST)
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Instances> {
        let (read, written) = if let DeValue::Integer(number) = given.value.get_ref() {
            (fixed(integer(number)), number.to_string())
        } else {
            let text = given.text(&self.what(), findings)?;
            (less_than_all(text), format!("{text:?}"))
        };
        if read.is_none() {
            let message = format!("`{}` must be {}, not {written}", given.key, self.what());
            match written
                .trim_matches('"')
                .parse()
                .ok()
                .and_then(|number| fixed(Some(number)))
            {
                Some(_) => findings.advise(given.value.span(), message, "write the number without quotes"),
                None => findings.add(given.value.span(), message),
            }
        }
        read
    }

    fn schema(&self) -> Json {
        Json::any_of([
            Json::Object(vec![
                ("type", Json::text("integer")),
                ("minimum", Json::Number(1)),
                ("maximum", Json::Number(Instances::MOST.into())),
            ]),
            Json::pattern("^max(-[1-9][0-9]{0,2})?$"),
        ])
    }
}

fn fixed(number: Option<i128>) -> Option<Instances> {
    let number = u16::try_from(number?).ok()?;
    (1..=Instances::MOST)
        .contains(&number)
        .then_some(Instances::Fixed(number))
}

fn less_than_all(text: &str) -> Option<Instances> {
    let less = match text.strip_prefix("max")? {
        "" => return Some(Instances::Max { less: 0 }),
        rest => rest.strip_prefix('-')?,
    };
    let digits = matches!(less.len(), 1..=3) && less.bytes().all(|b| b.is_ascii_digit()) && !less.starts_with('0');
    digits
        .then(|| less.parse().ok().map(|less| Instances::Max { less }))
        .flatten()
}
