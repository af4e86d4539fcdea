//! Display filters, parsed. They mean what they mean in Wireshark 4
//! (`wireshark-filter(4)`), with the ends of packets added.

use super::ast::{EndPattern, Regex, Span};
use super::fields::{Field, Kind};

/// A display filter. It is evaluated as it is: fields are resolved, literals
/// are of their field's type, regular expressions are compiled.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    /// One of the two, not both.
    Xor(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    /// A bare field or protocol, or a slice: it exists in the packet.
    Exists(Operand),
    /// Arithmetic without a comparison (`tcp.flags & 0x02`): not zero.
    NotZero(Operand),
    Compare {
        left: Operand,
        op: FilterOp,
        quantifier: Quantifier,
        right: Operand,
    },
    /// `field in {80, 8000..8080}`.
    In {
        left: Operand,
        quantifier: Quantifier,
        set: Vec<SetItem>,
        /// `not in`.
        negated: bool,
    },
    /// `from == client`, `to == server`, `!=` likewise.
    End {
        to: bool,
        who: EndPattern,
        negated: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum SetItem {
    One(Operand),
    /// From, to; both belong to it.
    Range(Operand, Operand),
}

/// What has values in a packet: none, one, or several.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Field(FieldRef),
    Literal(Literal),
    /// `as NAME` made a step's packet available: `syn.tcp.seq`, and sums
    /// `syn.tcp.seq + 1`.
    OfStep {
        step: String,
        field: FieldRef,
        plus: i64,
    },
    /// `eth.src[0:3]`: the ranges' bytes, one after the other.
    Slice {
        of: Box<Operand>,
        ranges: Vec<SliceRange>,
    },
    Call {
        function: FilterFunction,
        arguments: Vec<Operand>,
    },
    Arithmetic {
        op: ArithmeticOp,
        left: Box<Operand>,
        right: Box<Operand>,
    },
    Negated(Box<Operand>),
}

/// A part of a value. A negative place counts from the end: -1 is the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRange {
    pub start: i32,
    pub end: SliceEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceEnd {
    /// `[i:j]`, `[i]`, `[:j]`: so many bytes.
    Length(u32),
    /// `[i-j]`: the place of the last byte.
    Last(i32),
    /// `[i:]`.
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterFunction {
    Len,
    Count,
    Upper,
    Lower,
    String,
    Max,
    Min,
    Abs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticOp {
    BitAnd,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A field of the registry, checked when parsed.
#[derive(Clone, Debug)]
pub struct FieldRef {
    pub field: &'static Field,
    /// `ip.src#2`: only of these layers; empty for all.
    pub layers: Vec<Layers>,
    pub span: Span,
}

/// Where it was written makes no difference.
impl PartialEq for FieldRef {
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field && self.layers == other.layers
    }
}

/// Layers of a protocol, counted from 1, the outermost; negative ones from the
/// innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    pub first: i32,
    /// None for all behind the first.
    pub last: Option<i32>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Booleans are 0 and 1; times are nanoseconds.
    Number(i128),
    /// A string, or bytes written `47:45:54`.
    Bytes(Vec<u8>),
    /// An address, or a prefix of this length.
    Ip(std::net::IpAddr, Option<u8>),
    /// Case ignored.
    Regex(Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    Matches,
}

/// Must any or all of the values fit? `==` asks for any, `!=` for all, `===`
/// for all, `!==` for any; `any` and `all` before a comparison say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    All,
}

impl FilterFunction {
    pub const ALL: [FilterFunction; 8] = [
        FilterFunction::Len,
        FilterFunction::Count,
        FilterFunction::Upper,
        FilterFunction::Lower,
        FilterFunction::String,
        FilterFunction::Max,
        FilterFunction::Min,
        FilterFunction::Abs,
    ];

    pub fn name(self) -> &'static str {
        match self {
            FilterFunction::Len => "len",
            FilterFunction::Count => "count",
            FilterFunction::Upper => "upper",
            FilterFunction::Lower => "lower",
            FilterFunction::String => "string",
            FilterFunction::Max => "max",
            FilterFunction::Min => "min",
            FilterFunction::Abs => "abs",
        }
    }
}

impl ArithmeticOp {
    pub fn sign(self) -> &'static str {
        match self {
            ArithmeticOp::BitAnd => "&",
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            ArithmeticOp::Divide => "/",
            ArithmeticOp::Remainder => "%",
        }
    }
}

impl Operand {
    /// The type of its values; None for a literal, which takes that of the
    /// other side.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Operand::Field(field) | Operand::OfStep { field, .. } => Some(field.field.kind),
            Operand::Literal(_) => None,
            Operand::Slice { .. } => Some(Kind::Bytes),
            Operand::Call {
                function,
                arguments,
            } => match function {
                FilterFunction::Len | FilterFunction::Count => Some(Kind::Unsigned(32)),
                FilterFunction::Upper | FilterFunction::Lower | FilterFunction::String => {
                    Some(Kind::Text)
                }
                FilterFunction::Max | FilterFunction::Min | FilterFunction::Abs => {
                    arguments.iter().find_map(Operand::kind)
                }
            },
            Operand::Arithmetic { left, right, .. } => {
                left.kind().or_else(|| right.kind()).map(of_result)
            }
            Operand::Negated(inner) => inner.kind().map(of_result),
        }
    }

    /// Calls `each` with every field that the operand reads.
    pub fn fields<'f>(&'f self, each: &mut dyn FnMut(&'f FieldRef)) {
        match self {
            Operand::Field(field) | Operand::OfStep { field, .. } => each(field),
            Operand::Literal(_) => {}
            Operand::Slice { of, .. } => of.fields(each),
            Operand::Negated(inner) => inner.fields(each),
            Operand::Call { arguments, .. } => {
                for argument in arguments {
                    argument.fields(each);
                }
            }
            Operand::Arithmetic { left, right, .. } => {
                left.fields(each);
                right.fields(each);
            }
        }
    }

    /// Calls `each` with the name of every step that the operand refers to.
    fn steps<'f>(&'f self, each: &mut dyn FnMut(&'f str)) {
        match self {
            Operand::OfStep { step, .. } => each(step),
            Operand::Field(_) | Operand::Literal(_) => {}
            Operand::Slice { of, .. } => of.steps(each),
            Operand::Negated(inner) => inner.steps(each),
            Operand::Call { arguments, .. } => {
                for argument in arguments {
                    argument.steps(each);
                }
            }
            Operand::Arithmetic { left, right, .. } => {
                left.steps(each);
                right.steps(each);
            }
        }
    }
}

/// Numbers may fall below zero, and beyond their field's width.
fn of_result(kind: Kind) -> Kind {
    match kind {
        Kind::Unsigned(_) | Kind::Bool => Kind::Signed(64),
        other => other,
    }
}

impl Filter {
    /// Calls `each` with every operand; for comparisons also with the sides of
    /// sets.
    pub fn operands<'f>(&'f self, each: &mut dyn FnMut(&'f Operand)) {
        match self {
            Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => {
                a.operands(each);
                b.operands(each);
            }
            Filter::Not(inner) => inner.operands(each),
            Filter::Exists(operand) | Filter::NotZero(operand) => each(operand),
            Filter::Compare { left, right, .. } => {
                each(left);
                each(right);
            }
            Filter::In { left, set, .. } => {
                each(left);
                for item in set {
                    match item {
                        SetItem::One(one) => each(one),
                        SetItem::Range(from, to) => {
                            each(from);
                            each(to);
                        }
                    }
                }
            }
            Filter::End { .. } => {}
        }
    }

    /// Calls `each` with the name of every step that the filter refers to.
    pub fn steps<'f>(&'f self, each: &mut dyn FnMut(&'f str)) {
        self.operands(&mut |operand| operand.steps(each));
    }
}
