//! JUnit XML: a suite for each submission, a case for each of the suite's.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{grade_of, reason};
use crate::grade::{Grade, Graded};
use crate::render::text::visible;

/// Writes one document for the whole class.
pub fn write<'a>(
    class: impl Iterator<Item = Graded<'a>>,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut document = quick_junit::Report::new("netlab-capture grade");
    document.add_test_suites(class.map(|graded| suite(&graded)));
    document.serialize(output).map_err(io::Error::other)
}

fn suite(graded: &Graded<'_>) -> TestSuite {
    let name = visible(&graded.submission.name);
    let mut suite = TestSuite::new(&name);
    for (case, result) in graded.cases() {
        let kind = match grade_of(result) {
            Grade::Pass => None,
            Grade::Fail => Some((NonSuccessKind::Failure, "fail")),
            Grade::Inconclusive => Some((NonSuccessKind::Error, "inconclusive")),
        };
        let status = match kind {
            None => TestCaseStatus::success(),
            Some((kind, what)) => {
                let mut status = TestCaseStatus::non_success(kind);
                status.set_type(what);
                status.set_message(reason(result));
                if let Some(result) = result {
                    status.set_description(result.text.as_str());
                }
                status
            }
        };
        let mut case = TestCase::new(visible(&case.name), status);
        case.set_classname(&name);
        if let Some(result) = result {
            case.set_time(
                Duration::try_from_secs_f64(result.duration_ms / 1e3).unwrap_or_default(),
            );
        }
        suite.add_test_case(case);
    }
    suite
}
