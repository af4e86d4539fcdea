//! Whose payload is read to tell which packets are meant?
//!
//! A packet that its headers already rule out is not asked for its payload: that bytes
//! of it, or of its stream, are missing changes nothing. A message depends on the bytes
//! of its whole conversation: an answer's end on its request, both on what came before.

use fixedbitset::FixedBitSet;

use super::ast::{
    EventPattern, FieldRef, Filter, Operand, Selection, Spanned, Step, StepEnds, StepOrFilter,
    Window,
};
use super::claim::World;
use super::cut;
use super::facts::Facts;
use super::fields::{self, Field, Kind, Needs, Reading};
use super::judgement;
use super::matching;
use crate::decode::Transport;
use crate::trace::Owner;

/// The packets whose payload tells whether they are a selection's.
pub fn read_for(world: &World<'_>, which: &Selection) -> FixedBitSet {
    let facts = world.facts;
    if which.window.as_ref().is_some_and(window_reads) {
        return judgement::all(facts.trace);
    }
    let mut read = match &which.what {
        StepOrFilter::Filter(filter) if filter_reads(&filter.value) => {
            shown(world, &filter.value, Reading::Filter)
        }
        StepOrFilter::Step(step) if step_reads(&step.value) => of_step(world, &step.value),
        _ => return FixedBitSet::new(),
    };
    // Where it belongs is not known.
    let seen = facts.trace.seen.iter().enumerate();
    read.extend(
        seen.filter(|(_, seen)| seen.conversation.is_none())
            .map(|(packet, _)| packet),
    );
    match asks_for_messages(which) {
        true => conversations_of(facts, &read),
        false => read,
    }
}

/// The packets whose payload tells that those found are a selection's, or whose headers
/// were cut where it has a condition.
pub fn read_where_found(world: &World<'_>, which: &Selection, found: &FixedBitSet) -> FixedBitSet {
    let condition = match &which.what {
        StepOrFilter::Filter(filter) => Some(filter),
        StepOrFilter::Step(step) => step.value.where_.as_ref(),
    };
    let mut read = payloads_where_found(world, which, found);
    if let Some(condition) = condition {
        read.union_with(&cut::in_headers(world.facts, found, &condition.value));
    }
    read
}

fn payloads_where_found(world: &World<'_>, which: &Selection, found: &FixedBitSet) -> FixedBitSet {
    match &which.what {
        _ if which.window.as_ref().is_some_and(window_reads) => judgement::all(world.facts.trace),
        _ if asks_for_messages(which) => conversations_of(world.facts, found),
        StepOrFilter::Filter(filter) if filter_reads(&filter.value) => found.clone(),
        StepOrFilter::Step(step) if step_reads(&step.value) => found.clone(),
        _ => FixedBitSet::new(),
    }
}

/// All packets of the conversations of some.
pub fn conversations_of(facts: &Facts<'_>, packets: &FixedBitSet) -> FixedBitSet {
    let mut all = packets.clone();
    for conversation in facts.conversations_of(packets).ones() {
        all.extend(facts.packets(conversation).iter().copied());
    }
    all
}

/// The packets that a filter shows whatever their payload is, or could show.
fn shown(world: &World<'_>, filter: &Filter, reading: Reading) -> FixedBitSet {
    let facts = world.facts;
    match at_most(filter) {
        Some(filter) => matching::shown(
            facts.trace,
            facts.classes(),
            &filter,
            reading,
            world.names,
            None,
        ),
        None => judgement::all(facts.trace),
    }
}

/// The packets that could carry what a step outside a block means.
fn of_step(world: &World<'_>, step: &Step) -> FixedBitSet {
    let trace = world.facts.trace;
    let could_be = |packet: usize| match (&step.event, trace.packets.get(packet)) {
        (EventPattern::Udp(_), Some(p)) => matches!(p.transport, Transport::Udp(_)),
        (event, Some(p)) if reads(event) => matches!(p.transport, Transport::Tcp(_)),
        _ => true,
    };
    let has_ends = |packet: usize| match &step.ends {
        Some(ends) => could_have_ends(world.facts, packet, ends),
        None => true,
    };
    let packets = (0..trace.packets.len()).filter(|&p| could_be(p) && has_ends(p));
    let mut read: FixedBitSet = packets.collect();
    if let Some(condition) = &step.where_ {
        read.intersect_with(&shown(world, &condition.value, Reading::Where));
    }
    read
}

fn could_have_ends(facts: &Facts<'_>, packet: usize, ends: &StepEnds) -> bool {
    let trace = facts.trace;
    let owners = trace.ends.get(packet);
    let unknown = owners.is_none_or(|o| [o.from, o.to].contains(&Owner::Unknown));
    let seen = trace.seen.get(packet);
    let goes = seen.and_then(|s| Some((s.conversation?, s.direction?)));
    unknown || goes.is_none_or(|(conversation, way)| matching::goes(facts, conversation, way, ends))
}

/// The filter without what it asks of payloads, as if that were true. None: it is
/// true of every packet then.
fn at_most(filter: &Filter) -> Option<Filter> {
    match filter {
        Filter::And(a, b) => match (at_most(a), at_most(b)) {
            (Some(a), Some(b)) => Some(Filter::And(Box::new(a), Box::new(b))),
            (a, b) => a.or(b),
        },
        Filter::Or(a, b) => Some(Filter::Or(Box::new(at_most(a)?), Box::new(at_most(b)?))),
        Filter::Not(inner) => Some(Filter::Not(Box::new(at_least(inner)?))),
        _ if filter_reads(filter) => carrier(filter),
        _ => Some(filter.clone()),
    }
}

/// What has a payload to compare with: a comparison with a field that is not there is
/// false.
fn carrier(filter: &Filter) -> Option<Filter> {
    let left = match filter {
        Filter::Exists(left) | Filter::Compare { left, .. } => left,
        Filter::In {
            left,
            negated: false,
            ..
        } => left,
        _ => return None,
    };
    let mut protocols = Vec::new();
    left.fields(&mut |field| protocols.push(field.field.name.strip_suffix(".payload")));
    match protocols[..] {
        [Some(protocol)] => {
            let field = FieldRef {
                field: fields::lookup(protocol)?,
                layers: Vec::new(),
                span: 0..0,
            };
            Some(Filter::Exists(Operand::Field(field)))
        }
        _ => None,
    }
}

/// The filter without what it asks of payloads, as if that were false. None: it is
/// true of no packet then.
fn at_least(filter: &Filter) -> Option<Filter> {
    match filter {
        Filter::And(a, b) => Some(Filter::And(Box::new(at_least(a)?), Box::new(at_least(b)?))),
        Filter::Or(a, b) => match (at_least(a), at_least(b)) {
            (Some(a), Some(b)) => Some(Filter::Or(Box::new(a), Box::new(b))),
            (a, b) => a.or(b),
        },
        Filter::Not(inner) => Some(Filter::Not(Box::new(at_most(inner)?))),
        _ if filter_reads(filter) => None,
        _ => Some(filter.clone()),
    }
}

fn asks_for_messages(which: &Selection) -> bool {
    let condition = match &which.what {
        StepOrFilter::Filter(filter) => Some(filter),
        StepOrFilter::Step(step) => {
            let event = &step.value.event;
            if matches!(
                event,
                EventPattern::Request { .. } | EventPattern::Response { .. }
            ) {
                return true;
            }
            step.value.where_.as_ref()
        }
    };
    condition.is_some_and(|filter| filter_asks_for_messages(&filter.value))
}

/// Does it matter to a window what the payload of what bounds it is?
pub fn window_reads(window: &Spanned<Window>) -> bool {
    window.value.steps().any(step_reads)
}

fn step_reads(step: &Step) -> bool {
    let condition = step.where_.as_ref();
    reads(&step.event) || condition.is_some_and(|f| filter_reads(&f.value))
}

/// Does the filter look at payload?
pub fn filter_reads(filter: &Filter) -> bool {
    let is_content = |field: &Field| {
        is_of_messages(field.needs)
            || matches!(
                field.name,
                "tcp.payload" | "udp.payload" | "data" | "data.data" | "data.len"
            )
    };
    let exists = |operand: &Operand| matches!(filter, Filter::Exists(o) if o == operand);
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => {
            filter_reads(a) || filter_reads(b)
        }
        Filter::Not(inner) => filter_reads(inner),
        _ => {
            let mut found = false;
            filter.operands(&mut |operand| {
                // A whole protocol's or frame's bytes take in the payload.
                let bare = matches!(operand, Operand::Field(_)) && exists(operand);
                operand.fields(&mut |field| {
                    let whole = field.field.kind == Kind::Protocol && !bare;
                    found |= whole || is_content(field.field);
                });
            });
            found
        }
    }
}

/// Does the filter ask for messages? Which packets have one, and which answers which,
/// depends on the payload of others.
pub fn filter_asks_for_messages(filter: &Filter) -> bool {
    is_of_messages(super::filter::needs(filter))
}

fn is_of_messages(needs: Needs) -> bool {
    needs.has(Needs::HTTP) || needs.has(Needs::CARRIED)
}

/// Does the pattern look at payload, not only at headers?
pub fn reads(pattern: &EventPattern) -> bool {
    matches!(
        pattern,
        EventPattern::Data(Some(_))
            | EventPattern::Udp(Some(_))
            | EventPattern::Request { .. }
            | EventPattern::Response { .. }
    )
}
