//! The names that steps gave, and the filters that may speak of them.

use std::collections::BTreeMap;

use crate::expect::ast::Filter;
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
