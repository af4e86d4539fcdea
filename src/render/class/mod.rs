//! A graded class: one table of all, and a report for each submission, in the
//! formats of those who read them. They see results only and print nothing.
//!
//! Names of submissions are hostile text, as is what programs wrote.

pub mod annotations;
pub mod classroom;
pub mod csv;
pub mod gradescope;
pub mod html;
pub mod json;
pub mod junit;
pub mod tap;
pub mod text;

use super::text::visible;
use crate::grade::{CaseResult, ClassCase, Grade, Visibility, points};

/// For a case without a result, or without a verdict.
const NOT_JUDGED: &str = "could not be judged: this is not the submission's fault";

fn word(grade: Grade) -> &'static str {
    match grade {
        Grade::Pass => "pass",
        Grade::Fail => "fail",
        Grade::Inconclusive => "inconclusive",
    }
}

fn mark(grade: Grade) -> &'static str {
    match grade {
        Grade::Pass => "✓",
        Grade::Fail => "✗",
        Grade::Inconclusive => "?",
    }
}

fn grade_of(result: Option<&CaseResult>) -> Grade {
    result.map_or(Grade::Inconclusive, |result| result.grade)
}

/// `2.5/10`; `?/10` where it is not known.
fn out_of(case: &ClassCase, result: Option<&CaseResult>) -> String {
    let score = result.and_then(|result| result.score);
    let score = score.map_or_else(|| "?".to_owned(), points);
    format!("{score}/{}", points(case.points))
}

/// Why not all points, in one line.
fn reason(result: Option<&CaseResult>) -> String {
    match result {
        Some(result) if result.grade == Grade::Inconclusive => {
            format!("{NOT_JUDGED}: {}", visible(&result.message))
        }
        Some(result) => visible(&result.message),
        None => "not graded yet".to_owned(),
    }
}

fn is_visible(case: &ClassCase) -> bool {
    case.visibility == Visibility::Visible
}
