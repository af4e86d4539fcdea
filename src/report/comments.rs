//! The packet comments that go into the savefile: who sent the packet, and
//! which expectations it is evidence for.

use std::collections::{BTreeMap, HashMap};

use crate::expect::{Outcome, Verdict};
use crate::trace::Trace;

/// More `Assert:` lines than this say nothing more on one packet.
const ASSERT_LIMIT: usize = 16;

#[derive(Debug)]
pub(super) struct Comments {
    /// By role: the line of its packets.
    roles: HashMap<String, String>,
    asserts: BTreeMap<u64, Vec<String>>,
}

impl Comments {
    pub fn new(trace: &Trace, outcomes: &[Outcome]) -> Comments {
        let programs = trace.recording.iter().flat_map(|r| &r.programs);
        let roles = programs
            .map(|p| {
                let line = format!("role: {} ({})", p.role, command(&p.argv));
                (p.role.clone(), line)
            })
            .collect();
        Comments {
            roles,
            asserts: asserts(outcomes),
        }
    }

    /// The comments of one packet: first whose it is.
    pub fn on(&self, number: u64, from: Option<&str>) -> Vec<String> {
        let role = from.and_then(|from| match from {
            "nobody" => Some("role: nobody (the kernel)"),
            role => self.roles.get(role).map(String::as_str),
        });
        let asserts = self.asserts.get(&number).into_iter().flatten();
        role.map(str::to_owned)
            .into_iter()
            .chain(asserts.cloned())
            .collect()
    }
}

/// The command without the directory of its program.
fn command(argv: &[String]) -> String {
    let words = argv.iter().enumerate().map(|(index, word)| match index {
        0 => word.rsplit('/').next().unwrap_or(word),
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn asserts(outcomes: &[Outcome]) -> BTreeMap<u64, Vec<String>> {
    let mut asserts: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for outcome in outcomes {
        let mark = match outcome.verdict {
            Verdict::Pass => '✓',
            Verdict::Fail => '✗',
            Verdict::Inconclusive => '?',
        };
        let here = outcome.failure.as_ref().and_then(|f| f.diverges_at);
        let numbers: std::collections::BTreeSet<u64> =
            outcome.evidence.iter().copied().chain(here).collect();
        for number in numbers {
            let lines = asserts.entry(number).or_default();
            if lines.len() < ASSERT_LIMIT {
                lines.push(format!("Assert: {} {mark}", outcome.name));
            }
        }
    }
    asserts
}
