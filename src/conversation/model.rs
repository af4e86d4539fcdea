//! What is known of a conversation, and what its state says of each packet.

use std::net::SocketAddr;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::savefile::{Protocol, Timestamp};

/// Index of a conversation in [`crate::trace::Trace::conversations`].
pub type ConversationIndex = usize;

/// Which way a packet of a conversation goes.
///
/// The client is who sent the SYN, or received the SYN,ACK. Where neither was
/// captured it is who spoke first; in TCP, the other one if the first to speak
/// has a well-known server's port and the other has not (as Zeek guesses).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
    pub first: Timestamp,
    pub last: Timestamp,
    pub packets: Ways<u64>,
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
    pub retransmissions: u32,
    pub out_of_order: u32,
    /// Stream bytes that were never captured although later ones, or the
    /// stream's end, were.
    pub missing_bytes: u64,
}

/// Zeek's connection states (https://docs.zeek.org, conn.log `conn_state`).
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
    /// Datagrams that an ICMP error reported as undelivered.
    pub lost: u64,
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
    pub tcp: Option<SeenTcp>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeenTcp {
    /// `tcp.seq`, relative.
    pub seq: u32,
    /// `tcp.ack`, relative; 0 without ACK.
    pub ack: u32,
    /// `tcp.nxtseq`, relative.
    pub next_seq: u32,
    /// `tcp.window_size`: scaled where the handshake was seen.
    pub window: u32,
    /// The bytes of the stream that this packet was the first to carry, as
    /// offsets (0 is the first byte after the SYN). None for no new byte.
    /// Where an earlier packet brought bytes from its middle, those lie within.
    pub new_bytes: Option<Range<u64>>,
    /// The third segment of the handshake.
    pub handshake_ack: bool,
    /// FIN, seen for the first time at its place in the stream.
    pub new_fin: bool,
    pub retransmission: bool,
    pub out_of_order: bool,
    pub duplicate_ack: bool,
    pub keep_alive: bool,
    pub keep_alive_ack: bool,
    pub window_update: bool,
    pub zero_window: bool,
}

/// One way of a conversation, reassembled.
///
/// Where copies overlap and differ, the first one seen is kept. Gaps are not
/// filled: `bytes` goes on behind them, and `gaps` tells where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    pub bytes: Vec<u8>,
    /// Which packet brought which bytes: ascending positions in `bytes`.
    pub pieces: Vec<Piece>,
    /// Positions in `bytes` before which `missing` bytes were never captured.
    pub gaps: Vec<Gap>,
    /// The stream's end (FIN) was seen.
    pub finished: bool,
    /// Bytes beyond the bound on a stream's memory were left out.
    pub cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub at: usize,
    pub len: usize,
    /// Index of the packet in the trace.
    pub packet: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub at: usize,
    pub missing: u64,
}

impl Stream {
    /// The packet that completed the bytes of `range`: the latest in the
    /// capture of those that brought them.
    pub fn completed_by(&self, range: Range<usize>) -> Option<usize> {
        let first = self.pieces.partition_point(|p| p.at + p.len <= range.start);
        self.pieces
            .get(first..)?
            .iter()
            .take_while(|p| p.at < range.end)
            .map(|p| p.packet)
            .max()
    }
}
