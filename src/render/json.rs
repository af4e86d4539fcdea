//! JSON Lines: one document on one line for each report.

use std::io::{self, Write};

use crate::report::Report;

/// Writes the report on one line. Fails only where `output` does.
pub fn write(report: &Report, output: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *output, report)?;
    output.write_all(b"\n")
}
