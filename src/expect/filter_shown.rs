//! What a packet has in the fields that a filter asks for: why the filter does
//! not hold.

use super::ast::{Filter, Operand};
use super::fields::{Field, FieldValue, Kind, Reading, View};
use super::filter_values::in_words;
use super::matching::Names;
use super::notation::quoted;
use crate::trace::Trace;

/// Fields shown, and values of each.
const MOST: usize = 4;

/// `udp.length is 35; syn.tcp.seq is 0`. None where the filter names no field.
/// `names`: what steps are called whose fields the filter asks for.
pub fn shown(
    trace: &Trace,
    packet: usize,
    filter: &Filter,
    reading: Reading,
    names: &Names,
) -> Option<String> {
    let mut asked: Vec<(Option<&str>, &Field)> = Vec::new();
    filter.operands(&mut |operand| {
        let step = match operand {
            Operand::OfStep { step, .. } => Some(step.as_str()),
            _ => None,
        };
        operand.fields(&mut |field| {
            if !asked.contains(&(step, field.field)) {
                asked.push((step, field.field));
            }
        });
    });
    let shown: Vec<String> = asked
        .iter()
        .filter_map(|(step, field)| {
            Some(match step {
                None => field_in_words(field.name, field, &View::new(trace, packet, reading)?),
                Some(step) => {
                    let view = View::new(trace, names.get(step)?.packet, Reading::Own)?;
                    field_in_words(&format!("{step}.{}", field.name), field, &view)
                }
            })
        })
        .take(MOST)
        .collect();
    (!shown.is_empty()).then(|| shown.join("; "))
}

fn field_in_words(name: &str, field: &Field, view: &View<'_>) -> String {
    let values = field.values(view);
    let words: Vec<String> = values
        .iter()
        .take(MOST)
        .map(|value| value_in_words(value, field.kind))
        .collect();
    match words.as_slice() {
        [] => format!("{name} is not in the packet"),
        _ => format!("{name} is {}", words.join(" and ")),
    }
}

fn value_in_words(value: &FieldValue<'_>, kind: Kind) -> String {
    match (value, kind) {
        (FieldValue::Layer { .. } | FieldValue::Message(_), _) | (_, Kind::Label) => {
            "there".to_owned()
        }
        (FieldValue::Text(text), _) => quoted(text),
        // A long payload says less than its beginning.
        (FieldValue::Bytes(bytes), Kind::Bytes) => quoted(bytes),
        (FieldValue::Number(nanos), Kind::Time) => {
            let sign = if *nanos < 0 { "-" } else { "" };
            let nanos = nanos.unsigned_abs();
            let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            let rest = format!("{rest:09}");
            let rest = rest.trim_end_matches('0');
            let point = if rest.is_empty() { "" } else { "." };
            format!("{sign}{seconds}{point}{rest}")
        }
        (value, _) => in_words(value).unwrap_or_default(),
    }
}
