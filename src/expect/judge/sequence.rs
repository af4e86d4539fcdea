//! Blocks of steps.

use fixedbitset::FixedBitSet;

use super::Judge;
use crate::expect::ast::{
    Collection, EventPattern, Mode, Scope, Sequence, Span, Spanned, Step, Unit,
};
use crate::expect::claim::{Cause, Evaluation, value};
use crate::expect::event::EventIndex;
use crate::expect::explain::Explanation;
use crate::expect::judgement::{Grounds, Judgement};
use crate::expect::losses::{Loss, Lost};
use crate::expect::matching::{self, Context, Found};
use crate::expect::{contents, could_be, cut, evidence, judgement};
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
            && let Err(lack) = value::member(self.world.facts, collection, id)
        {
            let mut evaluation = Evaluation::new(&self.world, None);
            evaluation.ask_which(collection, None);
            return self.claimed(Err(Cause::Lack(span.clone(), lack)), evaluation);
        }
        let is_timed = |step: &Spanned<Step>| {
            let condition = step.value.where_.as_ref();
            let asks = condition.is_some_and(|filter| could_be::asks_for_times(&filter.value));
            asks || step.value.within.is_some()
        };
        if sequence.steps.iter().any(is_timed)
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
                judgement.evidence = taken
                    .iter()
                    .filter_map(|t| context.events.get(t.event))
                    .flat_map(|e| e.packets.iter().copied())
                    .collect();
                judgement.rests_on.losses = self.losses_where_found(sequence, &judgement.evidence);
                let facts = self.world.facts;
                let scope = match &sequence.scope {
                    Some(Scope::Filter(filter)) => Some(filter),
                    _ => None,
                };
                let conditions = sequence.steps.iter().flat_map(|it| &it.value.where_);
                for condition in conditions.chain(scope) {
                    let cut = cut::in_headers(facts, &judgement.evidence, &condition.value);
                    judgement.rests_on.payloads.union_with(&cut);
                }
                judgement.names_rest_on = Grounds {
                    every_packet: true,
                    losses: self.losses_in(sequence, |loss| {
                        let mut steps = sequence.steps.iter();
                        steps.any(|step| could_be::step(facts, &step.value, loss))
                    }),
                    ..judgement.rests_on.clone()
                };
                // That others were something else would take nothing away.
                let is_numbered = matches!(sequence.scope, Some(Scope::Message(_)));
                if sequence.mode != Mode::Exactly && !is_numbered && !taken.is_empty() {
                    let read = contents::conversations_of(facts, &judgement.evidence);
                    judgement.rests_on.payloads.intersect_with(&read);
                }
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

    /// What is missing that could change that the steps were found. They stay, except by
    /// conditions that ask for others, and by what others tell of them: runs of data,
    /// whose ends are where the steps beside them go by them.
    fn losses_where_found(&self, sequence: &Sequence, found: &FixedBitSet) -> FixedBitSet {
        let facts = self.world.facts;
        let concerned = facts.conversations_of(found);
        let related = sequence.steps.len() > 1
            || sequence.steps.iter().any(|step| {
                let step = &step.value;
                step.name.is_some() || step.event != EventPattern::Data(None)
            });
        self.losses_in(sequence, |loss| {
            let concerned = loss.of.is_none_or(|(of, _)| concerned.contains(of));
            let mut steps = sequence.steps.iter().map(|step| &step.value);
            sequence.mode == Mode::Exactly
                || steps.any(|step| {
                    let told = || could_be::is_told_by_others(facts, step, loss);
                    could_be::is_moved_in(step, loss.what) || (related && concerned && told())
                })
        })
    }

    /// What is missing in a block's scope that is so.
    fn losses_in(&self, sequence: &Sequence, are: impl Fn(&Loss) -> bool) -> FixedBitSet {
        let facts = self.world.facts;
        let is_of = |loss: &Loss, conversation: Option<usize>| {
            conversation.is_some() && loss.of.map(|(of, _)| of) == conversation
        };
        let mut steps = sequence.steps.iter();
        let asks_both =
            steps.any(|step| matches!(step.value.event, EventPattern::Data(_) | EventPattern::Ack));
        // The scope's filter may leave others, whatever the steps are.
        let moves_scope = |loss: &Loss| match &sequence.scope {
            Some(Scope::Filter(filter)) => could_be::is_moved(&filter.value, loss.what),
            Some(Scope::Conversation {
                protocol: Protocol::Tcp,
                id,
            }) => could_be::renumbers(*id, loss),
            _ => false,
        };
        facts.losses_that(|loss| {
            let is_in_scope = match &sequence.scope {
                None => true,
                Some(Scope::Filter(filter)) => {
                    let shown = |loss: &Loss| could_be::shown(facts, &filter.value, loss);
                    // A run of data lasts until the other side sends, a handshake's ACK
                    // needs what it acknowledges.
                    let other = loss.of.map(|(of, way)| (of, way.opposite()));
                    shown(loss)
                        || (asks_both
                            && shown(&Loss {
                                of: other,
                                ..loss.clone()
                            }))
                }
                Some(Scope::Conversation {
                    protocol: Protocol::Tcp,
                    id,
                }) => {
                    could_be::may_be_of_any_connection(loss)
                        || is_of(loss, value::member(facts, Collection::Tcp, *id).ok())
                }
                // Of which conversation a datagram was, nobody knows.
                Some(Scope::Conversation { .. }) => {
                    could_be::event(&EventPattern::Udp(None), loss.what)
                }
                Some(Scope::Message(id)) => {
                    let message = facts.messages.get(*id as usize);
                    let of = message.map(|message| message.conversation);
                    could_be::may_be_of_any_connection(loss)
                        || (matches!(loss.what, Lost::Segments { .. }) && is_of(loss, of))
                }
            };
            (is_in_scope && are(loss)) || moves_scope(loss)
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
