//! Steps against events: the first assignment of a sequence's steps to events,
//! or the place where no assignment goes on.
//!
//! What holds for every mode:
//!
//! - A step after which `after_stop` is written is satisfied only by events
//!   after the first stop signal, every other step only by events before it.
//! - Events after a stop signal lie outside the scope of `exactly`: they are
//!   our doing, so that one left unnamed is no fault.
//! - `where` on a run holds when it holds for one of the run's packets.
//! - The work is bounded: a sequence that would take too long is said to be
//!   too complex, and never hangs.

mod condition;
mod fits;
mod ordered;
mod program;
#[cfg(test)]
mod properties;
mod unordered;

pub use condition::{Named, Names, filtered, holds};
pub use fits::{Context, Difference, Timing, is_who, packet_is};

use std::collections::BTreeSet;

use super::ast::{Mode, Scope, Sequence};
use super::event::{Event, EventIndex, EventKind};
use crate::savefile::Protocol;
use crate::trace::{Part, Trace};

/// One event that a step took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Index of the step in its sequence.
    pub step: usize,
    pub event: EventIndex,
}

/// What became of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Every step has its events; in the order in which they were taken.
    Matched(Vec<Taken>),
    Diverged(Divergence),
    /// The bound on the work was reached.
    TooComplex,
}

/// The furthest place that any assignment reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// What had been taken until there.
    pub taken: Vec<Taken>,
    /// The step that found no event. None: all steps had theirs, but an event
    /// was left unnamed.
    pub step: Option<usize>,
    /// Steps of other branches that could have come instead.
    pub or: Vec<usize>,
    /// How many events that step had already.
    pub count: u32,
    /// In `exactly`: the event that stands there and cannot be left out. None:
    /// the capture is over. In other modes None.
    pub event: Option<EventIndex>,
}

/// Matches a sequence against the events in its scope: units of the right kind
/// for it ([`event::events`](super::event::events), or
/// [`event::packets`](super::event::packets) for `packets`). `known` is what
/// earlier blocks gave names to.
pub fn find(
    sequence: &Sequence,
    context: &Context<'_>,
    scope: &[EventIndex],
    known: &Names,
) -> Found {
    match sequence.mode {
        Mode::Exactly => ordered::find(sequence, context, scope, known, true),
        Mode::InOrder => ordered::find(sequence, context, scope, known, false),
        Mode::AnyOrder => unordered::find(sequence, context, scope, known),
    }
}

/// What the steps of a sequence that matched are called, beside what was known.
pub fn bind(sequence: &Sequence, context: &Context<'_>, taken: &[Taken], names: &mut Names) {
    for taken in taken {
        let step = sequence.steps.get(taken.step);
        let name = step.and_then(|s| s.value.name.as_ref());
        if let (Some(name), Some(event)) = (name, context.events.get(taken.event)) {
            names.bind(&name.value, event);
        }
    }
}

/// The events in a scope, in order.
pub fn in_scope(scope: Option<&Scope>, context: &Context<'_>) -> Vec<EventIndex> {
    let carriers = match scope {
        Some(Scope::Message(id)) => of_message(context.trace, *id as usize),
        _ => BTreeSet::new(),
    };
    let in_scope = |event: &Event| match scope {
        None => true,
        Some(Scope::Conversation { protocol, id }) => event
            .conversation
            .is_some_and(|c| is_conversation(context.trace, c, *protocol, *id)),
        Some(Scope::Message(id)) => is_of_message(event, *id as usize, &carriers),
        Some(Scope::Filter(filter)) => event
            .packets
            .iter()
            .any(|&packet| holds(context.trace, packet, &filter.value, &Names::default())),
    };
    let events = context.events.iter().enumerate();
    events
        .filter(|(_, event)| in_scope(event))
        .map(|(index, _)| index)
        .collect()
}

/// The heads of a message, and the runs and packets that bring its bytes.
fn is_of_message(event: &Event, message: usize, carriers: &BTreeSet<usize>) -> bool {
    match &event.kind {
        EventKind::Request(index) | EventKind::Response { message: index, .. } => *index == message,
        EventKind::Data { .. } | EventKind::Packet => {
            event.packets.iter().any(|p| carriers.contains(p))
        }
        _ => false,
    }
}

/// The packets that bring a message's bytes.
fn of_message(trace: &Trace, message: usize) -> BTreeSet<usize> {
    let Some(message) = trace.messages.get(message) else {
        return BTreeSet::new();
    };
    let request = message.request.iter().map(Part::Request);
    let responses = message.interim.iter().chain(&message.response);
    request
        .chain(responses.map(Part::Response))
        .filter_map(|part| {
            let stream = trace.stream(message.conversation, part.way(message.way))?;
            Some((part.range(), stream))
        })
        .flat_map(|(range, stream)| {
            let pieces = stream.pieces.iter();
            pieces.filter(move |p| p.at < range.end && p.at + p.len > range.start)
        })
        .map(|piece| piece.packet)
        .collect()
}

fn is_conversation(trace: &Trace, index: usize, protocol: Protocol, id: u32) -> bool {
    trace
        .conversations
        .get(index)
        .is_some_and(|c| c.protocol == protocol && c.id == id)
}
