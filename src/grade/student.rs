//! What a student gets of a run: not its answer, not what is hidden, nor where the
//! grader's files are. A recorded capture holds all of that.

use std::path::Path;

use super::suite::Visibility;
use crate::report::Report;
use crate::savefile::Recording;

/// The report as the student reads it.
#[must_use]
pub fn report(mut report: Report) -> Report {
    report.expectations.retain(|expectation| {
        let word = expectation.visibility.as_deref();
        word.is_none_or(|word| Visibility::of(word) == Visibility::Visible)
    });
    for expectation in &mut report.expectations {
        expectation.source = None;
    }
    if let Some(scenario) = &mut report.scenario {
        scenario.answer = None;
        scenario.source = None;
    }
    if let Some(capture) = &mut report.capture {
        let name = Path::new(&capture.file).file_name();
        capture.file = name.unwrap_or_default().to_string_lossy().into_owned();
    }
    report
}

/// The recording as the student may read it: the scenario's text has its answer
/// and each expectation in it.
#[must_use]
pub fn recording(recording: Recording) -> Recording {
    Recording {
        scenario: None,
        ..recording
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ErrorCode, Expectation, Place, Scenario, Verdict};
    use crate::savefile::RecordedScenario;

    #[test]
    fn answers_hidden_expectations_and_paths_are_left_out() {
        let expectation = |name: &str, visibility: Option<&str>| Expectation {
            name: name.to_owned(),
            text: format!("text of {name}"),
            source: Some(Place {
                file: "/home/grader/x.toml".to_owned(),
                line: 1,
                column: 1,
            }),
            implied: false,
            verdict: Verdict::Fail,
            evidence: Vec::new(),
            detail: None,
            hint: None,
            points: None,
            visibility: visibility.map(str::to_owned),
        };
        let mut whole = Report::error("x", ErrorCode::Usage, "");
        whole.scenario = Some(Scenario {
            name: "x".to_owned(),
            answer: Some("the answer".to_owned()),
            source: Some("/home/grader/x.toml".to_owned()),
            ..Scenario::default()
        });
        whole.expectations = vec![
            expectation("open", None),
            expectation("secret", Some("hidden")),
            expectation("later", Some("after_due_date")),
        ];
        let shown = serde_json::to_string(&report(whole)).unwrap();
        assert!(shown.contains("text of open"));
        for word in ["secret", "later", "the answer", "/home/grader"] {
            assert!(!shown.contains(word), "{word}: {shown}");
        }
        let recorded = Recording {
            scenario: Some(RecordedScenario {
                text: "answer = 'the answer'".to_owned(),
                ..RecordedScenario::default()
            }),
            ..Recording::default()
        };
        assert_eq!(recording(recorded).scenario, None);
    }
}
