//! Plain text: a submission's own report, and its line in the class.

use super::{NOT_JUDGED, is_visible, mark, out_of, reason, word};
use crate::grade::{Grade, Graded, points};
use crate::render::text::{cut, visible, width};

/// A submission's report, for the student: what is hidden is counted, not told.
pub fn report(graded: &Graded<'_>) -> String {
    let class = graded.class;
    let title = class.title.as_deref().unwrap_or(&class.suite);
    let mut text = format!(
        "{}\n{}\n\n",
        visible(title),
        visible(&graded.submission.name)
    );
    let mut hidden = 0;
    for (case, result) in graded.cases() {
        if !is_visible(case) {
            hidden += 1;
            continue;
        }
        let grade = super::grade_of(result);
        text.push_str(&format!(
            "{} {}  {} points\n",
            mark(grade),
            visible(&case.name),
            out_of(case, result)
        ));
        if grade != Grade::Pass {
            text.push_str(&format!("  {}\n", reason(result)));
        }
        if let (Grade::Fail, Some(hint)) = (grade, &case.hint) {
            text.push_str(&format!("  Hint: {}\n", visible(hint)));
        }
    }
    if hidden > 0 {
        let are = if hidden == 1 { "is" } else { "are" };
        text.push_str(&format!("  {hidden} more {are} not shown\n"));
    } else {
        text.push_str(&format!("\n{}\n", total(graded)));
    }
    for (case, result) in graded.cases().filter(|(case, _)| is_visible(case)) {
        let Some(result) = result.filter(|r| r.grade != Grade::Pass && !r.text.trim().is_empty())
        else {
            continue;
        };
        let name = visible(&case.name);
        let line = "─".repeat(width(&name).min(80));
        text.push_str(&format!("\n{name}\n{line}\n{}\n", result.text.trim_end()));
    }
    text
}

/// `12.5 of 20 points`, with what is open.
pub fn total(graded: &Graded<'_>) -> String {
    let mut text = format!(
        "{} of {} points",
        points(graded.score()),
        points(graded.class.points())
    );
    let pending = graded.pending();
    if pending > 0.0 {
        text.push_str(&format!("; {} more {NOT_JUDGED}", points(pending)));
    }
    text
}

/// One line for the screen. It begins with a mark, so that no name can be taken
/// for a command of those who read logs.
pub fn line(graded: &Graded<'_>, columns: usize) -> String {
    let room = columns.saturating_sub(40).clamp(10, 40);
    let name = cut(&visible(&graded.submission.name), room, "…");
    let fill = " ".repeat(room.saturating_sub(width(&name)));
    let mut parts = vec![format!(
        "{}/{}",
        points(graded.score()),
        points(graded.class.points())
    )];
    for grade in [Grade::Fail, Grade::Inconclusive] {
        let count = graded
            .cases()
            .filter(|(_, result)| super::grade_of(*result) == grade)
            .count();
        if count > 0 {
            parts.push(format!("{count} {}", word(grade)));
        }
    }
    format!(
        "{} {name}{fill}  {}\n",
        mark(graded.grade()),
        parts.join(" · ")
    )
}
