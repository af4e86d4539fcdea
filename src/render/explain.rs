//! The explanation of a failed expectation in plain text, for reports that are
//! read far from a terminal: JUnit and TAP.

use super::text::{visible, visible_lines};
use crate::report::{Expectation, TextSpan};

/// Message, statement with a caret at the span, expected and actual,
/// difference, notes, hint and Wireshark filter. Empty on a pass.
pub(super) fn explain(expectation: &Expectation) -> String {
    let Some(detail) = &expectation.detail else {
        return String::new();
    };
    let mut lines = vec![format!("[{}] {}", detail.code, visible(&detail.message))];
    if let Some(place) = &expectation.source {
        lines.push(format!(
            "at {}:{}:{}",
            visible(&place.file),
            place.line,
            place.column
        ));
    }
    lines.push(String::new());
    lines.extend(
        statement(&expectation.text, detail.span)
            .into_iter()
            .map(|line| format!("    {}", line.text)),
    );
    lines.push(String::new());
    let facts = [
        ("expected", &detail.expected),
        ("got", &detail.actual),
        ("difference", &detail.difference),
        ("Wireshark filter", &detail.wireshark_filter),
        ("hint", &expectation.hint),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            lines.push(format!("{name}: {}", visible(value)));
        }
    }
    let notes = detail.notes.iter();
    lines.extend(notes.map(|note| format!("note: {}", visible_lines(note))));
    lines.join("\n").trim_end().to_owned()
}

/// A line of a statement as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatementLine {
    pub text: String,
    /// The line below the text that it marks with carets.
    pub is_caret: bool,
}

/// The lines of a statement, control characters visible, a line of carets
/// below each that the span touches.
pub(super) fn statement(text: &str, span: Option<TextSpan>) -> Vec<StatementLine> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        let end = start + line.len();
        let shown = line.trim_end();
        lines.push(StatementLine {
            text: visible(&shown.replace('\t', "    ")),
            is_caret: false,
        });
        if let Some(carets) = span.and_then(|span| carets(shown, start, span)) {
            lines.push(StatementLine {
                text: carets,
                is_caret: true,
            });
        }
        start = end + 1;
    }
    let is_blank = |line: &StatementLine| line.text.trim().is_empty();
    while lines.last().is_some_and(is_blank) {
        lines.pop();
    }
    let leading = lines.iter().take_while(|l| is_blank(l)).count();
    lines.split_off(leading)
}

/// The carets below `line`, which begins at `start` of the text.
fn carets(line: &str, start: usize, span: TextSpan) -> Option<String> {
    let shown = |range: std::ops::Range<usize>| {
        let part = line.get(range).unwrap_or("");
        super::text::width(&visible(&part.replace('\t', "    ")))
    };
    let end = start + line.len();
    let indent = line.len() - line.trim_start().len();
    let from = span.start.max(start + indent);
    let to = span.end.min(end);
    let touches = match span.start == span.end {
        true => (start..=end).contains(&span.start),
        false => from < to,
    };
    touches.then(|| {
        let marks = shown(from - start..to.saturating_sub(start)).max(1);
        format!(
            "{}{}",
            " ".repeat(shown(0..from - start)),
            "^".repeat(marks)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, start: usize, end: usize) -> Vec<String> {
        statement(text, Some(TextSpan { start, end }))
            .into_iter()
            .map(|l| l.text)
            .collect()
    }

    #[test]
    fn carets_stand_below_the_span() {
        let text = "exactly {\n  client > server  SYN\n}\n";
        let start = text.find("client").unwrap();
        let end = text.find("\n}").unwrap();
        assert_eq!(
            shown(text, start, end),
            [
                "exactly {",
                "  client > server  SYN",
                "  ^^^^^^^^^^^^^^^^^^^^",
                "}"
            ]
        );
    }

    #[test]
    fn a_span_of_several_lines_is_marked_on_each() {
        let text = "exactly {\n  a > b SYN\n}";
        assert_eq!(
            shown(text, 0, text.len()),
            [
                "exactly {",
                "^^^^^^^^^",
                "  a > b SYN",
                "  ^^^^^^^^^",
                "}",
                "^"
            ]
        );
    }

    #[test]
    fn wide_characters_move_the_carets() {
        let text = "data \"日本\" within 1s";
        let start = text.find("within").unwrap();
        assert_eq!(
            shown(text, start, text.len()),
            [text, "            ^^^^^^^^^"]
        );
    }

    #[test]
    fn an_empty_span_and_one_past_the_end_are_no_trouble() {
        assert_eq!(shown("no RST", 3, 3), ["no RST", "   ^"]);
        assert_eq!(shown("no RST", 90, 99), ["no RST"]);
        assert_eq!(shown("no RST", 4, 99), ["no RST", "    ^^"]);
        assert_eq!(shown("日", 1, 2).len(), 2);
    }
}
