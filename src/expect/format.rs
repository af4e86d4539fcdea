//! One layout for statements: blocks indented, steps in columns, spaces and empty
//! lines put in order. Strings, patterns and comments are left as their author wrote
//! them.

use super::ast::Span;
use super::lex::{self, Strings, Token};

const INDENT: usize = 2;

/// Formats statements. Only white space changes, and only where there may be more or
/// less of it, so that the text means what it meant.
pub fn format(text: &str) -> String {
    let mut lines: Vec<Line> = Vec::new();
    let mut depth = 0usize;
    let mut parentheses = 0usize;
    let mut goes_on = false;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() {
            let is_needless = lines.last().is_none_or(|last| last.is_blank());
            if !is_needless {
                lines.push(Line::blank());
            }
            continue;
        }
        let (closing, change) = brackets(line, &mut parentheses);
        let own = depth.saturating_sub(closing);
        let step = match own > 0 && !goes_on {
            true => step(&spaced(line, 2)),
            false => None,
        };
        lines.push(Line {
            depth: own + usize::from(goes_on),
            step,
            text: spaced(line, 1),
        });
        depth = depth.saturating_add_signed(change);
        // A comment between a line and its continuation ends neither.
        goes_on = continues(line).unwrap_or(goes_on);
    }
    while lines.last().is_some_and(Line::is_blank) {
        lines.pop();
    }
    let mut out = String::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        // Steps of one block that stand together share their columns.
        let together = lines
            .iter()
            .skip(at)
            .take_while(|other| other.step.is_some() && other.depth == line.depth)
            .count();
        let steps = lines.iter().skip(at).take(together.max(1));
        let width = steps
            .clone()
            .filter_map(|line| line.step.as_ref())
            .map(|(ends, _)| ends.chars().count())
            .max()
            .unwrap_or(0);
        for line in steps {
            if line.is_blank() {
                out.push('\n');
                continue;
            }
            out.push_str(&" ".repeat(INDENT * line.depth));
            match &line.step {
                Some((ends, event)) => out.push_str(&format!("{ends:width$}  {event}")),
                None => out.push_str(&line.text),
            }
            out.push('\n');
        }
        at += together.max(1);
    }
    out
}

struct Line {
    depth: usize,
    /// A step's ends, and what stands behind them.
    step: Option<(String, String)>,
    text: String,
}

impl Line {
    fn blank() -> Line {
        Line {
            depth: 0,
            step: None,
            text: String::new(),
        }
    }

    fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

/// The line's tokens and where they stand; of patterns (`~ /…/`) and of requests'
/// targets only where. `parentheses`: so many are open before it.
fn tokens(line: &str, mut parentheses: usize) -> impl Iterator<Item = (Option<Token<'_>>, Span)> {
    let mut at = 0;
    let mut last = None;
    std::iter::from_fn(move || {
        let before = last.take();
        let pattern = match lex::regex(line, at) {
            Some(Ok((_, span))) if before == Some(Token::Symbol("~")) => Some(span),
            _ => lex::target_behind(before.as_ref(), line, at, parentheses > 0),
        };
        if let Some(span) = pattern {
            at = span.end;
            return Some((None, span));
        }
        let lexed = lex::token(line, at, Strings::Statements);
        match lexed.token {
            Token::End => return None,
            Token::Symbol("(") => parentheses += 1,
            Token::Symbol(")") => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        at = lexed.span.end.max(at + 1);
        last = Some(lexed.token.clone());
        Some((Some(lexed.token), lexed.span))
    })
}

/// How many brackets a line closes before it opens any, and how much deeper the
/// next one is. `parentheses` are those that are open.
fn brackets(line: &str, parentheses: &mut usize) -> (usize, isize) {
    let (mut closing, mut depth) = (0usize, 0isize);
    for (token, _) in tokens(line, *parentheses) {
        match token {
            Some(Token::Symbol("(")) => *parentheses += 1,
            Some(Token::Symbol(")")) => *parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        match token {
            Some(Token::Symbol("{" | "(" | "[")) => depth += 1,
            Some(Token::Symbol("}" | ")" | "]")) => {
                depth -= 1;
                closing = closing.max(depth.min(0).unsigned_abs());
            }
            _ => {}
        }
    }
    (closing, depth)
}

/// Does the statement or step go on in the next line? None for a comment.
fn continues(line: &str) -> Option<bool> {
    let (last, _) = tokens(line, 0).last()?;
    Some(match last {
        Some(Token::Word(word)) => matches!(word, "and" | "or" | "xor" | "contains"),
        Some(Token::Symbol(symbol)) => matches!(
            symbol,
            "&&" | "||"
                | "^^"
                | ","
                | "=="
                | "!="
                | "==="
                | "!=="
                | "<="
                | ">="
                | "<"
                | ">"
                | "~"
                | "+"
                | "-"
                | "*"
                | "/"
                | "%"
                | "&"
        ),
        _ => false,
    })
}

/// No more than so many spaces between two tokens: two set the parts of a step apart.
/// Comments, with the spaces before them, stay: they may stand in columns of their own.
fn spaced(line: &str, most: usize) -> String {
    // Where a raw string ends depends on whether it is a filter's.
    if line.contains("r\"") || line.contains("R\"") {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let mut end = 0;
    for (_, span) in tokens(line, 0) {
        let between = span.start.saturating_sub(end);
        out.push_str(&" ".repeat(between.min(most)));
        out.push_str(line.get(span.clone()).unwrap_or_default());
        end = span.end;
    }
    out.push_str(line.get(end..).unwrap_or_default());
    out
}

/// `client > server:80  SYN` as `client > server:80` and `SYN`.
fn step(line: &str) -> Option<(String, String)> {
    let mut at = 0;
    let mut next = || {
        let lexed = lex::token(line, at, Strings::Statements);
        at = lexed.span.end;
        lexed
    };
    let mut lexed = next();
    let mut ends = String::new();
    if lexed.token == Token::Word("maybe") {
        ends.push_str("maybe ");
        lexed = next();
    }
    for is_last in [false, true] {
        let Token::Word(name) = lexed.token else {
            return None;
        };
        if name.contains('.') {
            return None;
        }
        ends.push_str(name);
        lexed = next();
        if lexed.token == Token::Symbol(":") {
            let number = next();
            let Token::Number(port) = number.token else {
                return None;
            };
            ends.push_str(&format!(":{port}"));
            lexed = next();
        }
        if !is_last {
            let Token::Symbol(arrow @ (">" | "<>")) = lexed.token else {
                return None;
            };
            ends.push_str(&format!(" {arrow} "));
            lexed = next();
        }
    }
    let event = line.get(lexed.span.start..)?;
    // An event is a word; anything else is no step.
    matches!(lexed.token, Token::Word(_)).then(|| (ends, event.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_stand_in_columns_and_blocks_are_indented() {
        let text = "\n\nexactly {\nclient>server:12000 SYN # first\n    server  >  client    SYN,ACK   within 1s\n\n\n maybe client <> server FIN x2\n  }\nno   udp   \n\n";
        assert_eq!(
            format(text),
            "exactly {\n  client > server:12000  SYN # first\n  server > client        SYN,ACK  within 1s\n\n  maybe client <> server  FIN x2\n}\nno udp\n"
        );
    }

    #[test]
    fn spaces_stay_in_strings_patterns_and_before_comments() {
        for (text, formatted) in [
            (
                "no    data\t \"a   b\" within    1s",
                "no data \"a   b\" within 1s",
            ),
            (
                "client.stdout   ~ \t /a   \\/ b/   ",
                "client.stdout ~ /a   \\/ b/",
            ),
            ("no RST    # a   comment", "no RST    # a   comment"),
            (
                "each (frame   contains r\"a\\\"   b\") has x",
                "each (frame   contains r\"a\\\"   b\") has x",
            ),
        ] {
            assert_eq!(format(text).trim_end(), formatted);
        }
    }

    #[test]
    fn a_target_at_the_end_of_a_line_is_no_operator() {
        let text = "exactly {\nSYN\nclient > server GET / # all\nserver > client HTTP 200\nclient > server OPTIONS *\nclient > server HTTP /a?b-\nserver > client FIN\n}\n";
        assert_eq!(
            format(text),
            "exactly {\n  SYN\n  client > server  GET / # all\n  server > client  HTTP 200\n  client > server  OPTIONS *\n  client > server  HTTP /a?b-\n  server > client  FIN\n}\n"
        );
    }

    #[test]
    fn a_bracket_in_a_target_opens_nothing_and_closes_nothing() {
        let text = "in order {\nclient > server GET /x)\nserver > client HTTP\nclient > server GET /x(\nserver > client HTTP\n( client > server GET /y)\n( client > server GET /z\n| client > server GET /w)\n}\nno RST\n";
        assert_eq!(
            format(text),
            "in order {\n  client > server  GET /x)\n  server > client  HTTP\n  client > server  GET /x(\n  server > client  HTTP\n  ( client > server GET /y)\n  ( client > server GET /z\n  | client > server GET /w)\n}\nno RST\n"
        );
    }

    #[test]
    fn a_continued_line_is_indented() {
        let text = "exactly   {\nclient > server data where tcp.len > 1 and   # why\n# and\ntcp.len < 9\n  }\ntcp[0].state ==\n\"SF\" and\nclient.exit  ==  0\nno RST\n";
        assert_eq!(
            format(text),
            "exactly {\n  client > server  data where tcp.len > 1 and   # why\n    # and\n    tcp.len < 9\n}\ntcp[0].state ==\n  \"SF\" and\n  client.exit == 0\nno RST\n"
        );
    }

    #[test]
    fn a_bracket_in_a_string_or_expression_opens_nothing() {
        let text = "exactly {\nclient > server  data ~ /\\{/\n# a { here\nclient > server  data \"{\"\n}\nno RST\n";
        let formatted = format(text);
        assert!(formatted.ends_with("}\nno RST\n"), "{formatted}");
    }

    fn tree(text: &str) -> String {
        let roles = ["client".to_owned(), "server".to_owned()];
        let spans = regex::Regex::new(r"\d+\.\.\d+").unwrap();
        let parsed = match super::super::parse("x", text, &roles) {
            Ok(expectation) => format!("{:?}", expectation.statements),
            Err(mistakes) => mistakes.iter().map(|m| m.code).collect(),
        };
        spans.replace_all(&parsed, "").into_owned()
    }

    /// Lines of the language, some of them wrong.
    fn line() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            "exactly {",
            "in order on tcp[0] {",
            "any order {",
            "}",
            "client > server:12000 SYN",
            "server>client SYN,ACK within 1s",
            "client <> server   FIN x2",
            "maybe nobody:80 > client   RST # why",
            "client > server data ~ /a { b  c/",
            "client > server GET /a#b{c",
            "client > server  GET /a)",
            "( client > server  GET /a(b)",
            "client > server   data \"a   {\"  as   x # y   z",
            "client.stdout   ~   /a   {/   and \tclient.exit ==   0",
            "each (frame   contains r\"a\\\"   b\")   has  tcp",
            "# hint: x {",
            "no RST; no udp",
            "tcp[0].state == \"SF\" and",
            "client.exit == 0",
            "each udp has udp.length == 13",
            "packets(tcp.flags.syn == 1) == 2",
            "",
        ])
        .prop_flat_map(|line| {
            ("[ \t]{0,3}", "[ \t]{0,3}").prop_map(move |(a, b)| format!("{a}{line}{b}"))
        })
    }

    proptest! {
        #[test]
        fn formatting_keeps_the_meaning_and_is_done_once(lines in prop::collection::vec(line(), 0..12)) {
            let text = lines.join("\n");
            let formatted = format(&text);
            prop_assert_eq!(tree(&formatted), tree(&text));
            prop_assert_eq!(format(&formatted), formatted);
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            let formatted = format(&text);
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(bare(&formatted), bare(&text));
        }
    }
}
