//! Blocks of steps.

use fixedbitset::FixedBitSet;

use super::Judge;
use crate::expect::ast::{Collection, EventPattern, Mode, Scope, Sequence, Span, Unit};
use crate::expect::claim::{Cause, Evaluation};
use crate::expect::event::EventIndex;
use crate::expect::explain::Explanation;
use crate::expect::judgement::{Grounds, Judgement};
use crate::expect::losses::{Loss, Lost};
use crate::expect::matching::{self, Context, Found};
use crate::expect::{claim_value, contents, could_be, evidence, judgement};
use crate::savefile::Protocol;

impl Judge<'_> {
    pub(super) fn sequence(&self, sequence: &Sequence, span: &Span) -> Judgement {
        let context = match sequence.unit {
            Unit::Packets => Context {
                events: self.packets,
                ..self.world.context()
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
        if sequence
            .steps
            .iter()
            .any(|step| step.value.within.is_some())
            && let Some(reason) = self.world.facts.untimed()
        {
            return Judgement {
                no_evidence: Some(format!("{reason}.")),
                ..Judgement::default()
            };
        }
        let scope = matching::in_scope(sequence.scope.as_ref(), &context, self.world.facts);
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
                // What was found stays, except by conditions that ask for others.
                judgement.rests_on.losses = self.losses_in(sequence, |loss| {
                    let mut steps = sequence.steps.iter();
                    sequence.mode == Mode::Exactly
                        || steps.any(|step| could_be::is_moved_in(&step.value, loss.what))
                });
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
                let facts = self.world.facts;
                judgement.rests_on.losses = self.losses_in(sequence, |loss| {
                    let mut steps = sequence.steps.iter();
                    sequence.mode == Mode::Exactly
                        || steps.any(|step| could_be::step(facts, &step.value, loss))
                });
                let (failure, evidence) = explanation.failure();
                judgement.evidence = evidence;
                judgement.failure = Some(failure);
            }
            Found::TooComplex => {
                judgement.no_evidence = Some(
                    "The sequence is too complex for this capture: there are too many ways to match its steps. Narrow it with `on tcp[0]` or a filter, or with fewer open-ended repetitions.".to_owned(),
                );
            }
        }
        judgement
    }

    /// What is missing in a block's scope that is so.
    fn losses_in(&self, sequence: &Sequence, are: impl Fn(&Loss) -> bool) -> FixedBitSet {
        let facts = self.world.facts;
        let is_of = |loss: &Loss, conversation: Option<usize>| {
            conversation.is_some() && loss.of.map(|(of, _)| of) == conversation
        };
        facts.losses_that(|loss| {
            let is_in_scope = match &sequence.scope {
                None => true,
                Some(Scope::Filter(filter)) => could_be::shown(facts, &filter.value, loss),
                Some(Scope::Conversation {
                    protocol: Protocol::Tcp,
                    id,
                }) => is_of(loss, claim_value::member(facts, Collection::Tcp, *id).ok()),
                // Of which conversation a datagram was, nobody knows.
                Some(Scope::Conversation { .. }) => {
                    could_be::event(&EventPattern::Udp(None), loss.what)
                }
                Some(Scope::Message(id)) => {
                    let message = facts.messages.get(*id as usize);
                    matches!(loss.what, Lost::Segments { .. })
                        && is_of(loss, message.map(|message| message.conversation))
                }
            };
            is_in_scope && are(loss)
        })
    }

    fn grounds_of(
        &self,
        sequence: &Sequence,
        context: &Context<'_>,
        scope: &[EventIndex],
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
        let reads =
            steps().any(|s| contents::reads(&s.event)) || conditions().any(contents::filter_reads);
        let payloads = if matches!(sequence.scope, Some(Scope::Message(_)))
            || conditions().any(contents::filter_asks_for_messages)
        {
            // Which message it is, and where it ends, depends on all bytes.
            judgement::all(context.trace)
        } else if reads && sequence.scope.is_none() {
            context.events.carriers().clone()
        } else if reads {
            scope
                .iter()
                .filter_map(|&e| context.events.get(e))
                .flat_map(|e| e.packets.iter().copied())
                .collect()
        } else {
            FixedBitSet::new()
        };
        Grounds {
            roles,
            payloads,
            ..Grounds::default()
        }
    }
}
