//! What was on the wire and is not in a capture from elsewhere, as packets that are
//! there prove. A run of ours that is proven complete lacks nothing: what looks so
//! was on the wire itself.

use std::collections::HashSet;
use std::net::IpAddr;

use super::facts::Facts;
use super::holes::{self, Told};
use super::notation::count;
use crate::conversation::Direction;
use crate::decode::{Net, Packet};
use crate::savefile::Protocol;
use crate::trace::Trace;

/// What a packet was that was not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Segments with data, or a FIN.
    Segments {
        /// No FIN was captured: it may have been among them.
        may_be_end: bool,
    },
    Syn,
    SynAck,
    /// A part of a datagram of this protocol: what it was is not known.
    Datagram {
        protocol: u8,
    },
}

/// Something that is missing.
#[derive(Clone, Debug)]
pub struct Loss {
    pub what: Lost,
    /// The conversation, by its index, and the way.
    pub of: Option<(usize, Direction)>,
    /// A sentence.
    pub message: String,
}

/// All that is known to be missing.
pub fn losses(facts: &Facts<'_>) -> Vec<Loss> {
    let trace = facts.trace;
    if trace.recording.is_some() {
        return Vec::new();
    }
    let mut losses = Vec::new();
    for conversation in facts.of(Protocol::Tcp) {
        losses.extend(beginning(facts, conversation));
        let missing = holes::missing(trace, facts.packets(conversation));
        let ways = [Direction::ToClient, Direction::ToServer];
        losses.extend(ways.iter().filter_map(|&way| {
            let missing = missing.get(way).as_ref()?;
            let message = gap(facts, conversation, way)
                .unwrap_or_else(|| hole(facts, conversation, way, missing.told));
            Some(Loss {
                what: Lost::Segments {
                    may_be_end: missing.may_be_end,
                },
                of: Some((conversation, way)),
                message,
            })
        }));
    }
    losses.extend(datagrams(trace));
    losses
}

/// Bytes of a stream that were not captured, as a sentence.
pub fn gap(facts: &Facts<'_>, conversation: usize, way: Direction) -> Option<String> {
    let stream = facts.stream(conversation, way)?;
    let missing: u64 = stream.gaps.iter().map(|gap| gap.missing).sum();
    let bytes = count(usize::try_from(missing).unwrap_or(usize::MAX), "byte");
    let verb = if missing == 1 { "is" } else { "are" };
    let (toward, number) = (toward(way), number(facts, conversation));
    (missing > 0).then(|| {
        format!("{bytes} of the stream to the {toward} of tcp[{number}] {verb} not in the capture.")
    })
}

fn hole(facts: &Facts<'_>, conversation: usize, way: Direction, told: Told) -> String {
    let (packet, does) = match told {
        Told::Behind(packet) => (packet, "goes on behind it"),
        Told::Acknowledged(packet) => (packet, "acknowledges it"),
    };
    let (toward, number) = (toward(way), number(facts, conversation));
    let frame = frame(facts.trace, packet);
    format!(
        "What was sent to the {toward} of tcp[{number}] is not all in the capture: \
         packet {frame} {does}."
    )
}

/// A SYN, or the SYN,ACK that answers it, where the other one was captured. A
/// connection of which neither was began before the capture, and outside of it.
fn beginning(facts: &Facts<'_>, conversation: usize) -> Option<Loss> {
    let mut syn = [false; 2];
    // Who acknowledged the SYN of each side: with the own one, or behind it.
    let mut told: [Option<(Lost, usize)>; 2] = [None; 2];
    for &index in facts.packets(conversation) {
        let packet = facts.trace.packets.get(index);
        let seen = facts.trace.seen.get(index);
        let way = seen.filter(|s| s.tcp.is_some()).and_then(|s| s.direction);
        let (Some(tcp), Some(way)) = (packet.and_then(Packet::tcp), way) else {
            continue;
        };
        let (own, other) = match way {
            Direction::ToClient => (0, 1),
            Direction::ToServer => (1, 0),
        };
        let flags = tcp.flags;
        // Who resets may use any number.
        if flags.rst() {
            continue;
        }
        if flags.ack() && (flags.syn() || syn[own]) {
            let what = if flags.syn() { Lost::Syn } else { Lost::SynAck };
            told[other].get_or_insert((what, index));
        }
        syn[own] |= flags.syn();
    }
    let ways = [Direction::ToClient, Direction::ToServer];
    let mut sides = ways.into_iter().zip(syn).zip(told);
    sides.find_map(|((way, syn), told)| {
        let (what, packet) = told.filter(|_| !syn)?;
        let name = match what {
            Lost::Syn => "SYN",
            _ => "SYN,ACK",
        };
        Some(Loss {
            what,
            of: Some((conversation, way)),
            message: format!(
                "The {name} of tcp[{}] is not in the capture: packet {} acknowledges it.",
                number(facts, conversation),
                frame(facts.trace, packet)
            ),
        })
    })
}

/// Datagrams of which some fragments were captured and others not, one for each.
fn datagrams(trace: &Trace) -> Vec<Loss> {
    let whole: HashSet<Fragmented> = trace
        .packets
        .iter()
        .filter(|packet| packet.reassembled().is_some())
        .filter_map(|packet| Some(Fragmented::of(packet.net.as_ref()?)))
        .collect();
    let mut known = HashSet::new();
    let fragments = trace.packets.iter().filter(|packet| packet.is_fragment());
    fragments
        .filter_map(|packet| {
            let net = packet.net.as_ref()?;
            let of = Fragmented::of(net);
            let is_new = !whole.contains(&of) && known.insert(of);
            is_new.then(|| Loss {
                what: Lost::Datagram {
                    protocol: match net {
                        Net::V4(ip) => ip.protocol,
                        Net::V6(ip) => ip.protocol,
                    },
                },
                of: None,
                message: format!(
                    "The datagram of which packet {} is a fragment is not all in the capture.",
                    packet.number
                ),
            })
        })
        .collect()
}

/// What the fragments of a datagram have in common, but for the protocol, which
/// over IPv6 only the first one tells (RFC 791, RFC 8200).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Fragmented {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
}

impl Fragmented {
    fn of(net: &Net) -> Fragmented {
        Fragmented {
            src: net.src(),
            dst: net.dst(),
            id: match net {
                Net::V4(ip) => u32::from(ip.id),
                Net::V6(ip) => ip.fragment.map_or(0, |fragment| fragment.id),
            },
        }
    }
}

fn toward(way: Direction) -> &'static str {
    match way {
        Direction::ToServer => "server",
        Direction::ToClient => "client",
    }
}

fn number(facts: &Facts<'_>, conversation: usize) -> u32 {
    let known = facts.conversations.get(conversation);
    known.map_or(0, |c| c.id)
}

fn frame(trace: &Trace, packet: usize) -> u64 {
    trace.packets.get(packet).map_or(0, |p| p.number)
}
