//! What is read from conversations, and how much of it is asked for.

use crate::conversation::{At, ConversationIndex, Direction};

use super::lane::Half;
use super::{Lookup, Message, Request, Response, tls};

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub bodies: Bodies,
    /// How many packets are listed of each message.
    pub packets: usize,
    /// Tell requests and responses as they come, too ([`Found::parts`]).
    pub parts: bool,
    /// Tell TLS records, DNS messages over TCP and answers of DNS in datagrams as
    /// parts, too.
    pub carried: bool,
    /// Bytes of each part that are kept as they were sent ([`Part::sent`]).
    pub sent: usize,
    pub waits: Waits,
}

/// How much may wait for what belongs to it. One more, and the oldest is told without
/// ([`Bitten`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// HTTP requests of a conversation, for their answers.
    pub requests: usize,
    /// The same of all conversations with one [`Found`].
    pub requests_in_all: usize,
    /// 1xx answers to a request, for the final one. More are left out.
    pub interim: usize,
    /// HTTP answers of a conversation, for their requests.
    pub unasked: usize,
    /// Bytes of bodies that are kept, of all conversations with one [`Found`], until
    /// their transactions are told. What is beyond is counted, and not kept.
    pub bodies_in_all: usize,
    /// DNS queries of a conversation, for their answers.
    pub queries: usize,
    /// The same of all conversations with one [`Found`].
    pub queries_in_all: usize,
}

impl Waits {
    /// For who reads what is longer than memory.
    pub const BOUNDED: Waits = Waits {
        requests: 1000,
        requests_in_all: 16_384,
        interim: 32,
        bodies_in_all: 64 << 20,
        // They wait only where packets were lost.
        unasked: 32,
        queries: 4096,
        queries_in_all: 16_384,
    };
    /// For who has all of a capture in memory anyway.
    pub const UNBOUNDED: Waits = Waits {
        requests: usize::MAX,
        requests_in_all: usize::MAX,
        interim: usize::MAX,
        bodies_in_all: usize::MAX,
        unasked: usize::MAX,
        queries: usize::MAX,
        queries_in_all: usize::MAX,
    };
}

impl Default for Waits {
    fn default() -> Waits {
        Waits::BOUNDED
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            bodies: Bodies::Count,
            packets: 0,
            parts: false,
            carried: false,
            sent: 0,
            waits: Waits::default(),
        }
    }
}

/// What is done with the bodies' bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// They are counted, and not looked at.
    Count,
    Digest,
    /// Up to so many of each body are kept.
    Keep {
        limit: usize,
    },
}

/// What was found, in the order in which it was.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Transactions that are complete, or that no more will come of; those of
    /// a conversation in the order of their requests.
    pub messages: Vec<Message>,
    pub parts: Vec<Part>,
    /// DNS queries that were answered, or no more will be.
    pub lookups: Vec<Lookup>,
    /// HTTP transactions that are not told yet, of all conversations.
    pub(super) transactions: usize,
    /// Bytes of their bodies that are kept.
    pub(super) held: Held,
    /// DNS queries that wait for their answers, of all conversations.
    pub(super) waiting: usize,
    /// What the bounds on what waits did.
    pub bitten: Bitten,
}

/// Bytes of bodies, of all conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held(usize);

impl Held {
    /// Takes room for so many bytes, or for as many as `most` leaves.
    pub(super) fn take(&mut self, bytes: usize, most: usize) -> usize {
        let taken = bytes.min(most.saturating_sub(self.0));
        self.0 += taken;
        taken
    }

    /// So many are not held any more.
    pub(super) fn leave(&mut self, bytes: usize) {
        self.0 = self.0.saturating_sub(bytes);
    }
}

/// How often the bounds on what waits changed what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bitten {
    /// HTTP transactions that were told before they were complete
    /// ([`Message::given_up`]).
    pub transactions: u64,
    /// DNS queries that were waited for no longer ([`Lookup::given_up`]).
    pub queries: u64,
}

/// A request or response at the packet that completed its head, or all of it; or
/// something else that a packet completed.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub conversation: ConversationIndex,
    pub way: Direction,
    /// Body included, as far as it came; else the head alone.
    pub whole: bool,
    /// Of a response: the packet that completed the request that it answers.
    pub asked: Option<At>,
    /// Its bytes as they were sent, up to the bound that was asked for; none of a
    /// datagram's.
    pub sent: Vec<u8>,
    pub message: PartOf,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PartOf {
    Request(Request),
    Response(Response),
    Tls(tls::Record, At),
    /// A DNS message over TCP, or the answer in a datagram.
    Dns(At),
}

impl Part {
    /// Is it HTTP that was read late, if it was, for want of bytes before it or in it?
    /// Else the rest of it was never sent.
    pub fn waited(&self) -> bool {
        let body = match &self.message {
            PartOf::Request(request) => &request.body,
            PartOf::Response(response) => &response.body,
            PartOf::Tls(..) | PartOf::Dns(_) => return false,
        };
        body.complete || body.missing > 0
    }

    /// The packet that completed it.
    pub fn at(&self) -> At {
        match &self.message {
            PartOf::Request(request) => request.end,
            PartOf::Response(response) => response.end,
            PartOf::Tls(_, at) | PartOf::Dns(at) => *at,
        }
    }
}

impl Found {
    pub(super) fn part(
        &mut self,
        conversation: ConversationIndex,
        way: Direction,
        whole: bool,
        asked: Option<At>,
        (half, sent): (Half, Vec<u8>),
    ) {
        let message = match half {
            Half::Request(request) => PartOf::Request(request),
            Half::Response(response) => PartOf::Response(response),
        };
        self.parts.push(Part {
            conversation,
            way,
            whole,
            asked,
            sent,
            message,
        });
    }
}
