//! Shows the problems of a file at their places: file, line and column, the line itself, carets, advice.
//! Decides nothing; writes nothing.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use appctl::spec::{Problem, visible};

/// Longest piece of a line that is shown, in bytes: a hostile line must not fill the terminal.
const LONGEST: usize = 400;

/// All problems of the file at `path`, one below the other, an empty line between them; empty when there are none. Only
/// the renderer's own colours are in it.
pub(crate) fn render(path: &str, text: &str, problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let reports: Vec<_> = problems
        .iter()
        .map(|problem| format!("{}\n", one(path, text, problem, &renderer)))
        .collect();
    reports.join("\n")
}

fn one(path: &str, text: &str, problem: &Problem, renderer: &Renderer) -> String {
    let (line, column) = problem.position(text);
    let (start, source) = excerpt(text, problem.span.start);
    // Where it is in what is shown of the line.
    let within = |offset: usize| source.floor_char_boundary(offset.saturating_sub(start));
    let shown = |offset: usize| visible(&source[..within(offset)]).len();
    let span = shown(problem.span.start)..shown(problem.span.end);
    let source = visible(source);
    let path = visible(path);
    let title = Level::ERROR.primary_title(visible(&problem.message));
    let group = if text[..start].ends_with('\n') || matches!(&text[..start], "" | "\u{feff}") {
        let annotation = AnnotationKind::Primary.span(span);
        title.element(
            Snippet::source(source)
                .path(path)
                .line_start(line)
                .annotation(annotation),
        )
    } else {
        title.element(annotate_snippets::Origin::path(path).line(line).char_column(column))
    };
    let help = problem.help.as_deref().map(|help| Level::HELP.message(visible(help)));
    renderer.render(&[group.elements(help)])
}

/// The line around an offset and where it begins, without a byte order mark; cut when it is long.
fn excerpt(text: &str, at: usize) -> (usize, &str) {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let start = if text[start..].starts_with('\u{feff}') {
        start + '\u{feff}'.len_utf8()
    } else {
        start
    };
    let start = start.max(text.floor_char_boundary(at.saturating_sub(LONGEST)));
    let end = text[at.max(start)..]
        .find('\n')
        .map_or(text.len(), |end| at.max(start) + end);
    (
        start,
        text[start..text.floor_char_boundary(end.min(start + 2 * LONGEST))].trim_end_matches('\r'),
    )
}
