//! From a report's verdicts to points.

use super::model::{CaseResult, Check, Grade, Submission};
use super::suite::{Case, Visibility};
use crate::report::{ErrorCode, Expectation, Report, Verdict};

/// What a case's report comes to. A report that tells of our own trouble, or of
/// missing evidence, comes to no points and no lack of them.
///
/// Where expectations of the scenario carry points, the case's points are given in
/// proportion; else all of them or none.
pub fn case_result(
    case: &Case,
    submission: &Submission,
    report: &Report,
    attempts: u32,
    text: String,
) -> CaseResult {
    let (grade, share) = judged(report);
    let capture = report.capture.as_ref();
    CaseResult {
        submission: submission.key.clone(),
        digest: submission.digest.clone(),
        case: case.name.clone(),
        grade,
        score: share.map(|share| case.points * share),
        attempts,
        duration_ms: report.duration_ms.unwrap_or_default(),
        packets: capture.map_or(0, |capture| capture.packets),
        complete: capture
            .and_then(|capture| capture.proof.as_ref())
            .is_some_and(|proof| proof.complete),
        message: message(
            &case.run.keys().map(String::as_str).collect::<Vec<_>>(),
            report,
            grade,
        ),
        checks: report.expectations.iter().map(check).collect(),
        text,
        capture: None,
    }
}

fn grade_of(verdict: Verdict) -> Grade {
    match verdict {
        Verdict::Pass => Grade::Pass,
        Verdict::Fail => Grade::Fail,
        Verdict::Inconclusive | Verdict::Error => Grade::Inconclusive,
    }
}

/// The grade, and the share of the points, where that is known.
fn judged(report: &Report) -> (Grade, Option<f64>) {
    let ours = report.error.as_ref().is_some_and(|error| {
        matches!(
            error.code,
            ErrorCode::Environment | ErrorCode::Internal | ErrorCode::DamagedCapture
        )
    });
    let grade = match report.verdict {
        Some(verdict) if !ours => grade_of(verdict),
        _ => Grade::Inconclusive,
    };
    if grade == Grade::Inconclusive {
        return (grade, None);
    }
    let weighed = report
        .expectations
        .iter()
        .filter_map(|expectation| Some((expectation.points?, grade_of(expectation.verdict))));
    let (mut all, mut earned, mut unknown) = (0.0, 0.0, false);
    for (points, grade) in weighed {
        all += points;
        match grade {
            Grade::Pass => earned += points,
            Grade::Fail => {}
            Grade::Inconclusive => unknown |= points > 0.0,
        }
    }
    if unknown {
        (Grade::Inconclusive, None)
    } else if all > 0.0 {
        (grade, Some(earned / all))
    } else {
        (grade, Some(f64::from(u8::from(grade == Grade::Pass))))
    }
}

/// The error, or the first expectation that was not met, with what is noted of it.
/// How a program ended that is not the submission's comes last: mostly, it followed
/// from what the submission's did.
fn message(roles: &[&str], report: &Report, grade: Grade) -> String {
    if let Some(error) = &report.error {
        return error.message.lines().next().unwrap_or_default().to_owned();
    }
    let wanted = |verdict: Verdict| match grade {
        Grade::Pass => false,
        Grade::Fail => verdict == Verdict::Fail,
        Grade::Inconclusive => matches!(verdict, Verdict::Inconclusive | Verdict::Error),
    };
    let is_of_another = |e: &Expectation| {
        let is_of = |role: &&str| {
            e.name
                .strip_prefix(role)
                .is_some_and(|rest| rest.starts_with(' '))
        };
        e.implied && !roles.iter().any(is_of)
    };
    let unmet: Vec<&Expectation> = report
        .expectations
        .iter()
        .filter(|e| wanted(e.verdict) && is_visible(e.visibility.as_deref()))
        .collect();
    // An exit code or an output that is wrong tells less than the packets that it
    // follows from. Where it does not, they point at the program.
    let packets_tell = unmet.iter().find(|e| !e.implied).is_some_and(|e| {
        let notes = e.detail.iter().flat_map(|detail| &detail.notes);
        !notes
            .into_iter()
            .any(|note| note.starts_with("First look at "))
    });
    let is_symptom = |e: &Expectation| {
        packets_tell
            && e.implied
            && e.detail.as_ref().is_some_and(|detail| match detail.code {
                // Exit code, output, still waiting.
                "F025" | "F028" | "F022" => true,
                // Its time was up: who computed has no other cause.
                "F027" => detail
                    .notes
                    .iter()
                    .any(|n| n.contains("was waiting for data")),
                _ => false,
            })
    };
    let first = unmet
        .iter()
        .min_by_key(|e| (is_of_another(e), is_symptom(e)));
    first.map(|e| in_short(e)).unwrap_or_default()
}

/// What is said of it, in a line.
fn in_short(expectation: &Expectation) -> String {
    /// Sentences noted beside the message.
    const NOTES: usize = 3;
    let Some(detail) = &expectation.detail else {
        return expectation.name.clone();
    };
    // A program's own words are quoted below what introduces them. The last are the
    // most telling.
    let is_quoted = |note: &&String| note.starts_with(' ');
    let wrote = detail.notes.iter().rfind(is_quoted);
    let notes = detail.notes.iter().filter(|note| !is_quoted(note));
    let notes = notes.filter(|note| !note.ends_with(':')).take(NOTES);
    let mut parts = vec![detail.message.clone()];
    parts.extend(wrote.map(|line| format!("It wrote: {}", line.trim())));
    parts.extend(notes.cloned());
    if parts.len() == 1
        && let (Some(expected), Some(actual)) = (&detail.expected, &detail.actual)
    {
        parts.push(format!("Expected: {expected}; got: {actual}"));
    }
    for part in &mut parts {
        if !part.ends_with(['.', '?', '!']) {
            part.push('.');
        }
    }
    parts.join(" ")
}

fn is_visible(word: Option<&str>) -> bool {
    word.is_none_or(|word| Visibility::of(word) == Visibility::Visible)
}

fn check(expectation: &Expectation) -> Check {
    Check {
        name: expectation.name.clone(),
        grade: grade_of(expectation.verdict),
        visibility: expectation
            .visibility
            .as_deref()
            .map(Visibility::of)
            .unwrap_or_default(),
        message: expectation
            .detail
            .as_ref()
            .map(|detail| detail.message.clone())
            .unwrap_or_default(),
        place: expectation
            .source
            .as_ref()
            .map(|place| (place.file.clone(), place.line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Detail;

    fn expectation(verdict: Verdict, points: Option<f64>) -> Expectation {
        Expectation {
            name: "x".to_owned(),
            text: String::new(),
            source: None,
            implied: false,
            verdict,
            evidence: Vec::new(),
            detail: None,
            hint: None,
            points,
            visibility: None,
        }
    }

    fn failed(
        name: &str,
        implied: bool,
        code: &'static str,
        message: &str,
        notes: &[&str],
    ) -> Expectation {
        Expectation {
            name: name.to_owned(),
            implied,
            detail: Some(Detail {
                code,
                message: message.to_owned(),
                expected: Some("a".to_owned()),
                actual: Some("b".to_owned()),
                notes: notes.iter().map(|note| (*note).to_owned()).collect(),
                ..Detail::default()
            }),
            ..expectation(Verdict::Fail, None)
        }
    }

    #[test]
    fn the_line_for_a_case_names_the_cause() {
        let told = |client: Expectation, packets: Expectation| {
            let report = report(Verdict::Fail, vec![client, packets]);
            message(&["client"], &report, Grade::Fail)
        };
        let exit = |notes: &[&str]| failed("client runs", true, "F025", "It ended with 1.", notes);
        let port = failed(
            "x",
            false,
            "F003",
            "Step 1 differs.",
            &["The ports differ."],
        );
        // What follows from the packets comes behind them.
        assert_eq!(
            told(exit(&[]), port.clone()),
            "Step 1 differs. The ports differ."
        );
        let waits = ["When time was up, client was waiting for data (recv)."];
        let hung = |notes: &[&str]| failed("client runs", true, "F027", "It hung.", notes);
        assert!(told(hung(&waits), port.clone()).starts_with("Step 1"));
        assert!(told(hung(&["… was computing"]), port).starts_with("It hung."));
        // Where the packets point at the program, its own words are told.
        let points = failed(
            "x",
            false,
            "F007",
            "Nothing came.",
            &["First look at client: …"],
        );
        let wrote = [
            "What client wrote to standard error:",
            "  line 1",
            "  NameError: x",
        ];
        assert_eq!(
            told(exit(&wrote), points),
            "It ended with 1. It wrote: NameError: x."
        );
        let bare = failed("x", false, "F003", "Step 5 differs.", &[]);
        assert_eq!(
            told(exit(&[]), bare),
            "Step 5 differs. Expected: a; got: b."
        );
    }

    fn report(verdict: Verdict, expectations: Vec<Expectation>) -> Report {
        let mut report = Report::error("x", ErrorCode::Usage, "");
        report.error = None;
        report.verdict = Some(verdict);
        report.expectations = expectations;
        report
    }

    #[test]
    fn all_or_none_without_points_of_its_own() {
        assert_eq!(
            judged(&report(Verdict::Pass, vec![])),
            (Grade::Pass, Some(1.0))
        );
        assert_eq!(
            judged(&report(Verdict::Fail, vec![])),
            (Grade::Fail, Some(0.0))
        );
    }

    #[test]
    fn in_proportion_to_the_points_of_expectations() {
        let parts = vec![
            expectation(Verdict::Pass, Some(3.0)),
            expectation(Verdict::Fail, Some(1.0)),
            expectation(Verdict::Fail, None),
        ];
        assert_eq!(
            judged(&report(Verdict::Fail, parts)),
            (Grade::Fail, Some(0.75))
        );
    }

    #[test]
    fn what_could_not_be_judged_is_never_a_zero() {
        let inconclusive = report(Verdict::Inconclusive, vec![]);
        assert_eq!(judged(&inconclusive), (Grade::Inconclusive, None));
        for code in [
            ErrorCode::Environment,
            ErrorCode::Internal,
            ErrorCode::DamagedCapture,
        ] {
            let mut error = Report::error("x", code, "no namespace");
            assert_eq!(judged(&error), (Grade::Inconclusive, None));
            // Not even where something failed as well.
            error.verdict = Some(Verdict::Fail);
            assert_eq!(judged(&error), (Grade::Inconclusive, None));
        }
        let parts = vec![
            expectation(Verdict::Fail, Some(1.0)),
            expectation(Verdict::Inconclusive, Some(1.0)),
        ];
        assert_eq!(
            judged(&report(Verdict::Fail, parts)),
            (Grade::Inconclusive, None)
        );
    }
}
