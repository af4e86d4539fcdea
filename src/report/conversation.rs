//! Conversations and HTTP messages of the JSON document.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::lookup::Tls;
use super::model::{Endpoint, is_false, is_zero};
use crate::conversation::ConnState;
pub use crate::conversation::Group;
use crate::savefile::Protocol;

/// One conversation: a TCP connection, or the datagrams between two sockets.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Conversation {
    /// Its index among all conversations of the capture, where not all of them
    /// are here: what `conversation` of packets and messages means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Number among the conversations of its protocol: `tcp.stream`,
    /// `udp.stream`.
    pub id: u32,
    pub protocol: Protocol,
    /// Who sent the SYN, or spoke first.
    pub client: Endpoint,
    pub server: Endpoint,
    pub packets: EachWay,
    /// TCP: bytes of the stream, each counted once. UDP: payload bytes.
    pub bytes: EachWay,
    /// Bytes of its frames on the wire. Of a fragmented datagram only the frame that
    /// completes it is the conversation's, as in Wireshark: its `bytes` may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_bytes: Option<EachWay>,
    /// `bytes` by the duration, in bits. Absent where it lasted no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_per_second: Option<EachWay>,
    /// From the capture's first packet to its own earliest: negative where packets
    /// are not in the order of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<f64>,
    /// From its earliest packet to its latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// Only for TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpConversation>,
    /// Where a TLS handshake was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Only for UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<UdpConversation>,
}

impl Conversation {
    /// What makes one larger than another: its bytes, then its packets.
    pub fn size(&self) -> (u64, u64) {
        let both = |ways: &EachWay| ways.to_server.saturating_add(ways.to_client);
        (both(&self.bytes), both(&self.packets))
    }
}

/// A number for each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EachWay {
    /// From the client's side.
    pub to_server: u64,
    /// From the server's side.
    pub to_client: u64,
}

/// What the state of a connection came to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TcpConversation {
    /// `tcp.completeness`, a sum: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32.
    pub completeness: u8,
    /// Zeek's `conn_state`.
    pub state: ConnState,
    /// Zeek's `history` letters.
    pub history: String,
    /// From the SYN to the handshake's last ACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake_rtt_ms: Option<f64>,
    /// It was under way when the capture began: neither SYN was captured.
    #[serde(skip_serializing_if = "is_false")]
    pub started_before: bool,
    /// What the two sides told and did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sides: Option<Sides>,
    pub close: Close,
    /// Who sent the first FIN, or the RST. Absent for `open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<Side>,
    /// Segments that were sent again.
    pub retransmissions: u32,
    /// Segments that came later than their place.
    pub out_of_order: u32,
    /// How many segments have each of Wireshark's `tcp.analysis` marks:
    /// `zero_window`, `duplicate_ack`, … Marks that none has are left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub analysis: BTreeMap<&'static str, u32>,
    /// Bytes that were never seen although later ones were.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing_bytes: u64,
    /// ICMP errors that reported one of its segments as undelivered.
    #[serde(skip_serializing_if = "is_zero")]
    pub icmp_errors: u64,
}

/// What the two sides of a connection told and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Sides {
    pub client: TcpSide,
    pub server: TcpSide,
}

/// What one side of a connection told, in its SYN and later, and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct TcpSide {
    /// Maximum segment size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mss_val: Option<u16>,
    /// Windows are shifted left by this many bits, if both sides offer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wscale_shift: Option<u8>,
    /// It takes selective acknowledgements.
    #[serde(skip_serializing_if = "is_false")]
    pub sack_perm: bool,
    /// It offered time stamps.
    #[serde(skip_serializing_if = "is_false")]
    pub timestamps: bool,
    /// The largest window that it announced: scaled where that is known.
    pub max_window_size: u32,
    /// From the conversation's first packet to the first byte that it sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<f64>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// Still open at the end of the capture.
    Open,
    /// Both sides sent FIN.
    Fin,
    /// Only one side sent FIN.
    HalfClosed,
    /// Cut by a RST.
    Reset,
    /// The SYN was answered by RST.
    Refused,
}

/// A side of a conversation, whatever the roles are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Client,
    Server,
}

/// What was sent, and what was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UdpConversation {
    pub datagrams: EachWay,
    /// `broadcast` or `multicast`, where the first was sent to many: by its address, or
    /// by the link layer's, as to the broadcast address of a subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Datagrams that an ICMP error reported as undelivered.
    pub lost: u64,
}

/// One HTTP transaction: a request and its response, as far as seen.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Message<'a> {
    /// Index into `conversations[]`.
    pub conversation: usize,
    /// `tcp.stream`.
    pub stream: u32,
    /// From the capture's first packet to the one that completes the first
    /// head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<f64>,
    /// `frame.number` of every packet that carried a part of it.
    pub frames: Vec<u64>,
    /// How many more there were than are listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub frames_more: u64,
    pub http: HttpTransaction<'a>,
}

/// A request and its response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct HttpTransaction<'a> {
    /// Absent where it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest<'a>>,
    /// The final response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpResponse<'a>>,
    /// There was a response, or the beginning of one, that was not captured; or there
    /// may be one among bytes that cannot be read (`unread`).
    #[serde(skip_serializing_if = "is_false")]
    pub response_lost: bool,
    /// What came where the response belongs, and is none that is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
    /// 1xx responses before it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<HttpResponse<'a>>,
    /// From the packet that completes the request's head to the one that
    /// completes the response's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<f64>,
    /// From the packet that completes the request, body included, to the one
    /// with the response's first byte. Negative where the server did not wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<f64>,
    /// From the packet with the response's first byte to the one that
    /// completes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_ms: Option<f64>,
    /// What the connection speaks from here on: the protocol that a 101 names,
    /// or `tunnel to host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches_to: Option<Cow<'a, str>>,
    /// Too many requests waited for their answers: what is absent of this transaction
    /// is told as another one, or never came.
    #[serde(skip_serializing_if = "is_false")]
    pub given_up: bool,
}

/// Bytes in place of a response.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Unread {
    /// How many; absent where it is not known which of them belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub len: Option<u64>,
    /// Why they are none.
    pub trouble: &'static str,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct HttpRequest<'a> {
    /// `GET`, `HEAD`, …
    pub method: Cow<'a, str>,
    /// The target as sent.
    pub uri: Cow<'a, str>,
    /// `HTTP/1.1`
    pub version: Cow<'a, str>,
    /// `frame.number` of the packet that completes the head.
    pub frame: u64,
    /// In order.
    pub headers: Vec<Header<'a>>,
    pub body: Body<'a>,
    /// What is against the rules in the head, or contradicts itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<&'static str>,
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct HttpResponse<'a> {
    /// The status code; 0 in HTTP/0.9, which has none, and where the status
    /// line has no number.
    pub code: u16,
    /// The reason phrase.
    pub phrase: Cow<'a, str>,
    /// `HTTP/1.1`
    pub version: Cow<'a, str>,
    /// `frame.number` of the packet that completes the head.
    pub frame: u64,
    /// In order.
    pub headers: Vec<Header<'a>>,
    pub body: Body<'a>,
    /// What is against the rules in the head, or contradicts itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<&'static str>,
}

impl Message<'_> {
    /// `frame.number` of the packet that completes its first head.
    pub fn first_frame(&self) -> Option<u64> {
        let request = self.http.request.as_ref().map(|request| request.frame);
        let answer = self.http.interim.first().or(self.http.response.as_ref());
        request.or(answer.map(|response| response.frame))
    }
}

impl HttpRequest<'_> {
    /// The first value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

impl HttpResponse<'_> {
    /// The first value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'h>(headers: &'h [Header<'_>], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
    found.map(|header| &*header.value)
}

/// One header field, as sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Header<'a> {
    /// In the case it was sent in.
    pub name: Cow<'a, str>,
    /// Shown with U+FFFD where it is no UTF-8.
    pub value: Cow<'a, str>,
}

/// The content, transfer coding removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Body<'a> {
    /// Bytes seen.
    pub len: u64,
    /// The whole body was seen, by its own framing.
    pub complete: bool,
    /// In hex; only where digests are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The fields behind the last chunk, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<Header<'a>>,
    /// A gap in the stream lies in the body, or its framing is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Cow<'a, str>>,
    /// The trouble is no more than that bytes are not there.
    #[serde(skip)]
    pub cut: bool,
}
