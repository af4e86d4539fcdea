//! Trace and expectations to outcomes, each expectation for itself.

mod absence;
mod each;
mod sequence;

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::ast::{Expectation, Spanned, Statement};
use super::claim::{Cause, Evaluation, World};
use super::events::Events;
use super::evidence::Evidence;
use super::facts::Facts;
use super::judgement::{Grounds, Judgement};
use super::matching::Names;
use super::notation::visible;
use super::outcome::{Failure, Outcome, Verdict};
use super::wireshark::{leaves_out, wireshark_filter};
use super::{failures, hint, implied, trouble};
use crate::savefile::Bytes;
use crate::scenario::ProgramSpec;
use crate::trace::Trace;

/// So many frames are named as evidence.
const EVIDENCE: usize = 1000;

/// Judges a trace: first what every program implies, then the expectations in
/// their order. `files` holds the content of every `file("…")`.
pub fn judge(
    trace: &Trace,
    expectations: &[Expectation],
    programs: &[ProgramSpec],
    files: &BTreeMap<String, Bytes>,
) -> Vec<Outcome> {
    judge_each(trace, expectations, programs, files, |all, outcome| {
        all.iter().map(outcome).collect()
    })
}

/// As [`judge`]; `each` gives the outcomes of all, in their order, from that of
/// one: on as many threads as it likes, for none depends on another.
pub fn judge_each(
    trace: &Trace,
    expectations: &[Expectation],
    programs: &[ProgramSpec],
    files: &BTreeMap<String, Bytes>,
    each: impl FnOnce(&[Expectation], &(dyn Fn(&Expectation) -> Outcome + Sync)) -> Vec<Outcome>,
) -> Vec<Outcome> {
    let mut outcomes = implied::judge(trace.recording.as_ref(), programs);
    let facts = Facts::new(trace);
    let evidence = Evidence::new(&facts, &outcomes);
    let events = Events::of(trace);
    let packets = Events::packets(trace);
    let nothing = Names::default();
    let outcome = |expectation: &Expectation| {
        let world = World {
            facts: &facts,
            events: &events,
            evidence: &evidence,
            files,
            names: &nothing,
            text: &expectation.text,
        };
        Judge {
            world,
            packets: &packets,
            implied: &outcomes,
            programs,
        }
        .outcome(expectation)
    };
    let judged = each(expectations, &outcome);
    outcomes.extend(judged);
    outcomes
}

#[derive(Clone, Copy)]
struct Judge<'j> {
    world: World<'j>,
    packets: &'j Events<'j>,
    implied: &'j [Outcome],
    programs: &'j [ProgramSpec],
}

impl Judge<'_> {
    /// All statements hold, or the first that does not tells why.
    fn outcome(&self, expectation: &Expectation) -> Outcome {
        let mut evidence = FixedBitSet::new();
        let mut worst: Option<(Verdict, Failure, FixedBitSet)> = None;
        let mut hint = None;
        let mut nothing_came = false;
        let mut names = Names::default();
        // Names that were never given, as their block did not match.
        let mut not_given: BTreeSet<&str> = BTreeSet::new();
        // What rests on the events that have names.
        let mut named: BTreeMap<&str, Grounds> = BTreeMap::new();
        for statement in &expectation.statements {
            // What gives a name again speaks of its own step.
            let given: BTreeSet<&str> = statement.value.names_given().collect();
            names.retain(|name| !given.contains(name));
            not_given.retain(|name| !given.contains(name));
            if speaks_of(&statement.value, &not_given) {
                not_given.extend(statement.value.names_given());
                continue;
            }
            let judge = Judge {
                world: World {
                    names: &names,
                    ..self.world
                },
                ..*self
            };
            let mut judgement = judge.statement(statement);
            statement.value.names(&mut |name| {
                if let Some(grounds) = named.get(name) {
                    judgement.rests_on.add(grounds);
                }
            });
            for name in statement.value.names_given() {
                named.insert(name, judgement.names_rest_on.clone());
            }
            match judgement.names.clone() {
                Some(given) => names = given,
                None => not_given.extend(statement.value.names_given()),
            }
            let packets = judgement.evidence.clone();
            match self.world.evidence.settle(judgement) {
                (Verdict::Pass, _) => evidence.union_with(&packets),
                (verdict, failure) => {
                    let worse = match &worst {
                        None => true,
                        Some((so_far, ..)) => {
                            *so_far == Verdict::Inconclusive && verdict == Verdict::Fail
                        }
                    };
                    if worse {
                        let is_sequence = matches!(statement.value, Statement::Sequence(_));
                        nothing_came = failure.as_ref().is_some_and(|f| match is_sequence {
                            true => f.diverges_at.is_none(),
                            false => f.actual.is_none(),
                        });
                        let mut failure = failure
                            .unwrap_or_else(|| Failure::new(failures::FALSE, "It does not hold."));
                        failure.span.get_or_insert(statement.span.clone());
                        let place = failure.span.as_ref();
                        hint = hint::hint(&expectation.text, &statement.span, place);
                        worst = Some((verdict, failure, packets));
                    }
                }
            }
        }
        let (verdict, failure) = match worst {
            None => (Verdict::Pass, None),
            Some((verdict, failure, packets)) => {
                evidence = packets;
                let mut failure = self.with_programs(expectation, failure, nothing_came);
                failure.notes.extend(self.complaints(expectation));
                (verdict, Some(failure))
            }
        };
        Outcome {
            name: expectation.name.clone(),
            text: expectation.text.clone(),
            implied: false,
            verdict,
            evidence: self.frames(&evidence),
            failure,
            hint: hint.or_else(|| expectation.hint.clone()),
            points: expectation.points,
        }
    }

    fn frames(&self, packets: &FixedBitSet) -> Vec<u64> {
        packets
            .ones()
            .filter_map(|p| self.world.facts.trace.packets.get(p))
            .map(|p| p.number)
            .take(EVIDENCE)
            .collect()
    }

    /// A program that failed is often the reason: say so.
    fn with_programs(
        &self,
        expectation: &Expectation,
        mut failure: Failure,
        nothing_came: bool,
    ) -> Failure {
        let no_packets = self.world.facts.trace.packets.is_empty();
        let recording = self.world.facts.trace.recording.as_ref();
        for (spec, outcome) in self.programs.iter().zip(self.implied) {
            let program = recording.and_then(|r| r.programs.iter().find(|p| p.role == spec.role));
            let Some((fault, program)) = outcome.failure.as_ref().zip(program) else {
                continue;
            };
            // That nothing is proven was said with the program to look at.
            let is_named = failure.code == failures::PROVES_NOTHING;
            let concerned = !is_named && (no_packets || expectation.text.contains(&spec.role));
            if concerned && implied::is_reason(spec, program, nothing_came) {
                failure
                    .notes
                    .push(format!("First look at {}: {}", spec.role, fault.message));
            }
        }
        failure
    }

    /// What a program says that goes on, or ends well, although a part of it has
    /// failed, as a server of which a thread has ended.
    fn complaints(&self, expectation: &Expectation) -> Vec<String> {
        let recording = self.world.facts.trace.recording.as_ref();
        let programs = self.programs.iter().filter_map(|spec| {
            let program = recording?.programs.iter().find(|p| p.role == spec.role)?;
            implied::ended_well(spec, program).then_some(program)
        });
        programs
            .filter(|program| expectation.text.contains(&program.role))
            .filter_map(|program| Some((&program.role, trouble::complaint(program)?)))
            .flat_map(|(role, trouble)| {
                let wrote = format!("{role} wrote: {}", visible(&trouble.line));
                std::iter::once(wrote).chain(trouble.advice)
            })
            .collect()
    }

    fn statement(&self, statement: &Spanned<Statement>) -> Judgement {
        match &statement.value {
            Statement::Sequence(sequence) => self.sequence(sequence, &statement.span),
            Statement::No(what) => self.no(what, &statement.span),
            Statement::Nothing(window) => self.nothing(window, &statement.span),
            Statement::Each(each) => self.each(each, &statement.span),
            Statement::Claim(claim) => {
                let mut evaluation = Evaluation::new(&self.world, None);
                let result = evaluation.judge(claim);
                self.claimed(result, evaluation)
            }
        }
    }

    fn claimed(&self, result: Result<(), Cause>, evaluation: Evaluation<'_, '_>) -> Judgement {
        let asked = evaluation.asked;
        let mut judgement = Judgement {
            rests_on: asked.grounds(),
            evidence: asked.evidence,
            ..Judgement::default()
        };
        let trace = self.world.facts.trace;
        match result {
            Ok(()) => judgement.holds = true,
            Err(Cause::Lack(_, lack)) if lack.no_evidence => {
                judgement.no_evidence = Some(sentence(&lack.message));
            }
            Err(Cause::Lack(span, lack)) => {
                judgement.failure = Some(Failure {
                    span: Some(span),
                    ..Failure::new(failures::NO_VALUE, sentence(&lack.message))
                });
            }
            Err(Cause::False(mut failure)) => {
                failure.notes.extend(leaves_out(trace, &judgement.evidence));
                judgement.failure = Some(Failure {
                    wireshark_filter: wireshark_filter(trace, &judgement.evidence),
                    ..*failure
                });
            }
        }
        judgement
    }
}

/// Does the statement speak of one of these steps?
fn speaks_of(statement: &Statement, names: &BTreeSet<&str>) -> bool {
    let mut spoken_of = false;
    if !names.is_empty() {
        statement.names(&mut |name| spoken_of |= names.contains(name));
    }
    spoken_of
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    let text: String = first.chain(chars).collect();
    if text.ends_with('.') {
        text
    } else {
        format!("{text}.")
    }
}
