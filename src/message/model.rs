//! HTTP/1.x transactions (RFC 9112), as read from reassembled streams.

use std::ops::Range;

use crate::conversation::{At, ConversationIndex, Direction};
use crate::savefile::Timestamp;

use super::{Headers, dns, tls};

/// One HTTP transaction: a request and its answer, as far as seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub conversation: ConversationIndex,
    /// Which way the request goes: to the server, except where the
    /// connection's start was not captured and the client was taken for it.
    pub way: Direction,
    pub request: Option<Request>,
    pub response: Option<Response>,
    /// 1xx answers before the final one, in order (status codes).
    pub interim: Vec<Response>,
    /// The packets that brought any byte of it.
    pub packets: Packets,
    /// What the connection speaks from here on, where it is HTTP no more: the
    /// protocol that a 101 names, or "tunnel to …" behind a CONNECT.
    pub switches_to: Option<String>,
    /// What is known of a response that is not there; None: nothing came.
    pub no_response: Option<NoResponse>,
    /// Too many requests waited for their answers: this one was told as it was then;
    /// or this is the answer that came to such a request.
    pub given_up: bool,
}

impl Message {
    /// Index of the packet that completed the message's first head.
    pub fn packet(&self) -> Option<usize> {
        let request = self.request.as_ref().map(|r| r.head.packet);
        let response = self.interim.first().or(self.response.as_ref());
        request.or(response.map(|r| r.head.packet))
    }
}

/// What came in place of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResponse {
    /// One, or the beginning of one, that was not captured.
    NotCaptured,
    /// Bytes that may be one: they follow a message whose end cannot be told.
    Unclear,
    /// So many bytes that begin with no status line.
    NoStatusLine(u64),
    /// So many bytes that begin one, and not the blank line that ends its head.
    NoBlankLine(u64),
}

impl NoResponse {
    /// There may have been one.
    pub fn is_lost(self) -> bool {
        matches!(self, NoResponse::NotCaptured | NoResponse::Unclear)
    }

    /// How many bytes came instead.
    pub fn bytes(self) -> Option<u64> {
        match self {
            NoResponse::NotCaptured | NoResponse::Unclear => None,
            NoResponse::NoStatusLine(len) | NoResponse::NoBlankLine(len) => Some(len),
        }
    }

    /// What is wrong with what came; none of what was not captured.
    pub fn trouble(self) -> Option<&'static str> {
        match self {
            NoResponse::NotCaptured => None,
            NoResponse::Unclear => {
                Some("what came stands behind a message whose end cannot be told")
            }
            NoResponse::NoStatusLine(_) => Some(
                "what answers a request begins with no status line of HTTP/1 (RFC 9112, section 4)",
            ),
            NoResponse::NoBlankLine(_) => {
                Some("no blank line ends the head of a response (RFC 9112, section 2.1)")
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `http.request.method`.
    pub method: String,
    /// `http.request.uri`: the target as sent.
    pub target: String,
    pub head: Head,
    pub body: Body,
    /// The packet that brought its first byte.
    pub first: At,
    /// The packet that completed it, body included: where Wireshark shows it.
    /// Of one that never was complete, the last packet that brought something
    /// of it.
    pub end: At,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// `http.response.code`; 0 in HTTP/0.9, which has none, and where the
    /// status line has no number.
    pub code: u16,
    /// `http.response.phrase`.
    pub phrase: String,
    pub head: Head,
    pub body: Body,
    /// The packet that brought its first byte.
    pub first: At,
    /// The packet that completed it, body included: where Wireshark shows it.
    /// Where the connection's end is the body's, that of the FIN.
    pub end: At,
}

/// Start line and header section.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `http.request.version`, `http.response.version`: "HTTP/1.1"; "HTTP/0.9"
    /// for a request that is nothing but a line without one, and its answer;
    /// empty where something else stands in its place.
    pub version: &'static str,
    /// In order, names as sent.
    pub headers: Headers,
    /// Position among the captured bytes of the stream.
    pub range: Range<usize>,
    /// Index of the packet that completed the head.
    pub packet: usize,
    /// When that was: the message's time.
    pub time: Timestamp,
    /// What is against the rules in it, or contradicts itself; each names its
    /// rule.
    pub trouble: Vec<&'static str>,
}

impl Head {
    /// The first value of a header, its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.named(name).next()
    }
}

/// A message's content, transfer coding removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The content; empty where it is only counted, and its beginning where
    /// only so much was to be kept ([`super::Bodies`]).
    pub bytes: Vec<u8>,
    /// How many bytes of content were seen.
    pub len: u64,
    /// SHA-256 of the bytes seen, where that was asked for.
    pub digest: Option<[u8; 32]>,
    /// The whole body was seen, by its own framing.
    pub complete: bool,
    /// Bytes in it that were never captured, as far as is known.
    pub missing: u64,
    /// Position among the captured bytes of the stream, framing included.
    pub range: Range<usize>,
    pub framing: Framing,
    /// The fields behind the last chunk.
    pub trailers: Headers,
    /// A gap in the stream lies in the body, or its framing is wrong.
    pub trouble: Option<String>,
    /// The trouble is no more than that bytes are not there: they were not captured,
    /// or the stream ends before them.
    pub cut: bool,
}

impl Body {
    /// Is all that was seen of it in `bytes`?
    pub fn is_kept(&self) -> bool {
        self.len == self.bytes.len() as u64
    }
}

/// How the body's end is told (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    #[default]
    None,
    ContentLength,
    Chunked,
    UntilClose,
}

/// Packets that brought something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packets {
    /// Their indices, ascending; as many as were to be listed
    /// ([`super::Settings::packets`]).
    pub listed: Vec<usize>,
    /// How many more there were; one that brought several pieces may count
    /// several times.
    pub more: u64,
}

/// A DNS query and its answer, as far as seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    pub conversation: ConversationIndex,
    pub query: Option<dns::Seen>,
    pub response: Option<dns::Seen>,
    /// So many further messages belong to the answer, which is a zone transfer
    /// (RFC 5936, section 2.2).
    pub further: u64,
    /// The packets in which the query came again.
    pub again: Vec<At>,
    /// Too many queries waited for their answers: this one was told without; or this
    /// is an answer, which may be to such a query.
    pub given_up: bool,
    /// Said to a group, or by multicast DNS: whoever has an answer gives it from an
    /// address of its own or to the group, so that no answer in this conversation
    /// tells nothing (RFC 6762, section 6; RFC 4795, section 2.3).
    pub multicast: bool,
}

impl Lookup {
    pub(super) fn of(conversation: ConversationIndex, multicast: bool) -> Lookup {
        Lookup {
            conversation,
            multicast,
            query: None,
            response: None,
            further: 0,
            again: Vec::new(),
            given_up: false,
        }
    }

    /// May its answer have several messages?
    pub(super) fn is_transfer(&self) -> bool {
        let query = self.query.as_ref();
        query.is_some_and(|query| !query.sent.is_empty() && query.message.asks_for_zone())
    }

    /// The message that came first.
    pub fn first(&self) -> Option<&dns::Seen> {
        self.query.as_ref().or(self.response.as_ref())
    }
}

/// What both sides of a TLS connection said of themselves before they
/// encrypted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    pub client: Option<tls::ClientHello>,
    pub server: Option<tls::ServerHello>,
}
