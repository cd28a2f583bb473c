//! Text from anywhere, made safe to look at: what would steer a terminal, turn the direction of text, break a line or not
//! show at all is written as an escape such as `\u{1b}`. Pure.

use std::ops::RangeInclusive;

/// What is never shown as it is, beyond control characters: line and paragraph separators, format characters, and
/// what Unicode calls ignorable by default, because it shows as nothing.
const UNSEEN: [RangeInclusive<char>; 25] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Whether `c` shows as itself and moves nothing but the place behind it.
pub fn is_visible(c: char) -> bool {
    !c.is_control() && (c.is_ascii() || !UNSEEN.iter().any(|range| range.contains(&c)))
}

/// One line that can be shown on a terminal. Tabs stay.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        if c == '\t' || is_visible(c) || chooses_emoji(before, c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
        before = c;
    }
    shown
}

/// Behind a symbol it only says in which of two ways that is drawn.
fn chooses_emoji(before: char, c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}') && !before.is_ascii() && is_visible(before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_visible, visible};

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        for (text, shown) in [
            ("\u{1b}]52;c;aGk=\u{7}", r"\u{1b}]52;c;aGk=\u{7}"),
            ("\u{9b}2J\u{9d}0;x\u{9c}", r"\u{9b}2J\u{9d}0;x\u{9c}"),
            ("a\rb\nc\td\u{8}\u{7f}\0", "a\\rb\\nc\td\\u{8}\\u{7f}\\u{0}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn what_does_not_show_or_turns_text_around_is_written_out() {
        for c in "\u{ad}\u{61c}\u{200b}\u{200d}\u{200f}\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}\u{feff}\u{3164}\u{e0041}\u{e0100}".chars() {
            assert_eq!(visible(&format!("a{c}")), format!("a{}", c.escape_default()));
        }
        assert_eq!(visible("s\u{fe0f}"), r"s\u{fe0f}");
    }

    #[test]
    fn letters_of_all_scripts_and_symbols_stay() {
        let text = "naïve – Ωμέγα, 日本語, עברית, हिन्दी, ⚠\u{fe0f} \u{1f680} ✓ \u{e0b0}\u{2400}";
        assert_eq!(visible(text), text);
    }

    proptest! {
        #[test]
        fn nothing_else_comes_out_and_twice_is_once(text in ".{0,80}") {
            let once = visible(&text);
            let mut before = ' ';
            for c in once.chars() {
                prop_assert!(c == '\t' || is_visible(c) || super::chooses_emoji(before, c), "{:?}", c);
                before = c;
            }
            prop_assert_eq!(visible(&once), once);
        }
    }
}
