//! Permissions as chmod(1) takes them.

use toml::de::DeValue;

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind};
use crate::spec::problem::Findings;

/// Permissions of a socket, three octal digits, with or without a leading 0.
pub(in crate::spec) struct Mode;

impl Kind for Mode {
    type Value = u32;

    fn what(&self) -> String {
        "an octal mode such as \"0660\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<u32> {
        if let DeValue::Integer(_) = given.value.get_ref() {
            // 660 is not 0660, and TOML has a spelling of its own for octal numbers.
            let message = format!("`{}` must be {}, not a number", given.key, self.what());
            findings.advise(given.value.span(), message, "write it in quotes");
            return None;
        }
        let text = given.text(&self.what(), findings)?;
        let digits = text.strip_prefix('0').filter(|rest| rest.len() == 3).unwrap_or(text);
        let octal = digits.len() == 3 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
        let mode = u32::from_str_radix(digits, 8).ok().filter(|_| octal);
        if mode.is_none() {
            given.refuse(format_args!("expected {}, not {text:?}", self.what()), findings);
        }
        mode
    }

    fn schema(&self) -> Json {
        Json::pattern("^0?[0-7]{3}$")
    }
}
