//! One packet of the JSON document: nested objects that spell Wireshark's
//! field names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::Serialize;

use super::model::is_false;
use crate::decode::ChecksumStatus;

/// One packet. `udp.length` is `packets[].udp.length`, and so on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Packet {
    pub frame: Frame,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eth: Option<Eth>,
    /// VLAN tags, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vlan: Vec<Vlan>,
    /// Linux cooked capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sll: Option<Sll>,
    /// BSD null or loopback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null: Option<Null>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<Udp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<Icmp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmpv6: Option<Icmp>,
    /// On the packet that completes the head of a request or a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// Index into `conversations[]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<usize>,
    /// The role of the program that sent it, or `nobody`. For an ICMP error:
    /// who the quoted packet was for. Absent: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The role of the program that it was for. For an ICMP error: who sent
    /// the quoted packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Sent or received by a program that we had told to stop: its FIN is the
    /// kernel's, not the program's.
    #[serde(skip_serializing_if = "is_false")]
    pub after_stop: bool,
    /// What is wrong or unknown about the frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// The packet comments that are written into the savefile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comment: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Frame {
    /// From 1.
    pub number: u64,
    /// Seconds since the first packet of the capture, exact to the nanosecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_relative: Option<f64>,
    /// Seconds since 1970-01-01 UTC; a double tells times of today to about
    /// 0.2 microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_epoch: Option<f64>,
    /// Bytes on the wire.
    pub len: u32,
    /// Bytes in the file.
    pub cap_len: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Eth {
    /// As `00:00:00:00:00:00`.
    pub dst: String,
    pub src: String,
    /// After VLAN tags.
    #[serde(rename = "type")]
    pub kind: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vlan {
    pub id: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sll {
    pub pkttype: u16,
    pub etype: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Null {
    pub family: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Checksum {
    pub value: u16,
    /// `unverified` where it is left to hardware that loopback does not have.
    pub status: ChecksumStatus,
}

/// RFC 791.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ip {
    pub src: Ipv4Addr,
    pub dst: Ipv4Addr,
    /// Bytes, options included.
    pub hdr_len: u32,
    pub dsfield: DsField,
    /// Total length in bytes.
    pub len: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
    pub flags: IpFlags,
    /// In bytes.
    pub frag_offset: u16,
    pub ttl: u8,
    pub proto: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DsField {
    /// The whole byte.
    pub value: u8,
    pub dscp: u8,
    pub ecn: u8,
}

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
    pub src: Ipv6Addr,
    pub dst: Ipv6Addr,
    pub tclass: DsField,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<u32>,
    /// Payload length in bytes.
    pub plen: u16,
    /// Next header of the fixed header.
    pub nxt: u8,
    pub hlim: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraghdr: Option<FragmentHeader>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FragmentHeader {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ident: Option<u32>,
    /// In bytes.
    pub offset: u16,
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
pub struct Tcp {
    pub srcport: Port,
    pub dstport: Port,
    /// Number among the TCP conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
    pub flags: Flags,
    /// Relative to the first sequence number of this direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_raw: Option<u32>,
    /// Relative sequence number of the byte behind this segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nxtseq: Option<u32>,
    /// Relative; absent without ACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<u32>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Only with the flag URG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgent_pointer: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<TcpOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flags {
    /// The twelve bits.
    pub value: u16,
    /// One letter for each flag that is set, as Wireshark orders them, without
    /// its dots: `AS` is SYN,ACK.
    #[serde(rename = "str")]
    pub letters: String,
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub reset: bool,
    pub push: bool,
    pub urg: bool,
    pub ece: bool,
    pub cwr: bool,
    pub ae: bool,
}

/// The options that are understood. A flag without value is `true`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TcpOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss_val: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wscale: Option<WindowScale>,
    /// Selective acknowledgements are permitted.
    #[serde(skip_serializing_if = "is_false")]
    pub sack_perm: bool,
    /// Left edges, raw sequence numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sack_le: Vec<u32>,
    /// Right edges, raw sequence numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sack_re: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TcpTimestamp>,
    /// The kinds of options that are not decoded, or are malformed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WindowScale {
    pub shift: u8,
}

/// RFC 7323. Without values in the stable form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TcpTimestamp {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsval: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsecr: Option<u32>,
}

/// What the state of the conversation says of the segment. Only what is true
/// is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Analysis {
    #[serde(skip_serializing_if = "is_false")]
    pub retransmission: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub out_of_order: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub duplicate_ack: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub keep_alive: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub keep_alive_ack: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub window_update: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub zero_window: bool,
}

/// RFC 768.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Udp {
    pub srcport: Port,
    pub dstport: Port,
    /// Number among the UDP conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
    /// Header (8 bytes) and payload, as the header claims.
    pub length: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

/// RFC 792 and RFC 4443.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Icmp {
    #[serde(rename = "type")]
    pub kind: u8,
    pub code: u8,
    /// As expectations write it: `port-unreachable`; `type/code` for a message
    /// without a name.
    pub name: String,
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
    pub quoted: Option<Quoted>,
}

/// The packet inside an ICMP error, as far as it was quoted.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quoted {
    /// `frame.number` of the quoted packet, where it is in the capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<QuotedIp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<QuotedIp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<QuotedUdp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<QuotedTcp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotedIp {
    pub src: IpAddr,
    pub dst: IpAddr,
    /// The upper layer's protocol number.
    pub proto: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotedUdp {
    pub srcport: Port,
    pub dstport: Port,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotedTcp {
    pub srcport: Port,
    pub dstport: Port,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_raw: Option<u32>,
}

/// The first bytes of a payload: as text where they are UTF-8, else in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Payload {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Two digits for each byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// There are more bytes than shown.
    #[serde(skip_serializing_if = "is_false")]
    pub cut: bool,
}

/// The start line whose head this packet completes; with pipelining the first
/// one (`messages[]` has them all).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Http {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequestLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpStatusLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HttpRequestLine {
    pub method: String,
    pub uri: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HttpStatusLine {
    pub code: u16,
    pub phrase: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Trouble {
    /// A header claims more bytes than there are, or forbidden values.
    Malformed { layer: String, reason: String },
    /// The frame was cut when it was captured.
    Truncated { layer: String },
    /// A link type or protocol that is not decoded.
    Unknown { layer: String, number: u32 },
}
