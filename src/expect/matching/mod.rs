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
#[cfg(test)]
mod properties;
mod unordered;

pub use condition::{Names, filtered, holds};
pub use fits::{Context, Difference, Timing, is_who};

use super::ast::{Mode, Scope, Sequence};
use super::event::{Event, EventIndex};
use crate::savefile::Protocol;
use crate::trace::Trace;

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
    /// How many events that step had already.
    pub count: u32,
    /// In `exactly`: the event that stands there and cannot be left out. None:
    /// the capture is over. In other modes None.
    pub event: Option<EventIndex>,
}

/// Matches a sequence against the events in its scope: units of the right kind
/// for its mode ([`event::events`](super::event::events), or
/// [`event::packets`](super::event::packets) for `exactly packets`).
pub fn find(sequence: &Sequence, context: &Context<'_>, scope: &[EventIndex]) -> Found {
    match sequence.mode {
        Mode::Exactly | Mode::ExactlyPackets => ordered::find(sequence, context, scope, true),
        Mode::InOrder => ordered::find(sequence, context, scope, false),
        Mode::AnyOrder => unordered::find(sequence, context, scope),
    }
}

/// The events in a scope, in order.
pub fn in_scope(scope: Option<&Scope>, context: &Context<'_>) -> Vec<EventIndex> {
    (0..context.events.len())
        .filter(|&i| {
            context
                .events
                .get(i)
                .is_some_and(|e| is_in_scope(scope, e, context.trace))
        })
        .collect()
}

fn is_in_scope(scope: Option<&Scope>, event: &Event, trace: &Trace) -> bool {
    match scope {
        None => true,
        Some(Scope::Conversation { protocol, id }) => event
            .conversation
            .is_some_and(|c| is_conversation(trace, c, *protocol, *id)),
        Some(Scope::Filter(filter)) => event
            .packets
            .iter()
            .any(|&packet| holds(trace, packet, &filter.value, &Names::default())),
    }
}

fn is_conversation(trace: &Trace, index: usize, protocol: Protocol, id: u32) -> bool {
    trace
        .conversations
        .get(index)
        .is_some_and(|c| c.protocol == protocol && c.id == id)
}
