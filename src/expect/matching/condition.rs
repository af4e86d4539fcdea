//! The names that steps gave, and the filters that may speak of them.

use std::collections::BTreeMap;

use crate::expect::ast::{Filter, Step};
use crate::expect::event::Event;
use crate::expect::fields::{Reading, View};
use crate::expect::filter;
use crate::savefile::Timestamp;
use crate::trace::Trace;

/// What the names of steps stand for: `as reply`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Names(BTreeMap<String, Named>);

/// What a step that was given a name took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// Its first packet for which the step's `where` holds: the one whose fields
    /// `reply.tcp.seq` reads.
    pub packet: usize,
    pub first: usize,
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

    /// Gives the event that a step takes the step's name, if it has one; a step that
    /// takes several names the last.
    pub fn bind(&mut self, trace: &Trace, step: &Step, event: &Event) {
        let Some(name) = &step.name else {
            return;
        };
        let first = event.first_packet();
        let meant = step.where_.as_ref().and_then(|filter| {
            let mut packets = event.packets.iter().copied();
            packets.find(|&packet| holds(trace, packet, &filter.value, self))
        });
        let named = Named {
            packet: meant.unwrap_or(first),
            first,
            completed: event.packet(),
            time: event.time,
        };
        self.0.insert(name.value.clone(), named);
    }
}

/// Does the filter of a step hold for a packet?
pub fn holds(trace: &Trace, packet: usize, condition: &Filter, names: &Names) -> bool {
    let of_step = |name: &str| View::new(trace, names.get(name)?.packet, Reading::Own);
    View::new(trace, packet, Reading::Where)
        .is_some_and(|view| filter::matches_after(condition, &view, &of_step))
}
