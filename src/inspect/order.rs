//! Numbers for the conversations, by their first packets: the same, however
//! many threads found them.

use std::collections::{HashMap, VecDeque};

use super::Name;
use super::shard::{Begun, Local, Over, Part};
use crate::savefile::Protocol;

/// Conversations that are shown in one go, at the end of a capture.
const AT_ONCE: usize = 1024;

/// The conversations that packets may still come for.
#[derive(Default)]
pub(super) struct Order {
    open: HashMap<Local, Name>,
    conversations: usize,
    tcp: u32,
    udp: u32,
    /// Those that were over at the end of the capture, in pieces: each is
    /// shown as a stretch is.
    rest: VecDeque<(usize, Vec<Over>)>,
}

impl Order {
    /// Names all that was found in a stretch. Stretches come in the order of
    /// the file.
    pub fn name(&mut self, part: &mut Part) {
        // One packet may begin several: a tunnel's, and what is inside.
        part.begun.sort_by_key(|begun| (begun.packet, begun.depth));
        for begun in &part.begun {
            let name = self.next(begun);
            self.open.insert(begun.local, name);
        }
        for entry in &mut part.packets {
            let name = |local| self.open.get(&local).copied();
            entry.name = entry.local.and_then(name);
            entry.tunnel_name = entry.tunnel.and_then(name);
        }
        for told in &mut part.messages {
            told.name = self.open.get(&told.local).copied();
        }
        // Nothing more comes for these.
        for over in &mut part.closed {
            over.name = self.open.remove(&over.local);
        }
    }

    /// Takes over the conversations that are over with the capture.
    pub fn close(&mut self, part: &mut Part) {
        while !part.closed.is_empty() {
            let start = part.closed.len().saturating_sub(AT_ONCE);
            let number = self.rest.len();
            self.rest.push_back((number, part.closed.split_off(start)));
        }
    }

    /// Some of those, and how many pieces of them came before.
    pub fn rest(&mut self) -> Option<(usize, Vec<Over>)> {
        self.rest.pop_front()
    }

    fn next(&mut self, begun: &Begun) -> Name {
        let ids = match begun.protocol {
            Protocol::Tcp => &mut self.tcp,
            Protocol::Udp => &mut self.udp,
        };
        let name = Name {
            protocol: begun.protocol,
            index: self.conversations,
            id: *ids,
            first: begun.time,
        };
        *ids += 1;
        self.conversations += 1;
        name
    }
}
