//! The messages of a conversation, and which answers which.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::{Flavour, Message, may_be_netbios};
use super::parse::{self, parse};
use crate::conversation::{At, Beginning, ConversationIndex, Direction, Missing, Receiver, Ways};
use crate::message::Waits;
use crate::savefile::Protocol;

/// Over TCP, off the known ports: the longest first message that is waited for.
const MAX_FIRST: usize = 512;

/// A message, and where it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub conversation: ConversationIndex,
    pub message: Message,
    pub way: Direction,
    /// The packet that brought its last byte.
    pub at: At,
    /// The packet of the query that it answers (`dns.response_to`), or that it
    /// repeats (`dns.retransmit_request_in`).
    pub query: Option<At>,
    /// The number of that query, or of this one, among those of the conversation that
    /// can be answered. None: it is no such query, nor does it belong to one.
    pub number: Option<u64>,
    /// The query that is waited for no longer since this one came.
    pub over: Option<Over>,
    /// Over TCP: as it was sent, its length before it.
    pub sent: Vec<u8>,
}

/// A query that no answer is looked for any more, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The same was asked anew.
    Repeated(u64),
    /// Too many waited.
    GivenUp(u64),
}

impl Seen {
    /// `dns.time`: nanoseconds from the query to this answer.
    pub fn time(&self) -> Option<i64> {
        let query = self.query.filter(|_| self.message.is_response())?;
        self.at.time.elapsed(query.time)
    }

    /// `dns.retransmit_request`: the same query, before it was answered.
    pub fn is_retransmission(&self) -> bool {
        self.query.is_some() && !self.message.is_response()
    }
}

/// Reads one conversation. Costs no allocation where that is no DNS.
#[derive(Debug)]
pub struct Reader {
    conversation: ConversationIndex,
    /// None: the ports tell nothing.
    flavour: Option<Flavour>,
    /// What looks like DNS is NetBIOS.
    netbios: bool,
    is_tcp: bool,
    streams: Ways<Stream>,
    waiting: Queries,
    /// The most that may wait.
    limit: usize,
    /// The next query's.
    next: u64,
}

/// The queries that wait for their answers. Those of a way with one id differ in their
/// questions, else the second would be a repetition of the first.
#[derive(Debug, Default)]
struct Queries {
    /// By their numbers: oldest first.
    waiting: BTreeMap<u64, Waiting>,
    /// Their numbers; one may have no question (RFC 7873, section 5.4).
    by_question: HashMap<(u16, Direction, Option<u64>), u64>,
    /// Each with its number, as the last part.
    by_id: BTreeSet<(u16, Direction, u64)>,
}

impl Queries {
    /// The one with this id and question that was asked this way.
    fn same(&self, id: u16, way: Direction, question: Option<u64>) -> Option<Waiting> {
        let number = self.by_question.get(&(id, way, question));
        self.waiting.get(number?).copied()
    }

    /// The oldest with this id that was asked this way, and this question where it is
    /// known.
    fn answered(&self, id: u16, way: Direction, question: Option<u64>) -> Option<Waiting> {
        if question.is_some() {
            return self.same(id, way, question);
        }
        let mut all = self.by_id.range((id, way, 0)..=(id, way, u64::MAX));
        let number = all.next().map(|(.., number)| number);
        self.waiting.get(number?).copied()
    }

    fn add(&mut self, query: Waiting) {
        let Waiting {
            number, id, way, ..
        } = query;
        self.by_question.insert((id, way, query.question), number);
        self.by_id.insert((id, way, number));
        self.waiting.insert(number, query);
    }

    fn remove(&mut self, query: &Waiting) {
        let (id, way) = (query.id, query.way);
        self.by_question.remove(&(id, way, query.question));
        self.by_id.remove(&(id, way, query.number));
        self.waiting.remove(&query.number);
    }

    /// The first message came that answers this one, and others may.
    fn answer(&mut self, number: u64) {
        if let Some(query) = self.waiting.get_mut(&number) {
            query.is_answered = true;
        }
    }

    fn oldest(&self) -> Option<Waiting> {
        self.waiting.values().next().copied()
    }
}

/// One way of a TCP connection.
#[derive(Debug, Default)]
struct Stream {
    /// The beginning of a message, its length before it: at most 64 KiB.
    buffer: Vec<u8>,
    /// Something was read of it.
    begun: bool,
    /// Bytes are missing: it is read again from the next piece that begins with a
    /// whole message.
    seeks: bool,
    /// It is not DNS.
    lost: bool,
}

/// Does a message stand there, its length before it?
fn begins_with_message(bytes: &[u8]) -> bool {
    let whole = bytes
        .split_first_chunk()
        .and_then(|(len, rest)| rest.get(..length(*len)));
    whole.is_some_and(parse::is_evident)
}

/// Nanoseconds after which a query with the number of one before asks anew, and the
/// answer belongs to it: Wireshark's preference `dns.retransmission_timer`.
const ASKED_ANEW: i64 = 5_000_000_000;

/// What a message is to the queries that wait.
#[derive(Clone, Copy, Debug, Default)]
struct Matched {
    query: Option<At>,
    number: Option<u64>,
    over: Option<Over>,
}

/// A query without an answer so far.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u64,
    id: u16,
    question: Option<u64>,
    way: Direction,
    at: At,
    /// Over TCP, for a zone: its answer may be several messages, of which those behind
    /// the first need not repeat the question (RFC 5936, section 2.2). It waits on for
    /// them, as where they end is told by their records alone.
    is_transfer: bool,
    /// The first one came.
    is_answered: bool,
}

impl Receiver for Reader {
    type Settings = Waits;
    type Found = Vec<Seen>;

    fn begin(waits: &Waits, beginning: &Beginning) -> Self {
        let ports = (beginning.client.port(), beginning.server.port());
        Reader {
            conversation: beginning.conversation,
            flavour: Flavour::by_port(ports),
            netbios: may_be_netbios(ports),
            is_tcp: beginning.protocol == Protocol::Tcp,
            streams: Ways::default(),
            waiting: Queries::default(),
            limit: waits.queries,
            next: 0,
        }
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, _: u32, found: &mut Vec<Seen>) {
        let stream = self.streams.get_mut(way);
        stream.seeks = stream.seeks && !begins_with_message(bytes);
        if stream.lost || stream.seeks {
            return;
        }
        // Taken out, so that the messages in it can be noted.
        let mut stream = std::mem::take(self.streams.get_mut(way));
        self.stream(&mut stream, way, bytes, at, found);
        *self.streams.get_mut(way) = stream;
    }

    /// Where the next message begins is not known any more.
    fn gap(&mut self, way: Direction, _: Missing, _: &mut Vec<Seen>) {
        let stream = self.streams.get_mut(way);
        stream.seeks = stream.begun;
        stream.lost |= !stream.begun;
        stream.buffer = Vec::new();
    }

    fn restart(&mut self, way: Direction, _: &mut Vec<Seen>) {
        *self.streams.get_mut(way) = Stream::default();
    }

    fn end(&mut self, _: Direction, _: At, _: &mut Vec<Seen>) {}

    fn datagram(&mut self, way: Direction, payload: &[u8], at: At, found: &mut Vec<Seen>) {
        if self.flavour.is_some() || self.is_evident(payload) {
            self.message(way, payload, Vec::new(), at, found);
        }
    }

    fn close(&mut self, _: &mut Vec<Seen>) {}
}

impl Reader {
    /// Nothing that comes can be of interest: it need not be fed any more.
    pub fn is_done(&self) -> bool {
        self.streams.to_server.lost && self.streams.to_client.lost
    }

    fn stream(
        &mut self,
        stream: &mut Stream,
        way: Direction,
        mut bytes: &[u8],
        at: At,
        found: &mut Vec<Seen>,
    ) {
        while !stream.lost && !bytes.is_empty() {
            // What lies in one piece is read where it lies.
            if stream.buffer.is_empty()
                && let Some((len, rest)) = bytes.split_first_chunk()
                && let Some((message, rest)) = rest.split_at_checked(length(*len))
            {
                self.framed(stream, way, message, at, found);
                bytes = rest;
                continue;
            }
            let known = stream.buffer.first_chunk().copied();
            let wanted = known.map_or(2, |len| 2 + length(len));
            let missing = wanted.saturating_sub(stream.buffer.len());
            let (some, rest) = bytes.split_at(missing.min(bytes.len()));
            stream.buffer.extend_from_slice(some);
            bytes = rest;
            let Some((len, message)) = stream.buffer.split_first_chunk() else {
                continue;
            };
            let len = length(*len);
            if self.flavour.is_none() && !stream.begun && len > MAX_FIRST {
                stream.lost = true;
            } else if message.len() >= len {
                let buffer = std::mem::take(&mut stream.buffer);
                self.framed(stream, way, buffer.get(2..).unwrap_or_default(), at, found);
            }
        }
        if stream.lost {
            stream.buffer = Vec::new();
        }
    }

    fn framed(
        &mut self,
        stream: &mut Stream,
        way: Direction,
        message: &[u8],
        at: At,
        found: &mut Vec<Seen>,
    ) {
        if self.flavour.is_none() && !stream.begun && !self.is_evident(message) {
            stream.lost = true;
            return;
        }
        stream.begun = true;
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
        let sent = [&length.to_be_bytes(), message].concat();
        self.message(way, message, sent, at, found);
    }

    fn message(
        &mut self,
        way: Direction,
        bytes: &[u8],
        sent: Vec<u8>,
        at: At,
        found: &mut Vec<Seen>,
    ) {
        let flavour = self.flavour.unwrap_or(Flavour::Dns);
        let Some(message) = parse(bytes, flavour) else {
            return;
        };
        // Multicast queries have no id, and many answers.
        let matched = if flavour == Flavour::Mdns {
            Matched::default()
        } else {
            self.matched(way, parse::question_hash(bytes, &message), &message, at)
        };
        found.push(Seen {
            conversation: self.conversation,
            message,
            way,
            at,
            query: matched.query,
            number: matched.number,
            over: matched.over,
            sent,
        });
    }

    fn is_evident(&self, bytes: &[u8]) -> bool {
        !self.netbios && parse::is_evident(bytes)
    }

    /// The query that a message answers or repeats; a new query is noted.
    fn matched(
        &mut self,
        way: Direction,
        question: Option<u64>,
        message: &Message,
        at: At,
    ) -> Matched {
        let response = message.is_response();
        let asked = if response { way.opposite() } else { way };
        let id = message.id;
        // An answer without a question (a refusal) has its query's id only.
        let known = match response {
            true => self.waiting.answered(id, asked, question),
            false => self.waiting.same(id, asked, question),
        };
        let mut matched = Matched::default();
        if let Some(known) = known {
            let is_late = known.is_answered || at.time.since(known.at.time) >= ASKED_ANEW;
            let anew = !response && is_late;
            if response && known.is_transfer {
                self.waiting.answer(known.number);
            } else if response || anew {
                self.waiting.remove(&known);
            }
            if !anew {
                matched.query = Some(known.at);
                matched.number = Some(known.number);
                return matched;
            }
            matched.over = Some(Over::Repeated(known.number));
        }
        if !response {
            if self.waiting.waiting.len() >= self.limit
                && let Some(oldest) = self.waiting.oldest()
            {
                self.waiting.remove(&oldest);
                matched.over = Some(Over::GivenUp(oldest.number));
            }
            matched.number = Some(self.next);
            self.waiting.add(Waiting {
                number: self.next,
                id,
                question,
                way,
                at,
                is_transfer: self.is_tcp && message.asks_for_zone(),
                is_answered: false,
            });
            self.next += 1;
        }
        matched
    }
}

fn length(bytes: [u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(bytes))
}
