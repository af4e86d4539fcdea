//! One submission as one JSON document.

use serde::Serialize;

use crate::grade::{CaseResult, Grade, Graded, ResultsSchema};
use crate::render::json;

#[derive(Serialize)]
struct Document<'a> {
    schema: ResultsSchema,
    suite: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    submission: &'a str,
    key: &'a str,
    grade: Grade,
    score: f64,
    points: f64,
    /// Points of cases that could not be judged.
    pending: f64,
    cases: Vec<&'a CaseResult>,
}

/// The document, on one line. All of it, also what students do not see.
pub fn document(graded: &Graded<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    let document = Document {
        schema: ResultsSchema::V1,
        suite: &graded.class.suite,
        title: graded.class.title.as_deref(),
        submission: &graded.submission.name,
        key: &graded.submission.key,
        grade: graded.grade(),
        score: graded.score(),
        points: graded.class.points(),
        pending: graded.pending(),
        cases: graded.cases().filter_map(|(_, result)| result).collect(),
    };
    json::line(&document, &mut line);
    line
}
