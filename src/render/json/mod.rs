//! JSON Lines: one document on one line for each report, or one object on one
//! line for each packet, conversation or transaction. What a terminal would act on is
//! escaped in all of it.

mod compact;

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::report::Report;

/// Writes the report on one line. Fails only where `output` does.
pub fn write(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *output, Harmless);
    report.serialize(&mut serializer)?;
    output.write_all(b"\n")
}

/// Writes as [`compact`] does, straight into what takes it: a report may be longer than
/// the memory that is there.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        writer.write_all(&compact::escaped(fragment))
    }
}

/// Appends a part of the report, without a line feed. Nothing is allocated but
/// room in `out`.
pub fn value(part: &impl Serialize, out: &mut Vec<u8>) {
    // Writing to a Vec does not fail, and no part has keys that are no text.
    let _ = part.serialize(compact::Compact(out));
}

/// Appends what follows in a document whose schema, packets, messages and
/// conversations were written: the other members, each behind a comma, and the
/// closing brace.
pub fn rest(report: &Report, out: &mut Vec<u8>) {
    let start = out.len();
    value(&report.rest(), out);
    if let Some(brace) = out.get_mut(start) {
        *brace = b',';
    }
}

/// What each object of several files begins with: its first member.
pub fn file(name: &str) -> Vec<u8> {
    let mut out = b"{\"file\":".to_vec();
    value(&name, &mut out);
    out
}

/// Appends a part of the report on one line: a conversation, a message. Nothing is
/// allocated but room in `out`.
pub fn line(part: &impl Serialize, out: &mut Vec<u8>) {
    value(part, out);
    out.push(b'\n');
}
