//! The events of a capture, found in one pass through its packets, and the ways
//! to look them up.

use std::ops::{Deref, Range};
use std::sync::OnceLock;

use fixedbitset::FixedBitSet;
use smallvec::{SmallVec, smallvec};

use super::ast::Unit;
use super::covers;
use super::event::{Event, EventIndex, EventKind, Sort, packet, single};
use super::grouped::Grouped;
use crate::conversation::{ConversationIndex, Direction, Marks, Seen, SeenTcp};
use crate::decode::{Packet, Transport};
use crate::trace::Trace;

/// Events in the order in which they were complete; silent ones among them. They
/// are found when first looked at: many statements look at packets alone.
#[derive(Debug)]
pub struct Events<'t> {
    trace: &'t Trace,
    unit: Unit,
    all: OnceLock<Vec<Event>>,
    /// The sort of each.
    sorts: OnceLock<Vec<Sort>>,
    everywhere: OnceLock<Vec<EventIndex>>,
    packets: OnceLock<FixedBitSet>,
    by_conversation: OnceLock<Grouped<EventIndex>>,
    covered_by: OnceLock<Vec<Vec<EventIndex>>>,
}

impl<'t> Events<'t> {
    /// The events of a capture.
    pub fn of(trace: &'t Trace) -> Events<'t> {
        Events::new(trace, Unit::Events)
    }

    /// Every packet as an event of its own, for `exactly packets`.
    pub fn packets(trace: &'t Trace) -> Events<'t> {
        Events::new(trace, Unit::Packets)
    }

    fn new(trace: &'t Trace, unit: Unit) -> Events<'t> {
        Events {
            trace,
            unit,
            all: OnceLock::new(),
            sorts: OnceLock::new(),
            everywhere: OnceLock::new(),
            packets: OnceLock::new(),
            by_conversation: OnceLock::new(),
            covered_by: OnceLock::new(),
        }
    }

    pub fn sort(&self, index: EventIndex) -> Option<Sort> {
        let sort = |event: &Event| Sort::of(&event.kind);
        let sorts = self.sorts.get_or_init(|| self.iter().map(sort).collect());
        sorts.get(index).copied()
    }

    /// The indices of all.
    pub fn everywhere(&self) -> &[EventIndex] {
        self.everywhere.get_or_init(|| (0..self.len()).collect())
    }

    /// The indices of the packets that carry them.
    pub fn carriers(&self) -> &FixedBitSet {
        self.packets.get_or_init(|| {
            let packets = self.iter().flat_map(|e| e.packets.iter().copied());
            packets.collect()
        })
    }

    /// The indices of a conversation's events.
    pub fn of_conversation(&self, conversation: ConversationIndex) -> &[EventIndex] {
        let by_conversation = self.by_conversation.get_or_init(|| {
            // An event without one has a number that is left out.
            let of = self.iter().map(|e| e.conversation.unwrap_or(usize::MAX));
            let of: Vec<usize> = of.collect();
            Grouped::new(self.trace.conversations.len(), || {
                of.iter().enumerate().map(|(index, of)| (*of, index))
            })
        });
        by_conversation.of(conversation)
    }

    /// The events that together are this one under other names. None: only a step
    /// that names it accounts for it.
    pub fn covered_by(&self, index: EventIndex) -> &[EventIndex] {
        let covers = || covers::covers(self.trace, self);
        let covered_by = self.covered_by.get_or_init(covers);
        covered_by.get(index).map_or(&[], Vec::as_slice)
    }

    /// The events that a packet has a part in.
    pub fn carried_by(&self, packet: usize) -> impl DoubleEndedIterator<Item = &Event> {
        let conversation = self
            .trace
            .seen
            .get(packet)
            .and_then(|seen| seen.conversation);
        let among = match conversation {
            Some(conversation) => self.of_conversation(conversation),
            None => {
                let from = self.partition_point(|e| e.packet() < packet);
                let to = self.partition_point(|e| e.packet() <= packet);
                self.everywhere().get(from..to).unwrap_or_default()
            }
        };
        among
            .iter()
            .filter_map(|&index| self.get(index))
            .filter(move |event| event.packets.binary_search(&packet).is_ok())
    }
}

impl Deref for Events<'_> {
    type Target = [Event];

    fn deref(&self) -> &[Event] {
        let trace = self.trace;
        self.all.get_or_init(|| match self.unit {
            Unit::Events => found(trace),
            Unit::Packets => (0..trace.packets.len()).map(|p| packet(trace, p)).collect(),
        })
    }
}

/// All events, in the order in which they were complete.
fn found(trace: &Trace) -> Vec<Event> {
    let mut builder = Builder {
        trace,
        singles: Vec::new(),
        runs: Vec::new(),
        open: vec![None; trace.conversations.len()],
        syn_acks: FixedBitSet::new(),
        pieces: pieces(trace),
    };
    for (index, packet) in trace.packets.iter().enumerate() {
        builder.packet(index, packet);
    }
    builder.close_all();
    let mut events = builder.singles;
    events.append(&mut builder.runs);
    events.append(&mut heads(trace));
    // Stable: what one packet carries keeps the order of the ranks. The lists are
    // in order already, or nearly so, which sorting makes use of.
    events.sort_by_key(|event| (event.packet(), rank(&event.kind)));
    events
}

/// The order of the events that one packet carries.
fn rank(kind: &EventKind) -> u8 {
    match kind {
        EventKind::Syn | EventKind::SynAck => 0,
        EventKind::HandshakeAck => 1,
        EventKind::Retransmission | EventKind::KeepAlive | EventKind::WindowUpdate => 2,
        EventKind::Request(_) | EventKind::Response { .. } => 3,
        EventKind::Data { .. } => 4,
        EventKind::Fin => 5,
        EventKind::Rst => 6,
        EventKind::Udp | EventKind::Icmp { .. } | EventKind::Packet => 7,
    }
}

/// Which bytes of its stream each packet brought.
fn pieces(trace: &Trace) -> Grouped<Range<usize>> {
    Grouped::new(trace.packets.len(), || {
        let streams = trace.streams.iter();
        let pieces =
            streams.flat_map(|ways| ways.to_server.pieces.iter().chain(&ways.to_client.pieces));
        pieces.map(|piece| (piece.packet, piece.at..piece.end()))
    })
}

/// A run that may still grow.
#[derive(Clone)]
struct Run {
    way: Direction,
    packets: SmallVec<[usize; 1]>,
}

struct Builder<'t> {
    trace: &'t Trace,
    /// What one packet carries whole, but for the heads of HTTP messages; in order.
    singles: Vec<Event>,
    /// In the order in which they were known to be over.
    runs: Vec<Event>,
    /// The run in progress of each conversation.
    open: Vec<Option<Run>>,
    /// The ways on which a SYN,ACK came: twice the conversation, and one more for
    /// that to the server.
    syn_acks: FixedBitSet,
    pieces: Grouped<Range<usize>>,
}

impl Builder<'_> {
    fn packet(&mut self, index: usize, packet: &Packet) {
        match &packet.transport {
            Transport::Tcp(_) => self.segment(index, packet),
            Transport::Udp(_) => self.single(index, EventKind::Udp),
            Transport::Icmp(icmp) => self.single(
                index,
                EventKind::Icmp {
                    ipv6: false,
                    kind: icmp.kind,
                    code: icmp.code,
                },
            ),
            // 130 to 137 and 143: multicast listeners and neighbour discovery.
            Transport::Icmpv6(icmp) if !matches!(icmp.kind, 130..=137 | 143) => self.single(
                index,
                EventKind::Icmp {
                    ipv6: true,
                    kind: icmp.kind,
                    code: icmp.code,
                },
            ),
            _ => {}
        }
    }

    fn segment(&mut self, index: usize, packet: &Packet) {
        let Some(flags) = packet.tcp().map(|tcp| tcp.flags) else {
            return;
        };
        let Some(seen) = self.trace.seen.get(index) else {
            return;
        };
        let unseen = SeenTcp::default();
        let tcp = seen.tcp.as_ref().unwrap_or(&unseen);
        if flags.syn() && !flags.rst() {
            let kind = if flags.ack() {
                EventKind::SynAck
            } else {
                EventKind::Syn
            };
            // Where both sides open, a SYN,ACK says again what a SYN said (RFC 9293
            // figure 7), and is the first of its kind all the same.
            let is_first = flags.ack() && self.is_first_syn_ack(seen);
            if is_first || !tcp.is(Marks::RETRANSMISSION) {
                self.single(index, kind);
            }
        }
        if tcp.handshake_ack {
            self.single(index, EventKind::HandshakeAck);
        }
        if tcp.is(Marks::RETRANSMISSION) {
            self.single(index, EventKind::Retransmission);
        } else if tcp.marks.has_any(Marks::KEEP_ALIVE | Marks::KEEP_ALIVE_ACK) {
            self.single(index, EventKind::KeepAlive);
        } else if tcp.is(Marks::WINDOW_UPDATE) {
            self.single(index, EventKind::WindowUpdate);
        }
        if let (Some(_), Some(conversation), Some(way)) =
            (&tcp.new_bytes, seen.conversation, seen.direction)
        {
            self.grow(conversation, way, index);
        }
        if flags.rst() || tcp.new_fin {
            if let Some(conversation) = seen.conversation {
                self.close(conversation);
            }
            let kind = if flags.rst() {
                EventKind::Rst
            } else {
                EventKind::Fin
            };
            self.single(index, kind);
        }
    }

    fn is_first_syn_ack(&mut self, seen: &Seen) -> bool {
        let (Some(conversation), Some(way)) = (seen.conversation, seen.direction) else {
            return false;
        };
        let place = 2 * conversation + usize::from(way == Direction::ToServer);
        self.syn_acks.grow(place + 1);
        !self.syn_acks.put(place)
    }

    fn single(&mut self, index: usize, kind: EventKind) {
        self.singles.push(single(self.trace, index, kind));
    }

    /// New bytes: they go on with the run in progress or begin another.
    fn grow(&mut self, conversation: ConversationIndex, way: Direction, index: usize) {
        let stopped = self.trace.after_stop(index);
        if let Some(Some(run)) = self.open.get_mut(conversation)
            && run.way == way
            && let Some(&last) = run.packets.last()
            && self.trace.after_stop(last) == stopped
        {
            run.packets.push(index);
            return;
        }
        self.close(conversation);
        if let Some(place) = self.open.get_mut(conversation) {
            *place = Some(Run {
                way,
                packets: smallvec![index],
            });
        }
    }

    fn close(&mut self, conversation: ConversationIndex) {
        let Some(run) = self.open.get_mut(conversation).and_then(Option::take) else {
            return;
        };
        let Some(&last) = run.packets.last() else {
            return;
        };
        let brought = run.packets.iter().flat_map(|&p| self.pieces.of(p)).cloned();
        let kind = EventKind::Data {
            way: run.way,
            ranges: joined(brought.collect()),
        };
        let event = single(self.trace, last, kind);
        self.runs.push(Event {
            packets: run.packets,
            ..event
        });
    }

    fn close_all(&mut self) {
        for conversation in 0..self.open.len() {
            self.close(conversation);
        }
    }
}

/// The heads of HTTP messages.
fn heads(trace: &Trace) -> Vec<Event> {
    let mut heads = Vec::with_capacity(2 * trace.messages.len());
    for (index, message) in trace.messages.iter().enumerate() {
        // A line without a version is no request that a step could mean.
        let request = message.request.as_ref();
        if let Some(request) = request.filter(|r| !r.head.version.is_empty()) {
            heads.push(single(
                trace,
                request.head.packet,
                EventKind::Request(index),
            ));
        }
        let interim = message.interim.iter().enumerate();
        let interim = interim.map(|(i, response)| (Some(i), response));
        let last = message.response.iter().map(|response| (None, response));
        for (interim, response) in interim.chain(last) {
            let kind = EventKind::Response {
                message: index,
                interim,
            };
            heads.push(single(trace, response.head.packet, kind));
        }
    }
    heads
}

/// Ranges in their order, neighbouring ones made one.
fn joined(mut ranges: SmallVec<[Range<usize>; 4]>) -> SmallVec<[Range<usize>; 1]> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: SmallVec<[Range<usize>; 1]> = SmallVec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}
