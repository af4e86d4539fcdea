//! What a comparison that turned out false says.

use super::World;
use super::selected::packets;
use super::value::{self, Datum};
use crate::expect::ast::{Function, Op, Spanned, Value};
use crate::expect::outcome::Failure;
use crate::expect::{advice, failures, quoted};

/// A comparison that turned out false, for a reader.
pub(super) fn broken(
    world: &World<'_>,
    left: &Spanned<Value>,
    op: &Spanned<Op>,
    right: &Spanned<Value>,
    is: &Datum<'_>,
    wanted: Option<&Datum<'_>>,
) -> Failure {
    let subject = world.written(&left.span);
    let (shown, asked) = match wanted {
        // As its author wrote it, to the last digit.
        Some(wanted) if matches!(right.value, Value::Number(_) | Value::Duration(_)) => {
            let written = world.written(&right.span).to_owned();
            (is.shown_beside(wanted), written)
        }
        Some(wanted) => (is.shown_beside(wanted), wanted.shown_beside(is)),
        None => (is.shown(), world.written(&right.span).to_owned()),
    };
    let relation = match op.value {
        Op::Eq => format!("not {asked}"),
        Op::Ne => format!("and must not be {asked}"),
        Op::Lt => format!("not less than {asked}"),
        Op::Le => format!("not at most {asked}"),
        Op::Gt => format!("not greater than {asked}"),
        Op::Ge => format!("not at least {asked}"),
        Op::Contains => format!("which does not contain {asked}"),
        Op::Matches => format!("which does not match {asked}"),
    };
    // Of a word like REJ, the first differing letter tells nothing.
    let is_content = match &left.value {
        Value::Member { path, .. } | Value::Own(path) => path.last().is_some_and(|f| f == "body"),
        Value::Program { path, .. } => path.last().is_some_and(|f| f != "ended"),
        // Two digests differ in most of their digits.
        Value::Call { function, .. } => *function != Function::Sha256,
        _ => true,
    };
    let difference = match (op.value, is, wanted) {
        (Op::Eq, Datum::Bytes(is), Some(Datum::Bytes(wanted))) if is_content => {
            Some(value::first_difference(wanted, is))
        }
        _ => None,
    };
    let mut notes = Vec::new();
    for side in [&left.value, &right.value] {
        if let Value::Packets(which) = side
            && let Ok(found) = packets(world, which)
        {
            notes.extend(quoted::note(world, which, &found.packets));
        }
    }
    if let (Datum::Bytes(is), Some(Datum::Bytes(wanted))) = (is, wanted) {
        notes.extend(match op.value {
            Op::Eq if is_content => advice::of_text(is, wanted),
            Op::Eq if is.eq_ignore_ascii_case(wanted) => Some(advice::ONLY_CASE.to_owned()),
            Op::Contains if contains_in_other_case(is, wanted) => {
                Some(advice::ONLY_CASE.to_owned())
            }
            _ => None,
        });
    }
    if let Value::Member { path, .. } | Value::Own(path) = &left.value {
        notes.extend(value::meaning(path, is));
        if op.value == Op::Eq {
            notes.extend(wanted.and_then(|w| value::meaning(path, w)));
        }
    }
    Failure {
        span: Some(left.span.start..right.span.end),
        expected: Some(world.written(&(left.span.start..right.span.end)).to_owned()),
        actual: Some(format!("{subject} is {shown}")),
        difference,
        notes,
        ..Failure::new(
            failures::FALSE,
            format!("{subject} is {shown}, {relation}."),
        )
    }
}

fn contains_in_other_case(haystack: &[u8], needle: &[u8]) -> bool {
    let haystack = haystack.to_ascii_lowercase();
    memchr::memmem::find(&haystack, &needle.to_ascii_lowercase()).is_some()
}
