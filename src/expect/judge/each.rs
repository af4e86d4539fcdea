//! `each … has …`.

use fixedbitset::FixedBitSet;

use super::{Judge, sentence};
use crate::expect::ast::{
    Claim, Collection, Condition, Each, Filter, Selection, Span, StepOrFilter, Subject,
};
use crate::expect::claim::{self, Evaluation, value};
use crate::expect::fields::Reading;
use crate::expect::judgement::{Grounds, Judgement};
use crate::expect::outcome::Failure;
use crate::expect::wireshark::{leaves_out, wireshark_filter};
use crate::expect::{contents, could_be, cut, evidence, failures, filter_shown, matching, quoted};

impl Judge<'_> {
    /// `each SUBJECT has CONDITION`.
    pub(super) fn each(&self, each: &Each, span: &Span) -> Judgement {
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

    fn each_packet(&self, each: &Each, which: &Selection, condition: &Filter) -> Judgement {
        let facts = self.world.facts;
        let trace = facts.trace;
        let selected = match claim::packets(&self.world, which) {
            Ok(selected) => selected,
            Err(lack) => return self.no_window(which, &each.subject.span, lack),
        };
        let (subjects, cut) = (selected.packets, selected.cut);
        if could_be::asks_for_times(condition)
            && let Some(reason) = facts.untimed()
        {
            return Judgement {
                no_evidence: Some(sentence(&reason)),
                ..Judgement::default()
            };
        }
        // An HTTP message's fields are where the subject's are.
        let reading = match which.what {
            StepOrFilter::Filter(_) => Reading::Filter,
            StepOrFilter::Step(_) => Reading::Where,
        };
        let mut payloads = contents::read_for(&self.world, which);
        if contents::filter_asks_for_messages(condition) {
            payloads.union_with(&contents::conversations_of(facts, &subjects));
        } else if contents::filter_reads(condition) {
            payloads.union_with(&subjects);
        }
        let rests_on = Grounds {
            every_packet: !evidence::packet_stays_found(which)
                || !evidence::tells_by_headers(condition),
            roles: evidence::asks_for_roles(which) || evidence::filter_asks_for_roles(condition),
            losses: facts.losses_that(|loss| {
                could_be::selected(facts, which, loss) || could_be::is_moved(condition, loss.what)
            }),
            payloads,
            ..Grounds::default()
        };
        let count = subjects.count_ones(..);
        if count == 0 {
            if let Some(cut) = cut {
                return self.no_window(which, &each.subject.span, cut);
            }
            return self.each_of_nothing(each, rests_on);
        }
        let has = matching::shown(
            trace,
            facts.classes(),
            condition,
            reading,
            self.world.names,
            Some(&subjects),
        );
        let broken: FixedBitSet = subjects.difference(&has).collect();
        let Some(first) = broken.minimum() else {
            if let Some(cut) = cut {
                return self.no_window(which, &each.subject.span, cut);
            }
            return Judgement {
                holds: true,
                evidence: subjects,
                rests_on,
                ..Judgement::default()
            };
        };
        // What one lacks whose headers were cut may have been sent.
        let mut rests_on = rests_on;
        let headless = cut::in_headers(facts, &broken, condition);
        if broken.is_subset(&headless) {
            rests_on.payloads.union_with(&headless);
        }
        let frame = trace.packets.get(first).map_or(0, |p| p.number);
        Judgement {
            failure: Some(Failure {
                span: Some(each.condition.span.clone()),
                expected: Some(self.world.written(&each.condition.span).to_owned()),
                actual: self.shown(first),
                difference: filter_shown::shown(trace, first, condition, reading, self.world.names),
                notes: quoted::note(&self.world, which, &broken)
                    .into_iter()
                    .chain(leaves_out(trace, &broken))
                    .collect(),
                diverges_at: Some(frame),
                wireshark_filter: wireshark_filter(trace, &broken),
                ..Failure::new(
                    failures::NOT_EACH,
                    not_each(count, broken.count_ones(..), frame),
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

    fn each_member(&self, each: &Each, collection: Collection, condition: &Claim) -> Judgement {
        let (short, _) = value::called(collection);
        let members = value::members(self.world.facts, collection);
        let mut which = Evaluation::new(&self.world, None);
        which.ask_which(collection, None);
        if members.is_empty() {
            return self.each_of_nothing(each, which.asked.grounds());
        }
        let mut every = Evaluation::new(&self.world, None);
        for (number, &member) in members.iter().enumerate() {
            every.own = Some((collection, member));
            if every.judge(condition).is_ok() {
                continue;
            }
            // Again, for what this one alone rests on.
            let mut alone = Evaluation::new(&self.world, every.own);
            let result = alone.judge(condition);
            let mut judgement = self.claimed(result, alone);
            for asked in [&every.asked, &which.asked] {
                judgement.rests_on.read_payloads_of(&asked.grounds());
            }
            judgement.rests_on.up_to = None;
            if let Some(failure) = &mut judgement.failure {
                failure.message = format!("In {short}[{number}]: {}", failure.message);
            }
            return judgement;
        }
        let mut whole = self.claimed(Ok(()), every);
        let which = which.asked.grounds();
        whole.rests_on.read_payloads_of(&which);
        whole.rests_on.losses.union_with(&which.losses);
        whole.rests_on.every_packet |= which.every_packet;
        whole.rests_on.up_to = None;
        whole
    }
}

/// How many of the packets do not have it.
fn not_each(of: usize, broken: usize, first: u64) -> String {
    match (of, broken) {
        (1, _) => format!("Packet {first}, the only one, does not have it."),
        (_, 1) => format!("1 of the {of} packets does not have it: packet {first}."),
        _ if of == broken => {
            format!("None of the {of} packets has it; the first is packet {first}.")
        }
        _ => format!("{broken} of the {of} packets do not have it; the first is packet {first}."),
    }
}
