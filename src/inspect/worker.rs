//! The working threads' part: packets to what is found (each shard's
//! conversations know what came before), and what is found to what is shown
//! (which needs no memory of anything).

use crate::conversation::{Closed, Limits, Seen, Tracker};
use crate::decode::{Packet, decode};
use crate::message::{self, Found, Lookup, Message};
use crate::savefile::{Protocol, Timestamp};

use super::route::{SHARDS, Work};
use super::totals::Tally;
use super::{Name, Settings};

/// The conversations of some of the shards: those whose number leaves `number`
/// when divided by `of`.
pub(super) struct Worker {
    number: usize,
    of: usize,
    trackers: Vec<Tracker<message::Reader>>,
    packets: bool,
    pub tally: Tally,
}

/// Which of a shard's conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Local {
    pub shard: usize,
    pub conversation: usize,
}

/// What was found in a worker's packets of one stretch. All lists are in the
/// order of the file.
#[derive(Default)]
pub(super) struct Part {
    pub begun: Vec<Begun>,
    pub packets: Vec<Entry>,
    pub messages: Vec<Told>,
    pub closed: Vec<Over>,
}

/// A conversation's first packet.
pub(super) struct Begun {
    pub packet: usize,
    pub protocol: Protocol,
    pub time: Timestamp,
    pub local: Local,
}

pub(super) struct Entry {
    /// In the batch.
    pub place: usize,
    pub packet: Packet,
    pub seen: Seen,
    pub local: Option<Local>,
    pub name: Option<Name>,
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
        waiting_in_all: limits.waiting_in_all.div_ceil(SHARDS),
        unacknowledged: limits.unacknowledged.div_ceil(SHARDS),
        quotable: limits.quotable.div_ceil(SHARDS),
        ..limits
    }
}

impl Worker {
    pub fn new(number: usize, of: usize, settings: &Settings) -> Worker {
        let shards = (number..SHARDS).step_by(of);
        let limits = divided(settings.limits);
        Worker {
            number,
            of,
            trackers: shards
                .map(|_| Tracker::new(limits, settings.messages))
                .collect(),
            packets: settings.packets,
            tally: Tally::default(),
        }
    }

    /// Reads the worker's packets of a stretch.
    pub fn read(&mut self, work: &Work) -> Part {
        let mut part = Part::default();
        let mut found = Found::default();
        let mut decoded = work.decoded.iter().peekable();
        for (place, &route) in work.routes.iter().enumerate() {
            let shard = usize::from(route);
            let before = decoded.next_if(|(at, _)| *at == place);
            if shard % self.of != self.number {
                continue;
            }
            let (Some(frame), Some(tracker)) = (
                work.batch.get(place),
                self.trackers.get_mut(shard / self.of),
            ) else {
                continue;
            };
            let packet = before.map_or_else(|| decode(&frame), |(_, packet)| packet.clone());
            let index = work.first + place;
            let seen = tracker.packet(index, &packet, packet.data(frame.data), &mut found);
            if !self.packets {
                self.tally.packet(&packet, frame.data);
            }
            for begun in tracker.take_begun() {
                part.begun.push(Begun {
                    packet: index,
                    protocol: begun.protocol,
                    time: begun.at.time,
                    local: Local {
                        shard,
                        conversation: begun.conversation,
                    },
                });
            }
            part.take(shard, index, tracker, &mut found);
            // A packet carries none of the messages that waited for bytes before
            // them, and are read now that these are given up.
            found.parts.retain(|part| {
                let late = part.at().packet != index;
                self.tally.late += u64::from(late && part.whole);
                !late
            });
            if self.packets {
                part.packets.push(Entry {
                    place,
                    local: seen.conversation.map(|conversation| Local {
                        shard,
                        conversation,
                    }),
                    packet,
                    seen,
                    name: None,
                    parts: std::mem::take(&mut found.parts),
                });
            }
        }
        if work.last {
            self.close(&mut part);
        }
        part
    }

    /// The capture is over, and with it all conversations.
    fn close(&mut self, part: &mut Part) {
        for (shard, mut tracker) in (self.number..)
            .step_by(self.of)
            .zip(self.trackers.drain(..))
        {
            let mut found = Found::default();
            tracker.close_all(&mut found);
            part.take(shard, usize::MAX, &mut tracker, &mut found);
            self.tally.bitten(tracker.bitten());
        }
    }
}

impl Part {
    pub fn has_something_to_show(&self) -> bool {
        !(self.packets.is_empty() && self.messages.is_empty() && self.closed.is_empty())
    }

    /// Takes over what is complete.
    fn take(
        &mut self,
        shard: usize,
        packet: usize,
        tracker: &mut Tracker<message::Reader>,
        found: &mut Found,
    ) {
        let messages = found.messages.drain(..);
        let messages = messages.map(|m| (m.conversation, What::Message(Box::new(m))));
        let lookups = found.lookups.drain(..);
        let lookups = lookups.map(|l| (l.conversation, What::Lookup(Box::new(l))));
        let told = messages.chain(lookups).map(|(conversation, what)| Told {
            packet,
            local: Local {
                shard,
                conversation,
            },
            name: None,
            what,
        });
        self.messages.extend(told);
        for closed in tracker.take_closed() {
            self.closed.push(Over {
                local: Local {
                    shard,
                    conversation: closed.index,
                },
                name: None,
                closed,
            });
        }
    }
}
