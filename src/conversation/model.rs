//! What is known of a conversation, and what its state says of each packet.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MarkCounts, Marks};
use crate::decode::Link;
use crate::savefile::{Protocol, Timestamp};

/// Index of a conversation in [`crate::trace::Trace::conversations`].
pub type ConversationIndex = usize;

/// Which way a packet of a conversation goes.
///
/// The client is who sent the SYN, or received the SYN,ACK. Where neither was
/// captured, and in UDP, it is who spoke first; or the other one, if the first to
/// speak has a well-known server's port and the other has not (as Zeek guesses).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    ToServer,
    ToClient,
}

impl Direction {
    pub fn opposite(self) -> Direction {
        match self {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        }
    }
}

/// A pair of values, one for each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways<T> {
    pub to_server: T,
    pub to_client: T,
}

impl<T> Ways<T> {
    pub fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    pub fn get_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    pub protocol: Protocol,
    /// Number among the conversations of its protocol, by first packet:
    /// Wireshark's `tcp.stream` and `udp.stream`; `tcp[0]` in expectations.
    pub id: u32,
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// Of its first packet in the file: what relative times count from.
    pub first: Timestamp,
    /// Of its earliest and latest packet.
    pub earliest: Timestamp,
    pub last: Timestamp,
    /// The index of its first packet in the capture.
    pub first_packet: usize,
    pub packets: Ways<u64>,
    /// `frame.len` of its packets, together.
    pub wire_bytes: Ways<u64>,
    /// TCP: new stream bytes; UDP: payload bytes.
    pub bytes: Ways<u64>,
    pub tcp: Option<TcpFacts>,
    pub udp: Option<UdpFacts>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TcpFacts {
    /// Wireshark's `tcp.completeness`: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32.
    pub completeness: u8,
    /// Zeek's `conn_state`.
    pub state: ConnState,
    /// Zeek's `history` letters, capital for the originator's: the client's,
    /// except where a connection starts with a SYN,ACK, whose sender Zeek takes
    /// for the originator.
    pub history: String,
    /// The (latest) SYN to the handshake's last ACK, nanoseconds.
    pub handshake_rtt: Option<i64>,
    pub close: Close,
    /// No SYN of it was captured, so it had begun before its first packet.
    pub started_before: bool,
    /// What each side told and did: `to_server` of the client.
    pub sides: Ways<SideFacts>,
    pub retransmissions: u32,
    pub out_of_order: u32,
    /// Segments by what the analysis says of them, these two included.
    pub marks: MarkCounts,
    /// Stream bytes that were never captured although later ones, or the
    /// stream's end, were.
    pub missing_bytes: u64,
    /// ICMP errors that reported one of its segments as undelivered.
    pub icmp_errors: u64,
}

/// One side of a TCP connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SideFacts {
    /// What its SYN offered. Nothing where that was not captured.
    pub offered: Offered,
    /// The largest window that it announced: scaled where that is known.
    pub max_window: u32,
    /// From the conversation's first packet to the first new byte of its
    /// stream, nanoseconds.
    pub first_byte: Option<i64>,
}

/// The options of a SYN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// `tcp.options.mss_val`.
    pub mss: Option<u16>,
    /// `tcp.options.wscale.shift`.
    pub window_scale: Option<u8>,
    /// `tcp.options.sack_perm`.
    pub sack_permitted: bool,
    /// `tcp.options.timestamp`.
    pub timestamps: bool,
}

/// Zeek's connection states (<https://docs.zeek.org>, conn.log `conn_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ConnState {
    S0,
    S1,
    SF,
    REJ,
    S2,
    S3,
    RSTO,
    RSTR,
    RSTOS0,
    RSTRH,
    SH,
    SHR,
    OTH,
}

/// How a TCP connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// Still open at the end of the capture.
    Open,
    /// Both sides sent FIN; the named side first.
    Fin { first: Direction },
    /// One side sent FIN, the other never did.
    HalfClosed { by: Direction },
    /// Cut by a RST.
    Reset { by: Direction },
    /// The SYN was answered by RST.
    Refused,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct UdpFacts {
    pub datagrams: Ways<u64>,
    /// Whom the first of them was sent to, if to many: as the link layer says, which
    /// knows the broadcast address of a subnet.
    pub group: Option<Group>,
    /// Datagrams that an ICMP error reported as undelivered.
    pub lost: u64,
}

/// Many who are sent the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Broadcast,
    Multicast,
}

impl Group {
    /// Whom a frame was sent to, if to many.
    pub fn of_link(link: &Link) -> Option<Group> {
        match link {
            Link::Ethernet(ethernet) => match ethernet.dst {
                [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] => Some(Group::Broadcast),
                [first, ..] => (first & 1 == 1).then_some(Group::Multicast),
            },
            Link::LinuxCooked(cooked) => match cooked.packet_type {
                1 => Some(Group::Broadcast),
                2 => Some(Group::Multicast),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whom an address means, if it is one of many.
    pub fn of_address(address: IpAddr) -> Option<Group> {
        match address {
            IpAddr::V4(Ipv4Addr::BROADCAST) => Some(Group::Broadcast),
            _ => address.is_multicast().then_some(Group::Multicast),
        }
    }
}

/// What the conversation's state says of one packet; stands beside each packet
/// in the trace, at the same index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The conversation that the packet belongs to. For an ICMP error: the
    /// conversation it is about, by the packet it quotes.
    pub conversation: Option<ConversationIndex>,
    /// Which way. For an ICMP error: against the quoted packet's way.
    pub direction: Option<Direction>,
    /// The index of the packet in the trace that an ICMP error quotes.
    pub quotes: Option<usize>,
    /// The conversation of the datagram that carries the packet through a tunnel; of
    /// several the outermost.
    pub tunnel: Option<ConversationIndex>,
    /// `udp.time_delta` of the datagram that carries the packet through a tunnel, in
    /// nanoseconds: since the conversation's packet before.
    pub tunnel_delta: Option<i64>,
    /// The same of the packet's own datagram.
    pub udp_delta: Option<i64>,
    pub tcp: Option<SeenTcp>,
}

/// What the connection's state says of a segment. Times are in nanoseconds. What few
/// segments have is boxed, as a capture has one of these for each of its packets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeenTcp {
    /// `tcp.seq`, relative.
    pub seq: u32,
    /// `tcp.ack`, relative; as it stands in the header without ACK.
    pub ack: u32,
    /// `tcp.nxtseq`, relative.
    pub next_seq: u32,
    /// `tcp.window_size`: scaled where the handshake was seen.
    pub window: u32,
    /// `tcp.window_size_scalefactor`.
    pub scaling: WindowScaling,
    /// `tcp.completeness` as Wireshark shows it in one pass: by the segments
    /// before this one.
    pub completeness: u8,
    /// The third segment of the handshake.
    pub handshake_ack: bool,
    /// FIN, seen for the first time at its place in the stream.
    pub new_fin: bool,
    /// `tcp.analysis`: there is something to say of it, be it what it
    /// acknowledges.
    pub analysed: bool,
    /// The conversation speaks a protocol that its receiver reads
    /// ([`super::Receiver::reads`]), as far as that is known with this segment.
    pub is_read: bool,
    /// `tcp.analysis.*`.
    pub marks: Marks,
    /// The bytes of the stream that this packet was the first to carry, as
    /// offsets (0 is the first byte after the SYN). None for no new byte.
    /// Where an earlier packet brought bytes from its middle, those lie within.
    pub new_bytes: Option<Range<u64>>,
    /// `tcp.analysis.bytes_in_flight`: sent and not acknowledged, with this
    /// segment. 0 for none.
    pub bytes_in_flight: u32,
    /// `tcp.analysis.push_bytes_sent`: since the last PSH. 0 for none.
    pub push_bytes_sent: u32,
    /// What this segment acknowledges.
    pub acks: Option<Acks>,
    /// `tcp.analysis.duplicate_ack_num` and `_frame`.
    pub duplicate: Option<Box<Duplicate>>,
    /// `tcp.analysis.rto` and `_frame`. None for 0, which Wireshark does not tell: the
    /// same segment captured twice.
    pub rto: Option<Box<Rto>>,
    /// `tcp.analysis.initial_rtt`, once it is known.
    pub initial_rtt: Option<i64>,
    /// `tcp.time_relative`: since the conversation's first packet. 0 of a packet without
    /// a time, as the next one is.
    pub time_relative: i64,
    /// `tcp.time_delta`: since the conversation's packet before, or the ICMP
    /// error that quotes one.
    pub time_delta: i64,
}

impl SeenTcp {
    pub fn is(&self, marks: Marks) -> bool {
        self.marks.has(marks)
    }
}

/// How the windows of a segment's sender are scaled (RFC 7323).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowScaling {
    /// The handshake was not seen.
    #[default]
    Unknown,
    /// Not both sides offered it.
    NotUsed,
    /// Shifted left by this many bits.
    Shift(u8),
}

/// The segment that an ACK answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acks {
    /// `tcp.analysis.acks_frame`, as an index.
    pub packet: usize,
    /// `tcp.analysis.ack_rtt`. None for 0, which Wireshark does not tell.
    pub rtt: Option<i64>,
}

/// A duplicate ACK's place among its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The ACK that it repeats, as an index. None for the number 0, which also
    /// a segment without ACK has: frame 0 in Wireshark.
    pub of: Option<usize>,
    /// From 1.
    pub number: u32,
}

/// How long a retransmission waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rto {
    /// The packet that was retransmitted, or the latest before the pause, as an
    /// index.
    pub packet: usize,
    pub time: i64,
}
