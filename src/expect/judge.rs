//! Trace and expectations to outcomes.

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{
    Collection, Condition, Each, Expectation, Scope, Selection, Sequence, Span, Spanned, Statement,
    StepOrFilter, Subject, Unit, Window,
};
use super::claim::{self, Cause, Evaluation, World};
use super::claim_value::{self, Lack};
use super::event::{self, Event};
use super::evidence::{self, Evidence};
use super::explain::Explanation;
use super::facts::Facts;
use super::fields::Reading;
use super::implied;
use super::judgement::{Grounds, Judgement};
use super::matching::{self, Context, Found, Names};
use super::notation;
use super::outcome::{Failure, Outcome, Verdict};
use super::window;
use super::wireshark::wireshark_filter;
use super::{failures, filter_shown, hint};
use crate::savefile::{Bytes, Protocol};
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
    let mut outcomes = implied::judge(trace.recording.as_ref(), programs);
    let facts = Facts::new(trace);
    let evidence = Evidence::new(&facts, &outcomes);
    let events = event::events(trace);
    // Only blocks of packets need them.
    let counts_packets = expectations
        .iter()
        .flat_map(|e| &e.statements)
        .any(|s| matches!(&s.value, Statement::Sequence(s) if s.unit == Unit::Packets));
    let packets = if counts_packets {
        event::packets(trace)
    } else {
        Vec::new()
    };
    let nothing = Names::default();
    let judged: Vec<Outcome> = expectations
        .iter()
        .map(|expectation| {
            let world = World {
                facts: &facts,
                events: &events,
                files,
                names: &nothing,
                text: &expectation.text,
            };
            Judge {
                world,
                packets: &packets,
                evidence: &evidence,
                implied: &outcomes,
                programs,
            }
            .outcome(expectation)
        })
        .collect();
    outcomes.extend(judged);
    outcomes
}

#[derive(Clone, Copy)]
struct Judge<'j> {
    world: World<'j>,
    packets: &'j [Event],
    evidence: &'j Evidence<'j>,
    implied: &'j [Outcome],
    programs: &'j [ProgramSpec],
}

impl Judge<'_> {
    /// All statements hold, or the first that does not tells why.
    fn outcome(&self, expectation: &Expectation) -> Outcome {
        let mut evidence = BTreeSet::new();
        let mut worst: Option<(Verdict, Failure, BTreeSet<usize>)> = None;
        let mut hint = None;
        let mut nothing_came = false;
        let mut names = Names::default();
        // Names that were never given, as their block did not match.
        let mut not_given: BTreeSet<&str> = BTreeSet::new();
        for statement in &expectation.statements {
            if speaks_of(&statement.value, &not_given) {
                not_given.extend(names_given(&statement.value));
                continue;
            }
            let judge = Judge {
                world: World {
                    names: &names,
                    ..self.world
                },
                ..*self
            };
            let judgement = judge.statement(statement);
            match judgement.names.clone() {
                Some(given) => names = given,
                None => not_given.extend(names_given(&statement.value)),
            }
            let packets = judgement.evidence.clone();
            match self.evidence.settle(judgement) {
                (Verdict::Pass, _) => evidence.extend(packets),
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
                (
                    verdict,
                    Some(self.with_programs(expectation, failure, nothing_came)),
                )
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

    fn frames(&self, packets: &BTreeSet<usize>) -> Vec<u64> {
        packets
            .iter()
            .filter_map(|&p| self.world.facts.trace.packets.get(p))
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
        let recording = self.world.facts.trace.recording.as_ref();
        for (spec, outcome) in self.programs.iter().zip(self.implied) {
            let program = recording.and_then(|r| r.programs.iter().find(|p| p.role == spec.role));
            let Some((fault, program)) = outcome.failure.as_ref().zip(program) else {
                continue;
            };
            if expectation.text.contains(&spec.role)
                && implied::is_reason(spec, program, nothing_came)
            {
                failure
                    .notes
                    .push(format!("First look at {}: {}", spec.role, fault.message));
            }
        }
        failure
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
        let mut judgement = Judgement {
            evidence: evaluation.evidence,
            rests_on: evaluation.grounds,
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
            Err(Cause::False(failure)) => {
                judgement.failure = Some(Failure {
                    wireshark_filter: wireshark_filter(trace, &judgement.evidence),
                    ..*failure
                });
            }
        }
        judgement
    }

    fn sequence(&self, sequence: &Sequence, span: &Span) -> Judgement {
        let context = match sequence.unit {
            Unit::Packets => Context {
                trace: self.world.facts.trace,
                events: self.packets,
            },
            Unit::Events => self.world.context(),
        };
        let member = match &sequence.scope {
            Some(Scope::Conversation { protocol, id }) => match protocol {
                Protocol::Tcp => Some((Collection::Tcp, *id)),
                Protocol::Udp => Some((Collection::Udp, *id)),
            },
            Some(Scope::Message(id)) => Some((Collection::Http, *id)),
            Some(Scope::Filter(_)) | None => None,
        };
        if let Some((collection, id)) = member
            && let Err(lack) = claim_value::member(self.world.facts, collection, id)
        {
            let mut evaluation = Evaluation::new(&self.world, None);
            evaluation.ask_which(collection);
            return self.claimed(Err(Cause::Lack(span.clone(), lack)), evaluation);
        }
        let scope = matching::in_scope(sequence.scope.as_ref(), &context);
        let mut judgement = Judgement {
            rests_on: self.grounds_of(sequence, &context, &scope),
            ..Judgement::default()
        };
        match matching::find(sequence, &context, &scope, self.world.names) {
            Found::Matched(taken) => {
                judgement.holds = true;
                let mut names = self.world.names.clone();
                matching::bind(sequence, &context, &taken, &mut names);
                judgement.names = Some(names);
                // Naming nothing is a way to say that nothing was there.
                judgement.rests_on.absence = taken.is_empty();
                judgement.rests_on.every_packet =
                    taken.is_empty() || !evidence::stays_found(sequence);
                judgement.evidence = taken
                    .iter()
                    .filter_map(|t| context.events.get(t.event))
                    .flat_map(|e| e.packets.iter().copied())
                    .collect();
            }
            Found::Diverged(divergence) => {
                let explanation = Explanation {
                    world: &self.world,
                    context,
                    sequence,
                    span: span.clone(),
                    scope: &scope,
                    divergence: &divergence,
                };
                judgement.rests_on.every_packet = true;
                judgement.evidence = explanation.evidence();
                judgement.failure = Some(explanation.failure());
            }
            Found::TooComplex => {
                judgement.no_evidence = Some(
                    "The sequence is too complex for this capture: there are too many ways to match its steps. Narrow it with `on tcp[0]` or a filter, or with fewer open-ended repetitions.".to_owned(),
                );
            }
        }
        judgement
    }

    fn grounds_of(
        &self,
        sequence: &Sequence,
        context: &Context<'_>,
        scope: &[event::EventIndex],
    ) -> Grounds {
        let steps = || sequence.steps.iter().map(|s| &s.value);
        let scope_filter = match &sequence.scope {
            Some(Scope::Filter(filter)) => Some(&filter.value),
            _ => None,
        };
        let conditions = || {
            steps()
                .filter_map(|s| s.where_.as_ref())
                .map(|f| &f.value)
                .chain(scope_filter)
        };
        let roles = steps()
            .filter_map(|s| s.ends.as_ref())
            .any(evidence::names_a_role)
            || conditions().any(evidence::filter_asks_for_roles);
        let reads = steps().any(|s| evidence::reads_content(&s.event))
            || conditions().any(evidence::filter_reads_content);
        let payloads = if matches!(sequence.scope, Some(Scope::Message(_))) {
            // Which message it is, and where it ends, depends on all bytes.
            (0..context.trace.packets.len()).collect()
        } else if reads {
            scope
                .iter()
                .filter_map(|&e| context.events.get(e))
                .flat_map(|e| e.packets.iter().copied())
                .collect()
        } else {
            BTreeSet::new()
        };
        Grounds {
            roles,
            payloads,
            ..Grounds::default()
        }
    }

    /// `no STEP`, `no FILTER`.
    fn no(&self, which: &Selection, span: &Span) -> Judgement {
        let trace = self.world.facts.trace;
        let found = match claim::packets(&self.world, which) {
            Ok(found) => found,
            Err(lack) => return self.no_window(which, span, lack),
        };
        let what = which;
        let roles = evidence::asks_for_roles(what);
        let payloads = if evidence::asks_for_content(what) {
            (0..trace.packets.len()).collect()
        } else {
            BTreeSet::new()
        };
        let Some(&first) = found.first() else {
            return Judgement {
                holds: true,
                rests_on: Grounds {
                    every_packet: true,
                    absence: true,
                    roles,
                    payloads,
                    ..Grounds::default()
                },
                ..Judgement::default()
            };
        };
        let frame = trace.packets.get(first).map_or(0, |p| p.number);
        let context = self.world.context();
        let (mut what, actual) = match &which.what {
            StepOrFilter::Step(step) => {
                let fits = |e: &&Event| {
                    e.packets.contains(&first) && context.fits(&step.value, e, self.world.names)
                };
                let event = self.world.events.iter().find(fits);
                let event = event.map(|e| notation::event(&context, e, Some(&step.value)));
                (notation::step(&step.value), event)
            }
            StepOrFilter::Filter(filter) => (self.world.written(&filter.span).to_owned(), None),
        };
        if let Some(window) = &which.window {
            what = format!("{what} {}", self.world.written(&window.span));
        }
        let message = match found.len() {
            1 => format!("There is one: packet {frame}."),
            n => format!("There are {n} such packets; the first is packet {frame}."),
        };
        Judgement {
            failure: Some(Failure {
                span: Some(span.clone()),
                expected: Some(format!("no {what}")),
                actual: actual.or_else(|| self.shown(first)),
                diverges_at: Some(frame),
                wireshark_filter: wireshark_filter(trace, &found),
                ..Failure::new(failures::PRESENT, message)
            }),
            rests_on: Grounds {
                every_packet: !evidence::packet_stays_found(which),
                roles,
                payloads,
                ..Grounds::default()
            },
            evidence: found,
            ..Judgement::default()
        }
    }

    /// `nothing WINDOW`: no event of any kind.
    fn nothing(&self, window: &Spanned<Window>, span: &Span) -> Judgement {
        let trace = self.world.facts.trace;
        let rests_on = Grounds {
            every_packet: true,
            absence: true,
            roles: evidence::window_asks_for_roles(window),
            payloads: if evidence::window_reads_content(window) {
                (0..trace.packets.len()).collect()
            } else {
                BTreeSet::new()
            },
            ..Grounds::default()
        };
        let stretches = match window::stretches(&self.world, window) {
            Ok(stretches) => stretches,
            Err(lack) => return self.lacking(lack, window.span.clone(), rests_on),
        };
        let mut inside = self.world.events.iter().filter(|event| {
            !event.is_silent() && !event.after_stop && stretches.contain(event.packet())
        });
        let Some(event) = inside.next() else {
            return Judgement {
                holds: true,
                rests_on,
                ..Judgement::default()
            };
        };
        let frame = trace.packets.get(event.packet()).map_or(0, |p| p.number);
        let evidence: BTreeSet<usize> = event.packets.iter().copied().collect();
        Judgement {
            failure: Some(Failure {
                span: Some(span.clone()),
                expected: Some(format!("nothing {}", self.world.written(&window.span))),
                actual: Some(notation::event(&self.world.context(), event, None)),
                diverges_at: Some(frame),
                wireshark_filter: wireshark_filter(trace, &evidence),
                ..Failure::new(
                    failures::PRESENT,
                    match inside.count() {
                        0 => format!("There is an event: packet {frame} carries it."),
                        more => format!(
                            "There are {} events; packet {frame} carries the first.",
                            more + 1
                        ),
                    },
                )
            }),
            evidence,
            rests_on,
            ..Judgement::default()
        }
    }

    /// What bounds the window never came.
    fn no_window(&self, which: &Selection, span: &Span, lack: Lack) -> Judgement {
        let trace = self.world.facts.trace;
        let rests_on = Grounds {
            every_packet: true,
            roles: evidence::asks_for_roles(which),
            payloads: if evidence::asks_for_content(which) {
                (0..trace.packets.len()).collect()
            } else {
                BTreeSet::new()
            },
            ..Grounds::default()
        };
        let window = which.window.as_ref().map_or(span, |window| &window.span);
        self.lacking(lack, window.clone(), rests_on)
    }

    fn lacking(&self, lack: Lack, span: Span, rests_on: Grounds) -> Judgement {
        let mut judgement = Judgement {
            rests_on,
            ..Judgement::default()
        };
        if lack.no_evidence {
            judgement.no_evidence = Some(sentence(&lack.message));
        } else {
            judgement.failure = Some(Failure {
                span: Some(span),
                notes: vec![
                    "A statement about a part of the capture that is not there proves nothing."
                        .to_owned(),
                ],
                ..Failure::new(failures::NO_WINDOW, sentence(&lack.message))
            });
        }
        judgement
    }

    /// The event that a packet carries, in notation.
    fn shown(&self, packet: usize) -> Option<String> {
        let context = self.world.context();
        let carried = |e: &&Event| e.packets.contains(&packet) && !e.is_silent();
        match self.world.events.iter().rfind(carried) {
            Some(event) => Some(notation::event(&context, event, None)),
            None => {
                let packets = event::packets(self.world.facts.trace);
                packets
                    .get(packet)
                    .map(|event| notation::event(&context, event, None))
            }
        }
    }

    /// `each SUBJECT has CONDITION`.
    fn each(&self, each: &Each, span: &Span) -> Judgement {
        let mut judgement = match (&each.subject.value, &each.condition.value) {
            (Subject::Packets(which), Condition::Filter(condition)) => {
                self.each_packet(each, which, condition)
            }
            (Subject::All(collection), Condition::Claim(condition)) => {
                self.each_member(each, *collection, condition)
            }
            // The parser pairs packets with filters and members with claims.
            _ => Judgement {
                no_evidence: Some("This condition does not go with this subject.".to_owned()),
                ..Judgement::default()
            },
        };
        if judgement.holds {
            judgement.rests_on.absence = true;
            judgement.rests_on.every_packet = true;
        }
        if let Some(failure) = &mut judgement.failure {
            failure.span.get_or_insert(span.clone());
        }
        judgement
    }

    fn each_packet(
        &self,
        each: &Each,
        which: &Selection,
        condition: &super::ast::Filter,
    ) -> Judgement {
        let trace = self.world.facts.trace;
        let subjects = match claim::packets(&self.world, which) {
            Ok(subjects) => subjects,
            Err(lack) => return self.no_window(which, &each.subject.span, lack),
        };
        let reads = evidence::asks_for_content(which) || evidence::filter_reads_content(condition);
        let rests_on = Grounds {
            every_packet: !evidence::packet_stays_found(which)
                || !evidence::tells_by_headers(condition),
            roles: evidence::asks_for_roles(which) || evidence::filter_asks_for_roles(condition),
            payloads: if reads {
                subjects.clone()
            } else {
                BTreeSet::new()
            },
            ..Grounds::default()
        };
        let broken: BTreeSet<usize> = subjects
            .iter()
            .copied()
            .filter(|&p| !matching::holds(trace, p, condition, self.world.names))
            .collect();
        if subjects.is_empty() {
            return self.each_of_nothing(each, rests_on);
        }
        let Some(&first) = broken.first() else {
            return Judgement {
                holds: true,
                evidence: subjects,
                rests_on,
                ..Judgement::default()
            };
        };
        let frame = trace.packets.get(first).map_or(0, |p| p.number);
        Judgement {
            failure: Some(Failure {
                span: Some(each.condition.span.clone()),
                expected: Some(self.world.written(&each.condition.span).to_owned()),
                actual: self.shown(first),
                difference: filter_shown::shown(trace, first, condition, Reading::Where),
                diverges_at: Some(frame),
                wireshark_filter: wireshark_filter(trace, &broken),
                ..Failure::new(
                    failures::NOT_EACH,
                    format!(
                        "Not each of the {} has it: {} not; the first is packet {frame}.",
                        notation::count(subjects.len(), "packet"),
                        match broken.len() {
                            1 => "1 does".to_owned(),
                            n => format!("{n} do"),
                        }
                    ),
                )
            }),
            evidence: broken,
            rests_on,
            ..Judgement::default()
        }
    }

    fn each_of_nothing(&self, each: &Each, rests_on: Grounds) -> Judgement {
        let rests_on = Grounds {
            every_packet: true,
            ..rests_on
        };
        if each.maybe {
            return Judgement {
                holds: true,
                rests_on,
                ..Judgement::default()
            };
        }
        let subject = self.world.written(&each.subject.span);
        Judgement {
            failure: Some(Failure {
                span: Some(each.subject.span.clone()),
                notes: vec![
                    "A statement about each of none proves nothing. Where there may be none, write `maybe each`.".to_owned(),
                ],
                ..Failure::new(failures::EACH_OF_NONE, format!("There is no {subject} that could have it."))
            }),
            rests_on,
            ..Judgement::default()
        }
    }

    fn each_member(
        &self,
        each: &Each,
        collection: Collection,
        condition: &super::ast::Claim,
    ) -> Judgement {
        let (short, _) = claim_value::called(collection);
        let members = claim_value::members(self.world.facts, collection);
        let mut which = Evaluation::new(&self.world, None);
        which.ask_which(collection);
        if members.is_empty() {
            return self.each_of_nothing(each, which.grounds);
        }
        let mut whole = Judgement {
            rests_on: which.grounds,
            ..Judgement::default()
        };
        for (number, &member) in members.iter().enumerate() {
            let mut evaluation = Evaluation::new(&self.world, Some((collection, member)));
            let result = evaluation.judge(condition);
            let mut judgement = self.claimed(result, evaluation);
            if !judgement.holds {
                judgement
                    .rests_on
                    .payloads
                    .extend(whole.rests_on.payloads.iter().copied());
                if let Some(failure) = &mut judgement.failure {
                    failure.message = format!("In {short}[{number}]: {}", failure.message);
                }
                return judgement;
            }
            whole.evidence.extend(judgement.evidence);
            let rests_on = judgement.rests_on;
            whole.rests_on.payloads.extend(rests_on.payloads);
            whole.rests_on.streams.extend(rests_on.streams);
            whole.rests_on.roles |= rests_on.roles;
        }
        whole.holds = true;
        whole
    }
}

/// The names that the steps of a block give.
fn names_given(statement: &Statement) -> impl Iterator<Item = &str> {
    let steps = match statement {
        Statement::Sequence(sequence) => sequence.steps.as_slice(),
        _ => &[],
    };
    let names = steps.iter().filter_map(|step| step.value.name.as_ref());
    names.map(|name| name.value.as_str())
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
