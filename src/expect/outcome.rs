//! What an expectation came to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expect::ast::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    /// Evidence may be missing: neither pass nor fail.
    Inconclusive,
}

/// One judged expectation, implied ones included.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub name: String,
    /// The statements as written; for an implied one, what it demands in words.
    pub text: String,
    /// It was not written by the author: every program carries it.
    pub implied: bool,
    pub verdict: Verdict,
    /// `frame.number` of the packets that prove it (pass) or break it (fail).
    pub evidence: Vec<u64>,
    /// Why it failed or is inconclusive. None on a pass.
    pub failure: Option<Failure>,
    pub hint: Option<String>,
    pub points: Option<f64>,
}

/// An explanation for a reader at midnight.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The kind of failure, of [`super::failures`]: `F003`.
    pub code: &'static str,
    /// One sentence: what is wrong.
    pub message: String,
    /// The place in the expectation's text that found no event.
    pub span: Option<Span>,
    /// What was expected, in the language's notation.
    pub expected: Option<String>,
    /// The nearest actual event, in the same notation.
    pub actual: Option<String>,
    /// The field that differs, in words: `flags: expected SYN,ACK, got RST,ACK`.
    pub difference: Option<String>,
    /// The frame where expectation and wire part, for the ladder's mark.
    pub diverges_at: Option<u64>,
    /// A display filter that shows the packets in question in Wireshark.
    pub wireshark_filter: Option<String>,
    /// Further lines: what it means, what to try.
    pub notes: Vec<String>,
}

impl Failure {
    /// A failure of this kind, in these words.
    pub fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            span: None,
            expected: None,
            actual: None,
            difference: None,
            diverges_at: None,
            wireshark_filter: None,
            notes: Vec::new(),
        }
    }
}
