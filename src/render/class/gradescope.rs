//! `results.json` as Gradescope's autograder specification has it
//! (<https://gradescope-autograders.readthedocs.io/en/latest/specs/>).
//!
//! A case that could not be judged has no `score` and no `status`: Gradescope knows
//! only passed and failed. The whole has a `score` of what is sure, and says in its
//! `output` that points are missing, and why.

use serde::Serialize;

use super::{grade_of, reason};
use crate::grade::{Grade, Graded, Visibility, points};

#[derive(Serialize)]
struct Results {
    score: f64,
    /// Seconds.
    execution_time: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    output: String,
    /// What the autograder printed is the instructor's.
    stdout_visibility: &'static str,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    max_score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    name: String,
    name_format: &'static str,
    number: String,
    output: String,
    output_format: &'static str,
    visibility: Visibility,
}

/// The document of one submission.
pub fn results(graded: &Graded<'_>) -> serde_json::Result<Vec<u8>> {
    let pending = graded.pending();
    let output = match pending > 0.0 {
        true => format!(
            "{} of {} points could not be judged. That is not your fault: ask for the autograder to be run again.",
            points(pending),
            points(graded.class.points())
        ),
        false => String::new(),
    };
    let tests = graded.cases().enumerate().map(|(index, (case, result))| {
        let grade = grade_of(result);
        let mut output = reason(result);
        if let (Grade::Fail, Some(hint)) = (grade, &case.hint) {
            output.push_str(&format!("\nHint: {}", super::visible(hint)));
        }
        if let Some(result) = result.filter(|_| grade != Grade::Pass) {
            output.push_str(&format!("\n\n{}", result.text));
        }
        Test {
            score: result.and_then(|result| result.score),
            max_score: case.points,
            status: match grade {
                Grade::Pass => Some("passed"),
                Grade::Fail => Some("failed"),
                Grade::Inconclusive => None,
            },
            name: super::visible(&case.name),
            name_format: "text",
            number: (index + 1).to_string(),
            output,
            output_format: "text",
            visibility: case.visibility,
        }
    });
    let tests: Vec<Test> = tests.collect();
    let milliseconds: f64 = graded
        .cases()
        .filter_map(|(_, result)| Some(result?.duration_ms))
        .sum();
    serde_json::to_vec_pretty(&Results {
        score: graded.score(),
        execution_time: milliseconds / 1e3,
        output,
        stdout_visibility: "hidden",
        tests,
    })
}
