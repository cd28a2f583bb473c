//! Tables without lines: easy to read, to cut(1) and to grep(1).

use anstyle::Style;
use appctl::spec::visible;
use comfy_table::{CellAlignment, Table};

use super::style::HEAD;
use super::{Text, paint};

/// The column that is painted, right of the name.
const PAINTED: usize = 1;

/// A table; cells of the second column are painted as `style` says, columns named in `right` are aligned to the right.
pub(crate) fn render(header: &[&str], rows: &[Vec<String>], right: &[&str], style: impl Fn(&str) -> Style) -> Text {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| shown(cell)).collect())
        .collect();
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(header.iter().copied());
    for row in &rows {
        table.add_row(row);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&header[at]) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let offset = usize::from(table.column_max_content_widths().first().copied().unwrap_or(0)) + 2;
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let mut text = Text::default();
    for (at, line) in lines.iter().enumerate() {
        let painted = match at.checked_sub(1).map(|row| &rows[row][PAINTED]) {
            None => paint(HEAD, line),
            Some(cell) => paint_cell(line, offset, cell, style(cell)),
        };
        text = text.line(painted);
    }
    text
}

/// As wide as it will be seen.
fn shown(cell: &str) -> String {
    visible(cell).replace('\t', "\\t")
}

/// Paints after the layout, which counts every character of a cell.
fn paint_cell(line: &str, offset: usize, cell: &str, style: Style) -> Text {
    match (
        line.get(..offset),
        line.get(offset..).and_then(|rest| rest.strip_prefix(cell)),
    ) {
        (Some(before), Some(after)) => Text::from(before) + paint(style, cell) + after,
        _ => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use anstyle::Style;

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_space() {
        let rows = [
            vec!["a".to_owned(), "up".to_owned(), "1".to_owned()],
            vec!["long".to_owned(), "down".to_owned(), "10".to_owned()],
        ];
        let text = render(&["app", "state", "n"], &rows, &["n"], |_| Style::new());
        let text = anstream::adapter::strip_str(text.as_str()).to_string();
        assert_eq!(text, "app   state   n\na     up      1\nlong  down   10\n");
    }
}
