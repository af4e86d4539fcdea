//! What a packet has in the fields that a filter asks for: why the filter does
//! not hold.

use super::ast::{FieldRef, Filter};
use super::fields::{FieldValue, Kind, Reading, View};
use super::filter_values::in_words;
use super::notation::quoted;
use crate::trace::Trace;

/// Fields shown, and values of each.
const MOST: usize = 4;

/// `udp.length is 35; ip.ttl is 64`. None where the filter names no field.
pub fn shown(trace: &Trace, packet: usize, filter: &Filter, reading: Reading) -> Option<String> {
    let view = View::new(trace, packet, reading)?;
    let mut fields: Vec<&FieldRef> = Vec::new();
    filter.operands(&mut |operand| {
        operand.fields(&mut |field| {
            if !fields.iter().any(|seen| seen.field == field.field) {
                fields.push(field);
            }
        });
    });
    let shown: Vec<String> = fields
        .iter()
        .take(MOST)
        .map(|field| {
            let name = field.field.name;
            let values = field.field.values(&view);
            let words: Vec<String> = values
                .iter()
                .take(MOST)
                .map(|value| value_in_words(value, field.field.kind))
                .collect();
            match words.as_slice() {
                [] => format!("{name} is not in the packet"),
                _ => format!("{name} is {}", words.join(" and ")),
            }
        })
        .collect();
    (!shown.is_empty()).then(|| shown.join("; "))
}

fn value_in_words(value: &FieldValue<'_>, kind: Kind) -> String {
    match (value, kind) {
        (FieldValue::Layer { .. }, _) | (_, Kind::Label) => "there".to_owned(),
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
