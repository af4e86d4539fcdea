//! A parsed filter as text again, which parses to the same filter.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{
    ArithmeticOp, EndPattern, FieldRef, Filter, FilterOp, Layers, Literal, Operand, Quantifier,
    SetItem, SliceEnd, SliceRange, Who,
};
use super::fields::Kind;

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(a, b) => write!(f, "({a} and {b})"),
            Filter::Or(a, b) => write!(f, "({a} or {b})"),
            Filter::Xor(a, b) => write!(f, "({a} xor {b})"),
            Filter::Not(inner) => write!(f, "not {inner}"),
            Filter::Exists(operand) | Filter::NotZero(operand) => {
                write!(f, "{}", Typed(operand, None))
            }
            Filter::Compare {
                left,
                op,
                quantifier,
                right,
            } => {
                let kind = match (op, left.kind().or_else(|| right.kind())) {
                    (FilterOp::Contains, Some(Kind::Ether)) => Some(Kind::Bytes),
                    (_, kind) => kind,
                };
                let (before, op) = operator(*op, *quantifier);
                let (left, right) = (Typed(left, kind), Typed(right, kind));
                write!(f, "{before}{left} {op} {right}")
            }
            Filter::In {
                left,
                quantifier,
                set,
                negated,
            } => {
                let kind = left.kind();
                if *quantifier == Quantifier::All {
                    f.write_str("all ")?;
                }
                let not = if *negated { "not " } else { "" };
                write!(f, "{} {not}in {{", Typed(left, kind))?;
                for (i, item) in set.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    match item {
                        SetItem::One(one) => write!(f, "{comma}{}", Typed(one, kind))?,
                        SetItem::Range(from, to) => {
                            write!(f, "{comma}{}..{}", Typed(from, kind), Typed(to, kind))?
                        }
                    }
                }
                f.write_char('}')
            }
            Filter::End { to, who, negated } => {
                let end = if *to { "to" } else { "from" };
                let op = if *negated { "!=" } else { "==" };
                write!(f, "{end} {op} {who}")
            }
        }
    }
}

impl Display for EndPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.who {
            Who::Role(name) => name,
            Who::Nobody => "nobody",
            Who::Any => "any",
        })?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// What stands before the left side, and between both.
fn operator(op: FilterOp, quantifier: Quantifier) -> (&'static str, &'static str) {
    let sign = match (op, quantifier) {
        (FilterOp::Eq, Quantifier::Any) => return ("", "=="),
        (FilterOp::Eq, Quantifier::All) => return ("", "==="),
        (FilterOp::Ne, Quantifier::Any) => return ("", "!=="),
        (FilterOp::Ne, Quantifier::All) => return ("", "!="),
        (FilterOp::Lt, _) => "<",
        (FilterOp::Le, _) => "<=",
        (FilterOp::Gt, _) => ">",
        (FilterOp::Ge, _) => ">=",
        (FilterOp::Contains, _) => "contains",
        (FilterOp::Matches, _) => "matches",
    };
    match quantifier {
        Quantifier::Any => ("", sign),
        Quantifier::All => ("all ", sign),
    }
}

/// An operand whose literals are of this kind.
struct Typed<'o>(&'o Operand, Option<Kind>);

impl Display for Typed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Typed(operand, kind) = *self;
        let of_arguments = operand.kind().or(kind);
        match operand {
            Operand::Field(field) => write!(f, "{field}"),
            Operand::Literal(literal) => write_literal(f, literal, kind),
            Operand::OfStep { step, field, plus } => {
                write!(f, "{step}.{field}")?;
                match *plus {
                    0 => Ok(()),
                    plus if plus < 0 => write!(f, " - {}", plus.unsigned_abs()),
                    plus => write!(f, " + {plus}"),
                }
            }
            Operand::Slice { of, ranges } => {
                write!(f, "{}[", Typed(of, None))?;
                for (i, range) in ranges.iter().enumerate() {
                    write!(f, "{}{range}", if i == 0 { "" } else { "," })?;
                }
                f.write_char(']')
            }
            Operand::Call {
                function,
                arguments,
            } => {
                write!(f, "{}(", function.name())?;
                for (i, argument) in arguments.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", Typed(argument, of_arguments))?;
                }
                f.write_char(')')
            }
            Operand::Arithmetic { op, left, right } => {
                let (left, right) = (Typed(left, of_arguments), Typed(right, of_arguments));
                write!(f, "{{{left} {} {right}}}", op.sign())
            }
            Operand::Negated(inner) => write!(f, "-{}", Typed(inner, of_arguments)),
        }
    }
}

fn write_literal(f: &mut Formatter<'_>, literal: &Literal, kind: Option<Kind>) -> fmt::Result {
    match literal {
        Literal::Number(number) => match kind {
            Some(Kind::Time) => write_seconds(f, *number),
            Some(Kind::Moment) => write_moment(f, *number),
            _ => write!(f, "{number}"),
        },
        Literal::Ip(address, None) => write!(f, "{address}"),
        Literal::Ip(address, Some(len)) => write!(f, "{address}/{len}"),
        Literal::Bytes(bytes) => match kind {
            Some(Kind::Ether) => {
                for (i, byte) in bytes.iter().enumerate() {
                    write!(f, "{}{byte:02x}", if i == 0 { "" } else { ":" })?;
                }
                Ok(())
            }
            _ => write_text(f, bytes),
        },
        Literal::Regex(regex) => write_text(f, &regex.written),
    }
}

fn write_seconds(f: &mut Formatter<'_>, nanoseconds: i128) -> fmt::Result {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let positive = nanoseconds.unsigned_abs();
    let (whole, rest) = (positive / 1_000_000_000, positive % 1_000_000_000);
    if rest == 0 {
        return write!(f, "{sign}{whole}");
    }
    let digits = format!("{rest:09}");
    write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
}

fn write_moment(f: &mut Formatter<'_>, nanoseconds: i128) -> fmt::Result {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    let rest = nanoseconds.rem_euclid(1_000_000_000);
    let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hours, minutes) = (clock / 3600, clock / 60 % 60);
    let seconds = clock % 60;
    write!(
        f,
        "\"{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}.{rest:09}\""
    )
}

/// Year, month and day of a day counted from 1970-01-01, by eras of 400 years
/// that begin in March.
fn date(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i128::from(month <= 2), month, day)
}

/// In double quotes; what is not printable as `\xNN`.
pub(super) fn write_text(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_char('"')?;
    for &byte in bytes {
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            0x20..0x7f => f.write_char(char::from(byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    f.write_char('"')
}

impl Display for FieldRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)?;
        if self.layers.is_empty() {
            return Ok(());
        }
        f.write_str("#[")?;
        for (i, Layers { first, last }) in self.layers.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match last {
                Some(last) if last == first => write!(f, "{comma}{first}")?,
                Some(last) => write!(f, "{comma}{first}-{last}")?,
                None => write!(f, "{comma}{first}:")?,
            }
        }
        f.write_char(']')
    }
}

impl Display for SliceRange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let start = self.start;
        match self.end {
            SliceEnd::Length(len) => write!(f, "{start}:{len}"),
            SliceEnd::Last(last) => write!(f, "{start}-{last}"),
            SliceEnd::Rest => write!(f, "{start}:"),
        }
    }
}

impl Display for ArithmeticOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.sign())
    }
}
