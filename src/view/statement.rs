//! "Expect this packet": the statement that a packet satisfies.

use std::collections::BTreeMap;

use crate::expect::{self, Verdict, notation};
use crate::trace::Trace;

/// A statement that holds because of the packet at `index`, in the words that
/// somebody could have written: the step of an event that it carries. None
/// where it carries none that can be named.
pub fn statement(trace: &Trace, index: usize) -> Option<String> {
    let steps = notation::carried(trace, index).into_iter().flatten();
    let mut statements = steps.map(|step| format!("in order {{\n  {step}\n}}"));
    statements.find(|text| holds(trace, text))
}

/// Content that was cut to be read is not what was sent.
fn holds(trace: &Trace, text: &str) -> bool {
    let Ok(expectation) = expect::parse(text, text, &trace.roles) else {
        return false;
    };
    let outcomes = expect::judge(trace, &[expectation], &[], &BTreeMap::new());
    let own = outcomes.iter().find(|outcome| !outcome.implied);
    own.is_some_and(|outcome| outcome.verdict != Verdict::Fail)
}
