//! Author errors as text: the line, a caret, what is wrong and the way out.

use std::ops::Range;

use ariadne::{Color, Config, Label, Report, ReportKind, Source as Lines};

use super::text::{char_width, picture, visible, visible_lines, wrap};
use crate::diagnostic::{Diagnostic, Severity, Source};

/// Mistakes shown at most; the others are counted.
const MAX_SHOWN: usize = 100;

/// Renders mistakes one below the other, each with its line. `width` is the
/// terminal's; 80 where there is none.
pub fn render(diagnostics: &[Diagnostic], source: &Source, color: bool, width: usize) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(MAX_SHOWN) {
        out.push_str(&one(diagnostic, source, color, width));
        out.push('\n');
    }
    let more = diagnostics.len().saturating_sub(MAX_SHOWN);
    if more > 0 {
        let name = visible(&source.name);
        out.push_str(&format!("and {more} more in {name}\n\n"));
    }
    out
}

fn one(diagnostic: &Diagnostic, source: &Source, color: bool, width: usize) -> String {
    let place = Place::find(&source.text, &diagnostic.span);
    // The gutter: space, the number's digits, space, bar, space.
    let gutter = place.line.to_string().len() + 5;
    let shown = place.window(width.saturating_sub(gutter).max(20));
    let name = visible(&source.name);

    let (kind, label_color) = match diagnostic.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    // Only the one line is shown; those before it serve to number it.
    let begin = place.line - 1;
    let text = "\n".repeat(begin) + &shown.text;
    let span = begin + shown.span.start..begin + shown.span.end;
    let config = Config::new().with_color(color);
    let mut report = Report::build(kind, (name.as_str(), span.clone()))
        .with_config(config)
        .with_code(diagnostic.code)
        .with_message(header(diagnostic, width))
        .with_label(
            Label::new((name.as_str(), span))
                .with_message(visible(&diagnostic.label))
                .with_color(label_color),
        );
    if let Some(help) = &diagnostic.help {
        let lines = wrap(
            &visible_lines(help),
            width.saturating_sub(gutter + 6).max(20),
        );
        report = report.with_help(lines.join("\n"));
    }
    let mut bytes = Vec::new();
    let written = report
        .finish()
        .write((name.as_str(), Lines::from(text.as_str())), &mut bytes);
    let drawn = match written {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        // Writing to memory does not fail; the words are what counts.
        Err(_) => format!(
            "[{}] Error: {}\n",
            diagnostic.code,
            visible(&diagnostic.message)
        ),
    };
    let told = format!("{name}:{}:{} ", place.line, shown.span.start + 1);
    let real = format!("{name}:{}:{} ", place.line, place.span.start + 1);
    let drawn = drawn.replacen(&told, &real, 1);
    drawn
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// The message, its further lines below the first's words.
fn header(diagnostic: &Diagnostic, width: usize) -> String {
    let lead = match diagnostic.severity {
        Severity::Error => "[S003] Error: ".len(),
        Severity::Warning => "[W001] Warning: ".len(),
    };
    let message = visible_lines(&diagnostic.message);
    let lines = wrap(&message, width.saturating_sub(lead).max(20));
    lines.join(&format!("\n{}", " ".repeat(lead)))
}

/// A line of the source and the part of it that is meant. A span of several
/// lines is cut to its first.
struct Place {
    /// From 1.
    line: usize,
    /// The line, each character visible.
    text: Vec<char>,
    /// Characters of `text`.
    span: Range<usize>,
}

/// What of a line is shown.
struct Window {
    text: String,
    /// Characters of `text`.
    span: Range<usize>,
}

impl Place {
    fn find(source: &str, span: &Range<usize>) -> Place {
        let floor = |at: usize| {
            let at = at.min(source.len());
            (0..=at)
                .rev()
                .find(|i| source.is_char_boundary(*i))
                .unwrap_or(0)
        };
        let mut from = floor(span.start);
        if from == source.len() {
            // The end of the file is better shown where its text ends.
            from = source.trim_end_matches(['\n', '\r']).len();
        }
        let to = floor(span.end).max(from);
        let (before, after) = source.split_at(from);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = after
            .find('\n')
            .map_or(source.len(), |newline| from + newline);
        let whole = source.get(start..end).unwrap_or_default();
        let whole = whole.strip_suffix('\r').unwrap_or(whole);
        let count = |until: usize| {
            let part = source.get(start..until).unwrap_or(whole);
            part.chars().count().min(whole.chars().count())
        };
        Place {
            line: before.matches('\n').count() + 1,
            text: whole.chars().map(picture).collect(),
            span: count(from)..count(to.min(end)),
        }
    }

    /// The line, or where it is wider than `width` columns, the part around
    /// the span.
    fn window(&self, width: usize) -> Window {
        let total: usize = self.text.iter().map(|c| columns(*c)).sum();
        if total <= width {
            return Window {
                text: self.text.iter().collect(),
                span: self.span.clone(),
            };
        }
        // A third of the room stands before the span, more where the line's
        // end leaves it; two columns are for `…`.
        let room = width.saturating_sub(2);
        let (head, behind) = self.text.split_at(self.span.start.min(self.text.len()));
        let needed: usize = behind.iter().map(|c| columns(*c)).sum();
        let before = (room / 3).max(room.saturating_sub(needed));
        let fits = |chars: &mut dyn Iterator<Item = &char>, room: usize| {
            let mut used = 0;
            chars
                .take_while(|c| {
                    used += columns(**c);
                    used <= room
                })
                .count()
        };
        let first = head.len() - fits(&mut head.iter().rev(), before);
        let last = first + fits(&mut self.text.iter().skip(first), room);
        let lead = usize::from(first > 0);
        let mut text = String::new();
        text.extend((first > 0).then_some('…'));
        text.extend(self.text.iter().skip(first).take(last - first));
        text.extend((last < self.text.len()).then_some('…'));
        let within = |at: usize| at.clamp(first, last) - first + lead;
        Window {
            text,
            span: within(self.span.start)..within(self.span.end),
        }
    }
}

/// Columns that a character takes on a terminal; ariadne gives a tab up to four.
fn columns(c: char) -> usize {
    if c == '\t' { 4 } else { char_width(c) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn diagnostic(span: Range<usize>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "S003",
            message: "a scenario has no key `titel`".to_owned(),
            span,
            label: "unknown key".to_owned(),
            help: Some("did you mean `title`?".to_owned()),
        }
    }

    fn render_plain(text: &str, span: Range<usize>, width: usize) -> String {
        let source = Source {
            name: "x.toml".to_owned(),
            text: text.to_owned(),
        };
        render(&[diagnostic(span)], &source, false, width)
    }

    #[test]
    fn the_caret_stands_below_the_word() {
        let drawn = render_plain("# é漢\n\t漢 titel = 1\r\nnext\n", 13..18, 80);
        insta::assert_snapshot!(drawn, @r#"
        [S003] Error: a scenario has no key `titel`
           ╭─[ x.toml:2:4 ]
           │
         2 │     漢 titel = 1
           │        ──┬──
           │          ╰──── unknown key
           │
           │ Help: did you mean `title`?
        ───╯
        "#);
    }

    #[test]
    fn an_empty_span_at_the_end_has_a_place() {
        insta::assert_snapshot!(render_plain("a = 1\n", 6..6, 80), @r#"
        [S003] Error: a scenario has no key `titel`
           ╭─[ x.toml:1:6 ]
           │
         1 │ a = 1
           │      │
           │      ╰─ unknown key
           │
           │ Help: did you mean `title`?
        ───╯
        "#);
        insta::assert_snapshot!(render_plain("", 0..0, 80), @r#"
        [S003] Error: a scenario has no key `titel`
           ╭─[ x.toml:1:1 ]
           │
         1 │
           │ │
           │ ╰─ unknown key
           │
           │ Help: did you mean `title`?
        ───╯
        "#);
    }

    #[test]
    fn a_span_of_several_lines_is_cut_to_its_first() {
        insta::assert_snapshot!(render_plain("a = '''\nb\n'''\n", 4..13, 80), @r#"
        [S003] Error: a scenario has no key `titel`
           ╭─[ x.toml:1:5 ]
           │
         1 │ a = '''
           │     ─┬─
           │      ╰─── unknown key
           │
           │ Help: did you mean `title`?
        ───╯
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_the_span_and_keeps_its_column() {
        let text = format!("{}titel{}", "x ".repeat(100), " y".repeat(100));
        insta::assert_snapshot!(render_plain(&text, 200..205, 40), @r#"
        [S003] Error: a scenario has no key
                      `titel`
           ╭─[ x.toml:1:201 ]
           │
         1 │ …x x x x x titel y y y y y y y y …
           │            ──┬──
           │              ╰──── unknown key
           │
           │ Help: did you mean `title`?
        ───╯
        "#);
    }

    #[test]
    fn hostile_text_is_made_visible() {
        let drawn = render_plain("a = \"\u{1b}[2J\u{202e}\" titel", 14..19, 80);
        assert!(!drawn.contains(['\u{1b}', '\u{202e}']));
        insta::assert_snapshot!(drawn, @r#"
        [S003] Error: a scenario has no key `titel`
           ╭─[ x.toml:1:13 ]
           │
         1 │ a = "␛[2J�" titel
           │             ──┬──
           │               ╰──── unknown key
           │
           │ Help: did you mean `title`?
        ───╯
        "#);
    }

    #[test]
    fn colour_only_where_asked() {
        let source = Source {
            name: "x".to_owned(),
            text: "titel".to_owned(),
        };
        assert!(render(&[diagnostic(0..5)], &source, true, 80).contains('\u{1b}'));
        assert!(!render(&[diagnostic(0..5)], &source, false, 80).contains('\u{1b}'));
    }

    #[test]
    fn very_many_mistakes_are_counted() {
        let many = vec![diagnostic(0..1); MAX_SHOWN + 7];
        let source = Source {
            name: "x".to_owned(),
            text: "titel".to_owned(),
        };
        assert!(render(&many, &source, false, 80).ends_with("and 7 more in x\n\n"));
    }

    proptest! {
        #[test]
        fn no_text_and_no_span_is_too_strange(
            text in "([a-z\t\r\n \u{0}é漢\u{202e}🙂]|\r\n){0,60}",
            start in 0usize..200,
            length in 0usize..100,
            width in 0usize..100,
        ) {
            let drawn = render_plain(&text, start..start + length, width);
            prop_assert!(drawn.contains("unknown key"));
        }
    }
}
