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
mod shown;
mod unordered;

pub use condition::{Named, Names};
pub use fits::{Context, Difference, Timing, ends_difference, goes, packet_is};
pub use shown::shown;

use std::borrow::Cow;

use fixedbitset::FixedBitSet;

use super::ast::{EventPattern, Item, Mode, Scope, Sequence, Step};
use super::event::{Event, EventIndex, EventKind};
use super::facts::Facts;
use super::fields::Reading;
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
/// for it. `known` is what earlier blocks gave names to.
pub fn find(
    sequence: &Sequence,
    context: &Context<'_>,
    scope: &[EventIndex],
    known: &Names,
) -> Found {
    let found = match sequence.mode {
        Mode::Exactly => return ordered::find(sequence, context, scope, known, true),
        Mode::InOrder => ordered::find(sequence, context, scope, known, false),
        Mode::AnyOrder => unordered::find(sequence, context, scope, known),
    };
    match found {
        Found::TooComplex => hopeless(sequence, context, scope).unwrap_or(found),
        _ => found,
    }
}

/// Where there are too many ways to go, none of them leads past a step that must be
/// there and that no event fits.
fn hopeless(sequence: &Sequence, context: &Context<'_>, scope: &[EventIndex]) -> Option<Found> {
    let step = sequence.items.iter().find_map(|item| match item {
        Item::Step(index) => {
            let step = &sequence.steps.get(*index)?.value;
            let fits_none = step.times.min > 0 && candidates(step, context, scope).is_empty();
            fits_none.then_some(*index)
        }
        Item::Group(_) => None,
    })?;
    Some(Found::Diverged(Divergence {
        taken: Vec::new(),
        step: Some(step),
        or: Vec::new(),
        count: 0,
        event: None,
    }))
}

/// The events that a step can take as far as it alone decides: a `where` that
/// speaks of other steps is left for later.
fn candidates(step: &Step, context: &Context<'_>, scope: &[EventIndex]) -> Vec<EventIndex> {
    let alone = Step {
        where_: step.where_.clone().filter(|_| !speaks_of_others(step)),
        event: match &step.event {
            EventPattern::Retransmission(_) => EventPattern::Retransmission(None),
            event => event.clone(),
        },
        ..step.clone()
    };
    let names = Names::default();
    scope
        .iter()
        .copied()
        .filter(|&i| context.may_fit(&alone, i))
        .filter(|&i| {
            context
                .events
                .get(i)
                .is_some_and(|event| context.fits(&alone, event, &names))
        })
        .collect()
}

/// Does the step speak of another one?
fn speaks_of_others(step: &Step) -> bool {
    let mut speaks = false;
    step.names(&mut |_| speaks = true);
    speaks
}

/// What the steps of a sequence that matched are called, beside what was known.
pub fn bind(sequence: &Sequence, context: &Context<'_>, taken: &[Taken], names: &mut Names) {
    for taken in taken {
        let step = sequence.steps.get(taken.step);
        if let (Some(step), Some(event)) = (step, context.events.get(taken.event)) {
            names.bind(context.trace, &step.value, event);
        }
    }
}

/// The events in a scope, in order.
pub fn in_scope<'c>(
    scope: Option<&Scope>,
    context: &Context<'c>,
    facts: &Facts<'_>,
) -> Cow<'c, [EventIndex]> {
    let among = |candidates: &[EventIndex], is_in: &dyn Fn(&Event) -> bool| {
        let events = candidates.iter().copied();
        let is_in = |&index: &EventIndex| context.events.get(index).is_some_and(is_in);
        Cow::Owned(events.filter(is_in).collect())
    };
    match scope {
        None => Cow::Borrowed(context.events.everywhere()),
        Some(Scope::Conversation { protocol, id }) => {
            Cow::Borrowed(match conversation(context.trace, *protocol, *id) {
                Some(conversation) => context.events.of_conversation(conversation),
                None => &[],
            })
        }
        Some(Scope::Message(id)) => {
            let id = *id as usize;
            let Some(message) = context.trace.messages.get(id) else {
                return Cow::Borrowed(&[]);
            };
            let carriers = of_message(context.trace, id);
            let of_conversation = context.events.of_conversation(message.conversation);
            among(of_conversation, &|event| {
                is_of_message(event, id, &carriers)
            })
        }
        Some(Scope::Filter(filter)) => {
            let shown = shown(
                context.trace,
                facts.classes(),
                &filter.value,
                Reading::Where,
                &Names::default(),
                Some(context.events.carriers()),
            );
            among(context.events.everywhere(), &|event| {
                event.packets.iter().any(|&packet| shown.contains(packet))
            })
        }
    }
}

/// The heads of a message, and the runs and packets that bring its bytes.
fn is_of_message(event: &Event, message: usize, carriers: &FixedBitSet) -> bool {
    match &event.kind {
        EventKind::Request(index) | EventKind::Response { message: index, .. } => *index == message,
        EventKind::Data { .. } | EventKind::Packet => {
            event.packets.iter().any(|p| carriers.contains(*p))
        }
        _ => false,
    }
}

/// The packets that bring a message's bytes.
fn of_message(trace: &Trace, message: usize) -> FixedBitSet {
    let Some(message) = trace.messages.get(message) else {
        return FixedBitSet::new();
    };
    let request = message.request.iter().map(Part::Request);
    let responses = message.interim.iter().chain(&message.response);
    request
        .chain(responses.map(Part::Response))
        .filter_map(|part| {
            let stream = trace.stream(message.conversation, part.way(message.way))?;
            Some((part.range(), stream))
        })
        .flat_map(|(range, stream)| stream.brings(range))
        .map(|piece| piece.packet)
        .collect()
}

fn conversation(trace: &Trace, protocol: Protocol, id: u32) -> Option<usize> {
    let mut conversations = trace.conversations.iter();
    conversations.position(|c| c.protocol == protocol && c.id == id)
}
