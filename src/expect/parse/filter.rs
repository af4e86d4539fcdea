//! Display filters, as `wireshark-filter(4)` writes them.

use super::super::ast::{
    ArithmeticOp, Filter, FilterOp, Literal, Operand, Quantifier, Regex, SetItem, Span, Spanned,
};
use super::super::codes;
use super::super::fields::{Field, Kind};
use super::super::lex::{Strings, Token};
use super::habit;
use super::operand::{Side, Term, class};
use super::{Parsed, Parser, Reported, literal};

impl<'t> Parser<'t> {
    pub(super) fn spanned_filter(&mut self) -> Parsed<Spanned<Filter>> {
        let start = self.peek_span().start;
        let value = self.filter()?;
        Ok(Spanned {
            value,
            span: start..self.taken,
        })
    }

    /// `or` binds least, then `xor`, then `and`, then `not`.
    pub(super) fn filter(&mut self) -> Parsed<Filter> {
        let before = std::mem::replace(&mut self.strings, Strings::Filters);
        let filter = self.filter_or();
        self.strings = before;
        filter
    }

    fn filter_or(&mut self) -> Parsed<Filter> {
        let mut left = self.filter_xor()?;
        while self.word("or") || self.symbol("||") {
            self.joint()?;
            left = Filter::Or(Box::new(left), Box::new(self.filter_xor()?));
        }
        Ok(left)
    }

    fn filter_xor(&mut self) -> Parsed<Filter> {
        let mut left = self.filter_and()?;
        while self.word("xor") || self.symbol("^^") {
            self.joint()?;
            left = Filter::Xor(Box::new(left), Box::new(self.filter_and()?));
        }
        Ok(left)
    }

    fn filter_and(&mut self) -> Parsed<Filter> {
        let mut left = self.filter_not()?;
        while self.word("and") || self.symbol("&&") {
            self.joint()?;
            left = Filter::And(Box::new(left), Box::new(self.filter_not()?));
        }
        Ok(left)
    }

    fn filter_not(&mut self) -> Parsed<Filter> {
        if self.word("not") || self.symbol("!") {
            self.deeper()?;
            let inner = self.filter_not();
            self.shallower();
            return Ok(Filter::Not(Box::new(inner?)));
        }
        if self.at_symbol("(") {
            self.deeper()?;
            let opened = self.open("(", "")?;
            let inner = self.filter();
            self.shallower();
            let inner = inner?;
            self.close(")", opened.clone())?;
            self.no_comparison_of(&inner, opened.start)?;
            return Ok(inner);
        }
        self.test()
    }

    /// One test of a packet.
    fn test(&mut self) -> Parsed<Filter> {
        if self.at_word("from") || self.at_word("to") {
            return self.end_test();
        }
        let asked = match self.peek() {
            Token::Word("any") => Some(Quantifier::Any),
            Token::Word("all") => Some(Quantifier::All),
            _ => None,
        };
        if asked.is_some() {
            self.take();
        }
        let left = self.term()?;
        if let Some(negated) = self.in_operator() {
            return self.membership(left, asked, negated);
        }
        let op_span = self.peek_span();
        let Some((op, quantifier)) = self.filter_op() else {
            if asked.is_some() {
                return Err(self.expected("a comparison", "as in `any ip.addr == 10.0.0.1`"));
            }
            return self.without_comparison(left);
        };
        let quantifier = asked.unwrap_or(quantifier);
        if op == FilterOp::Matches {
            return self.matches(left, quantifier, op_span);
        }
        self.skip_newlines();
        let right = self.term()?;
        self.chain(left, (op, quantifier, op_span), right)
    }

    /// `a < b <= c`: each side is compared with the next.
    fn chain(
        &mut self,
        left: Term,
        op: (FilterOp, Quantifier, Span),
        right: Term,
    ) -> Parsed<Filter> {
        let next_span = self.peek_span();
        let next = match right.kind() {
            Some(_) => self.filter_op(),
            None => {
                self.no_further_comparison(&left, &right)?;
                None
            }
        };
        let Some((next, quantifier)) = next else {
            return self.comparison(left, op, right);
        };
        self.joint()?;
        let Side::Known(middle) = &right.side else {
            return Err(self.expected("a field", ""));
        };
        let again = Term {
            side: Side::Known(middle.clone()),
            span: right.span.clone(),
        };
        let first = self.comparison(left, op, right)?;
        let rest = if next == FilterOp::Matches {
            self.matches(again, quantifier, next_span)?
        } else {
            let last = self.term()?;
            self.deeper()?;
            let rest = self.chain(again, (next, quantifier, next_span), last);
            self.shallower();
            rest?
        };
        Ok(Filter::And(Box::new(first), Box::new(rest)))
    }

    /// `in`, `not in`, `!in`, taken; Some(true) where it is negated.
    fn in_operator(&mut self) -> Option<bool> {
        let negated =
            (self.at_word("not") || self.at_symbol("!")) && self.peek_second() == Token::Word("in");
        if negated {
            self.take();
        }
        self.word("in").then_some(negated)
    }

    /// `from == client`.
    fn end_test(&mut self) -> Parsed<Filter> {
        let to = self.at_word("to");
        self.take();
        let negated = match self.filter_op() {
            Some((FilterOp::Eq, Quantifier::Any)) => false,
            Some((FilterOp::Ne, Quantifier::All)) => true,
            _ => return Err(self.expected("`==` or `!=`", "as in `from == client`")),
        };
        let who = self.end_pattern()?.value;
        Ok(Filter::End { to, who, negated })
    }

    /// An operator, taken, and whether it asks for any or all values; None
    /// where none is next.
    fn filter_op(&mut self) -> Option<(FilterOp, Quantifier)> {
        let op = match self.peek() {
            Token::Symbol("=") if self.peek_second() == Token::Symbol("~") => {
                self.expected("a comparison", "write `matches \"…\"`");
                self.take();
                (FilterOp::Matches, Quantifier::Any)
            }
            Token::Symbol("=") => {
                self.expected("`==`", "");
                (FilterOp::Eq, Quantifier::Any)
            }
            Token::Symbol(word) => operator(word)?,
            Token::Word(word) => operator(word)?,
            _ => return None,
        };
        self.take();
        Some(op)
    }

    /// A side with nothing behind it: it asks for existence.
    fn without_comparison(&mut self, left: Term) -> Parsed<Filter> {
        self.begins_with_a_field(&left)?;
        let operator = match self.peek() {
            Token::Word(word) => habit::operator(word),
            Token::Symbol(symbol) => habit::operator(symbol),
            _ => None,
        };
        if let Some(help) = operator {
            return Err(self.expected("a comparison", help));
        }
        match left.side {
            Side::Known(Operand::Field(field)) => {
                self.lint_boolean(&field);
                Ok(Filter::Exists(Operand::Field(field)))
            }
            Side::Known(slice @ Operand::Slice { .. }) => Ok(Filter::Exists(slice)),
            Side::Known(operand @ (Operand::Arithmetic { .. } | Operand::Negated(_))) => {
                Ok(Filter::NotZero(operand))
            }
            Side::Bare(word) => {
                self.unknown_field(&word, left.span);
                Err(Reported)
            }
            _ => {
                let written = self.text.get(left.span).unwrap_or_default();
                let help = match self.joint_meant() {
                    Some(joint) => joint,
                    None => format!("a field stands on one side: `tcp.port == {written}`"),
                };
                Err(self.expected("a comparison such as `==`", &help))
            }
        }
    }

    /// `field matches "regex"`, case ignored.
    fn matches(&mut self, left: Term, quantifier: Quantifier, op: Span) -> Parsed<Filter> {
        let Some(kind) = left.kind() else {
            return self.no_field(left);
        };
        self.check_op(&left, kind, FilterOp::Matches, op)?;
        let span = self.peek_span();
        let Some(bytes) = self.text_token() else {
            return Err(self.expected(
                "a regular expression in quotes",
                "in a filter: `http.host matches \"^www\"`, case ignored",
            ));
        };
        let regex = match literal::perl(&bytes) {
            Ok(expression) => self.regex(&expression, span, true)?,
            Err(what) => {
                self.error(
                    codes::UNSUPPORTED,
                    span,
                    format!("{what} is not known here"),
                    "a part of Perl's regular expressions that is missing",
                    Some(
                        "join two conditions: `A matches \"…\" and not A matches \"…\"`".to_owned(),
                    ),
                );
                return Err(Reported);
            }
        };
        Ok(Filter::Compare {
            left: self.resolved(left, kind, None)?,
            op: FilterOp::Matches,
            quantifier,
            right: Operand::Literal(Literal::Regex(Regex {
                compiled: regex,
                written: bytes,
            })),
        })
    }

    fn comparison(
        &mut self,
        left: Term,
        (op, quantifier, op_span): (FilterOp, Quantifier, Span),
        right: Term,
    ) -> Parsed<Filter> {
        if let (Side::Bare(word), Some(_)) = (&left.side, right.kind())
            && !is_written(word)
        {
            self.unknown_field(word, left.span);
            return Err(Reported);
        }
        match (left.kind(), right.kind()) {
            (Some(a), Some(b)) => self.check_kinds((a, &left.span), (b, &right.span))?,
            (None, None) => return self.no_field(left),
            _ => {}
        }
        self.begins_with_a_field(&left)?;
        for term in [&left, &right] {
            if let Some(kind) = term.kind() {
                self.check_op(term, kind, op, op_span.clone())?;
            }
        }
        let of = |term: &Term| match &term.side {
            Side::Known(operand) => operand.kind().map(|kind| (kind, field_of(operand))),
            _ => None,
        };
        let Some((kind, field)) = of(&left).or_else(|| of(&right)) else {
            return self.no_field(left);
        };
        if let (Side::Known(Operand::Field(of)), Side::Bare(digits)) = (&left.side, &right.side) {
            let sign = self.text.get(op_span).unwrap_or_default();
            self.lint_digits(of.field, sign, digits, left.span.start..right.span.end);
        }
        // What is searched for in an address or a number is bytes.
        let kind = match (op, kind) {
            (FilterOp::Contains, Kind::Ether) => Kind::Bytes,
            (_, kind) => kind,
        };
        Ok(Filter::Compare {
            left: self.resolved(left, kind, field)?,
            op,
            quantifier,
            right: self.resolved(right, kind, field)?,
        })
    }

    /// An operand whose values are of this kind. `field` is the field that they
    /// are compared with, whose values may have names.
    pub(super) fn resolved(
        &mut self,
        term: Term,
        kind: Kind,
        field: Option<&'static Field>,
    ) -> Parsed<Operand> {
        let literal = match &term.side {
            Side::Known(_) => None,
            Side::Text(bytes) if is_searchable(kind) => Some(Literal::Bytes(bytes.clone())),
            Side::Text(bytes) => std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| literal::quoted(text, kind, field)),
            Side::Bare(text) => literal::unquoted(text, kind, field),
            Side::Char(byte) => literal::character(*byte, kind),
            Side::Arithmetic(..) | Side::Negated(_) => None,
        };
        match (literal, term.side) {
            (Some(literal), _) => Ok(Operand::Literal(literal)),
            (None, Side::Known(operand)) => Ok(operand),
            (None, Side::Arithmetic(op, left, right)) => {
                self.check_constant(op, &term.span, kind)?;
                Ok(Operand::Arithmetic {
                    op,
                    left: Box::new(self.resolved(*left, kind, None)?),
                    right: Box::new(self.resolved(*right, kind, None)?),
                })
            }
            (None, Side::Negated(inner)) => {
                self.check_constant(ArithmeticOp::Subtract, &term.span, kind)?;
                let inner = self.resolved(*inner, kind, None)?;
                Ok(match inner {
                    Operand::Literal(Literal::Number(number)) => {
                        Operand::Literal(Literal::Number(-number))
                    }
                    inner => Operand::Negated(Box::new(inner)),
                })
            }
            (None, side) => {
                self.wrong_literal(&side, kind, field, term.span);
                Err(Reported)
            }
        }
    }

    /// Both sides are fields.
    pub(super) fn check_kinds(
        &mut self,
        (a, left): (Kind, &Span),
        (b, right): (Kind, &Span),
    ) -> Parsed<()> {
        if class(a) == class(b) {
            return Ok(());
        }
        let written = |span: &Span| self.text.get(span.clone()).unwrap_or_default();
        let message = format!(
            "`{}` ({}) and `{}` ({}) are of different kinds",
            written(left),
            a.words(),
            written(right),
            b.words()
        );
        self.error(
            codes::TYPES,
            right.clone(),
            message,
            "cannot be compared",
            Some(format!("compare it with {}", literal::example(a))),
        );
        Err(Reported)
    }

    /// `in {80, 8000..8080}`.
    fn membership(
        &mut self,
        left: Term,
        asked: Option<Quantifier>,
        negated: bool,
    ) -> Parsed<Filter> {
        let Some(kind) = left.kind() else {
            return self.no_field(left);
        };
        let span = left.span.clone();
        self.check_op(&left, kind, FilterOp::Eq, span.clone())?;
        let field = match &left.side {
            Side::Known(operand) => field_of(operand),
            _ => None,
        };
        let left = self.resolved(left, kind, field)?;
        let opened = self.open("{", "as in `tcp.port in {80, 8000..8080}`")?;
        self.sets += 1;
        let mut set = Vec::new();
        loop {
            let first = self.set_value((kind, &span), field)?;
            let item = match self.symbol("..") {
                true => SetItem::Range(first, self.set_value((kind, &span), field)?),
                false => SetItem::One(first),
            };
            set.push(item);
            if !self.symbol(",") {
                break;
            }
            self.skip_newlines();
        }
        self.close("}", opened)?;
        self.sets = 0;
        Ok(Filter::In {
            left,
            quantifier: asked.unwrap_or(Quantifier::Any),
            set,
            negated,
        })
    }

    fn set_value(
        &mut self,
        (kind, span): (Kind, &Span),
        field: Option<&'static Field>,
    ) -> Parsed<Operand> {
        let term = self.term()?;
        if let Some(other) = term.kind() {
            self.check_kinds((kind, span), (other, &term.span))?;
        }
        self.resolved(term, kind, field)
    }
}

/// An operator, and whether it asks for any or all values.
pub(super) fn operator(word: &str) -> Option<(FilterOp, Quantifier)> {
    use Quantifier::{All, Any};
    Some(match word {
        "==" | "eq" | "any_eq" => (FilterOp::Eq, Any),
        "!=" | "ne" | "all_ne" => (FilterOp::Ne, All),
        "===" | "all_eq" => (FilterOp::Eq, All),
        "!==" | "~=" | "any_ne" => (FilterOp::Ne, Any),
        "<" | "lt" => (FilterOp::Lt, Any),
        "<=" | "le" => (FilterOp::Le, Any),
        ">" | "gt" => (FilterOp::Gt, Any),
        ">=" | "ge" => (FilterOp::Ge, Any),
        "contains" => (FilterOp::Contains, Any),
        "~" | "matches" => (FilterOp::Matches, Any),
        _ => return None,
    })
}

/// Kinds that `contains` and `matches` look into, and that take text in quotes.
pub(super) fn is_searchable(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Bytes | Kind::Protocol)
}

/// The field whose values the operand's are.
fn field_of(operand: &Operand) -> Option<&'static Field> {
    match operand {
        Operand::Field(field) | Operand::OfStep { field, .. } => Some(field.field),
        _ => None,
    }
}

/// A value may stand on the left; a word that looks like a field may not.
pub(super) fn is_written(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit() || c == ':' || c == '-')
}
