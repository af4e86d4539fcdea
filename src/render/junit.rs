//! JUnit XML: a suite for each report, a case for each expectation.
//!
//! A failed expectation is a `failure`. An inconclusive one is an `error`: the
//! test could not be carried out, which neither a green nor a red build should
//! hide. What kept a whole scenario from being judged is an `error` too, of a
//! case of its own named `run`.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::explain::explain;
use super::text::{visible, visible_lines};
use crate::report::{Expectation, Program, Report, Verdict};

/// Writes one document for all reports. Characters that XML cannot hold are
/// shown as escapes.
pub fn write(reports: &[Report], output: &mut impl Write) -> io::Result<()> {
    let mut document = quick_junit::Report::new("netlab-capture");
    let total: f64 = reports.iter().filter_map(|r| r.duration_ms).sum();
    document.set_time(seconds(total));
    document.add_test_suites(reports.iter().map(suite));
    document.serialize(output).map_err(io::Error::other)
}

fn suite(report: &Report) -> TestSuite {
    let name = visible(report.name());
    let mut suite = TestSuite::new(&name);
    if let Some(duration) = report.duration_ms {
        suite.set_time(seconds(duration));
    }
    if let Some(capture) = &report.capture {
        suite.add_property(("capture", visible(&capture.file).as_str()));
    }
    let cases = report.expectations.iter().map(case);
    for mut case in error_case(report).into_iter().chain(cases) {
        case.set_classname(&name);
        suite.add_test_case(case);
    }
    if report.verdict != Some(Verdict::Pass) {
        let stdout = output(&report.programs, |p| &p.stdout);
        let stderr = output(&report.programs, |p| &p.stderr);
        if !stdout.is_empty() {
            suite.set_system_out(stdout);
        }
        if !stderr.is_empty() {
            suite.set_system_err(stderr);
        }
    }
    suite
}

fn case(expectation: &Expectation) -> TestCase {
    let status = match expectation.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => unsuccessful(expectation, NonSuccessKind::Failure, "expectation"),
        Verdict::Inconclusive | Verdict::Error => {
            unsuccessful(expectation, NonSuccessKind::Error, "inconclusive")
        }
    };
    TestCase::new(visible(&expectation.name), status)
}

fn unsuccessful(expectation: &Expectation, kind: NonSuccessKind, what: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(what);
    if let Some(detail) = &expectation.detail {
        status.set_message(visible(&detail.message));
        status.set_description(explain(expectation));
    }
    status
}

fn error_case(report: &Report) -> Option<TestCase> {
    let error = report.error.as_ref()?;
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("error");
    let first = error.message.lines().next().unwrap_or("");
    status.set_message(visible(first));
    status.set_description(visible_lines(&error.message));
    Some(TestCase::new("run", status))
}

/// What the programs wrote, each under its role.
fn output(programs: &[Program], stream: impl Fn(&Program) -> &String) -> String {
    let written = programs.iter().filter(|p| !stream(p).is_empty());
    let parts: Vec<String> = written
        .map(|p| format!("[{}]\n{}", visible(&p.role), visible_lines(stream(p))))
        .collect();
    parts.join("\n")
}

fn seconds(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()
}
