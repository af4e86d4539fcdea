//! Filters on the packets of events, and the names that steps gave.

use std::collections::{BTreeMap, BTreeSet};

use crate::expect::ast::{Filter, Step};
use crate::expect::event::{Event, EventIndex};
use crate::expect::fields::{Reading, View};
use crate::expect::filter;
use crate::trace::Trace;

/// What the names of a sequence's steps stand for: `as reply`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Names {
    events: BTreeMap<String, EventIndex>,
    /// The first packet of each: the one whose fields `reply.tcp.seq` reads.
    packets: BTreeMap<String, usize>,
}

impl Names {
    /// The event that bears the name.
    pub fn event(&self, name: &str) -> Option<EventIndex> {
        self.events.get(name).copied()
    }

    /// Keeps only some of the names.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.events.retain(|name, _| keep(name));
        self.packets.retain(|name, _| keep(name));
    }

    /// Gives an event a name; a step that takes several names the last.
    pub fn bind(&mut self, name: &str, index: EventIndex, event: &Event) {
        self.events.insert(name.to_owned(), index);
        if let Some(&first) = event.packets.first() {
            self.packets.insert(name.to_owned(), first);
        }
    }
}

/// Does the filter of a step hold for a packet?
pub fn holds(trace: &Trace, packet: usize, condition: &Filter, names: &Names) -> bool {
    let of_step = |name: &str| View::new(trace, *names.packets.get(name)?, Reading::Own);
    View::new(trace, packet, Reading::Where)
        .is_some_and(|view| filter::matches_after(condition, &view, &of_step))
}

/// The packets of the capture that a display filter shows.
pub fn filtered(trace: &Trace, condition: &Filter) -> BTreeSet<usize> {
    let mut displayed = None;
    let mut shows = |packet: &usize| {
        let Some(mut view) = View::new(trace, *packet, Reading::Filter) else {
            return false;
        };
        view.times.displayed = displayed;
        let shown = filter::matches(condition, &view);
        if shown {
            displayed = Some(view.packet.time);
        }
        shown
    };
    (0..trace.packets.len()).filter(&mut shows).collect()
}

/// Adds the names of other steps that the step's `where` speaks of.
pub fn names_asked(step: &Step, names: &mut BTreeSet<String>) {
    if let Some(filter) = &step.where_ {
        filter.value.steps(&mut |name| {
            names.insert(name.to_owned());
        });
    }
}
