//! Filters on the packets of events, and the names that steps gave.

use std::collections::BTreeSet;

use crate::expect::ast::{Filter, Operand, Step};
use crate::expect::event::EventIndex;
use crate::expect::fields::Reading;
use crate::expect::filter;
use crate::trace::Trace;

/// What the names of a sequence's steps stand for: `as reply`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Names(Vec<Named>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Named {
    name: String,
    event: EventIndex,
    /// The first packet of the event: the one whose fields `reply.tcp.seq` reads.
    packet: usize,
}

impl Names {
    /// The event that bears the name.
    pub fn event(&self, name: &str) -> Option<EventIndex> {
        self.0.iter().find(|n| n.name == name).map(|n| n.event)
    }

    /// The packet whose fields stand behind the name.
    pub fn packet(&self, name: &str) -> Option<usize> {
        self.0.iter().find(|n| n.name == name).map(|n| n.packet)
    }

    /// Gives an event a name; a step that takes several names the last.
    pub fn bind(&mut self, name: &str, event: EventIndex, packet: usize) {
        match self.0.iter_mut().find(|n| n.name == name) {
            Some(named) => (named.event, named.packet) = (event, packet),
            None => self.0.push(Named {
                name: name.to_owned(),
                event,
                packet,
            }),
        }
    }
}

/// Does the filter of a step hold for a packet?
pub fn holds(trace: &Trace, packet: usize, condition: &Filter, names: &Names) -> bool {
    filter::holds(condition, trace, packet, Reading::Where, &|name| names.packet(name))
}

/// The packets of the capture that a display filter shows.
pub fn filtered(trace: &Trace, condition: &Filter) -> BTreeSet<usize> {
    let nothing = |_: &str| None;
    (0..trace.packets.len())
        .filter(|&packet| filter::holds(condition, trace, packet, Reading::Filter, &nothing))
        .collect()
}

/// Does the step's `where` speak of another step?
pub fn names_a_step(step: &Step) -> bool {
    step.where_
        .as_ref()
        .is_some_and(|filter| mentions_a_step(&filter.value))
}

fn mentions_a_step(filter: &Filter) -> bool {
    match filter {
        Filter::And(a, b) | Filter::Or(a, b) | Filter::Xor(a, b) => {
            mentions_a_step(a) || mentions_a_step(b)
        }
        Filter::Not(inner) => mentions_a_step(inner),
        Filter::Compare { left, right, .. } => [left, right]
            .iter()
            .any(|o| matches!(o, Operand::OfStep { .. })),
        Filter::Exists(_) | Filter::In { .. } | Filter::End { .. } => false,
    }
}
