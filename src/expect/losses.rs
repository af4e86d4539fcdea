//! What was on the wire and is not in a capture from elsewhere, as packets that are
//! there prove. A run of ours that is proven complete lacks nothing: what looks so
//! was on the wire itself.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::Range;

use smallvec::SmallVec;

use super::facts::Facts;
use super::holes::{self, Told};
use super::notation::count;
use crate::conversation::Direction;
use crate::decode::{Net, Packet, Tcp, Unfinished};
use crate::savefile::Protocol;
use crate::trace::Trace;

/// Protocols of datagrams; in the second there may be any other.
const UDP: u8 = 17;
const IP_IN_IP: u8 = 4;

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
    /// The numbers (`tcp.stream`) that its connection may have; none for a datagram.
    pub numbers: Range<u32>,
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
    let first: Vec<i64> = facts
        .of(Protocol::Tcp)
        .filter_map(|index| Some(facts.conversations.get(index)?.first.0))
        .collect();
    for conversation in facts.of(Protocol::Tcp) {
        losses.extend(beginning(facts, conversation, &first));
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
                numbers: number(facts, conversation)..number(facts, conversation) + 1,
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
///
/// Connections are numbered by their first packets: where that is the one which is
/// missing, it may have come before those of others. `first` has their times.
fn beginning(facts: &Facts<'_>, conversation: usize, first: &[i64]) -> Option<Loss> {
    let mut syn = [false; 2];
    // Who acknowledged the SYN of each side: with the own one, or behind it.
    let mut told: [Option<(Lost, usize)>; 2] = [None; 2];
    let mut again = Again::default();
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
        again.see(tcp, own, index);
    }
    if let Some((side, packet)) = again.missing() {
        told[side].get_or_insert((Lost::Syn, packet));
        syn[side] = false;
    }
    let ways = [Direction::ToClient, Direction::ToServer];
    let mut sides = ways.into_iter().zip(syn).zip(told);
    sides.find_map(|((way, syn), told)| {
        let (what, packet) = told.filter(|_| !syn)?;
        let number = number(facts, conversation);
        let (name, lowest) = match what {
            Lost::Syn => ("SYN", lowest(number, first)),
            _ => ("SYN,ACK", number),
        };
        Some(Loss {
            what,
            of: Some((conversation, way)),
            numbers: lowest..number + 1,
            message: format!(
                "The {name} of tcp[{number}] is not in the capture: packet {} acknowledges it.",
                frame(facts.trace, packet)
            ),
        })
    })
}

/// Connections that use the ports of one before, which began with SYN and SYN,ACK. A
/// SYN,ACK for another SYN than those that were captured tells that one is missing, where
/// its number is acknowledged: else it is one that nobody waited for.
#[derive(Default)]
struct Again {
    /// The SYNs of each side, with the lengths of what they bring (RFC 7413); of very
    /// many, the first.
    syns: [SmallVec<[(u32, u32); 4]>; 2],
    /// A SYN was answered.
    began: bool,
    /// The side whose SYN was not seen, its number, that of the ACK to come, the packet.
    answered: Option<(usize, u32, u32, usize)>,
    acknowledged: Option<(usize, u32, usize)>,
}

impl Again {
    const MOST: usize = 64;

    fn see(&mut self, tcp: &Tcp, own: usize, packet: usize) {
        let other = 1 - own;
        let [first, second] = &mut self.syns;
        let (syns, others) = match own {
            0 => (first, second),
            _ => (second, first),
        };
        match (tcp.flags.syn(), tcp.flags.ack()) {
            (true, true) => {
                let asked = tcp.ack.wrapping_sub(1);
                if are_answered(others, asked) {
                    self.began = true;
                } else if self.began {
                    self.answered = Some((other, asked, tcp.seq.wrapping_add(1), packet));
                }
            }
            (false, true) => {
                if let Some((side, asked, next, by)) = self.answered
                    && side == own
                    && tcp.ack == next
                {
                    self.acknowledged.get_or_insert((side, asked, by));
                }
            }
            _ => {}
        }
        if tcp.flags.syn() && syns.len() < Self::MOST {
            syns.push((tcp.seq, tcp.len));
        }
    }

    /// The side whose SYN is missing, and the packet that answers it.
    fn missing(&self) -> Option<(usize, usize)> {
        let (side, asked, packet) = self.acknowledged?;
        let syns = self.syns.get(side)?;
        let is_sure = syns.len() < Self::MOST && !are_answered(syns, asked);
        is_sure.then_some((side, packet))
    }
}

/// Does an ACK of the number behind this one answer one of these SYNs?
fn are_answered(syns: &[(u32, u32)], asked: u32) -> bool {
    let mut syns = syns.iter();
    syns.any(|(seq, len)| asked.wrapping_sub(*seq) <= *len)
}

/// A SYN that has no answer for so long is sent again (RFC 6298 section 2.1, and
/// earlier versions). Nanoseconds.
const UNANSWERED: i64 = 3_000_000_000;

/// The lowest number that a connection may have whose SYN is missing.
fn lowest(number: u32, first: &[i64]) -> u32 {
    let before = first.get(..number as usize).unwrap_or_default();
    let Some(own) = first.get(number as usize) else {
        return number;
    };
    let earliest = own.saturating_sub(UNANSWERED);
    // Times go up, but for packets that were captured out of order.
    before.partition_point(|first| *first < earliest) as u32
}

/// Datagrams of which some fragments were captured and others not, one for each.
fn datagrams(trace: &Trace) -> Vec<Loss> {
    let whole = trace.packets.iter().filter_map(Packet::reassembled);
    let whole: HashSet<u64> = whole
        .flat_map(|whole| whole.frames.iter().copied())
        .collect();
    // Where datagrams of UDP carry other packets, what this one carried is not known.
    let tunnels = trace
        .packets
        .iter()
        .any(|packet| packet.outer_datagrams().next().is_some());
    let mut known = HashSet::new();
    let fragments = trace.packets.iter().filter(|packet| packet.is_fragment());
    fragments
        .filter_map(|packet| {
            let net = packet.net.as_ref()?;
            let why = packet.unfinished();
            let is_whole = whole.contains(&packet.number) || why == Some(Unfinished::Copy);
            let is_new = !is_whole && known.insert(Fragmented::of(net));
            let what = match why {
                Some(Unfinished::Late) => {
                    "was given up: other fragments of it did not come in time"
                }
                Some(Unfinished::CrowdedOut) => {
                    "was given up: too many others waited for their fragments"
                }
                Some(Unfinished::Contradicted) => {
                    "was given up: its fragments contradict each other"
                }
                Some(Unfinished::Copy) | None => "is not all in the capture",
            };
            is_new.then(|| Loss {
                what: Lost::Datagram {
                    protocol: match protocol(net) {
                        UDP if tunnels => IP_IN_IP,
                        protocol => protocol,
                    },
                },
                of: None,
                numbers: 0..0,
                message: format!(
                    "The datagram of which packet {} is a fragment {what}.",
                    packet.number
                ),
            })
        })
        .collect()
}

fn protocol(net: &Net) -> u8 {
    match net {
        Net::V4(ip) => ip.protocol,
        Net::V6(ip) => ip.protocol,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::savefile::{InterfaceDescription, Timestamp, pcap};

    /// A fragment of a UDP datagram over raw IP.
    fn fragment(id: u16, offset: u16, more: bool, part: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0];
        bytes.extend((20 + part.len() as u16).to_be_bytes());
        bytes.extend(id.to_be_bytes());
        bytes.extend(((u16::from(more) << 13) | (offset / 8)).to_be_bytes());
        bytes.extend([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend(part);
        bytes
    }

    /// The sentences about a capture of these frames, each at its second.
    fn told(frames: &[(i64, Vec<u8>)]) -> Vec<String> {
        let interface = InterfaceDescription {
            name: String::new(),
            link_type: 101,
            snaplen: 0,
        };
        let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
        for (second, frame) in frames {
            let time = Timestamp(*second * 1_000_000_000);
            writer.write_frame(time, frame.len() as u32, frame).unwrap();
        }
        let file = writer.into_inner();
        let trace = crate::trace::read(file.as_slice(), "x.pcap", None).unwrap();
        let losses = losses(&Facts::new(&trace));
        losses.into_iter().map(|loss| loss.message).collect()
    }

    /// Regression: it counted as whole, as the one before with its number was.
    #[test]
    fn a_datagram_with_the_number_of_a_whole_one_may_lack_fragments() {
        let begins = |byte| [&[0, 9, 0, 9, 0, 24, 0, 0][..], &[byte; 8]].concat();
        let whole = [
            (0, fragment(7, 0, true, &begins(b'x'))),
            (0, fragment(7, 16, false, b"xxxxxxxx")),
        ];
        assert_eq!(told(&whole), Vec::<String>::new());
        let mut frames = whole.to_vec();
        frames.push((0, fragment(7, 0, true, &begins(b'y'))));
        let of =
            |packet, what| format!("The datagram of which packet {packet} is a fragment {what}.");
        assert_eq!(told(&frames), [of(3, "is not all in the capture")]);
        // Where every packet was captured twice, nothing is missing.
        frames[2].1 = frames[1].1.clone();
        assert_eq!(told(&frames), Vec::<String>::new());
        // It was all there, but not in time.
        let (first, last) = (whole[0].1.clone(), whole[1].1.clone());
        let late = [(0, first), (40, last)];
        let what = "was given up: other fragments of it did not come in time";
        assert_eq!(told(&late), [of(1, what)]);
    }
}
