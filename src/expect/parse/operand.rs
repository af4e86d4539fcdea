//! The sides of a filter's comparisons.

use super::super::ast::{FieldRef, Operand};
use super::super::codes;
use super::super::fields::{self, Kind};
use super::super::lex::{self, Token};
use super::{Parsed, Parser, Reported, literal};

/// One side of a comparison, before its type is known.
pub(super) enum Side {
    Known(Operand),
    /// In quotes.
    Text(Vec<u8>),
    /// Without quotes.
    Bare(String),
}

impl<'t> Parser<'t> {
    /// A field, a named step's field, or a value.
    pub(super) fn side(&mut self) -> Parsed<Side> {
        match self.peek() {
            Token::Text(bytes) => {
                self.take();
                Ok(Side::Text(bytes))
            }
            Token::Word("no" | "each" | "maybe" | "has" | "and" | "or") => Err(self.expected(
                "a field or a value",
                "a line that ends with `and` or `or` goes on in the next",
            )),
            Token::Word(_) if self.peek_second() == Token::Symbol("(") => {
                Err(self.unsupported("a function in a filter"))
            }
            Token::Word(word) => {
                if let Some(field) = self.field_here(word) {
                    return self.masked(field);
                }
                if let Some(side) = self.field_of_step(word)? {
                    return Ok(side);
                }
                self.bare_side()
            }
            Token::Number(_) | Token::Symbol(":" | "-") => self.bare_side(),
            Token::Unknown('\'') => Err(self.unsupported("a character in single quotes")),
            _ => Err(self.expected("a field or a value", "fields are spelled as in Wireshark")),
        }
    }

    /// Takes the field, if the word names one.
    fn field_here(&mut self, word: &str) -> Option<FieldRef> {
        let field = fields::lookup(word)?;
        let (_, span) = self.take();
        Some(FieldRef { field, span })
    }

    /// `tcp.flags & 0x12`, or the field as it is.
    fn masked(&mut self, field: FieldRef) -> Parsed<Side> {
        match self.peek() {
            Token::Symbol("&") => {}
            Token::Symbol("[") => return Err(self.unsupported("a slice")),
            Token::Symbol("+" | "-") => return Err(self.unsupported("arithmetic on a field")),
            _ => return Ok(Side::Known(Operand::Field(field))),
        }
        self.take();
        let (text, span) = lex::value(self.text, self.at);
        self.skip_to(span.end);
        let mask = literal::integer(text).and_then(|n| u64::try_from(n).ok());
        let numeric = matches!(field.field.kind, Kind::Unsigned(_) | Kind::Bool);
        match mask {
            Some(mask) if numeric => Ok(Side::Known(Operand::Masked { field, mask })),
            Some(_) => {
                self.wrong_operator(
                    &field,
                    field.span.clone(),
                    "`&` looks at the bits of numbers",
                );
                Err(Reported)
            }
            None => {
                self.wrong_literal(&field, text, span);
                Err(Reported)
            }
        }
    }

    fn unsupported(&mut self, what: &str) -> Reported {
        let span = self.peek_span();
        self.error(
            codes::UNSUPPORTED,
            span,
            format!("{what} is not known here"),
            "a part of Wireshark's filters that is missing",
            None,
        );
        Reported
    }

    /// `syn.tcp.seq + 1`, where `syn` names an earlier step.
    fn field_of_step(&mut self, word: &'t str) -> Parsed<Option<Side>> {
        let Some((step, rest)) = word.split_once('.') else {
            return Ok(None);
        };
        let known = self.visible.iter().any(|name| name == step);
        let Some(field) = fields::lookup(rest) else {
            if !known {
                return Ok(None);
            }
            let span = self.peek_span();
            self.take();
            self.unknown_field(rest, span.start + step.len() + 1..span.end);
            return Err(Reported);
        };
        let (_, span) = self.take();
        if !known {
            self.unknown_step(step, span.start..span.start + step.len());
        }
        let plus = self.plus()?;
        Ok(Some(Side::Known(Operand::OfStep {
            step: step.to_owned(),
            field: FieldRef { field, span },
            plus,
        })))
    }

    /// `+ 1`, `- 1`, or nothing.
    fn plus(&mut self) -> Parsed<i64> {
        let sign = match self.peek() {
            Token::Symbol("+") => 1,
            Token::Symbol("-") => -1,
            _ => return Ok(0),
        };
        self.take();
        let number = match self.peek() {
            Token::Number(digits) => digits.parse::<u32>().ok(),
            _ => None,
        };
        match number {
            Some(number) => {
                self.take();
                Ok(sign * i64::from(number))
            }
            None => Err(self.expected("a number", "as in `syn.tcp.seq + 1`")),
        }
    }

    pub(super) fn bare_side(&mut self) -> Parsed<Side> {
        let (text, span) = lex::value(self.text, self.at);
        if text.is_empty() {
            return Err(self.expected("a field or a value", ""));
        }
        self.skip_to(span.end);
        Ok(Side::Bare(text.to_owned()))
    }
}
