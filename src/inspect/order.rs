//! Numbers for the conversations, by their first packets: the same, however
//! many threads found them.

use std::collections::HashMap;

use super::Name;
use super::present::Named;
use super::worker::{Begun, Local, Part};
use crate::savefile::Protocol;

/// The conversations that packets may still come for.
#[derive(Default)]
pub(super) struct Order {
    open: HashMap<Local, Name>,
    conversations: usize,
    tcp: u32,
    udp: u32,
}

impl Order {
    /// Names all that was found in a stretch. Stretches come in the order of
    /// the file; `parts` is all that was found in this one.
    pub fn name(&mut self, mut parts: Vec<Part>) -> Named {
        let mut begun: Vec<Begun> = parts.iter_mut().flat_map(|p| p.begun.drain(..)).collect();
        begun.sort_by_key(|begun| begun.packet);
        for begun in begun {
            let name = self.next(&begun);
            self.open.insert(begun.local, name);
        }
        for part in &mut parts {
            for entry in &mut part.packets {
                entry.name = entry.local.and_then(|local| self.open.get(&local).copied());
            }
            for told in &mut part.messages {
                told.name = self.open.get(&told.local).copied();
            }
            // Nothing more comes for these.
            for over in &mut part.closed {
                over.name = self.open.remove(&over.local);
            }
        }
        Named(parts)
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
