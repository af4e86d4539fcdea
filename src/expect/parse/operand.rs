//! The sides of a filter's comparisons: fields, slices, functions, arithmetic
//! and values.

use super::super::ast::{ArithmeticOp, FieldRef, FilterFunction, Operand, Span};
use super::super::codes;
use super::super::fields::{self, Kind};
use super::super::lex::{self, Token};
use super::statement::collection;
use super::suggest::{did_you_mean, nearest, nearest_field};
use super::{Parsed, Parser, Reported, literal};

/// One side of a comparison, and where it was written. Values have no type
/// before the other side is known.
pub(super) struct Term {
    pub(super) side: Side,
    pub(super) span: Span,
}

pub(super) enum Side {
    Known(Operand),
    /// In quotes.
    Text(Vec<u8>),
    /// Without quotes.
    Bare(String),
    /// In single quotes.
    Char(u8),
    /// Of values alone: `1 + 1`.
    Arithmetic(ArithmeticOp, Box<Term>, Box<Term>),
    Negated(Box<Term>),
}

impl Term {
    pub(super) fn kind(&self) -> Option<Kind> {
        match &self.side {
            Side::Known(operand) => operand.kind(),
            _ => None,
        }
    }
}

const A_FIELD: &str = "fields are spelled as in Wireshark, such as tcp.port, udp.length";

/// What stands between two operands, from the loosest to the tightest.
const LEVELS: [&[(&str, ArithmeticOp)]; 3] = [
    &[("&", ArithmeticOp::BitAnd)],
    &[("+", ArithmeticOp::Add), ("-", ArithmeticOp::Subtract)],
    &[
        ("*", ArithmeticOp::Multiply),
        ("/", ArithmeticOp::Divide),
        ("%", ArithmeticOp::Remainder),
    ],
];

impl<'t> Parser<'t> {
    /// One side of a comparison.
    pub(super) fn term(&mut self) -> Parsed<Term> {
        self.arithmetic(0)
    }

    fn arithmetic(&mut self, level: usize) -> Parsed<Term> {
        let Some(signs) = LEVELS.get(level) else {
            return self.signed();
        };
        let mut left = self.arithmetic(level + 1)?;
        while let Some(op) = self.arithmetic_op(signs) {
            self.joint()?;
            let right = self.arithmetic(level + 1)?;
            left = self.joined(op, left, right)?;
        }
        Ok(left)
    }

    fn arithmetic_op(&mut self, signs: &[(&str, ArithmeticOp)]) -> Option<ArithmeticOp> {
        let op = match self.peek() {
            Token::Symbol(symbol) => signs.iter().find(|(sign, _)| *sign == symbol)?.1,
            Token::Word("bitwise_and") => {
                signs.iter().find(|(_, op)| *op == ArithmeticOp::BitAnd)?.1
            }
            _ => return None,
        };
        self.take();
        Some(op)
    }

    fn joined(&mut self, op: ArithmeticOp, left: Term, right: Term) -> Parsed<Term> {
        let span = left.span.start..right.span.end;
        let known = left.kind().or(right.kind());
        let Some(kind) = known else {
            let side = Side::Arithmetic(op, Box::new(left), Box::new(right));
            return Ok(Term { side, span });
        };
        for term in [&left, &right] {
            self.check_arithmetic(op, term)?;
        }
        if let (Some(a), Some(b)) = (left.kind(), right.kind()) {
            self.check_kinds((a, &left.span), (b, &right.span))?;
        }
        // Values beside a field of numbers may be larger than the field's.
        let kind = match kind {
            Kind::Unsigned(_) => Kind::Signed(64),
            other => other,
        };
        let operand = Operand::Arithmetic {
            op,
            left: Box::new(self.resolved(left, kind, None)?),
            right: Box::new(self.resolved(right, kind, None)?),
        };
        Ok(Term {
            side: Side::Known(operand),
            span,
        })
    }

    fn check_arithmetic(&mut self, op: ArithmeticOp, term: &Term) -> Parsed<()> {
        let Some(kind) = term.kind() else {
            return Ok(());
        };
        let Err(label) = calculated(op, kind) else {
            return Ok(());
        };
        let help = match (op, kind) {
            (ArithmeticOp::BitAnd, _) => "conditions are joined by `and`".to_owned(),
            (_, Kind::Text | Kind::Bytes | Kind::Protocol) => {
                let written = self.text.get(term.span.clone()).unwrap_or_default();
                format!("its length is a number: `len({written})`")
            }
            _ => "take a number, such as `tcp.len`".to_owned(),
        };
        self.not_for(term, kind, label, help);
        Err(Reported)
    }

    /// A calculation of values alone, which are of what they are compared with.
    pub(super) fn check_constant(
        &mut self,
        op: ArithmeticOp,
        span: &Span,
        kind: Kind,
    ) -> Parsed<()> {
        let Err(label) = calculated(op, kind) else {
            return Ok(());
        };
        let written = self.text.get(span.clone()).unwrap_or_default();
        self.error(
            codes::WRONG_OPERATOR,
            span.clone(),
            format!("this ({}) cannot be compared with {written}", kind.words()),
            label,
            Some(format!("write {}", literal::example(kind))),
        );
        Err(Reported)
    }

    /// `-tcp.len`, `-1`.
    fn signed(&mut self) -> Parsed<Term> {
        let start = self.peek_span().start;
        if self.symbol("+") {
            return self.signed_inner();
        }
        if !self.symbol("-") {
            return self.sliced();
        }
        let inner = self.signed_inner()?;
        let span = start..inner.span.end;
        let side = match &inner.side {
            Side::Known(_) => {
                self.check_arithmetic(ArithmeticOp::Subtract, &inner)?;
                match inner.side {
                    Side::Known(operand) => Side::Known(Operand::Negated(Box::new(operand))),
                    other => other,
                }
            }
            Side::Bare(text) if !text.starts_with('-') => Side::Bare(format!("-{text}")),
            Side::Char(byte) => Side::Bare(format!("-{byte}")),
            _ => Side::Negated(Box::new(inner)),
        };
        Ok(Term { side, span })
    }

    fn signed_inner(&mut self) -> Parsed<Term> {
        self.deeper()?;
        let inner = self.signed();
        self.shallower();
        inner
    }

    /// A field or function with `[0:3]` behind it, once or several times.
    fn sliced(&mut self) -> Parsed<Term> {
        let mut term = self.primary()?;
        while self.at_symbol("[") && term.kind().is_some() {
            self.joint()?;
            let kind = term.kind().unwrap_or(Kind::Bytes);
            let sliceable = matches!(
                kind,
                Kind::Protocol | Kind::Text | Kind::Bytes | Kind::Ether | Kind::Ipv4 | Kind::Ipv6
            );
            if !sliceable {
                let help = "take the bytes of its protocol, as in `tcp[0:2]`".to_owned();
                self.not_for(&term, kind, "a slice is of bytes or text", help);
                return Err(Reported);
            }
            let ranges = self.slices()?;
            let start = term.span.start;
            if let Side::Known(operand) = term.side {
                term = Term {
                    side: Side::Known(Operand::Slice {
                        of: Box::new(operand),
                        ranges,
                    }),
                    span: start..self.taken,
                };
            }
        }
        Ok(term)
    }

    fn primary(&mut self) -> Parsed<Term> {
        let start = self.peek_span().start;
        let side = self.primary_side()?;
        Ok(Term {
            side,
            span: start..self.taken,
        })
    }

    /// A field, a named step's field, a function, a group, or a value.
    fn primary_side(&mut self) -> Parsed<Side> {
        match self.peek() {
            Token::Text(bytes) => {
                self.take();
                Ok(Side::Text(bytes))
            }
            Token::Word("no" | "each" | "maybe" | "has" | "and" | "or") => Err(self.expected(
                "a field or a value",
                "a line that ends with `and` or `or` goes on in the next",
            )),
            Token::Word(word) if self.peek_second() == Token::Symbol("(") => self.function(word),
            Token::Word(word) => {
                if let Some(field) = self.field_here(word)? {
                    return Ok(Side::Known(Operand::Field(field)));
                }
                if let Some(side) = self.field_of_step(word)? {
                    return Ok(side);
                }
                self.bare_side()
            }
            Token::Number(_) | Token::Symbol(":") => self.bare_side(),
            Token::Symbol("{") => {
                self.deeper()?;
                let opened = self.open("{", "")?;
                self.sets += 1;
                let inner = self.term();
                self.shallower();
                let inner = inner?;
                self.close("}", opened)?;
                self.sets = self.sets.saturating_sub(1);
                Ok(inner.side)
            }
            Token::Symbol("(") => Err(self.expected(
                "a field or a value",
                "the brackets of arithmetic are `{ }`: `{tcp.len + 1} * 2`",
            )),
            Token::Unknown('\'') => self.character(),
            Token::Unknown('$') => Err(self.unsupported(
                "a reference to the selected packet, or a macro,",
                "Wireshark has a packet that is selected; here, write the value",
            )),
            Token::Unknown('@') => Err(self.unsupported(
                "`@`, the bytes of a field as they are in the frame,",
                "take a slice of the protocol: `tcp[0:2]`",
            )),
            _ => Err(self.expected("a field or a value", A_FIELD)),
        }
    }

    fn character(&mut self) -> Parsed<Side> {
        match lex::character(self.text, self.at) {
            Some(Ok((byte, span))) => {
                self.skip_to(span.end);
                Ok(Side::Char(byte))
            }
            Some(Err(span)) => {
                self.skip_to(span.end);
                self.error(
                    codes::BAD_ESCAPE,
                    span,
                    "single quotes hold one character",
                    "not one character",
                    Some("as in `tcp[13] == '\\x02'`; text stands in double quotes".to_owned()),
                );
                Err(Reported)
            }
            None => Err(self.expected("a field or a value", A_FIELD)),
        }
    }

    /// `len(http.host)`.
    fn function(&mut self, word: &str) -> Parsed<Side> {
        let known = FilterFunction::ALL.into_iter().find(|f| f.name() == word);
        let Some(function) = known else {
            let span = self.peek_span();
            let names = FilterFunction::ALL.map(FilterFunction::name);
            let known = match collection(word) {
                Some(_) => format!("all of them are `each {word}[] has …`, one is `{word}[0]`"),
                None => format!("known are {}", names.join(", ")),
            };
            self.error(
                codes::UNSUPPORTED,
                span,
                format!("no function of filters is called `{word}`"),
                "unknown function",
                did_you_mean(nearest(word, names), &known),
            );
            return Err(Reported);
        };
        let (_, name) = self.take();
        self.deeper()?;
        let opened = self.open("(", "")?;
        let mut terms = Vec::new();
        loop {
            terms.push(self.term()?);
            if !self.symbol(",") {
                break;
            }
            self.joint()?;
        }
        self.shallower();
        self.close(")", opened)?;
        let takes_several = matches!(function, FilterFunction::Max | FilterFunction::Min);
        if terms.len() > 1 && !takes_several {
            self.error(
                codes::WRONG_OPERATOR,
                name,
                format!("`{word}` takes one field"),
                format!("{} are given", terms.len()),
                Some("`max` and `min` take several: `max(tcp.srcport, tcp.dstport)`".to_owned()),
            );
            return Err(Reported);
        }
        self.checked_call(function, terms, name)
    }

    fn checked_call(
        &mut self,
        function: FilterFunction,
        terms: Vec<Term>,
        name: Span,
    ) -> Parsed<Side> {
        let Some(kind) = terms.iter().find_map(Term::kind) else {
            self.error(
                codes::WRONG_OPERATOR,
                name,
                format!("`{}` takes a field", function.name()),
                "no field is given",
                Some("as in `len(http.host) > 10`".to_owned()),
            );
            return Err(Reported);
        };
        let mut arguments = Vec::new();
        for term in terms {
            if let Some(other) = term.kind() {
                self.check_argument(function, &term, other)?;
                if class(kind) != class(other) {
                    let help = format!("the first is a {}", kind.words());
                    self.not_for(&term, other, "all must be of one type", help);
                    return Err(Reported);
                }
            }
            arguments.push(self.resolved(term, kind, None)?);
        }
        Ok(Side::Known(Operand::Call {
            function,
            arguments,
        }))
    }

    fn check_argument(&mut self, function: FilterFunction, term: &Term, kind: Kind) -> Parsed<()> {
        let number = matches!(kind, Kind::Unsigned(_) | Kind::Signed(_));
        let label = match function {
            FilterFunction::Upper | FilterFunction::Lower if kind != Kind::Text => {
                "only text has capitals and small letters"
            }
            FilterFunction::String
                if !(number || matches!(kind, Kind::Ipv4 | Kind::Ipv6 | Kind::Ether)) =>
            {
                "only numbers and addresses become text"
            }
            FilterFunction::Abs if !number && kind != Kind::Time => "only numbers have a sign",
            FilterFunction::Len | FilterFunction::Max | FilterFunction::Min
                if kind == Kind::Label =>
            {
                "a mark is there or it is not"
            }
            _ => return Ok(()),
        };
        let written = self.text.get(term.span.clone()).unwrap_or_default();
        let help = match function {
            FilterFunction::Upper | FilterFunction::Lower => {
                "take a field of text, such as `http.host`".to_owned()
            }
            FilterFunction::String | FilterFunction::Len => {
                format!("write `{written}` without the function")
            }
            _ => "take a number, such as `tcp.len`".to_owned(),
        };
        self.not_for(term, kind, label, help);
        Err(Reported)
    }

    /// What is written there is of a kind that this is not for.
    pub(super) fn not_for(&mut self, term: &Term, kind: Kind, label: &str, help: String) {
        let written = self.text.get(term.span.clone()).unwrap_or_default();
        let article = match kind.words().starts_with(['a', 'e', 'i', 'I']) {
            true => "an",
            false => "a",
        };
        self.error(
            codes::WRONG_OPERATOR,
            term.span.clone(),
            format!("`{written}` is {article} {}", kind.words()),
            label,
            Some(help),
        );
    }

    /// Takes the field, if the word names one, and the layers it is asked of.
    fn field_here(&mut self, word: &str) -> Parsed<Option<FieldRef>> {
        let Some(field) = fields::lookup(word) else {
            return Ok(None);
        };
        let (_, span) = self.take();
        let layers = self.layers()?;
        Ok(Some(FieldRef {
            field,
            layers,
            span,
        }))
    }

    fn unsupported(&mut self, what: &str, help: &str) -> Reported {
        let span = self.peek_span();
        self.error(
            codes::UNSUPPORTED,
            span,
            format!("{what} is not known here"),
            "a part of Wireshark's filters that is missing",
            Some(help.to_owned()),
        );
        Reported
    }

    /// `syn.tcp.seq + 1`, where `syn` names an earlier step.
    fn field_of_step(&mut self, word: &'t str) -> Parsed<Option<Side>> {
        let Some((step, rest)) = word.split_once('.') else {
            return Ok(None);
        };
        let known = self.visible.contains(step);
        let Some(field) = fields::lookup(rest) else {
            if !known {
                return Ok(None);
            }
            let span = self.peek_span();
            self.take();
            let near = nearest_field(rest).map(|field| format!("{step}.{field}"));
            self.error(
                codes::UNKNOWN_FIELD,
                span.start + step.len() + 1..span.end,
                format!("unknown field `{rest}`"),
                format!("the packet of `{step}` has no such field"),
                did_you_mean(
                    near.as_deref(),
                    &format!("the field stands behind the step: `{step}.tcp.seq`"),
                ),
            );
            return Err(Reported);
        };
        let (_, span) = self.take();
        if !known {
            self.unknown_step(step, span.start..span.start + step.len());
        }
        self.spoken_of.insert(step.to_owned());
        let plus = self.plus()?;
        Ok(Some(Side::Known(Operand::OfStep {
            step: step.to_owned(),
            field: FieldRef {
                field,
                layers: Vec::new(),
                span,
            },
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

    fn bare_side(&mut self) -> Parsed<Side> {
        let (text, span) = lex::value(self.text, self.at);
        if text.is_empty() {
            return Err(self.expected("a field or a value", A_FIELD));
        }
        self.skip_to(span.end);
        Ok(Side::Bare(text.to_owned()))
    }
}

/// Kinds of one class are compared with each other.
pub(super) fn class(kind: Kind) -> u8 {
    match kind {
        Kind::Unsigned(_) | Kind::Signed(_) | Kind::Bool => 0,
        Kind::Time => 1,
        Kind::Text | Kind::Bytes | Kind::Protocol | Kind::Ether => 2,
        Kind::Ipv4 => 3,
        Kind::Ipv6 => 4,
        Kind::Label => 5,
        Kind::Moment => 6,
    }
}

/// Whether values of the kind can be reckoned with so, or what can.
fn calculated(op: ArithmeticOp, kind: Kind) -> Result<(), &'static str> {
    match (op, kind) {
        (_, Kind::Unsigned(_) | Kind::Signed(_))
        | (ArithmeticOp::BitAnd, Kind::Bytes | Kind::Ether | Kind::Ipv4 | Kind::Ipv6)
        | (ArithmeticOp::Add | ArithmeticOp::Subtract, Kind::Time) => Ok(()),
        (ArithmeticOp::BitAnd, _) => Err("`&` looks at the bits of numbers, addresses and slices"),
        _ => Err("only numbers can be reckoned with"),
    }
}
