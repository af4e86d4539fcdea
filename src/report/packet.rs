//! One packet of the JSON document: nested objects that spell Wireshark's
//! field names.
//!
//! It borrows from the frame and from the trace, and small lists lie within it:
//! to make a packet and to write it allocates nothing. [`Packet::into_owned`]
//! makes one that outlives both.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::Serialize;
use smallvec::SmallVec;

use super::layers::{Arp, Chdlc, Gre, Igmp, Outer, Ppp, Sctp, Wlan};
use super::model::is_false;
use super::said::Said;
use super::spelled::{FlagLetters, Hex, Mac, Seconds};
use crate::decode::ChecksumStatus;

/// One packet. `udp.length` is `packets[].udp.length`, and so on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Packet<'a> {
    pub frame: Frame,
    /// Ethernet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eth: Option<Eth>,
    /// VLAN tags, outermost first.
    #[serde(skip_serializing_if = "SmallVec::is_empty")]
    pub vlan: SmallVec<[Vlan; 3]>,
    /// Linux cooked capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sll: Option<Sll>,
    /// BSD null or loopback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<Null>,
    /// PPP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ppp: Option<Ppp>,
    /// Cisco's HDLC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chdlc: Option<Chdlc>,
    /// IEEE 802.11.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wlan: Option<Wlan>,
    /// ARP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arp: Option<Arp>,
    /// The headers around a packet in a tunnel, outermost first; `ip` and what
    /// follows are those of the innermost packet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outer: Vec<Outer>,
    /// IPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ip>,
    /// IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6>,
    /// TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp<'a>>,
    /// UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<Udp<'a>>,
    /// ICMP (IPv4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<Icmp<'a>>,
    /// ICMPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmpv6: Option<Icmp<'a>>,
    /// IGMP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub igmp: Option<Igmp>,
    /// SCTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sctp: Option<Sctp>,
    /// GRE whose payload is not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gre: Option<Gre>,
    /// Wireshark's name of a protocol that is not read any further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<&'static str>,
    /// On the packet that completes the head of a request or a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http<'a>>,
    /// What its DNS and TLS messages say, or the HTTP message that ends in it.
    #[serde(skip)]
    pub said: Option<Said>,
    /// Index into `conversations[]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<usize>,
    /// The role of the program that sent it, or `nobody`. For an ICMP error:
    /// who the quoted packet was for. Absent: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Cow<'a, str>>,
    /// The role of the program that it was for. For an ICMP error: who sent
    /// the quoted packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Cow<'a, str>>,
    /// Sent or received by a program that we had told to stop: its FIN is the
    /// kernel's, not the program's.
    #[serde(skip_serializing_if = "is_false")]
    pub after_stop: bool,
    /// What is wrong or unknown about the frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble<'a>>,
    /// The packet comments that are written into the savefile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comment: Vec<String>,
}

/// The frame as it was captured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Frame {
    /// From 1.
    pub number: u64,
    /// Seconds since the first packet of the capture, exact to the nanosecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_relative: Option<Seconds>,
    /// Seconds since 1970-01-01 UTC; a double tells times of today to about
    /// 0.2 microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_epoch: Option<Seconds>,
    /// Bytes on the wire.
    pub len: u32,
    /// Bytes in the file.
    pub cap_len: u32,
}

/// Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Eth {
    /// As `00:00:00:00:00:00`.
    pub dst: Mac,
    /// As `dst`.
    pub src: Mac,
    /// What it carries, after VLAN tags. (Wireshark's `eth.type` is the number before
    /// them, which says that there are tags.)
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<u16>,
    /// In place of the type: bytes of what it carries (IEEE 802.3), after VLAN tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub len: Option<u16>,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vlan {
    /// The number of the VLAN.
    pub id: u16,
}

/// The header of Linux cooked capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sll {
    /// 0 to us, 4 from us.
    pub pkttype: u16,
    /// The protocol inside, or that of a VLAN tag before it.
    pub etype: u16,
}

/// The header of BSD null and loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Null {
    /// The address family: 2 is IPv4.
    pub family: u32,
}

/// A checksum and whether it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Checksum {
    /// As in the header.
    pub value: u16,
    /// `unverified` where it is left to hardware that loopback does not have.
    pub status: ChecksumStatus,
}

/// RFC 791.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ip {
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Bytes, options included.
    pub hdr_len: u32,
    pub dsfield: DsField,
    /// Total length in bytes.
    pub len: u16,
    /// The same in all fragments of a packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
    pub flags: IpFlags,
    /// Where in the whole packet it stands, in units of 8 bytes.
    pub frag_offset: u16,
    /// Time to live, in hops.
    pub ttl: u8,
    /// The upper layer: 1 ICMP, 6 TCP, 17 UDP.
    pub proto: u8,
    /// On the packet that completes a fragmented datagram: the numbers of its
    /// frames. What follows the IP header is read from all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fragments: Vec<u64>,
    /// On the packet that completes a fragmented datagram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reassembled: Option<Reassembled>,
    /// Over the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

/// A datagram put together from its fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reassembled {
    /// Bytes behind the IP header.
    pub length: u32,
}

/// Differentiated services (RFC 2474) and ECN (RFC 3168).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DsField {
    /// The whole byte.
    pub value: u8,
    /// The upper six bits.
    pub dscp: u8,
    /// The lower two bits.
    pub ecn: u8,
}

/// What the header says of fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IpFlags {
    /// Don't fragment.
    pub df: bool,
    /// More fragments.
    pub mf: bool,
}

/// RFC 8200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ipv6 {
    /// Source address.
    pub src: Ipv6Addr,
    /// Destination address.
    pub dst: Ipv6Addr,
    pub tclass: DsField,
    /// Flow label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<u32>,
    /// Payload length in bytes.
    pub plen: u16,
    /// Next header of the fixed header.
    pub nxt: u8,
    /// Hop limit.
    pub hlim: u8,
    /// On the packet that completes a fragmented datagram: the numbers of its
    /// frames. What follows the IP header is read from all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fragments: Vec<u64>,
    /// On the packet that completes a fragmented datagram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reassembled: Option<Reassembled>,
    /// Only on a fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraghdr: Option<FragmentHeader>,
}

/// The fragment header of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FragmentHeader {
    /// The header behind this one in the first fragment: 17 UDP.
    pub nxt: u8,
    /// The same in all fragments of a packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ident: Option<u32>,
    /// Where in the whole packet it stands, in units of 8 bytes.
    pub offset: u16,
    /// Further fragments follow.
    pub more: bool,
}

/// A port number. In the stable form a port of the ephemeral range (32768 to
/// 60999) is a name instead, made from the role of its owner: `client`, then
/// `client.2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Port {
    Number(u16),
    Name(String),
}

impl From<u16> for Port {
    fn from(port: u16) -> Port {
        Port::Number(port)
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Port::Number(number) => number.fmt(f),
            Port::Name(name) => name.fmt(f),
        }
    }
}

/// RFC 9293.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Tcp<'a> {
    pub srcport: Port,
    pub dstport: Port,
    /// Number among the TCP conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
    pub flags: Flags,
    /// Relative to the first sequence number of this direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u32>,
    /// As in the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_raw: Option<u32>,
    /// Relative sequence number of the byte behind this segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nxtseq: Option<u32>,
    /// Relative; absent without ACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<u32>,
    /// As in the header; absent without ACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_raw: Option<u32>,
    /// Header length in bytes, options included.
    pub hdr_len: u32,
    /// Payload bytes.
    pub len: u32,
    /// As in the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_size_value: Option<u16>,
    /// In bytes: scaled where the handshake was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_size: Option<u32>,
    /// Over segment and pseudo-header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Only with the flag URG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgent_pointer: Option<u16>,
    /// Absent where the header has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<TcpOptions>,
    /// Absent where there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    /// Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload<'a>>,
}

/// The flags of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flags {
    /// The twelve bits.
    pub value: u16,
    /// One letter for each flag that is set, as Wireshark orders them, without
    /// its dots: `AS` is SYN,ACK.
    #[serde(rename = "str")]
    pub letters: FlagLetters,
    /// Opens a connection.
    pub syn: bool,
    /// The acknowledgement number is valid.
    pub ack: bool,
    /// No more bytes from the sender.
    pub fin: bool,
    /// The connection is cut or refused.
    pub reset: bool,
    /// The receiver shall hand over the bytes at once.
    pub push: bool,
    /// The urgent pointer is valid.
    pub urg: bool,
    /// ECN echo.
    pub ece: bool,
    /// Congestion window reduced.
    pub cwr: bool,
    /// Accurate ECN.
    pub ae: bool,
}

/// The options that are understood. A flag without value is `true`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TcpOptions {
    /// Maximum segment size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss_val: Option<u16>,
    /// Window scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wscale: Option<WindowScale>,
    /// Selective acknowledgements are permitted.
    #[serde(skip_serializing_if = "is_false")]
    pub sack_perm: bool,
    /// Left edges, relative as `tcp.ack` is.
    #[serde(skip_serializing_if = "SmallVec::is_empty")]
    pub sack_le: SmallVec<[u32; 4]>,
    /// Right edges, relative as `tcp.ack` is.
    #[serde(skip_serializing_if = "SmallVec::is_empty")]
    pub sack_re: SmallVec<[u32; 4]>,
    /// Time stamps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TcpTimestamp>,
    /// The kinds of options that are not decoded, or are malformed.
    #[serde(skip_serializing_if = "SmallVec::is_empty")]
    pub unknown: SmallVec<[u8; 8]>,
}

/// RFC 7323.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WindowScale {
    /// Windows are shifted left by this many bits.
    pub shift: u8,
}

/// RFC 7323. Without values in the stable form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TcpTimestamp {
    /// The sender's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsval: Option<u32>,
    /// The time stamp that is echoed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsecr: Option<u32>,
}

/// What the state of the conversation says of the segment, where there is
/// something of note. Only what is true is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Analysis {
    /// Its bytes, SYN or FIN were sent before.
    #[serde(skip_serializing_if = "is_false")]
    pub retransmission: bool,
    /// A retransmission that answers duplicate ACKs.
    #[serde(skip_serializing_if = "is_false")]
    pub fast_retransmission: bool,
    /// A retransmission of what the other side had acknowledged.
    #[serde(skip_serializing_if = "is_false")]
    pub spurious_retransmission: bool,
    /// Seconds since the packet that was sent first, of a retransmission that
    /// waited for its timer. Absent in the stable form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto: Option<Seconds>,
    /// `frame.number` of that packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto_frame: Option<u64>,
    /// It came later than its place in the stream.
    #[serde(skip_serializing_if = "is_false")]
    pub out_of_order: bool,
    /// It acknowledges what was acknowledged before, while bytes are missing.
    #[serde(skip_serializing_if = "is_false")]
    pub duplicate_ack: bool,
    /// How often the ACK was repeated, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_ack_num: Option<u32>,
    /// `frame.number` of the ACK that is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_ack_frame: Option<u64>,
    /// Segments before it were not captured.
    #[serde(skip_serializing_if = "is_false")]
    pub lost_segment: bool,
    /// It acknowledges segments that were not captured.
    #[serde(skip_serializing_if = "is_false")]
    pub ack_lost_segment: bool,
    /// It asks whether the other side is still there.
    #[serde(skip_serializing_if = "is_false")]
    pub keep_alive: bool,
    /// The answer to a keep-alive.
    #[serde(skip_serializing_if = "is_false")]
    pub keep_alive_ack: bool,
    /// Only the window differs from the ACK before.
    #[serde(skip_serializing_if = "is_false")]
    pub window_update: bool,
    /// It fills the window that the other side announced.
    #[serde(skip_serializing_if = "is_false")]
    pub window_full: bool,
    /// The sender of this segment takes no more bytes.
    #[serde(skip_serializing_if = "is_false")]
    pub zero_window: bool,
    /// One byte into a window of zero.
    #[serde(skip_serializing_if = "is_false")]
    pub zero_window_probe: bool,
    /// The answer to such a probe.
    #[serde(skip_serializing_if = "is_false")]
    pub zero_window_probe_ack: bool,
    /// Its SYN opens a connection on ports that another one had.
    #[serde(skip_serializing_if = "is_false")]
    pub reused_ports: bool,
}

/// RFC 768.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Udp<'a> {
    pub srcport: Port,
    pub dstport: Port,
    /// Number among the UDP conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
    /// Header (8 bytes) and payload, as the header claims.
    pub length: u16,
    /// Over datagram and pseudo-header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload<'a>>,
}

/// RFC 792 and RFC 4443.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Icmp<'a> {
    /// 3 (IPv4) and 1 (IPv6): destination unreachable.
    #[serde(rename = "type")]
    pub kind: u8,
    /// The subtype.
    pub code: u8,
    /// As expectations write it: `port-unreachable`; `type/code` for a message
    /// without a name.
    pub name: Cow<'a, str>,
    /// Over the whole message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Identifier of an echo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ident: Option<u16>,
    /// Sequence number of an echo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u16>,
    /// Next-hop MTU of "fragmentation needed" and "packet too big".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The packet that an error is about, apart from the packet's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted: Option<Quoted<'a>>,
}

/// The packet inside an ICMP error, as far as it was quoted.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quoted<'a> {
    /// `frame.number` of the quoted packet, where it is in the capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    /// IPv4 of the quoted packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<QuotedIp>,
    /// IPv6 of the quoted packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<QuotedIp>,
    /// It was a datagram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<QuotedUdp<'a>>,
    /// It was a segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<QuotedTcp>,
}

/// Addresses of the quoted packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotedIp {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// The upper layer's protocol number.
    pub proto: u8,
}

/// What a quoted datagram tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotedUdp<'a> {
    pub srcport: Port,
    pub dstport: Port,
    /// Header and payload, as its header claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    /// As far as it was quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload<'a>>,
}

/// What a quoted segment tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotedTcp {
    pub srcport: Port,
    pub dstport: Port,
    /// As in its header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_raw: Option<u32>,
}

/// The first bytes of a payload: as text where they are UTF-8, else in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Payload<'a> {
    /// Where the bytes are UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Cow<'a, str>>,
    /// Two digits for each byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<Hex<'a>>,
    /// There are more bytes than shown.
    #[serde(skip_serializing_if = "is_false")]
    pub cut: bool,
}

/// The start line whose head this packet completes; with pipelining the first
/// one (`messages[]` has them all).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Http<'a> {
    /// The head of a request is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequestLine<'a>>,
    /// The head of a response is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpStatusLine<'a>>,
}

/// The first line of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HttpRequestLine<'a> {
    /// `GET`, `HEAD`, …
    pub method: Cow<'a, str>,
    /// The target as sent.
    pub uri: Cow<'a, str>,
    /// `HTTP/1.1`
    pub version: Cow<'a, str>,
}

/// The first line of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HttpStatusLine<'a> {
    /// The status code.
    pub code: u16,
    /// The reason phrase.
    pub phrase: Cow<'a, str>,
    /// `HTTP/1.1`
    pub version: Cow<'a, str>,
}

/// What is wrong or unknown about a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Trouble<'a> {
    /// A header claims more bytes than there are, or forbidden values.
    Malformed {
        layer: Cow<'a, str>,
        reason: Cow<'a, str>,
    },
    /// The frame was cut when it was captured.
    Truncated { layer: Cow<'a, str> },
    /// What the layer carries cannot be read without a key.
    Encrypted { layer: Cow<'a, str> },
    /// A link type or protocol that is not decoded.
    Unknown { layer: Cow<'a, str>, number: u32 },
}
