//! What claims read: conversations, streams and messages as they were when we
//! sent the first signal to their programs.
//!
//! A server that never closes its connections must not look right because our
//! signal made the kernel send its FIN. So `tcp[0].state` and the like speak of
//! the packets before it. Where no packet is marked `after_stop`, which is the
//! rule, the trace's own facts are used as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use fixedbitset::FixedBitSet;

use super::classes::Classes;
use super::cut;
use super::grouped::Grouped;
use super::losses::{self, Loss};
use crate::conversation::{Closed, Conversation, Direction, Late, Stream, Streams, Tracker};
use crate::message::Message;
use crate::savefile::{Protocol, Recording};
use crate::trace::{self, KEEP, Keeper, Owner, Trace};

pub struct Facts<'t> {
    pub trace: &'t Trace,
    pub conversations: Cow<'t, [Conversation]>,
    pub streams: Cow<'t, [Streams]>,
    pub messages: Cow<'t, [Message]>,
    // Made when first asked for.
    /// Each conversation's owners: the client's end, the server's.
    owners: OnceLock<Vec<(Owner, Owner)>>,
    /// Each conversation's packets.
    packets: OnceLock<Grouped<usize>>,
    classes: OnceLock<Classes>,
    losses: OnceLock<Vec<Loss>>,
    truncated: OnceLock<FixedBitSet>,
    /// The number of the first packet whose time the file does not have.
    untimed: OnceLock<Option<u64>>,
}

impl<'t> Facts<'t> {
    pub fn new(trace: &'t Trace) -> Facts<'t> {
        let mut facts = Facts {
            trace,
            conversations: Cow::Borrowed(&trace.conversations),
            streams: Cow::Borrowed(&trace.streams),
            messages: Cow::Borrowed(&trace.messages),
            owners: OnceLock::new(),
            packets: OnceLock::new(),
            classes: OnceLock::new(),
            losses: OnceLock::new(),
            truncated: OnceLock::new(),
            untimed: OnceLock::new(),
        };
        let is_stopped = |r: &Recording| r.programs.iter().any(|p| p.stopped_after.is_some());
        if trace.recording.as_ref().is_some_and(is_stopped)
            && (0..trace.packets.len()).any(|i| trace.after_stop(i))
        {
            facts.forget_after_stop();
        }
        facts
    }

    /// Replaces what packets after a stop signal had a part in.
    fn forget_after_stop(&mut self) {
        let mut before = BeforeStop::of(self.trace, Late::default());
        if !before.late.is_empty() {
            before = BeforeStop::of(self.trace, before.late);
        }
        let places = before.places;
        let conversations = self.conversations.to_mut();
        let streams = self.streams.to_mut();
        let messages = self.messages.to_mut();
        for closed in before.closed {
            let Some(&then) = places.get(&closed.index) else {
                continue;
            };
            if let Some(place) = conversations.get_mut(then) {
                *place = Conversation {
                    id: place.id,
                    ..closed.conversation
                };
            }
            if let Some(place) = streams.get_mut(then) {
                *place = closed.receiver.0;
            }
            messages.retain(|message| message.conversation != then);
        }
        messages.extend(before.messages.into_iter().filter_map(|message| {
            let conversation = *places.get(&message.conversation)?;
            Some(Message {
                conversation,
                ..message
            })
        }));
        trace::order(messages, streams);
    }

    /// The conversations of a protocol, by their number.
    pub fn of(&self, protocol: Protocol) -> impl Iterator<Item = usize> {
        self.conversations
            .iter()
            .enumerate()
            .filter(move |(_, c)| c.protocol == protocol)
            .map(|(index, _)| index)
    }

    pub fn stream(&self, conversation: usize, way: Direction) -> Option<&Stream> {
        self.streams.get(conversation).map(|ways| ways.get(way))
    }

    /// Who owned the sender's and the receiver's end of a way.
    pub fn ends(&self, conversation: usize, way: Direction) -> (Owner, Owner) {
        let owners = self
            .owners
            .get_or_init(|| owners(self.trace, self.by_conversation()));
        let (client, server) = owners
            .get(conversation)
            .copied()
            .unwrap_or((Owner::Unknown, Owner::Unknown));
        match way {
            Direction::ToServer => (client, server),
            Direction::ToClient => (server, client),
        }
    }

    pub fn classes(&self) -> &Classes {
        self.classes
            .get_or_init(|| Classes::new(self.trace, self.by_conversation()))
    }

    /// The packets of which the capture does not hold all.
    pub fn truncated(&self) -> &FixedBitSet {
        self.truncated.get_or_init(|| cut::truncated(self.trace))
    }

    /// Why spans of time cannot be told: a packet has no time in the file.
    pub fn untimed(&self) -> Option<String> {
        let first = self.untimed.get_or_init(|| {
            let mut packets = self.trace.packets.iter();
            let untimed = packets.find(|packet| !packet.time.is_known());
            untimed.map(|packet| packet.number)
        });
        first.map(|number| {
            format!(
                "packet {number} has no time in the file (a simple packet block), and spans of time are asked for"
            )
        })
    }

    /// What is known to be missing.
    pub fn losses(&self) -> &[Loss] {
        self.losses.get_or_init(|| losses::losses(self))
    }

    /// The indices of those that are so.
    pub fn losses_that(&self, are: impl Fn(&Loss) -> bool) -> FixedBitSet {
        let losses = self.losses().iter().enumerate();
        let found = losses.filter(|(_, loss)| are(loss));
        found.map(|(index, _)| index).collect()
    }

    /// The conversations that some packets are of.
    pub fn conversations_of(&self, packets: &FixedBitSet) -> FixedBitSet {
        let of = |packet: usize| self.trace.seen.get(packet)?.conversation;
        packets.ones().filter_map(of).collect()
    }

    /// The indices of a conversation's packets.
    pub fn packets(&self, conversation: usize) -> &[usize] {
        self.by_conversation().of(conversation)
    }

    fn by_conversation(&self) -> &Grouped<usize> {
        self.packets.get_or_init(|| by_conversation(self.trace))
    }
}

/// What a trace would have been had it ended where programs were told to stop.
struct BeforeStop {
    closed: Vec<Closed<Keeper>>,
    messages: Vec<Message>,
    /// From the indices of these conversations to the trace's.
    places: BTreeMap<usize, usize>,
    /// Bytes that came after they were given up.
    late: Late,
}

impl BeforeStop {
    /// `late` is waited for.
    fn of(trace: &Trace, late: Late) -> BeforeStop {
        let mut tracker = Tracker::<Keeper>::new(trace::LIMITS, KEEP).awaiting(late);
        let mut found = Default::default();
        let mut places = BTreeMap::new();
        for (index, packet) in trace.packets.iter().enumerate() {
            if trace.after_stop(index) {
                continue;
            }
            let bytes = packet.data(trace.frame(index));
            let now = tracker.packet(index, packet, bytes, &mut found);
            let then = trace.seen.get(index).and_then(|s| s.conversation);
            if let (Some(now), Some(then)) = (now.conversation, then) {
                places.entry(now).or_insert(then);
            }
        }
        tracker.close_all(&mut found);
        BeforeStop {
            closed: tracker.take_closed(),
            messages: found.1.messages,
            places,
            late: tracker.take_late(),
        }
    }
}

/// The packets of each conversation.
pub fn by_conversation(trace: &Trace) -> Grouped<usize> {
    // A packet without one has a number that is left out.
    let of = trace
        .seen
        .iter()
        .map(|s| s.conversation.unwrap_or(usize::MAX));
    let of: Vec<usize> = of.collect();
    Grouped::new(trace.conversations.len(), || {
        of.iter().enumerate().map(|(packet, of)| (*of, packet))
    })
}

/// The owners of each conversation's ends, by its first packet.
fn owners(trace: &Trace, by_conversation: &Grouped<usize>) -> Vec<(Owner, Owner)> {
    let of_packet = |&packet: &usize| {
        let ends = trace.ends.get(packet)?;
        Some(match trace.seen.get(packet)?.direction? {
            Direction::ToServer => (ends.from, ends.to),
            Direction::ToClient => (ends.to, ends.from),
        })
    };
    let of = |conversation| by_conversation.of(conversation).iter().find_map(of_packet);
    (0..trace.conversations.len())
        .map(|c| of(c).unwrap_or((Owner::Unknown, Owner::Unknown)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::ConnState;
    use crate::expect::testing::{CLIENT, NOBODY, SERVER, ToClient, ToServer, Wire};

    #[test]
    fn a_close_by_the_kernel_after_our_signal_is_no_close() {
        let mut wire = Wire::new();
        // Another client's, which no signal reached: it keeps its number.
        let refused = wire.tcp(CLIENT, (NOBODY, 1));
        wire.segment(refused, ToServer, 2, b"");
        wire.rst(refused, ToClient);
        let c = wire.tcp(CLIENT, (SERVER, 12000));
        wire.handshake(c);
        wire.data(c, ToServer, b"hello");
        let stop = wire.fin(c, ToClient);
        wire.fin(c, ToServer);
        wire.facts(c).state = ConnState::SF;
        assert_eq!(state(&wire, c), ConnState::SF);
        wire.recording().programs[1].stopped_after = Some(stop as u64);
        assert_eq!(state(&wire, c), ConnState::S1);
        assert_eq!(state(&wire, refused), ConnState::REJ);
        let facts = Facts::new(&wire.trace);
        let stream = facts.stream(c, ToServer).unwrap();
        assert_eq!(*wire.trace.stream_bytes(stream, 0..5), *b"hello");
        assert_eq!(facts.conversations[c].id, 1);
        assert_eq!(facts.ends(c, ToClient), (SERVER, CLIENT));
    }

    fn state(wire: &Wire, conversation: usize) -> ConnState {
        let facts = Facts::new(&wire.trace);
        facts.conversations[conversation]
            .tcp
            .as_ref()
            .unwrap()
            .state
    }
}
