//! The end of what a command printed.

use std::collections::VecDeque;

/// The last lines, oldest first.
#[derive(Debug, Default)]
pub(super) struct Last(VecDeque<String>);

impl Last {
    const MOST: usize = 20;

    /// One more.
    pub(super) fn add(&mut self, line: &str) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    /// All that are kept.
    pub(super) fn lines(self) -> Vec<String> {
        self.0.into()
    }
}
