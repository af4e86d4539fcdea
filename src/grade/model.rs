//! What grading came to: the class, each submission in it, each case of those.

use serde::{Deserialize, Serialize};

use super::suite::Visibility;

/// The name and version of the results' format, in the first line of
/// `results.jsonl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResultsSchema {
    #[default]
    #[serde(rename = "netlab-capture/grade/v1")]
    V1,
}

/// What was to be graded: all that results must share to be joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    pub schema: ResultsSchema,
    /// The suite's file stem.
    pub suite: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Of the suite and its scenarios (SHA-256, hexadecimal).
    pub digest: String,
    pub cases: Vec<ClassCase>,
    /// Of this part of the class.
    pub submissions: Vec<Submission>,
}

impl Class {
    /// The sum of all cases' points.
    pub fn points(&self) -> f64 {
        self.cases.iter().map(|case| case.points).sum()
    }
}

/// A case as every submission gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassCase {
    pub name: String,
    pub points: f64,
    pub visibility: Visibility,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// One submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Its name among our files; unique in a class.
    pub key: String,
    /// As it was handed in. Hostile text.
    pub name: String,
    /// Of its content (SHA-256, hexadecimal).
    pub digest: String,
}

/// What a case, or a part of it, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Pass,
    Fail,
    /// It could not be judged. No points are given, and none are denied.
    Inconclusive,
}

/// What one case of one submission came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The submission's key.
    pub submission: String,
    /// Of the submission's content when it was graded.
    pub digest: String,
    pub case: String,
    pub grade: Grade,
    /// Absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// How often it was tried.
    pub attempts: u32,
    pub duration_ms: f64,
    /// Packets captured.
    pub packets: u64,
    /// The capture is proven complete.
    pub complete: bool,
    /// One sentence: why not all points.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    pub checks: Vec<Check>,
    /// For the student: the ladder, the programs' output, the explanations. Plain
    /// text, made safe.
    pub text: String,
    /// Beside the results, where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
}

/// One expectation of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub grade: Grade,
    pub visibility: Visibility,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The file and line of the expectation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<(String, usize)>,
}

/// One submission with what its cases came to, in the order of the suite. A case
/// without result was not graded yet.
#[derive(Clone, Copy, Debug)]
pub struct Graded<'a> {
    pub class: &'a Class,
    pub submission: &'a Submission,
    pub results: &'a [Option<CaseResult>],
}

impl<'a> Graded<'a> {
    /// Each case with its result.
    pub fn cases(&self) -> impl Iterator<Item = (&'a ClassCase, Option<&'a CaseResult>)> {
        let results = self.results.iter().map(Option::as_ref);
        self.class.cases.iter().zip(results)
    }

    /// The points that are sure.
    pub fn score(&self) -> f64 {
        self.cases().filter_map(|(_, result)| result?.score).sum()
    }

    /// The points of cases that could not be judged: they may still come.
    pub fn pending(&self) -> f64 {
        self.cases()
            .filter(|(_, result)| result.and_then(|result| result.score).is_none())
            .map(|(case, _)| case.points)
            .sum()
    }

    /// Worst first: a case that could not be judged, one that failed.
    pub fn grade(&self) -> Grade {
        let grades: Vec<Grade> = self
            .cases()
            .map(|(_, result)| result.map_or(Grade::Inconclusive, |result| result.grade))
            .collect();
        if grades.contains(&Grade::Inconclusive) {
            Grade::Inconclusive
        } else if grades.contains(&Grade::Fail) {
            Grade::Fail
        } else {
            Grade::Pass
        }
    }
}

/// Points as people write them: `7`, `2.5`.
pub fn points(value: f64) -> String {
    // A sum of nothing is -0 in floating point.
    let rounded = (value * 100.0).round() / 100.0 + 0.0;
    format!("{rounded}")
}

/// A class with all results so far.
#[derive(Clone, Debug)]
pub struct Gradebook {
    pub class: Class,
    /// For each submission, for each case.
    results: Vec<Vec<Option<CaseResult>>>,
}

impl Gradebook {
    pub fn new(class: Class) -> Gradebook {
        let none = vec![None; class.cases.len()];
        Gradebook {
            results: vec![none; class.submissions.len()],
            class,
        }
    }

    /// Takes a result over; the later of two of the same case holds. False: it is
    /// of a case or a submission that the class does not have.
    pub fn add(&mut self, result: CaseResult) -> bool {
        let submission = self
            .class
            .submissions
            .iter()
            .position(|s| s.key == result.submission && s.digest == result.digest);
        let case = self.class.cases.iter().position(|c| c.name == result.case);
        let slot = submission
            .zip(case)
            .and_then(|(s, c)| self.results.get_mut(s)?.get_mut(c));
        let known = slot.is_some();
        if let Some(slot) = slot {
            *slot = Some(result);
        }
        known
    }

    /// Each submission, in the order of the class.
    pub fn graded(&self) -> impl Iterator<Item = Graded<'_>> {
        self.class
            .submissions
            .iter()
            .zip(&self.results)
            .map(|(submission, results)| Graded {
                class: &self.class,
                submission,
                results,
            })
    }
}
