//! Text to tree, by recursive descent. All mistakes of a text come out at once:
//! after one, reading goes on at the next statement or step.

mod block;
mod claim;
mod compared;
mod event;
mod filter;
mod filter_mistakes;
#[cfg(test)]
mod filter_tests;
mod habit;
mod literal;
#[cfg(test)]
mod misread_tests;
mod moment;
mod operand;
mod slice;
mod statement;
mod step;
mod stranger;
mod suggest;
#[cfg(test)]
mod way_out_tests;
mod window;

pub(super) use event::{PLAIN, is_target};

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Severity};
use crate::scenario;

use super::ast::{Collection, Expectation, Filter, Span};
use super::codes;
use super::lex::{self, Fault, Lexed, Strings, Token};

/// The length of an expectation's text, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// Brackets inside each other.
const MAX_DEPTH: usize = 64;
/// `and`, `or` and `xor` of one statement: each is one level of its tree.
const MAX_JOINTS: usize = 1000;
const MAX_MISTAKES: usize = 50;

/// What the compiled regular expressions of a file may take, in bytes: a few
/// letters, as `.{1000}`, take much.
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Room {
        Room(64 << 20)
    }
}

/// The mistake is already in the list; the caller gives up its construct.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// The statements of one expectation. `roles` are the names that its ends may have.
///
/// # Errors
/// All mistakes of the text, in its order, warnings among them. Spans are bytes
/// of `text`.
pub fn parse(name: &str, text: &str, roles: &[String]) -> Result<Expectation, Vec<Diagnostic>> {
    parse_within(name, text, roles, &mut Room::default())
}

/// As [`parse`], of one of the expectations that share a file's room.
pub(super) fn parse_within(
    name: &str,
    text: &str,
    roles: &[String],
    room: &mut Room,
) -> Result<Expectation, Vec<Diagnostic>> {
    bounded(name, text, roles, MAX_TEXT, room)
}

/// As [`parse`], of a whole file of statements.
pub(super) fn parse_file(text: &str, roles: &[String]) -> Result<Expectation, Vec<Diagnostic>> {
    bounded("", text, roles, scenario::MAX_BYTES, &mut Room::default())
}

fn bounded(
    name: &str,
    text: &str,
    roles: &[String],
    most: usize,
    room: &mut Room,
) -> Result<Expectation, Vec<Diagnostic>> {
    let mut parser = Parser::new(text, roles);
    parser.room = room.0;
    let statements = if text.len() > most {
        parser.error(
            codes::TOO_LONG,
            0..0,
            format!("the text has {} bytes", text.len()),
            "the text begins here",
            Some(format!("at most {most} bytes are allowed: split it")),
        );
        Vec::new()
    } else {
        parser.statements()
    };
    room.0 = parser.room;
    let mut found = parser.found;
    found.sort_by_key(|d| (d.span.start, d.span.end, d.code));
    if found.iter().any(|d| d.severity == Severity::Error) {
        return Err(found);
    }
    Ok(Expectation {
        name: name.to_owned(),
        text: text.to_owned(),
        statements,
        hint: None,
        points: None,
        warnings: found,
    })
}

/// A display filter alone, as behind `inspect -Y`; None where it has mistakes.
/// The diagnostics are all of them, and what is allowed but probably not meant.
/// Spans are bytes of `text`.
pub fn parse_filter(text: &str, roles: &[String]) -> (Option<Filter>, Vec<Diagnostic>) {
    // A filter has no lines.
    let one_line = text.replace(['\n', '\r'], " ");
    let mut parser = Parser::new(&one_line, roles);
    let mut filter = None;
    if text.len() > MAX_TEXT {
        parser.error(
            codes::TOO_LONG,
            0..0,
            format!("the filter has {} bytes", text.len()),
            "the text begins here",
            Some(format!("at most {MAX_TEXT} bytes are allowed")),
        );
    } else if let Ok(parsed) = parser.filter() {
        if parser.peek() == Token::End {
            filter = Some(parsed);
        } else {
            parser.expected(
                "the end of the filter",
                "conditions are joined by `and` and `or`",
            );
        }
    }
    let found = parser.found;
    let is_wrong = found.iter().any(|d| d.severity == Severity::Error);
    (filter.filter(|_| !is_wrong), found)
}

struct Parser<'t> {
    text: &'t str,
    roles: &'t [String],
    /// Where reading goes on.
    at: usize,
    /// The end of the last token taken.
    taken: usize,
    depth: usize,
    joints: usize,
    /// Open parentheses: a request's target does not run over the last one.
    parentheses: usize,
    /// Open groups of steps.
    groups: usize,
    /// Behind `between`: an `and` must not be taken for the condition's.
    where_in_brackets: bool,
    /// Sets of a filter that were opened and not closed: their `}` ends no block.
    sets: usize,
    found: Vec<Diagnostic>,
    /// Every name that `as` gave in this statement, also with a mistake.
    names: BTreeSet<String>,
    /// The steps that this statement spoke of so far.
    spoken_of: BTreeSet<String>,
    /// The steps that were named so far, which may be spoken of.
    visible: BTreeSet<String>,
    /// Whose strings stand here.
    strings: Strings,
    /// Inside `each tcp[] has`: bare names are the subject's own.
    subject: Option<Collection>,
    /// What is left of the [`Room`].
    room: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, roles: &'t [String]) -> Self {
        Parser {
            text,
            roles,
            at: 0,
            taken: 0,
            depth: 0,
            joints: 0,
            parentheses: 0,
            groups: 0,
            where_in_brackets: false,
            sets: 0,
            found: Vec::new(),
            names: BTreeSet::new(),
            spoken_of: BTreeSet::new(),
            visible: BTreeSet::new(),
            strings: Strings::Statements,
            subject: None,
            room: Room::default().0,
        }
    }

    fn lexed(&self, from: usize) -> Lexed<'t> {
        lex::token(self.text, from, self.strings)
    }

    /// The next token, not taken.
    fn peek(&self) -> Token<'t> {
        self.lexed(self.at).token
    }

    fn peek_span(&self) -> Span {
        self.lexed(self.at).span
    }

    /// The token behind the next one.
    fn peek_second(&self) -> Token<'t> {
        let first = self.lexed(self.at);
        self.lexed(first.span.end).token
    }

    /// Takes the next token and reports what is wrong inside it.
    fn take(&mut self) -> (Token<'t>, Span) {
        let lexed = self.lexed(self.at);
        match lexed.fault {
            Some(Fault::UnclosedText) => self.error(
                codes::UNCLOSED_STRING,
                lexed.span.clone(),
                "the string has no closing quote",
                "begins here and runs to the end of the line",
                Some("close it with `\"`".to_owned()),
            ),
            Some(Fault::BadEscape(span)) => self.error(
                codes::BAD_ESCAPE,
                span,
                "unknown escape in a string",
                "not an escape",
                Some(
                    "write `\\\\` for a backslash; known are \\n \\r \\t \\0 \\\\ \\\" \\xNN \\uNNNN"
                        .to_owned(),
                ),
            ),
            None => {}
        }
        self.skip_to(lexed.span.end);
        (lexed.token, lexed.span)
    }

    /// What stands from here to the end of the statement, its line, or the bracket
    /// that it stands in.
    fn rest_of_line(&self) -> (&'t str, Span) {
        let start = self.peek_span().start;
        let rest = self.text.get(start..).unwrap_or_default();
        let inside = self.parentheses > 0;
        let ends = |c: char| matches!(c, '\n' | ';') || (c == ')' && inside);
        let line = rest.split(ends).next().unwrap_or_default();
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        (line, start..start + line.len())
    }

    /// Goes on behind `end`, which was read by other means than [`Self::take`].
    fn skip_to(&mut self, end: usize) {
        self.at = end;
        self.taken = end;
    }

    fn at_word(&self, word: &str) -> bool {
        self.peek() == Token::Word(word)
    }

    fn at_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(s) if s == symbol)
    }

    /// Takes the word, if it is next.
    fn word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.take();
        }
        found
    }

    /// Takes the symbol, if it is next.
    fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.take();
        }
        found
    }

    fn skip_newlines(&mut self) {
        while self.peek() == Token::Newline {
            self.take();
        }
    }

    /// Takes an opening bracket; a line may end behind it.
    fn open(&mut self, bracket: &'static str, what: &str) -> Parsed<Span> {
        if !self.at_symbol(bracket) {
            return Err(self.expected(&format!("`{bracket}`"), what));
        }
        let (_, span) = self.take();
        if bracket == "(" {
            self.parentheses += 1;
        }
        self.skip_newlines();
        Ok(span)
    }

    /// Takes the closing partner of the bracket that was opened at `opened`.
    fn close(&mut self, bracket: &'static str, opened: Span) -> Parsed<()> {
        let before = self.at;
        self.skip_newlines();
        if self.symbol(bracket) {
            self.parentheses -= usize::from(bracket == ")" && self.parentheses > 0);
            return Ok(());
        }
        self.at = before;
        let behind = self.peek();
        if behind.ends_statement() {
            return Err(self.unclosed(opened, bracket, ""));
        }
        let help = match (bracket, behind) {
            ("}", Token::Number(_) | Token::Text(_) | Token::Word(_) | Token::Symbol("|")) => {
                "commas part the values of a set".to_owned()
            }
            (")", Token::Symbol("," | "..")) => {
                "one of several values: `in {80, 12000}`, `in {1..3}`".to_owned()
            }
            (")", Token::Symbol(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">="))) => {
                return Err(self.unclosed(opened, bracket, &format!(" before `{sign}`")));
            }
            _ => self
                .joint_meant()
                .unwrap_or_else(|| format!("a closing `{bracket}` is missing before this")),
        };
        Err(self.expected(&format!("`{bracket}`"), &help))
    }

    /// The bracket that was opened there is never closed. Where an unclosed string
    /// took the partner in, that is the mistake, and told already.
    fn unclosed(&mut self, opened: Span, bracket: &str, place: &str) -> Reported {
        let is_in_string = |d: &Diagnostic| {
            d.code == codes::UNCLOSED_STRING
                && d.span.start > opened.start
                && (self.text.get(d.span.clone())).is_some_and(|text| text.contains(bracket))
        };
        if !self.found.iter().any(is_in_string) {
            let opening = self.text.get(opened.clone()).unwrap_or_default().to_owned();
            self.error(
                codes::UNCLOSED,
                opened,
                format!("`{opening}` is never closed"),
                "opened here",
                Some(format!("add the closing `{bracket}`{place}")),
            );
        }
        Reported
    }

    /// What is written for the `AND` or `|` that is next.
    fn joint_meant(&self) -> Option<String> {
        let joint = match self.peek() {
            Token::Word(word) => habit::joint(word)?,
            Token::Symbol("|") => "or",
            Token::Symbol("&") => "and",
            _ => return None,
        };
        Some(format!("write `{joint}`"))
    }

    /// One level deeper, or the end of patience.
    fn deeper(&mut self) -> Parsed<()> {
        if self.depth >= MAX_DEPTH {
            let help = format!("at most {MAX_DEPTH} levels are allowed");
            return Err(self.too_deep("too many brackets inside each other", help));
        }
        self.depth += 1;
        Ok(())
    }

    /// One more condition joined to the others of the statement. A line may
    /// end behind the joint.
    fn joint(&mut self) -> Parsed<()> {
        if self.joints >= MAX_JOINTS {
            let help = format!("at most {MAX_JOINTS} are allowed; a set is shorter: `in {{1, 2}}`");
            return Err(self.too_deep("too many conditions joined by `and` and `or`", help));
        }
        self.joints += 1;
        self.skip_newlines();
        Ok(())
    }

    fn too_deep(&mut self, message: &str, help: String) -> Reported {
        let span = self.peek_span();
        self.error(codes::TOO_DEEP, span, message, "too much", Some(help));
        Reported
    }

    fn shallower(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.report(
            Severity::Error,
            code,
            span,
            message.into(),
            label.into(),
            help,
        );
    }

    fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.report(
            Severity::Warning,
            code,
            span,
            message.into(),
            label.into(),
            help,
        );
    }

    /// The same mistake is said once, also where a place was read twice.
    fn report(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: String,
        label: String,
        help: Option<String>,
    ) {
        let mut told = Diagnostic {
            severity,
            code,
            message,
            span,
            label,
            help,
        };
        if severity == Severity::Error
            && code != codes::BAD_ESCAPE
            && let Some(stranger) = stranger::beside(self.text, &told.span, self.roles)
        {
            told = stranger;
        }
        let (code, span) = (told.code, told.span.clone());
        let known = self.found.iter().any(|d| d.code == code && d.span == span);
        if known || self.has_enough() {
            return;
        }
        let diagnostic = if self.found.len() == MAX_MISTAKES {
            Diagnostic {
                severity: Severity::Error,
                code: codes::TOO_MANY,
                message: "too many mistakes".to_owned(),
                span,
                label: "the rest is not shown".to_owned(),
                help: Some("mend the first ones, then try again".to_owned()),
            }
        } else {
            told
        };
        self.found.push(diagnostic);
    }

    /// Something else stands where `what` is needed. Mistakes that have a name
    /// of their own are told by it.
    fn expected(&mut self, what: &str, help: &str) -> Reported {
        let token = self.peek();
        let span = self.peek_span();
        let help = (!help.is_empty()).then(|| help.to_owned());
        match token {
            Token::Unknown(c) => {
                let help = match c {
                    '“' | '”' | '„' | '«' | '»' | '‘' | '’' | '\'' | '`' => {
                        Some("strings stand in straight double quotes: \"…\"".to_owned())
                    }
                    _ => help.or_else(|| {
                        Some(format!(
                            "leave `{}` out, or put it into a string",
                            c.escape_debug()
                        ))
                    }),
                };
                self.error(
                    codes::UNEXPECTED_CHARACTER,
                    span,
                    format!("unexpected character {c:?}"),
                    format!("expected {what}"),
                    help,
                );
            }
            Token::Symbol("=") if self.peek_second() != Token::Symbol("~") => self.error(
                codes::ASSIGNMENT,
                span,
                "`=` is no comparison",
                "one equals sign",
                Some("write `==`".to_owned()),
            ),
            Token::Text(_) if self.lexed(self.at).fault.is_some() => {
                // The fault of the string is the mistake to be told.
                self.take();
            }
            token => self.error(
                codes::EXPECTED,
                span,
                format!("expected {what}, found {}", named(&token)),
                format!("expected {what}"),
                help,
            ),
        }
        Reported
    }

    /// No further mistake would be shown.
    fn has_enough(&self) -> bool {
        self.found.len() > MAX_MISTAKES
    }

    /// Goes on at the next separator, or before the `}` of the block that is
    /// being read. Blocks in between are skipped whole.
    fn resynchronise(&mut self) {
        let mut sets = std::mem::take(&mut self.sets);
        let mut open = 0usize;
        loop {
            match self.peek() {
                Token::End => return,
                Token::Newline | Token::Semicolon if open == 0 => return,
                Token::Symbol("}") if open == 0 && sets > 0 => sets -= 1,
                Token::Symbol("}") if open == 0 => return,
                Token::Symbol("|" | ")") if open == 0 && self.groups > 0 => return,
                Token::Symbol("{") => open += 1,
                Token::Symbol("}") => open -= 1,
                _ => {}
            }
            self.take();
        }
    }
}

/// A token in words.
fn named(token: &Token<'_>) -> String {
    match token {
        Token::Word(text) | Token::Number(text) => format!("`{text}`"),
        Token::Text(_) => "a string".to_owned(),
        Token::Symbol(symbol) => format!("`{symbol}`"),
        Token::Newline => "the end of the line".to_owned(),
        Token::Semicolon => "`;`".to_owned(),
        Token::Unknown(c) => format!("{c:?}"),
        Token::End => "the end of the text".to_owned(),
    }
}
