//! `[expect]`: names, statements (unread) and what a gradebook wants to know.

use toml::de::DeValue;

use super::reader::{Entry, Reader};
use super::{ExpectationText, codes, strings};

pub(super) const KEYS: [&str; 4] = ["text", "points", "hint", "visibility"];

/// Gradescope's words for who sees a result, and when.
pub(crate) const VISIBILITY: [(&str, &str); 4] = [
    ("visible", "visible"),
    ("hidden", "hidden"),
    ("after_due_date", "after_due_date"),
    ("after_published", "after_published"),
];

/// One key of `[expect]`: a string, or a table with `text`.
pub(super) fn expectation<'t>(
    reader: &mut Reader<'t>,
    entry: &Entry<'t>,
) -> Option<ExpectationText> {
    if entry.name.trim().is_empty() {
        reader.error(
            codes::VALUE,
            entry.key.clone(),
            "an expectation needs a name",
            "empty",
            Some("say what must be true: \"the kernel refuses at once\" = \"…\"".to_owned()),
        );
    }
    if entry.value.is_str() {
        return statements(reader, entry, entry.name);
    }
    let example = format!("\"{}\" = {{ text = \"no udp\", points = 2 }}", entry.name);
    if !entry.value.is_table() {
        let help = Some(format!("write {example}"));
        reader.wrong_type(entry, "a string with statements, or a table", help);
        return None;
    }
    let (mut hint, mut points, mut visibility, mut out) = (None, None, None, None);
    let items = reader.table(entry, &example)?;
    for item in &items {
        match item.name {
            "text" => out = statements(reader, item, entry.name),
            "hint" => hint = reader.string(item).map(str::to_owned),
            "points" => points = self::points(reader, item),
            "visibility" => {
                visibility = reader.choice(item, &VISIBILITY).map(str::to_owned);
            }
            _ => reader.unknown_key(item, "an expectation", &KEYS),
        }
    }
    if !items.iter().any(|item| item.name == "text") {
        reader.absent(
            codes::MISSING,
            entry.key.clone(),
            "this expectation has no statements",
            "`text` is missing",
            Some(format!("write {example}")),
        );
    }
    out.map(|out| ExpectationText {
        hint,
        points,
        visibility,
        ..out
    })
}

fn statements<'t>(
    reader: &mut Reader<'t>,
    field: &Entry<'t>,
    name: &str,
) -> Option<ExpectationText> {
    let text = reader.string(field)?;
    Some(ExpectationText {
        name: name.to_owned(),
        text: text.to_owned(),
        hint: None,
        points: None,
        visibility: None,
        offsets: strings::offsets(reader.text, field.place.clone(), text),
    })
}

pub(crate) fn points(reader: &mut Reader<'_>, field: &Entry<'_>) -> Option<f64> {
    let number = match field.value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number as f64),
        DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
        _ => {
            reader.wrong_type(field, "a number", Some("as in points = 2".to_owned()));
            return None;
        }
    };
    let points = number.filter(|number| (0.0..=1e6).contains(number));
    if points.is_none() {
        reader.error(
            codes::VALUE,
            field.place.clone(),
            "`points` must lie between 0 and 1000000",
            "out of range",
            Some("as in points = 2".to_owned()),
        );
    }
    points
}
