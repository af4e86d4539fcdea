//! The JSON that the graders of GitHub Classroom hand to its reporter
//! (`classroom-resources/autograding-grading-reporter`), which wants it in Base64 in
//! the variable `RUNNER_RESULTS`.
//!
//! The reporter adds the scores of all tests up, so that each must have one. A case
//! that could not be judged has status `error`, which makes the whole an error: the
//! reporter then fails, and shows no result as if it were one.

use serde::Serialize;

use super::{grade_of, is_visible, reason};
use crate::grade::{Grade, Graded};

#[derive(Serialize)]
struct Results {
    version: u8,
    status: &'static str,
    max_score: f64,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    status: &'static str,
    score: f64,
    max_score: f64,
    message: String,
    test_code: String,
    filename: String,
    line_no: usize,
    /// Milliseconds, as the graders write it.
    execution_time: String,
}

fn status(grade: Grade) -> &'static str {
    match grade {
        Grade::Pass => "pass",
        Grade::Fail => "fail",
        Grade::Inconclusive => "error",
    }
}

/// The document of one submission. Hidden cases have a name and a score only: the
/// student reads the log.
pub fn results(graded: &Graded<'_>) -> serde_json::Result<Vec<u8>> {
    let tests = graded.cases().map(|(case, result)| {
        let place = result
            .into_iter()
            .flat_map(|result| &result.checks)
            .find(|check| check.grade != Grade::Pass)
            .and_then(|check| check.place.clone())
            .unwrap_or_default();
        let shown = is_visible(case);
        Test {
            name: super::visible(&case.name),
            status: status(grade_of(result)),
            score: result.and_then(|result| result.score).unwrap_or_default(),
            max_score: case.points,
            message: if shown { reason(result) } else { String::new() },
            test_code: String::new(),
            filename: if shown { place.0 } else { String::new() },
            line_no: if shown { place.1 } else { 0 },
            execution_time: result
                .map(|result| format!("{:.0}ms", result.duration_ms))
                .unwrap_or_default(),
        }
    });
    serde_json::to_vec(&Results {
        version: 1,
        status: status(graded.grade()),
        max_score: graded.class.points(),
        tests: tests.collect(),
    })
}
