//! Packets to what is found in them: each shard's conversations know what came
//! before.

use super::stretch::{AHEAD, SHARDS, Stretch};
use super::totals::{Bitten, Tally};
use super::{Name, Settings};
use crate::conversation::{Closed, Limits, Seen, Tracker};
use crate::decode::Packet;
use crate::message::{self, Found, Lookup, Message};
use crate::savefile::{Protocol, Timestamp};

/// The conversations whose packets' flow hash leaves `number` when divided by
/// the number of shards.
pub(super) struct Shard {
    number: usize,
    tracker: Tracker<message::Reader>,
    found: Found,
    /// Packets are to be shown.
    packets: bool,
}

/// Which of a shard's conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Local {
    pub shard: usize,
    pub conversation: usize,
}

/// What was found in a stretch, shard by shard; each shard's in the order of
/// the file.
#[derive(Default)]
pub(super) struct Part {
    pub begun: Vec<Begun>,
    /// Of each packet, where packets are to be shown.
    pub packets: Vec<Entry>,
    pub messages: Vec<Told>,
    pub closed: Vec<Over>,
}

/// A conversation's first packet.
pub(super) struct Begun {
    pub packet: usize,
    /// How many datagrams of tunnels are around it in that packet; of the packet's own
    /// the highest number there is.
    pub depth: usize,
    pub protocol: Protocol,
    pub time: Timestamp,
    pub local: Local,
}

/// What is known of a packet.
#[derive(Default)]
pub(super) struct Entry {
    pub seen: Seen,
    pub local: Option<Local>,
    pub name: Option<Name>,
    /// The conversation around it.
    pub tunnel: Option<Local>,
    pub tunnel_name: Option<Name>,
    pub parts: Vec<message::Part>,
}

pub(super) struct Told {
    /// With which it was complete, or given up.
    pub packet: usize,
    pub local: Local,
    pub name: Option<Name>,
    pub what: What,
}

pub(super) enum What {
    Message(Box<Message>),
    Lookup(Box<Lookup>),
}

pub(super) struct Over {
    pub local: Local,
    pub name: Option<Name>,
    pub closed: Closed<message::Reader>,
}

/// Each shard's share.
fn divided(limits: Limits) -> Limits {
    Limits {
        conversations: limits.conversations.div_ceil(SHARDS),
        // One stream may have all that one may have.
        waiting_in_all: limits.waiting_in_all.div_ceil(SHARDS).max(limits.waiting),
        unacknowledged: limits.unacknowledged.div_ceil(SHARDS),
        quotable: limits.quotable.div_ceil(SHARDS),
        ..limits
    }
}

impl Shard {
    pub fn new(number: usize, settings: &Settings) -> Shard {
        Shard {
            number,
            tracker: Tracker::new(divided(settings.limits), settings.messages),
            found: Found::default(),
            packets: settings.packets,
        }
    }

    /// Reads the conversation of a datagram that carries a packet through a tunnel.
    fn around(
        &mut self,
        index: usize,
        place: usize,
        depth: usize,
        packet: &Packet,
        part: &mut Part,
    ) {
        self.begun(usize::MAX, part);
        let Some(carrier) = packet.outer_datagrams().nth(depth) else {
            return;
        };
        let around = self.tracker.around(index, packet, carrier, &mut self.found);
        self.tell(index, part);
        self.begun(depth, part);
        if let (0, Some((conversation, delta))) = (depth, around)
            && let Some(entry) = part.packets.get_mut(place)
        {
            entry.tunnel = Some(self.local(conversation));
            entry.seen.tunnel = Some(conversation);
            entry.seen.tunnel_delta = delta;
        }
    }

    /// Tells of the conversations that began, of datagrams at this depth around their
    /// packets or of these packets themselves.
    fn begun(&mut self, depth: usize, part: &mut Part) {
        for begun in self.tracker.take_begun() {
            part.begun.push(Begun {
                packet: begun.at.packet,
                depth,
                protocol: begun.protocol,
                time: begun.at.time,
                local: self.local(begun.conversation),
            });
        }
    }

    /// Reads the shard's packets of a stretch.
    pub fn read(&mut self, stretch: &Stretch, part: &mut Part, tally: &mut Tally) {
        let packets = stretch.packets();
        let shares = stretch.of_shard(self.number);
        for (position, &share) in shares.iter().enumerate() {
            if let Some(soon) = shares.get(position + AHEAD) {
                packets.prefetch(soon.place());
            }
            let place = share.place();
            let Some((packet, frame)) = packets.get(place) else {
                continue;
            };
            let index = stretch.first + place;
            if let Some(depth) = share.depth() {
                self.around(index, place, depth, packet, part);
                continue;
            }
            let data = packet.data(frame.data);
            let mut nowhere = Seen::default();
            // The shard of what is around it may have been here before.
            let entry = part.packets.get_mut(place);
            let seen = entry.map_or(&mut nowhere, |entry| &mut entry.seen);
            self.tracker.own(index, packet, data, seen, &mut self.found);
            self.tell(index, part);
            if !self.found.parts.is_empty() {
                tally.late += self.leave_late(index);
            }
            if self.packets
                && let Some(entry) = part.packets.get_mut(place)
            {
                let local = |conversation| self.local(conversation);
                entry.local = entry.seen.conversation.map(local);
                entry.parts = std::mem::take(&mut self.found.parts);
            }
        }
        self.begun(usize::MAX, part);
        self.closed(part);
    }

    /// A packet carries none of the messages that waited for bytes before them,
    /// and are read now that these are given up. Returns how many those are.
    fn leave_late(&mut self, packet: usize) -> u64 {
        let mut count = 0;
        self.found.parts.retain(|part| {
            let late = part.at().packet != packet;
            count += u64::from(late && part.whole && part.waited());
            !late
        });
        count
    }

    /// The capture is over, and with it all conversations. What the bounds did.
    pub fn close(&mut self, part: &mut Part) -> Bitten {
        self.tracker.close_all(&mut self.found);
        self.tell(usize::MAX, part);
        self.closed(part);
        Bitten {
            conversations: self.tracker.bitten(),
            messages: self.found.bitten,
            datagrams: 0,
        }
    }

    fn local(&self, conversation: usize) -> Local {
        Local {
            shard: self.number,
            conversation,
        }
    }

    /// Takes over the messages that a packet completed.
    #[inline]
    fn tell(&mut self, packet: usize, part: &mut Part) {
        if self.found.messages.is_empty() && self.found.lookups.is_empty() {
            return;
        }
        let messages = self.found.messages.drain(..);
        let messages = messages.map(|m| (m.conversation, What::Message(Box::new(m))));
        let lookups = self.found.lookups.drain(..);
        let lookups = lookups.map(|l| (l.conversation, What::Lookup(Box::new(l))));
        let told = messages.chain(lookups).map(|(conversation, what)| Told {
            packet,
            local: Local {
                shard: self.number,
                conversation,
            },
            name: None,
            what,
        });
        part.messages.extend(told);
    }

    fn closed(&mut self, part: &mut Part) {
        for closed in self.tracker.take_closed() {
            part.closed.push(Over {
                local: self.local(closed.index),
                name: None,
                closed,
            });
        }
    }
}

impl Part {
    /// Makes it empty, with an entry for each of so many packets.
    pub fn restart(&mut self, packets: usize) {
        self.begun.clear();
        self.messages.clear();
        self.closed.clear();
        self.packets.clear();
        self.packets.resize_with(packets, Entry::default);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: a stream had a quarter of what the documentation says.
    #[test]
    fn one_stream_may_have_all_that_one_may_have() {
        let limits = divided(Limits::default());
        assert!(limits.waiting_in_all >= limits.waiting);
        assert_eq!(limits.waiting, Limits::default().waiting);
    }
}
