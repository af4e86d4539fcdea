//! Filters on the packets of events, and the names that steps gave.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use crate::expect::ast::Filter;
use crate::expect::classes::{Answers, Classes};
use crate::expect::event::Event;
use crate::expect::fields::{Needs, Reading, View};
use crate::expect::filter;
use crate::savefile::Timestamp;
use crate::trace::Trace;

/// What the names of steps stand for: `as reply`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Names(BTreeMap<String, Named>);

/// What a step that was given a name took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// Its first packet: the one whose fields `reply.tcp.seq` reads.
    pub packet: usize,
    /// The packet that completes it.
    pub completed: usize,
    pub time: Timestamp,
}

impl Names {
    pub fn get(&self, name: &str) -> Option<&Named> {
        self.0.get(name)
    }

    /// Keeps only some of the names.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| keep(name));
    }

    /// Gives an event a name; a step that takes several names the last.
    pub fn bind(&mut self, name: &str, event: &Event) {
        let named = Named {
            packet: event.packets.first().copied().unwrap_or_default(),
            completed: event.packet(),
            time: event.time,
        };
        self.0.insert(name.to_owned(), named);
    }
}

/// Does the filter of a step hold for a packet?
pub fn holds(trace: &Trace, packet: usize, condition: &Filter, names: &Names) -> bool {
    let of_step = |name: &str| View::new(trace, names.get(name)?.packet, Reading::Own);
    View::new(trace, packet, Reading::Where)
        .is_some_and(|view| filter::matches_after(condition, &view, &of_step))
}

/// The same for many packets: what their classes answer is not asked again.
pub struct Condition<'c> {
    trace: &'c Trace,
    filter: &'c Filter,
    names: &'c Names,
    answers: Answers<'c>,
}

impl<'c> Condition<'c> {
    pub fn new(
        trace: &'c Trace,
        classes: &'c Classes,
        filter: &'c Filter,
        names: &'c Names,
    ) -> Condition<'c> {
        let of_step = |name: &str| View::new(trace, names.get(name)?.packet, Reading::Own);
        Condition {
            trace,
            filter,
            names,
            answers: classes.filter(trace, filter, Reading::Where, &of_step),
        }
    }

    pub fn holds(&self, packet: usize) -> bool {
        self.answers
            .of(packet)
            .unwrap_or_else(|| holds(self.trace, packet, self.filter, self.names))
    }
}

/// The packets of the capture that a display filter shows.
pub fn filtered(
    trace: &Trace,
    classes: &Classes,
    condition: &Filter,
    names: &Names,
) -> FixedBitSet {
    let of_step = |name: &str| View::new(trace, names.get(name)?.packet, Reading::Own);
    let answers = classes.filter(trace, condition, Reading::Filter, &of_step);
    let counts_shown = filter::needs(condition).has(Needs::DISPLAYED);
    let mut displayed = None;
    let mut shown = FixedBitSet::with_capacity(trace.packets.len());
    for index in 0..trace.packets.len() {
        let shows = answers.of(index).unwrap_or_else(|| {
            View::new(trace, index, Reading::Filter).is_some_and(|mut view| {
                view.times.displayed = displayed;
                filter::matches_after(condition, &view, &of_step)
            })
        });
        if shows {
            shown.insert(index);
            if counts_shown {
                displayed = trace.packets.get(index).map(|p| p.time);
            }
        }
    }
    shown
}
