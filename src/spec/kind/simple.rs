//! Whole numbers, true or false, and one of a few words.

use toml::de::DeValue;

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind, integer};
use crate::spec::problem::Findings;
use crate::spec::suggest;

/// A whole number within bounds.
pub(in crate::spec) struct Whole {
    pub(in crate::spec) least: u64,
    pub(in crate::spec) most: u64,
}

impl Kind for Whole {
    type Value = u64;

    fn what(&self) -> String {
        format!("a whole number from {} to {}", self.least, self.most)
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<u64> {
        let DeValue::Integer(written) = given.value.get_ref() else {
            given.mismatch(&self.what(), findings);
            return None;
        };
        let number = integer(written).and_then(|number| u64::try_from(number).ok());
        let inside = number.filter(|number| (self.least..=self.most).contains(number));
        if inside.is_none() {
            let message = format!("`{}` must be {}, not {written}", given.key, self.what());
            findings.add(given.value.span(), message);
        }
        inside
    }

    fn schema(&self) -> Json {
        let bounds = [("minimum", self.least), ("maximum", self.most)];
        let mut members = vec![("type", Json::text("integer"))];
        members.extend(bounds.map(|(name, bound)| (name, Json::Number(bound))));
        Json::Object(members)
    }
}

/// `true` or `false`.
pub(in crate::spec) struct Flag;

impl Kind for Flag {
    type Value = bool;

    fn what(&self) -> String {
        "true or false".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<bool> {
        let flag = given.value.get_ref().as_bool();
        if flag.is_none() {
            given.mismatch(&self.what(), findings);
        }
        flag
    }

    fn schema(&self) -> Json {
        Json::Object(vec![("type", Json::text("boolean"))])
    }
}

/// One of a few words, and what each means.
pub(in crate::spec) struct Choice<T: 'static>(pub(in crate::spec) &'static [(&'static str, T)]);

impl<T: Copy> Choice<T> {
    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(word, _)| *word)
    }

    /// What a word means; the error says what is expected.
    pub(in crate::spec) fn meaning(&self, word: &str) -> Result<T, String> {
        let found = self
            .0
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, meaning)| *meaning);
        found.ok_or_else(|| format!("expected {}", self.what()))
    }

    /// The word for a meaning; empty when there is none.
    pub(in crate::spec) fn word(&self, meaning: T) -> &'static str
    where
        T: PartialEq,
    {
        self.0
            .iter()
            .find(|(_, other)| *other == meaning)
            .map_or("", |(word, _)| *word)
    }
}

impl<T: Copy> Kind for Choice<T> {
    type Value = T;

    fn what(&self) -> String {
        let words: Vec<_> = self.words().map(|word| format!("\"{word}\"")).collect();
        format!("one of {}", words.join(", "))
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<T> {
        let text = given.text(&self.what(), findings)?;
        let chosen = self
            .0
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| *meaning);
        if chosen.is_none() {
            let why = format!("`{}` must be {}, not {text:?}", given.key, self.what());
            match suggest::nearest(self.words(), text) {
                Some(near) => findings.advise(given.value.span(), why, format!("did you mean \"{near}\"?")),
                None => findings.add(given.value.span(), why),
            }
        }
        chosen
    }

    fn schema(&self) -> Json {
        Json::Object(vec![
            ("type", Json::text("string")),
            ("enum", Json::texts(self.words())),
        ])
    }
}
