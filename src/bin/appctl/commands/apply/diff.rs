//! The lines in which two short texts differ, by their longest common subsequence. Pure.

/// One line that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Only in the first text.
    Removed(String),
    /// Only in the second.
    Added(String),
}

/// What must be removed from `old` and added to it, in order.
pub(super) fn lines(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let common = common_lengths(&old, &new);
    let (mut a, mut b) = (0, 0);
    let mut found = Vec::new();
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            (a, b) = (a + 1, b + 1);
        } else if b == new.len() || (a < old.len() && common[a + 1][b] >= common[a][b + 1]) {
            found.push(Line::Removed(old[a].to_owned()));
            a += 1;
        } else {
            found.push(Line::Added(new[b].to_owned()));
            b += 1;
        }
    }
    found
}

/// Length of the longest common subsequence of what follows each pair of positions.
fn common_lengths(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            table[a][b] = if old[a] == new[b] {
                table[a + 1][b + 1] + 1
            } else {
                table[a + 1][b].max(table[a][b + 1])
            };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Line, lines};

    #[test]
    fn shows_a_replaced_line_as_removed_and_added() {
        let diff = lines("a\nb\nc\n", "a\nB\nc\nd\n");
        assert_eq!(
            diff,
            [
                Line::Removed("b".into()),
                Line::Added("B".into()),
                Line::Added("d".into())
            ]
        );
        assert!(lines("a\nb", "a\nb").is_empty());
        assert_eq!(lines("", "x"), [Line::Added("x".into())]);
    }
}
