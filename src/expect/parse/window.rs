//! Windows: the part of a capture that a statement is about.

use super::super::ast::{Anchor, Spanned, Window};
use super::super::codes;
use super::super::lex::Token;
use super::event::PLAIN;
use super::{Parsed, Parser, Reported, literal};

/// Words that begin a window.
pub(super) const WINDOWS: [&str; 5] = ["before", "until", "after", "between", "for"];

impl Parser<'_> {
    /// A window, where one is next.
    pub(super) fn window(&mut self) -> Parsed<Option<Spanned<Window>>> {
        let start = self.peek_span().start;
        let Token::Word(word) = self.peek() else {
            return Ok(None);
        };
        if !WINDOWS.contains(&word) {
            return Ok(None);
        }
        self.take();
        let window = match word {
            "before" => Window::Before(self.anchor("`before`")?),
            "until" => Window::Until(self.anchor("`until`")?),
            "between" => {
                self.where_in_brackets = true;
                let from = self.anchor("`between`");
                self.where_in_brackets = false;
                let from = from?;
                if !self.word("and") {
                    return Err(self.expected("`and`", "as in `between SYN and FIN`"));
                }
                Window::Between(from, self.anchor("`and`")?)
            }
            "for" => {
                let span = self.span_of_time("`for`")?;
                if !self.word("after") {
                    return Err(self.expected("`after`", "as in `for 200ms after FIN`"));
                }
                let after = self.anchor("`after`")?;
                Window::For { span, after }
            }
            _ => {
                let from = self.anchor("`after`")?;
                let until = match self.word("until") {
                    true => Some(self.anchor("`until`")?),
                    false => None,
                };
                Window::After { from, until }
            }
        };
        Ok(Some(Spanned {
            value: window,
            span: start..self.taken,
        }))
    }

    /// Behind `nothing`.
    pub(super) fn window_of_nothing(&mut self) -> Parsed<Spanned<Window>> {
        match self.window()? {
            Some(window) => Ok(window),
            None => Err(self.expected(
                "when",
                "as in `nothing for 200ms after FIN`; for the whole capture write `exactly { }`",
            )),
        }
    }

    /// `200ms`.
    fn span_of_time(&mut self, behind: &str) -> Parsed<i64> {
        let span = self.peek_span();
        let Token::Number(text) = self.peek() else {
            return Err(self.expected(
                &format!("a span of time behind {behind}"),
                "write `200us`, `50ms` or `1s`",
            ));
        };
        self.take();
        match literal::duration(text) {
            Some(span) => Ok(span),
            None => {
                self.bad_duration(span, text);
                Err(Reported)
            }
        }
    }

    /// The name of a step in an earlier block, or a step, in brackets or not.
    fn anchor(&mut self, place: &str) -> Parsed<Anchor> {
        let span = self.peek_span();
        if self.at_symbol("(") {
            self.deeper()?;
            let anchor = self.bracketed(place);
            self.shallower();
            return anchor;
        }
        // `data and FIN`: no filter stands here, of which `and` would be a part.
        let at_step = self.at_step() || matches!(self.peek(), Token::Word(w) if PLAIN.contains(&w));
        if let Token::Word(word) = self.peek()
            && !self.at_ends()
        {
            let known = self.visible.contains(word);
            if known || (!at_step && !word.contains('.')) {
                self.take();
                if !known {
                    self.unknown_step(word, span.clone());
                }
                return Ok(Anchor::Name(Spanned {
                    value: word.to_owned(),
                    span,
                }));
            }
        }
        if !at_step {
            self.error(
                codes::EXPECTED,
                span,
                format!("expected a step or a step's name behind {place}"),
                "neither a step nor a name",
                Some("as in `no RST after client > server FIN`".to_owned()),
            );
            return Err(Reported);
        }
        let step = self.single_step(place)?;
        Ok(Anchor::Step(Box::new(Spanned {
            value: step,
            span: span.start..self.taken,
        })))
    }

    /// `(SYN where tcp.seq == 0)`.
    fn bracketed(&mut self, place: &str) -> Parsed<Anchor> {
        let opened = self.open("(", "")?;
        let outer = std::mem::take(&mut self.where_in_brackets);
        let anchor = self.anchor(place);
        self.where_in_brackets = outer;
        let anchor = anchor?;
        self.close(")", opened)?;
        Ok(anchor)
    }
}
