//! TAP version 14: one test point for each expectation, named
//! `SCENARIO: EXPECTATION`.
//!
//! TAP knows no third verdict: an inconclusive expectation is `not ok`, and
//! its diagnostic says `verdict: inconclusive`.

use std::io::{self, Write};

use super::explain::explain;
use super::text::{visible, visible_lines};
use crate::report::{Expectation, Report, Verdict};

/// Writes one stream for all reports.
pub fn write(reports: &[Report], output: &mut impl Write) -> io::Result<()> {
    let points: Vec<Point<'_>> = reports.iter().flat_map(points).collect();
    writeln!(output, "TAP version 14")?;
    writeln!(output, "1..{}", points.len())?;
    for (index, point) in points.iter().enumerate() {
        let status = if point.verdict == Verdict::Pass {
            "ok"
        } else {
            "not ok"
        };
        let number = index + 1;
        let scenario = escaped(point.scenario);
        let name = escaped(point.name);
        writeln!(output, "{status} {number} - {scenario}: {name}")?;
        if point.verdict != Verdict::Pass {
            diagnostic(point, output)?;
        }
    }
    Ok(())
}

struct Point<'a> {
    scenario: &'a str,
    name: &'a str,
    verdict: Verdict,
    explanation: String,
    evidence: &'a [u64],
}

fn points(report: &Report) -> Vec<Point<'_>> {
    let error = report.error.as_ref().map(|error| Point {
        scenario: report.name(),
        name: "run",
        verdict: Verdict::Error,
        explanation: visible_lines(&error.message),
        evidence: &[],
    });
    let expectation = |e: &'_ Expectation| explain(e);
    let expectations = report.expectations.iter().map(|e| Point {
        scenario: report.name(),
        name: &e.name,
        verdict: e.verdict,
        explanation: expectation(e),
        evidence: &e.evidence,
    });
    error.into_iter().chain(expectations).collect()
}

/// The YAML block of a test point.
fn diagnostic(point: &Point<'_>, output: &mut impl Write) -> io::Result<()> {
    let verdict = match point.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Error => "error",
    };
    writeln!(output, "  ---")?;
    writeln!(output, "  verdict: {verdict}")?;
    if !point.evidence.is_empty() {
        let numbers: Vec<String> = point.evidence.iter().map(u64::to_string).collect();
        writeln!(output, "  packets: [{}]", numbers.join(", "))?;
    }
    writeln!(output, "  message: |")?;
    for line in point.explanation.lines() {
        writeln!(output, "{}", format!("    {line}").trim_end())?;
    }
    writeln!(output, "  ...")
}

/// A description in which nothing is taken for a directive.
pub(super) fn escaped(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('#', "\\#")
}
