//! The events of a capture, found in one pass through its packets, and the ways
//! to look them up.

use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::sync::OnceLock;

use fixedbitset::FixedBitSet;
use smallvec::{SmallVec, smallvec};

use super::event::{Event, EventIndex, EventKind, Sort, packet, single};
use crate::conversation::{ConversationIndex, Direction, Marks, SeenTcp};
use crate::decode::{Packet, Transport};
use crate::message::Head;
use crate::trace::Trace;

/// Events in the order in which they were complete; silent ones among them.
#[derive(Debug, Default)]
pub struct Events {
    all: Vec<Event>,
    /// The sort of each.
    sorts: Vec<Sort>,
    everywhere: OnceLock<Vec<EventIndex>>,
    packets: OnceLock<FixedBitSet>,
    by_conversation: OnceLock<Vec<Vec<EventIndex>>>,
}

impl Events {
    /// The events of a capture.
    pub fn of(trace: &Trace) -> Events {
        Events::new(found(trace))
    }

    /// Every packet as an event of its own, for `exactly packets`.
    pub fn packets(trace: &Trace) -> Events {
        let packets = (0..trace.packets.len()).map(|index| packet(trace, index));
        Events::new(packets.collect())
    }

    fn new(all: Vec<Event>) -> Events {
        Events {
            sorts: all.iter().map(|event| Sort::of(&event.kind)).collect(),
            all,
            ..Events::default()
        }
    }

    pub fn sort(&self, index: EventIndex) -> Option<Sort> {
        self.sorts.get(index).copied()
    }

    /// The indices of all.
    pub fn everywhere(&self) -> &[EventIndex] {
        self.everywhere
            .get_or_init(|| (0..self.all.len()).collect())
    }

    /// The indices of the packets that carry them.
    pub fn carriers(&self) -> &FixedBitSet {
        self.packets.get_or_init(|| {
            let packets = self.all.iter().flat_map(|e| e.packets.iter().copied());
            packets.collect()
        })
    }

    /// The indices of a conversation's events.
    pub fn of_conversation(&self, conversation: ConversationIndex) -> &[EventIndex] {
        self.by_conversation
            .get_or_init(|| {
                let mut lists: Vec<Vec<EventIndex>> = Vec::new();
                for (index, event) in self.all.iter().enumerate() {
                    let Some(conversation) = event.conversation else {
                        continue;
                    };
                    if lists.len() <= conversation {
                        lists.resize_with(conversation + 1, Vec::new);
                    }
                    if let Some(list) = lists.get_mut(conversation) {
                        list.push(index);
                    }
                }
                lists
            })
            .get(conversation)
            .map_or(&[], Vec::as_slice)
    }

    /// The events that a packet has a part in.
    pub fn carried_by<'e>(
        &'e self,
        trace: &Trace,
        packet: usize,
    ) -> impl DoubleEndedIterator<Item = &'e Event> {
        let conversation = trace.seen.get(packet).and_then(|seen| seen.conversation);
        let among = match conversation {
            Some(conversation) => self.of_conversation(conversation),
            None => {
                let from = self.all.partition_point(|e| e.packet() < packet);
                let to = self.all.partition_point(|e| e.packet() <= packet);
                self.everywhere().get(from..to).unwrap_or_default()
            }
        };
        among
            .iter()
            .filter_map(|&index| self.all.get(index))
            .filter(move |event| event.packets.binary_search(&packet).is_ok())
    }
}

impl Deref for Events {
    type Target = [Event];

    fn deref(&self) -> &[Event] {
        &self.all
    }
}

fn found(trace: &Trace) -> Vec<Event> {
    let mut builder = Builder {
        trace,
        events: Vec::new(),
        open: vec![None; trace.conversations.len()],
        pieces: Pieces::new(trace),
    };
    for (index, packet) in trace.packets.iter().enumerate() {
        builder.packet(index, packet);
    }
    builder.close_all();
    builder.heads();
    let mut events = builder.events;
    // Stable: what one packet carries keeps the order of the ranks.
    events.sort_by_key(|e| (e.packet(), rank(&e.kind)));
    link_heads_and_runs(trace, &mut events);
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
struct Pieces {
    /// For each packet where its ranges begin, and where the last one's end.
    starts: Vec<usize>,
    ranges: Vec<Range<usize>>,
}

impl Pieces {
    fn new(trace: &Trace) -> Pieces {
        let pieces = || {
            let ways = trace.streams.iter();
            ways.flat_map(|ways| ways.to_server.pieces.iter().chain(&ways.to_client.pieces))
        };
        // They are counted, then put in their places: sorting would take longer.
        let mut starts = vec![0; trace.packets.len() + 2];
        for piece in pieces() {
            if let Some(count) = starts.get_mut(piece.packet + 2) {
                *count += 1;
            }
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let mut ranges = vec![0..0; before];
        for piece in pieces() {
            let Some(next) = starts.get_mut(piece.packet + 1) else {
                continue;
            };
            if let Some(place) = ranges.get_mut(*next) {
                *place = piece.at..piece.at.saturating_add(piece.len);
            }
            *next += 1;
        }
        Pieces { starts, ranges }
    }

    fn of(&self, packet: usize) -> &[Range<usize>] {
        let start = self.starts.get(packet).copied().unwrap_or_default();
        let end = self.starts.get(packet + 1).copied().unwrap_or_default();
        self.ranges.get(start..end).unwrap_or_default()
    }
}

/// A run that may still grow.
#[derive(Clone)]
struct Run {
    way: Direction,
    packets: SmallVec<[usize; 1]>,
}

struct Builder<'t> {
    trace: &'t Trace,
    events: Vec<Event>,
    /// The run in progress of each conversation.
    open: Vec<Option<Run>>,
    pieces: Pieces,
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
        if tcp.is(Marks::RETRANSMISSION) {
            self.single(index, EventKind::Retransmission);
        } else if tcp.marks.has_any(Marks::KEEP_ALIVE | Marks::KEEP_ALIVE_ACK) {
            self.single(index, EventKind::KeepAlive);
        } else if tcp.is(Marks::WINDOW_UPDATE) {
            self.single(index, EventKind::WindowUpdate);
        }
        if flags.syn() && !tcp.is(Marks::RETRANSMISSION) && !flags.rst() {
            let kind = if flags.ack() {
                EventKind::SynAck
            } else {
                EventKind::Syn
            };
            self.single(index, kind);
        }
        if tcp.handshake_ack {
            self.single(index, EventKind::HandshakeAck);
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

    fn single(&mut self, index: usize, kind: EventKind) {
        self.events.push(single(self.trace, index, kind));
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
        let mut ranges: Vec<Range<usize>> = run
            .packets
            .iter()
            .flat_map(|&packet| self.pieces.of(packet))
            .cloned()
            .collect();
        ranges.sort_by_key(|r| r.start);
        let event = single(
            self.trace,
            last,
            EventKind::Data {
                way: run.way,
                ranges: joined(ranges),
            },
        );
        self.events.push(Event {
            packets: run.packets,
            ..event
        });
    }

    fn close_all(&mut self) {
        for conversation in 0..self.open.len() {
            self.close(conversation);
        }
    }

    /// The heads of HTTP messages.
    fn heads(&mut self) {
        let trace = self.trace;
        for (index, message) in trace.messages.iter().enumerate() {
            // A line without a version is no request that a step could mean.
            let request = message.request.as_ref();
            if let Some(request) = request.filter(|r| !r.head.version.is_empty()) {
                self.single(request.head.packet, EventKind::Request(index));
            }
            for (i, response) in message.interim.iter().enumerate() {
                let kind = EventKind::Response {
                    message: index,
                    interim: Some(i),
                };
                self.single(response.head.packet, kind);
            }
            if let Some(response) = &message.response {
                let kind = EventKind::Response {
                    message: index,
                    interim: None,
                };
                self.single(response.head.packet, kind);
            }
        }
    }
}

/// Neighbouring ranges made one.
fn joined(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len().min(4));
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// Where a message lies in its stream, and where its head does.
struct Extent {
    event: EventIndex,
    way: Direction,
    head: Range<usize>,
    whole: Range<usize>,
}

/// Says of each run which heads account for it, and of each head which runs do.
fn link_heads_and_runs(trace: &Trace, events: &mut [Event]) {
    // By conversation and way, in the order of the stream: messages of one way
    // follow each other and never overlap.
    let mut extents: HashMap<(ConversationIndex, Direction), Vec<Extent>> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        if let (Some(conversation), Some(extent)) =
            (event.conversation, extent(trace, index, event))
        {
            let key = (conversation, extent.way);
            extents.entry(key).or_default().push(extent);
        }
    }
    for list in extents.values_mut() {
        list.sort_by_key(|x| x.whole.start);
    }
    let mut covers: Vec<Vec<EventIndex>> = vec![Vec::new(); events.len()];
    for (index, event) in events.iter().enumerate() {
        let EventKind::Data { way, ranges } = &event.kind else {
            continue;
        };
        let key = event.conversation.map(|c| (c, *way));
        let Some(list) = key.and_then(|key| extents.get(&key)) else {
            continue;
        };
        let mut messages = Vec::new();
        let mut bytes_in_messages = 0;
        for range in ranges {
            let first = list.partition_point(|x| x.whole.end <= range.start);
            for x in list.iter().skip(first) {
                if x.whole.start >= range.end {
                    break;
                }
                bytes_in_messages += overlap(range, &x.whole);
                messages.push(x.event);
                if overlap(range, &x.head) > 0
                    && let Some(covers) = covers.get_mut(x.event)
                {
                    covers.push(index);
                }
            }
        }
        let bytes: usize = ranges.iter().map(ExactSizeIterator::len).sum();
        if bytes > 0
            && bytes_in_messages == bytes
            && let Some(covers) = covers.get_mut(index)
        {
            *covers = messages;
        }
    }
    for (event, by) in events.iter_mut().zip(covers) {
        event.covered_by = by;
    }
}

fn extent(trace: &Trace, index: EventIndex, event: &Event) -> Option<Extent> {
    let message = event.message(trace)?;
    let (way, head, body): (Direction, &Head, &Range<usize>) = match event.kind {
        EventKind::Request(_) => {
            let request = message.request.as_ref()?;
            (message.way, &request.head, &request.body.range)
        }
        EventKind::Response { interim, .. } => {
            let response = match interim {
                Some(i) => message.interim.get(i)?,
                None => message.response.as_ref()?,
            };
            (message.way.opposite(), &response.head, &response.body.range)
        }
        _ => return None,
    };
    Some(Extent {
        event: index,
        way,
        head: head.range.clone(),
        whole: head.range.start..head.range.end.max(body.end),
    })
}

/// How many positions two ranges share.
fn overlap(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}
