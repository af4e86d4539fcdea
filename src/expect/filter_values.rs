//! The values of a filter's operands in a packet: fields, slices, functions
//! and arithmetic.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::ControlFlow;

use smallvec::SmallVec;

use super::ast::{
    ArithmeticOp, FieldRef, FilterFunction, Layers, Literal, Operand, SliceEnd, SliceRange,
};
use super::fields::{FieldValue, Kind, View};

/// The packets that the named steps of a sequence stand for. None for a name
/// without a packet yet: what refers to it is false.
pub type Steps<'s> = dyn Fn(&str) -> Option<View<'s>> + 's;

/// One value to compare: of a packet, or an address prefix or regular
/// expression as written.
pub(super) enum Compared<'a> {
    Value(FieldValue<'a>),
    Prefix(IpAddr, u8),
    Regex(&'a regex::bytes::Regex),
}

/// Takes values until it has enough.
pub(super) type Each<'e> = dyn FnMut(Compared<'_>) -> ControlFlow<()> + 'e;

/// Hands over the operand's values in the packet.
pub(super) fn visit(operand: &Operand, view: &View<'_>, steps: &Steps<'_>, each: &mut Each<'_>) {
    match operand {
        Operand::Field(field) => visit_field(field, view, &mut |v| each(Compared::Value(v))),
        Operand::Literal(literal) => {
            let _ = each(written(literal));
        }
        Operand::OfStep { step, field, plus } => {
            let Some(view) = steps(step) else { return };
            visit_field(field, &view, &mut |value| {
                each(Compared::Value(match value {
                    FieldValue::Number(n) => FieldValue::Number(shifted(n, *plus, field)),
                    other => other,
                }))
            });
        }
        Operand::Slice { of, ranges } => {
            values(of, view, steps, &mut |value| match slice(value, ranges) {
                Some(bytes) => each(Compared::Value(FieldValue::Bytes(bytes))),
                None => ControlFlow::Continue(()),
            })
        }
        Operand::Call {
            function,
            arguments,
        } => call(*function, arguments, view, steps, each),
        Operand::Arithmetic { op, left, right } => {
            let right = collected(right, view, steps);
            let mut pairs = 0;
            distinct(left, view, steps, &mut |l| {
                for r in &right {
                    pairs += 1;
                    if pairs > MOST_RESULTS {
                        return ControlFlow::Break(());
                    }
                    if let Some(result) = arithmetic(*op, &l, r) {
                        each(Compared::Value(result))?;
                    }
                }
                ControlFlow::Continue(())
            });
        }
        Operand::Negated(inner) => values(inner, view, steps, &mut |value| match value {
            FieldValue::Number(n) => each(Compared::Value(FieldValue::Number(-n))),
            _ => ControlFlow::Continue(()),
        }),
    }
}

/// The results of a calculation in one packet; more are left out. Each of its fields can
/// have several values there, of which every combination is a result.
const MOST_RESULTS: usize = 1 << 16;

/// The values, each once: of sums of sums there would be more and more.
fn distinct(
    operand: &Operand,
    view: &View<'_>,
    steps: &Steps<'_>,
    each: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>,
) {
    let is_sum = matches!(operand, Operand::Arithmetic { .. } | Operand::Negated(_));
    let mut seen = HashSet::new();
    values(operand, view, steps, &mut |value| match value {
        FieldValue::Number(number) if is_sum && !seen.insert(number) => ControlFlow::Continue(()),
        value => each(value),
    });
}

/// The values of the right side, which meet each of the left one.
fn collected(
    operand: &Operand,
    view: &View<'_>,
    steps: &Steps<'_>,
) -> SmallVec<[FieldValue<'static>; 1]> {
    let mut all = SmallVec::new();
    distinct(operand, view, steps, &mut |value| {
        all.push(kept(value));
        match all.len() < MOST_RESULTS {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    all
}

/// The same without prefixes and regular expressions, which are no values.
fn values(
    operand: &Operand,
    view: &View<'_>,
    steps: &Steps<'_>,
    each: &mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>,
) {
    visit(operand, view, steps, &mut |value| match value {
        Compared::Value(value) => each(value),
        Compared::Prefix(address, _) => each(FieldValue::Ip(address)),
        Compared::Regex(_) => ControlFlow::Continue(()),
    });
}

fn visit_field<'a>(
    field: &FieldRef,
    view: &View<'a>,
    each: &mut dyn FnMut(FieldValue<'a>) -> ControlFlow<()>,
) {
    if field.layers.is_empty() {
        return field.field.visit(view, each);
    }
    // The innermost layer's number is needed where some are counted from it.
    let mut innermost = 0;
    if field.layers.iter().any(|l| l.first < 0 || l.last < Some(0)) {
        field.field.visit_layers(view, &mut |_, layer| {
            innermost = innermost.max(layer);
            ControlFlow::Continue(())
        });
    }
    let place = |n: i32| match n < 0 {
        true => i32::from(innermost) + 1 + n,
        false => n,
    };
    field.field.visit_layers(view, &mut |value, layer| {
        let layer = i32::from(layer);
        let inside =
            |l: &Layers| place(l.first) <= layer && l.last.is_none_or(|n| layer <= place(n));
        match field.layers.iter().any(inside) {
            true => each(value),
            false => ControlFlow::Continue(()),
        }
    });
}

pub(super) fn written(literal: &Literal) -> Compared<'_> {
    match literal {
        Literal::Number(number) => Compared::Value(FieldValue::Number(*number)),
        Literal::Bytes(bytes) => Compared::Value(FieldValue::Text(Cow::Borrowed(bytes))),
        Literal::Ip(address, None) => Compared::Value(FieldValue::Ip(*address)),
        Literal::Ip(address, Some(len)) => Compared::Prefix(*address, *len),
        Literal::Regex(regex) => Compared::Regex(&regex.compiled),
    }
}

/// Sequence numbers wrap around.
fn shifted(number: i128, plus: i64, field: &FieldRef) -> i128 {
    let sum = number + i128::from(plus);
    match field.field.kind {
        Kind::Unsigned(bits) => sum.rem_euclid(1 << bits),
        _ => sum,
    }
}

/// The parts one after the other; what lies beyond the value's end ends them, so that
/// nothing may be left. None of what has no bytes.
fn slice<'v>(value: FieldValue<'v>, ranges: &[SliceRange]) -> Option<Cow<'v, [u8]>> {
    let bytes = match value {
        FieldValue::Bytes(bytes) | FieldValue::Text(bytes) => bytes,
        FieldValue::Layer { header, bytes } => Cow::Borrowed(bytes.get(..header).unwrap_or(bytes)),
        FieldValue::Message(said) => said.sent(),
        FieldValue::Ip(IpAddr::V4(v4)) => Cow::Owned(v4.octets().to_vec()),
        FieldValue::Ip(IpAddr::V6(v6)) => Cow::Owned(v6.octets().to_vec()),
        FieldValue::Number(_) => return None,
    };
    if let ([range], Cow::Borrowed(whole)) = (ranges, &bytes) {
        return Some(Cow::Borrowed(part(whole, *range).unwrap_or_default()));
    }
    let mut parts = Vec::new();
    for range in ranges {
        let Some(part) = part(&bytes, *range) else {
            break;
        };
        parts.extend_from_slice(part);
    }
    Some(Cow::Owned(parts))
}

fn part(bytes: &[u8], range: SliceRange) -> Option<&[u8]> {
    let place = |n: i32| match usize::try_from(n) {
        Ok(n) => Some(n),
        Err(_) => bytes.len().checked_sub(n.unsigned_abs() as usize),
    };
    let start = place(range.start)?;
    let end = match range.end {
        SliceEnd::Length(len) => start.checked_add(len as usize)?,
        SliceEnd::Last(last) => place(last)? + 1,
        SliceEnd::Rest => bytes.len(),
    };
    bytes.get(start..end).filter(|part| !part.is_empty())
}

fn call(
    function: FilterFunction,
    arguments: &[Operand],
    view: &View<'_>,
    steps: &Steps<'_>,
    each: &mut Each<'_>,
) {
    let mut of_each = |change: &dyn Fn(FieldValue<'_>) -> Option<FieldValue<'static>>| {
        for argument in arguments {
            values(argument, view, steps, &mut |value| match change(value) {
                Some(value) => each(Compared::Value(value)),
                None => ControlFlow::Continue(()),
            });
        }
    };
    let number = |n: usize| Some(FieldValue::Number(n as i128));
    match function {
        FilterFunction::Len => of_each(&|value| number(len(&value, arguments))),
        FilterFunction::Upper => of_each(&|value| Some(owned(text(value)?.to_ascii_uppercase()))),
        FilterFunction::Lower => of_each(&|value| Some(owned(text(value)?.to_ascii_lowercase()))),
        FilterFunction::String => of_each(&|value| in_words(&value).map(FieldValue::owned)),
        FilterFunction::Abs => of_each(&|value| match value {
            FieldValue::Number(n) => Some(FieldValue::Number(n.abs())),
            _ => None,
        }),
        FilterFunction::Count => {
            let mut count = 0;
            for argument in arguments {
                values(argument, view, steps, &mut |_| {
                    count += 1;
                    ControlFlow::Continue(())
                });
            }
            if count > 0 {
                let _ = each(Compared::Value(FieldValue::Number(count)));
            }
        }
        FilterFunction::Max => extreme(arguments, Ordering::Greater, view, steps, each),
        FilterFunction::Min => extreme(arguments, Ordering::Less, view, steps, each),
    }
}

/// The largest or the smallest of all values.
fn extreme(
    arguments: &[Operand],
    wanted: Ordering,
    view: &View<'_>,
    steps: &Steps<'_>,
    each: &mut Each<'_>,
) {
    let mut best: Option<FieldValue<'static>> = None;
    for argument in arguments {
        values(argument, view, steps, &mut |value| {
            let better = |best: &FieldValue<'_>| order(&value, best) == Some(wanted);
            if best.as_ref().is_none_or(better) {
                best = Some(kept(value));
            }
            ControlFlow::Continue(())
        });
    }
    if let Some(best) = best {
        let _ = each(Compared::Value(best));
    }
}

/// The length in bytes; of a number, of its storage; as in Wireshark, truth values and
/// times have none.
fn len(value: &FieldValue<'_>, arguments: &[Operand]) -> usize {
    match value {
        FieldValue::Bytes(bytes) | FieldValue::Text(bytes) => bytes.len(),
        FieldValue::Layer { header, bytes } => (*header).min(bytes.len()),
        FieldValue::Message(said) => said.len(),
        FieldValue::Ip(IpAddr::V4(_)) => 4,
        FieldValue::Ip(IpAddr::V6(_)) => 16,
        FieldValue::Number(_) => match arguments.first().and_then(Operand::kind) {
            Some(Kind::Unsigned(bits) | Kind::Signed(bits)) => match bits {
                0..=8 => 1,
                9..=16 => 2,
                17..=24 => 3,
                25..=32 => 4,
                _ => 8,
            },
            Some(Kind::Bool | Kind::Time | Kind::Moment) => 0,
            _ => 8,
        },
    }
}

fn text(value: FieldValue<'_>) -> Option<Cow<'_, [u8]>> {
    match value {
        FieldValue::Text(text) | FieldValue::Bytes(text) => Some(text),
        _ => None,
    }
}

fn owned(text: Vec<u8>) -> FieldValue<'static> {
    FieldValue::Text(Cow::Owned(text))
}

/// As Wireshark writes numbers and addresses.
pub(super) fn in_words(value: &FieldValue<'_>) -> Option<String> {
    match value {
        FieldValue::Number(number) => Some(number.to_string()),
        FieldValue::Ip(address) => Some(address.to_string()),
        FieldValue::Bytes(bytes) => {
            let pairs: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
            Some(pairs.join(":"))
        }
        FieldValue::Text(_) | FieldValue::Layer { .. } | FieldValue::Message(_) => None,
    }
}

fn kept(value: FieldValue<'_>) -> FieldValue<'static> {
    match value {
        FieldValue::Number(n) => FieldValue::Number(n),
        FieldValue::Ip(address) => FieldValue::Ip(address),
        FieldValue::Bytes(bytes) => FieldValue::Bytes(Cow::Owned(bytes.into_owned())),
        FieldValue::Text(text) => FieldValue::Text(Cow::Owned(text.into_owned())),
        FieldValue::Layer { bytes, .. } => FieldValue::Bytes(Cow::Owned(bytes.to_vec())),
        FieldValue::Message(said) => FieldValue::Bytes(Cow::Owned(said.sent().into_owned())),
    }
}

/// None where there is no result: a division by zero, a number that does not
/// fit.
fn arithmetic(
    op: ArithmeticOp,
    left: &FieldValue<'_>,
    right: &FieldValue<'_>,
) -> Option<FieldValue<'static>> {
    if let (FieldValue::Number(a), FieldValue::Number(b)) = (left, right) {
        return match op {
            ArithmeticOp::BitAnd => Some(a & b),
            ArithmeticOp::Add => a.checked_add(*b),
            ArithmeticOp::Subtract => a.checked_sub(*b),
            ArithmeticOp::Multiply => a.checked_mul(*b),
            ArithmeticOp::Divide => a.checked_div(*b),
            ArithmeticOp::Remainder => a.checked_rem(*b),
        }
        .map(FieldValue::Number);
    }
    if op != ArithmeticOp::BitAnd {
        return None;
    }
    match (left, right) {
        (FieldValue::Ip(IpAddr::V4(a)), FieldValue::Ip(IpAddr::V4(b))) => {
            Some(FieldValue::Ip((*a & *b).into()))
        }
        (FieldValue::Ip(IpAddr::V6(a)), FieldValue::Ip(IpAddr::V6(b))) => {
            Some(FieldValue::Ip((*a & *b).into()))
        }
        _ => {
            let (left, right) = (bytes_of(left)?, bytes_of(right)?);
            let pairs = left.iter().zip(right.iter());
            let bits = pairs.map(|(a, b)| a & b).collect();
            Some(FieldValue::Bytes(Cow::Owned(bits)))
        }
    }
}

/// Is it a number that is not zero, or bytes that are not all zero?
pub(super) fn is_not_zero(value: &Compared<'_>) -> bool {
    match value {
        Compared::Value(FieldValue::Number(n)) => *n != 0,
        Compared::Value(FieldValue::Ip(address)) => !address.is_unspecified(),
        Compared::Value(value) => bytes_of(value).is_some_and(|b| b.iter().any(|b| *b != 0)),
        Compared::Prefix(..) | Compared::Regex(_) => false,
    }
}

pub(super) fn bytes_of<'v>(value: &'v FieldValue<'_>) -> Option<Cow<'v, [u8]>> {
    match value {
        FieldValue::Bytes(bytes) | FieldValue::Text(bytes) => Some(Cow::Borrowed(bytes)),
        FieldValue::Layer { bytes, .. } => Some(Cow::Borrowed(bytes)),
        FieldValue::Message(said) => Some(said.sent()),
        FieldValue::Number(_) | FieldValue::Ip(_) => None,
    }
}

/// None for values of different kinds, which the parser does not let through.
/// Text is ordered as in a dictionary; of bytes, the shorter comes first.
pub(super) fn order(left: &FieldValue<'_>, right: &FieldValue<'_>) -> Option<Ordering> {
    match (left, right) {
        (FieldValue::Number(a), FieldValue::Number(b)) => Some(a.cmp(b)),
        (FieldValue::Ip(a), FieldValue::Ip(b)) => Some(a.cmp(b)),
        (FieldValue::Text(a), FieldValue::Text(b)) => Some(a.cmp(b)),
        _ => {
            let (a, b) = (bytes_of(left)?, bytes_of(right)?);
            Some(a.len().cmp(&b.len()).then_with(|| a.cmp(&b)))
        }
    }
}

/// An address against a prefix: both are cut to the prefix's length.
pub(super) fn order_by_prefix(address: IpAddr, prefix: IpAddr, len: u8) -> Ordering {
    first_bits(address, len).cmp(&first_bits(prefix, len))
}

/// The first bits of an address, as a number.
fn first_bits(address: IpAddr, len: u8) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32u8),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    bits.checked_shr(width.saturating_sub(len).into())
        .unwrap_or(0)
}
