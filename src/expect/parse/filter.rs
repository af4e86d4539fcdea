//! Display filters, as `wireshark-filter(4)` writes them.

use super::super::ast::{
    FieldRef, Filter, FilterOp, Literal, Operand, Regex, SetItem, Span, Spanned,
};
use super::super::fields::{self, Kind};
use super::super::lex::Token;
use super::super::{claim_fields, codes};
use super::operand::Side;
use super::suggest::{did_you_mean, nearest_field};
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
            self.close(")", opened)?;
            return Ok(inner);
        }
        self.test()
    }

    /// One test of a packet.
    fn test(&mut self) -> Parsed<Filter> {
        if self.at_word("from") || self.at_word("to") {
            return self.end_test();
        }
        let start = self.peek_span().start;
        let left = self.side()?;
        let left_span = start..self.taken;
        if let Side::Known(Operand::Field(field)) = &left {
            let negated = self.at_word("not") && self.peek_second() == Token::Word("in");
            if negated {
                self.take();
            }
            if negated || self.at_word("in") {
                self.take();
                let field = field.clone();
                let set = self.set(&field)?;
                return Ok(Filter::In {
                    field,
                    set,
                    negated,
                });
            }
        }
        let op_span = self.peek_span();
        let Some(op) = self.filter_op() else {
            return self.without_comparison(left, left_span);
        };
        if op == FilterOp::Matches {
            return self.matches(left, left_span, op_span);
        }
        self.skip_newlines();
        let start = self.peek_span().start;
        let right = self.side()?;
        let right_span = start..self.taken;
        self.comparison((left, left_span), (op, op_span), (right, right_span))
    }

    /// `from == client`.
    fn end_test(&mut self) -> Parsed<Filter> {
        let to = self.at_word("to");
        self.take();
        let negated = match self.filter_op() {
            Some(FilterOp::Eq) => false,
            Some(FilterOp::Ne) => true,
            _ => return Err(self.expected("`==` or `!=`", "as in `from == client`")),
        };
        let who = self.end_pattern()?.value;
        Ok(Filter::End { to, who, negated })
    }

    /// An operator, taken; None where none is next.
    fn filter_op(&mut self) -> Option<FilterOp> {
        let op = match self.peek() {
            Token::Symbol(symbol) => match symbol {
                "==" => FilterOp::Eq,
                "!=" => FilterOp::Ne,
                "===" => FilterOp::AllEq,
                "!==" | "~=" => FilterOp::AnyNe,
                "<" => FilterOp::Lt,
                "<=" => FilterOp::Le,
                ">" => FilterOp::Gt,
                ">=" => FilterOp::Ge,
                "~" => FilterOp::Matches,
                "=" => {
                    self.expected("`==`", "");
                    FilterOp::Eq
                }
                _ => return None,
            },
            Token::Word(word) => match word {
                "eq" | "any_eq" => FilterOp::Eq,
                "ne" | "all_ne" => FilterOp::Ne,
                "all_eq" => FilterOp::AllEq,
                "any_ne" => FilterOp::AnyNe,
                "lt" => FilterOp::Lt,
                "le" => FilterOp::Le,
                "gt" => FilterOp::Gt,
                "ge" => FilterOp::Ge,
                "contains" => FilterOp::Contains,
                "matches" => FilterOp::Matches,
                _ => return None,
            },
            _ => return None,
        };
        self.take();
        Some(op)
    }

    /// A side with nothing behind it: it asks for existence.
    fn without_comparison(&mut self, left: Side, span: Span) -> Parsed<Filter> {
        match left {
            Side::Known(Operand::Field(field)) => {
                self.lint_boolean(&field);
                Ok(Filter::Exists(field))
            }
            Side::Known(left @ Operand::Masked { .. }) => Ok(Filter::Compare {
                left,
                op: FilterOp::Ne,
                right: Operand::Literal(Literal::Number(0)),
            }),
            Side::Bare(word) => {
                self.unknown_field(&word, span);
                Err(Reported)
            }
            _ => Err(self.expected("a comparison such as `==`", "")),
        }
    }

    /// A bare boolean is always there. `http.request` is not: it exists in
    /// requests only.
    fn lint_boolean(&mut self, field: &FieldRef) {
        let name = field.field.name;
        if field.field.kind == Kind::Bool && !name.starts_with("http.") {
            self.warning(
                codes::BARE_BOOLEAN,
                field.span.clone(),
                format!(
                    "`{name}` alone asks whether the packet has the field, not whether it is set"
                ),
                "true of every packet that has this header",
                Some(format!("write `{name} == 1`")),
            );
        }
    }

    pub(super) fn unknown_field(&mut self, name: &str, span: Span) {
        let is_member = [
            super::super::ast::Collection::Tcp,
            super::super::ast::Collection::Udp,
        ]
        .into_iter()
        .any(|c| claim_fields::collection_fields(c).any(|(member, ..)| *member == name));
        let otherwise = if is_member {
            format!(
                "`{name}` belongs to a conversation: `each tcp[] has {name} == …`, `tcp[0].{name} == …`"
            )
        } else {
            "fields are spelled as in Wireshark, such as tcp.port, udp.length, http.response.code"
                .to_owned()
        };
        let near = nearest_field(name).filter(|_| !is_member);
        self.error(
            codes::UNKNOWN_FIELD,
            span,
            format!("unknown field `{name}`"),
            "no packet has this field",
            did_you_mean(near, &otherwise),
        );
    }

    /// `field matches "regex"`, case ignored.
    fn matches(&mut self, left: Side, span: Span, op: Span) -> Parsed<Filter> {
        let Side::Known(Operand::Field(field)) = left else {
            return self.comparison(
                (left, span),
                (FilterOp::Matches, op.clone()),
                (Side::Bare(String::new()), op),
            );
        };
        if !is_searchable(field.field.kind) {
            self.wrong_operator(&field, op, "`matches` looks into text and bytes");
            return Err(Reported);
        }
        let span = self.peek_span();
        let Some(bytes) = self.text_token() else {
            return Err(self.expected(
                "a regular expression in quotes",
                "in a filter: `http.host matches \"^www\"`, case ignored",
            ));
        };
        let expression = String::from_utf8_lossy(&bytes).into_owned();
        let regex = self.regex(&expression, span, true)?;
        Ok(Filter::Compare {
            left: Operand::Field(field),
            op: FilterOp::Matches,
            right: Operand::Literal(Literal::Regex(Regex(regex))),
        })
    }

    fn comparison(
        &mut self,
        (left, left_span): (Side, Span),
        (op, op_span): (FilterOp, Span),
        (right, right_span): (Side, Span),
    ) -> Parsed<Filter> {
        let (left, right) = match (left, right) {
            (Side::Known(left), Side::Known(right)) => {
                self.check_kinds(&left, &right, right_span)?;
                (left, right)
            }
            (Side::Known(left), value) => {
                let literal = self.literal(&value, field_of(&left), right_span)?;
                (left, Operand::Literal(literal))
            }
            (value, Side::Known(right)) if is_written(&value) => {
                let literal = self.literal(&value, field_of(&right), left_span)?;
                (Operand::Literal(literal), right)
            }
            (Side::Bare(word), _) if !is_written(&Side::Bare(word.clone())) => {
                self.unknown_field(&word, left_span);
                return Err(Reported);
            }
            _ => {
                self.error(
                    codes::EXPECTED,
                    left_span,
                    "neither side of the comparison is a field",
                    "expected a field",
                    Some("fields are spelled as in Wireshark, such as tcp.port".to_owned()),
                );
                return Err(Reported);
            }
        };
        for operand in [&left, &right] {
            if let Some(field) = field_of(operand) {
                self.check_op(field, op, op_span.clone())?;
            }
        }
        Ok(Filter::Compare { left, op, right })
    }

    /// A value as the field's kind asks for it.
    fn literal(&mut self, side: &Side, field: Option<&FieldRef>, span: Span) -> Parsed<Literal> {
        let Some(field) = field else {
            return Err(self.expected("a field", ""));
        };
        let kind = field.field.kind;
        let literal = match side {
            Side::Text(bytes) if is_searchable(kind) => Some(Literal::Bytes(bytes.clone())),
            Side::Bare(text) => literal::unquoted(text, kind),
            _ => None,
        };
        if let Some(literal) = literal {
            return Ok(literal);
        }
        let written = self.text.get(span.clone()).unwrap_or_default().to_owned();
        let unknown = matches!(side, Side::Bare(word) if self.looks_like_field(word));
        match unknown {
            true => self.unknown_field(&written, span),
            false => self.wrong_literal(field, &written, span),
        }
        Err(Reported)
    }

    /// A value that was meant as a field: it begins like one.
    fn looks_like_field(&self, word: &str) -> bool {
        let first = word.split('.').next().unwrap_or_default();
        word.contains('.') && fields::lookup(first).is_some()
    }

    pub(super) fn wrong_literal(&mut self, field: &FieldRef, written: &str, span: Span) {
        let kind = field.field.kind;
        let help = match kind {
            Kind::Time if literal::duration(written).is_some() => {
                literal::duration(written).map(|nanoseconds| {
                    format!("filters write seconds: `{}`", nanoseconds as f64 / 1e9)
                })
            }
            Kind::Label => Some(format!("write `{}` alone", field.field.name)),
            Kind::Unsigned(_) if written.trim_matches('"').parse::<u64>().is_ok() => {
                Some("write a number without quotes that fits the field".to_owned())
            }
            Kind::Ipv4 | Kind::Ipv6 if written.starts_with('"') => {
                Some("write an address without quotes".to_owned())
            }
            _ => None,
        };
        self.error(
            codes::WRONG_LITERAL,
            span,
            format!(
                "`{}` ({}) cannot be compared with {written}",
                field.field.name,
                kind.words()
            ),
            format!("expected {}", literal::example(kind)),
            help,
        );
    }

    pub(super) fn wrong_operator(&mut self, field: &FieldRef, span: Span, label: &str) {
        self.error(
            codes::WRONG_OPERATOR,
            span,
            format!("`{}` is a {}", field.field.name, field.field.kind.words()),
            label,
            None,
        );
    }

    fn check_op(&mut self, field: &FieldRef, op: FilterOp, span: Span) -> Parsed<()> {
        let kind = field.field.kind;
        let label = match op {
            _ if kind == Kind::Label => "a mark is there or it is not",
            FilterOp::Contains if !is_searchable(kind) && kind != Kind::Ether => {
                "`contains` looks into text and bytes"
            }
            FilterOp::Matches if !is_searchable(kind) => "`matches` looks into text and bytes",
            _ => return Ok(()),
        };
        self.wrong_operator(field, span, label);
        Err(Reported)
    }

    fn check_kinds(&mut self, left: &Operand, right: &Operand, span: Span) -> Parsed<()> {
        let (Some(left), Some(right)) = (field_of(left), field_of(right)) else {
            return Ok(());
        };
        let (a, b) = (left.field.kind, right.field.kind);
        if class(a) == class(b) {
            return Ok(());
        }
        self.error(
            codes::TYPES,
            span,
            format!(
                "`{}` ({}) and `{}` ({}) are of different kinds",
                left.field.name,
                a.words(),
                right.field.name,
                b.words()
            ),
            "cannot be compared",
            None,
        );
        Err(Reported)
    }

    /// `{80, 8000..8080}`.
    fn set(&mut self, field: &FieldRef) -> Parsed<Vec<SetItem>> {
        let opened = self.open("{", "as in `tcp.port in {80, 8000..8080}`")?;
        self.sets += 1;
        let mut items = Vec::new();
        loop {
            let first = self.set_value(field)?;
            let item = match self.symbol("..") {
                true => SetItem::Range(first, self.set_value(field)?),
                false => SetItem::One(first),
            };
            items.push(item);
            if !self.symbol(",") {
                break;
            }
            self.skip_newlines();
        }
        self.close("}", opened)?;
        self.sets = 0;
        Ok(items)
    }

    fn set_value(&mut self, field: &FieldRef) -> Parsed<Literal> {
        let start = self.peek_span().start;
        let side = match self.peek() {
            Token::Text(bytes) => {
                self.take();
                Side::Text(bytes)
            }
            _ => self.bare_side()?,
        };
        self.literal(&side, Some(field), start..self.taken)
    }
}

/// Kinds that `contains` and `matches` look into, and that take text in quotes.
fn is_searchable(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Bytes | Kind::Protocol)
}

/// Kinds of one class are compared with each other.
fn class(kind: Kind) -> u8 {
    match kind {
        Kind::Unsigned(_) | Kind::Bool => 0,
        Kind::Time => 1,
        Kind::Text | Kind::Bytes | Kind::Protocol | Kind::Ether => 2,
        Kind::Ipv4 => 3,
        Kind::Ipv6 => 4,
        Kind::Label => 5,
    }
}

fn field_of(operand: &Operand) -> Option<&FieldRef> {
    match operand {
        Operand::Field(field) | Operand::Masked { field, .. } | Operand::OfStep { field, .. } => {
            Some(field)
        }
        Operand::Literal(_) => None,
    }
}

/// A value may stand on the left; a word that looks like a field may not.
fn is_written(side: &Side) -> bool {
    match side {
        Side::Bare(word) => word.starts_with(|c: char| c.is_ascii_digit() || c == ':' || c == '-'),
        _ => true,
    }
}
