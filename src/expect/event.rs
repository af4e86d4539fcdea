//! Events: what happened on the wire, freed from how the kernels cut it up.
//!
//! An event is a SYN; a SYN,ACK; the handshake's ACK; a *run*: a maximal
//! stretch of new bytes one way; a FIN; a RST; a datagram; an ICMP message; the
//! head of an HTTP request or response. One packet may carry several (a FIN
//! with the last bytes), one run may take many packets. Pure ACKs, window
//! updates, keep-alives and retransmissions are no events of their own; those
//! that a step can name are listed as *silent*: no statement asks for them
//! unless it names them.
//!
//! **Runs.** A run ends before the peer's next new byte, before the first FIN
//! or a RST of either side, and where the stop signal was sent. Delayed ACKs,
//! coalescing and segmentation therefore never change the events.
//!
//! **Place and time.** An event stands where it is complete: a run at the
//! packet with its last new byte, the head of an HTTP message at the packet
//! that completes the head. `within` measures from completion to completion.
//!
//! **HTTP heads are other names for data.** In `exactly`, a run is accounted
//! for when a step names it, or when every one of its bytes belongs to an HTTP
//! message whose head a step names. A head is accounted for when a step names
//! it, or when every run that carries a byte of it is named. [`Event::covered_by`]
//! holds which those are.
//!
//! **Every RST is an event**, also a second one the same way: how many there
//! are is what the wire shows. Where it depends on timing, write `RST x1..`.
//!
//! ICMPv6 neighbour discovery and multicast listener reports are the kernel's
//! own business and no events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::conversation::{ConversationIndex, Direction, Marks};
use crate::decode::{Packet, Transport};
use crate::message::{Head, Message};
use crate::savefile::Timestamp;
use crate::trace::{Owner, Trace};

/// Index into the list that [`events`] gives.
pub type EventIndex = usize;

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: EventKind,
    pub from: End,
    pub to: End,
    pub conversation: Option<ConversationIndex>,
    /// Indices of the packets that carry it, ascending; never empty.
    pub packets: Vec<usize>,
    /// When it was complete.
    pub time: Timestamp,
    /// It was sent after the first stop signal.
    pub after_stop: bool,
    /// The events that together are this one under other names. Empty: only a
    /// step that names it accounts for it.
    pub covered_by: Vec<EventIndex>,
}

/// One end of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub owner: Owner,
    pub port: Option<u16>,
    /// It is the server's end of its conversation: its port is worth showing.
    pub serves: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    Syn,
    SynAck,
    HandshakeAck,
    /// A run: the positions of its bytes in the stream, ascending.
    Data {
        way: Direction,
        ranges: Vec<Range<usize>>,
    },
    Fin,
    Rst,
    Udp,
    Icmp {
        ipv6: bool,
        kind: u8,
        code: u8,
    },
    /// The head of a request: index of its message.
    Request(usize),
    /// The head of a response: index of its message, and which of the interim
    /// (1xx) responses it is.
    Response {
        message: usize,
        interim: Option<usize>,
    },
    /// Silent.
    Retransmission,
    /// Silent. A keep-alive or the answer to one.
    KeepAlive,
    /// Silent.
    WindowUpdate,
    /// A whole packet: the unit of `exactly packets`.
    Packet,
}

impl Event {
    /// No statement asks for it unless a step names it.
    pub fn is_silent(&self) -> bool {
        matches!(
            self.kind,
            EventKind::Retransmission | EventKind::KeepAlive | EventKind::WindowUpdate
        )
    }

    /// The packet that completes it.
    pub fn packet(&self) -> usize {
        self.packets.last().copied().unwrap_or_default()
    }

    /// The bytes of a run or a datagram, or the payload of a packet; empty for
    /// other events.
    pub fn content<'t>(&self, trace: &'t Trace) -> Cow<'t, [u8]> {
        match &self.kind {
            EventKind::Data { way, ranges } => {
                let bytes = self
                    .conversation
                    .and_then(|c| trace.stream(c, *way))
                    .map(|stream| stream.bytes.as_slice())
                    .unwrap_or(&[]);
                match ranges.as_slice() {
                    [range] => Cow::Borrowed(bytes.get(range.clone()).unwrap_or(&[])),
                    many => Cow::Owned(
                        many.iter()
                            .filter_map(|range| bytes.get(range.clone()))
                            .flatten()
                            .copied()
                            .collect(),
                    ),
                }
            }
            EventKind::Udp | EventKind::Packet => Cow::Borrowed(trace.payload(self.packet())),
            _ => Cow::Borrowed(&[]),
        }
    }

    /// The HTTP message whose head it is.
    pub fn message<'t>(&self, trace: &'t Trace) -> Option<&'t Message> {
        match self.kind {
            EventKind::Request(message) | EventKind::Response { message, .. } => {
                trace.messages.get(message)
            }
            _ => None,
        }
    }

    /// Numbers (`frame.number`) of its packets.
    pub fn frames<'a>(&'a self, trace: &'a Trace) -> impl Iterator<Item = u64> + 'a {
        self.packets
            .iter()
            .filter_map(|&p| trace.packets.get(p))
            .map(|p| p.number)
    }
}

/// The events of a capture, in the order in which they were complete; silent
/// ones among them.
pub fn events(trace: &Trace) -> Vec<Event> {
    let mut builder = Builder {
        trace,
        events: Vec::new(),
        open: BTreeMap::new(),
        pieces: pieces(trace),
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

/// Every packet as an event of its own, for `exactly packets`.
pub fn packets(trace: &Trace) -> Vec<Event> {
    (0..trace.packets.len())
        .map(|index| packet(trace, index))
        .collect()
}

/// One packet as an event of its own.
pub fn packet(trace: &Trace, index: usize) -> Event {
    single(trace, index, EventKind::Packet)
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
fn pieces(trace: &Trace) -> BTreeMap<usize, Vec<Range<usize>>> {
    let mut map: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
    for ways in &trace.streams {
        for piece in ways.to_server.pieces.iter().chain(&ways.to_client.pieces) {
            map.entry(piece.packet)
                .or_default()
                .push(piece.at..piece.at.saturating_add(piece.len));
        }
    }
    map
}

/// An event that one packet carries whole.
fn single(trace: &Trace, index: usize, kind: EventKind) -> Event {
    let packet = trace.packets.get(index);
    let seen = trace.seen.get(index);
    let (from, to) = ends(trace, index);
    Event {
        kind,
        from,
        to,
        conversation: seen.and_then(|s| s.conversation),
        packets: vec![index],
        time: packet.map(|p| p.time).unwrap_or_default(),
        after_stop: trace.after_stop(index),
        covered_by: Vec::new(),
    }
}

/// The ends of a packet; of an ICMP error, those of what it quotes, reversed.
fn ends(trace: &Trace, index: usize) -> (End, End) {
    let owners = trace.ends.get(index);
    let way = trace.seen.get(index).and_then(|s| s.direction);
    let ports = trace.packets.get(index).and_then(|packet| {
        let quoted = packet.icmp().and_then(|icmp| icmp.quoted.as_deref());
        match quoted {
            Some(quoted) => quoted.dst_port.zip(quoted.src_port),
            None => packet.ports(),
        }
    });
    let from = End {
        owner: owners.map_or(Owner::Unknown, |e| e.from),
        port: ports.map(|(from, _)| from),
        serves: way == Some(Direction::ToClient),
    };
    let to = End {
        owner: owners.map_or(Owner::Unknown, |e| e.to),
        port: ports.map(|(_, to)| to),
        serves: way == Some(Direction::ToServer),
    };
    (from, to)
}

/// A run that may still grow.
struct Run {
    way: Direction,
    packets: Vec<usize>,
}

struct Builder<'t> {
    trace: &'t Trace,
    events: Vec<Event>,
    /// The run in progress of each conversation.
    open: BTreeMap<ConversationIndex, Run>,
    pieces: BTreeMap<usize, Vec<Range<usize>>>,
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
        let tcp = seen.tcp.clone().unwrap_or_default();
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
        let goes_on = self.open.get(&conversation).is_some_and(|run| {
            run.way == way
                && run
                    .packets
                    .last()
                    .is_some_and(|&p| self.trace.after_stop(p) == stopped)
        });
        if !goes_on {
            self.close(conversation);
        }
        self.open
            .entry(conversation)
            .or_insert(Run {
                way,
                packets: Vec::new(),
            })
            .packets
            .push(index);
    }

    fn close(&mut self, conversation: ConversationIndex) {
        let Some(run) = self.open.remove(&conversation) else {
            return;
        };
        let Some(&last) = run.packets.last() else {
            return;
        };
        let mut ranges: Vec<Range<usize>> = run
            .packets
            .iter()
            .filter_map(|p| self.pieces.get(p))
            .flatten()
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
        while let Some(&conversation) = self.open.keys().next() {
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
    let mut extents: BTreeMap<(ConversationIndex, bool), Vec<Extent>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        if let (Some(conversation), Some(extent)) =
            (event.conversation, extent(trace, index, event))
        {
            let way = extent.way == Direction::ToServer;
            extents.entry((conversation, way)).or_default().push(extent);
        }
    }
    for list in extents.values_mut() {
        list.sort_by_key(|x| x.whole.start);
    }
    let mut covers: BTreeMap<EventIndex, Vec<EventIndex>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let EventKind::Data { way, ranges } = &event.kind else {
            continue;
        };
        let key = event.conversation.map(|c| (c, *way == Direction::ToServer));
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
                if overlap(range, &x.head) > 0 {
                    covers.entry(x.event).or_default().push(index);
                }
            }
        }
        let bytes: usize = ranges.iter().map(ExactSizeIterator::len).sum();
        if bytes > 0 && bytes_in_messages == bytes {
            covers.insert(index, messages);
        }
    }
    for (index, by) in covers {
        if let Some(event) = events.get_mut(index) {
            event.covered_by = by;
        }
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
