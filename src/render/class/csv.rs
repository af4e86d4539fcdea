//! The class as one table: a line for each submission, a column for each case.

use crate::grade::{Graded, points};
use crate::render::csv::Row;

/// The first line.
pub fn heading(class: &crate::grade::Class, out: &mut Vec<u8>) {
    let mut row = Row::new(out);
    for name in ["submission", "key", "grade", "score", "points", "pending"] {
        row.text(name);
    }
    for case in &class.cases {
        row.text(&case.name);
    }
}

/// One submission's line. A case that could not be judged has an empty cell:
/// a zero would be a grade.
pub fn line(graded: &Graded<'_>, out: &mut Vec<u8>) {
    let mut row = Row::new(out);
    row.text(&graded.submission.name);
    row.text(&graded.submission.key);
    row.text(super::word(graded.grade()));
    row.number(points(graded.score()));
    row.number(points(graded.class.points()));
    row.number(points(graded.pending()));
    for (_, result) in graded.cases() {
        row.maybe(result.and_then(|result| result.score).map(points));
    }
}
