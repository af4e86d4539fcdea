//! The author's hints that stand as comments beside statements: `# hint: …`.

use super::ast::Span;

/// The mark that makes a comment a hint.
pub const MARK: &str = "hint:";

/// The hint for whoever fails at `place` within `statement`: the comment lines
/// right above the step, else those above the statement, else the comment
/// behind the statement on its last line.
pub fn hint(text: &str, statement: &Span, place: Option<&Span>) -> Option<String> {
    let step = place.map_or(statement.start, |place| place.start);
    above(text, step)
        .or_else(|| above(text, statement.start))
        .or_else(|| behind(text, statement.end))
}

/// The hint in the comment lines right above the line of `at`. A string never
/// runs over a line's end, so that a line which begins with `#` is a comment.
fn above(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?;
    let line = before.rfind('\n')?;
    let mut lines: Vec<&str> = Vec::new();
    for line in before.get(..line)?.rsplit('\n') {
        let Some(comment) = line.trim().strip_prefix('#') else {
            break;
        };
        lines.push(comment.trim());
        if let Some(first) = marked(comment) {
            lines.pop();
            lines.push(first);
            lines.reverse();
            return Some(lines.join(" ").trim().to_owned()).filter(|hint| !hint.is_empty());
        }
    }
    None
}

fn behind(text: &str, end: usize) -> Option<String> {
    let line = text.get(end..)?.lines().next()?;
    let comment = line
        .trim_start_matches([' ', '\t', ';'])
        .strip_prefix('#')?;
    let hint = marked(comment)?;
    (!hint.is_empty()).then(|| hint.to_owned())
}

/// What stands behind the mark.
fn marked(comment: &str) -> Option<&str> {
    comment.trim().strip_prefix(MARK).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_at(text: &str, statement: &str, place: &str) -> Option<String> {
        let span = |part: &str| {
            let start = text.find(part).unwrap();
            start..start + part.len()
        };
        hint(text, &span(statement), Some(&span(place)))
    }

    #[test]
    fn a_hint_stands_above_or_behind_its_statement() {
        let text = "# hint: Look at the port\n#   of the server.\nno RST\nno udp  # hint: Use TCP.\nno FIN # hit: x\n";
        let found = |statement| hint_at(text, statement, statement);
        assert_eq!(
            found("no RST").as_deref(),
            Some("Look at the port of the server.")
        );
        assert_eq!(found("no udp").as_deref(), Some("Use TCP."));
        assert_eq!(found("no FIN"), None);
    }

    #[test]
    fn the_hint_of_a_step_comes_before_that_of_its_statement() {
        let text = "# hint: all\nexactly {\n  a SYN\n  # hint: one\n  b RST\n}";
        let statement = "exactly {\n  a SYN\n  # hint: one\n  b RST\n}";
        assert_eq!(hint_at(text, statement, "b RST").as_deref(), Some("one"));
        assert_eq!(hint_at(text, statement, "a SYN").as_deref(), Some("all"));
    }

    #[test]
    fn what_a_string_holds_is_no_hint() {
        let text = "client.stdout == \"# hint: no\"";
        assert_eq!(hint_at(text, text, text), None);
    }
}
