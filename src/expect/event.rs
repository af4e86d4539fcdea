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
//! **HTTP heads are other names for data**: `covers` tells which
//! are.
//!
//! **Every RST is an event**, also a second one the same way: how many there
//! are is what the wire shows. Where it depends on timing, write `RST x1..`.
//!
//! ICMPv6 neighbour discovery and multicast listener reports are the kernel's
//! own business and no events.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::ast::EventPattern;
use crate::conversation::{ConversationIndex, Direction};
use crate::message::Message;
use crate::savefile::Timestamp;
use crate::trace::{Owner, Trace};

/// Index into [`Events`](super::events::Events).
pub type EventIndex = usize;

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: EventKind,
    pub from: End,
    pub to: End,
    pub conversation: Option<ConversationIndex>,
    /// Indices of the packets that carry it, ascending; never empty.
    pub packets: SmallVec<[usize; 1]>,
    /// When it was complete.
    pub time: Timestamp,
    /// It was sent after the first stop signal.
    pub after_stop: bool,
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
        ranges: SmallVec<[Range<usize>; 1]>,
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

/// What sort of event it is, without its particulars: small, so that a search
/// through many events need not look at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Syn,
    SynAck,
    Ack,
    Data,
    Fin,
    Rst,
    Udp,
    Icmp,
    Request,
    Response,
    Retransmission,
    KeepAlive,
    WindowUpdate,
    /// A whole packet may be of several sorts.
    Any,
}

impl Sort {
    pub fn of(kind: &EventKind) -> Sort {
        match kind {
            EventKind::Syn => Sort::Syn,
            EventKind::SynAck => Sort::SynAck,
            EventKind::HandshakeAck => Sort::Ack,
            EventKind::Data { .. } => Sort::Data,
            EventKind::Fin => Sort::Fin,
            EventKind::Rst => Sort::Rst,
            EventKind::Udp => Sort::Udp,
            EventKind::Icmp { .. } => Sort::Icmp,
            EventKind::Request(_) => Sort::Request,
            EventKind::Response { .. } => Sort::Response,
            EventKind::Retransmission => Sort::Retransmission,
            EventKind::KeepAlive => Sort::KeepAlive,
            EventKind::WindowUpdate => Sort::WindowUpdate,
            EventKind::Packet => Sort::Any,
        }
    }

    /// Of the events that a step asks for.
    pub fn asked_for(pattern: &EventPattern) -> Sort {
        match pattern {
            EventPattern::Syn => Sort::Syn,
            EventPattern::SynAck => Sort::SynAck,
            EventPattern::Ack => Sort::Ack,
            EventPattern::Data(_) => Sort::Data,
            EventPattern::Fin => Sort::Fin,
            EventPattern::Rst => Sort::Rst,
            EventPattern::Udp(_) => Sort::Udp,
            EventPattern::Icmp(_) => Sort::Icmp,
            EventPattern::Request { .. } => Sort::Request,
            EventPattern::Response { .. } => Sort::Response,
            EventPattern::Retransmission(_) => Sort::Retransmission,
            EventPattern::KeepAlive => Sort::KeepAlive,
            EventPattern::WindowUpdate => Sort::WindowUpdate,
        }
    }

    /// Can an event of this sort be of that one?
    pub fn may_be(self, wanted: Sort) -> bool {
        self == wanted || self == Sort::Any
    }
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

    /// The packet that begins it: of a run, where its first new byte came.
    pub fn first_packet(&self) -> usize {
        self.packets.first().copied().unwrap_or_default()
    }

    /// The bytes of a run or a datagram, or the payload of a packet; empty for
    /// other events.
    pub fn content<'t>(&self, trace: &'t Trace) -> Cow<'t, [u8]> {
        match &self.kind {
            EventKind::Data { way, ranges } => {
                let stream = self.conversation.and_then(|c| trace.stream(c, *way));
                let Some(stream) = stream else {
                    return Cow::Borrowed(&[]);
                };
                match ranges.as_slice() {
                    [range] => trace.stream_bytes(stream, range.clone()),
                    many => {
                        let parts = many
                            .iter()
                            .map(|range| trace.stream_bytes(stream, range.clone()));
                        Cow::Owned(parts.collect::<Vec<_>>().concat())
                    }
                }
            }
            EventKind::Udp | EventKind::Packet => Cow::Borrowed(trace.payload(self.packet())),
            _ => Cow::Borrowed(&[]),
        }
    }

    /// The HTTP message whose head it is.
    pub fn message<'t>(&self, trace: &'t Trace) -> Option<&'t Message> {
        trace.messages.get(self.message_index()?)
    }

    /// The index of that message.
    pub fn message_index(&self) -> Option<usize> {
        match self.kind {
            EventKind::Request(message) | EventKind::Response { message, .. } => Some(message),
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

/// One packet as an event of its own.
pub fn packet(trace: &Trace, index: usize) -> Event {
    single(trace, index, EventKind::Packet)
}

/// An event that one packet carries whole.
pub(super) fn single(trace: &Trace, index: usize, kind: EventKind) -> Event {
    let packet = trace.packets.get(index);
    let seen = trace.seen.get(index);
    let (from, to) = ends(trace, index);
    Event {
        kind,
        from,
        to,
        conversation: seen.and_then(|s| s.conversation),
        packets: smallvec![index],
        time: packet.map(|p| p.time).unwrap_or_default(),
        after_stop: trace.after_stop(index),
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
