//! One way of an HTTP conversation: heads and bodies one after the other.

use crate::conversation::At;

use super::body::Reading;
use super::found::Held;
use super::head::{self, Kind, Look, MAX_HEAD, Parsed, Start, Wanted};
use super::queue::Id;
use super::{Body, Head, Headers, NoResponse, Packets, Request, Response, Settings};

/// Most messages come in so many packets, and most others in so many more: a
/// list that grows often has all threads wait for the allocator's lock.
const FEW: usize = 4;
const MANY: usize = 60;

/// The packets that brought something.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    pub first: At,
    /// The latest in the capture.
    pub last: At,
    pub packets: Packets,
}

impl Trail {
    fn new(at: At, limit: usize) -> Trail {
        let mut trail = Trail {
            first: at,
            last: at,
            packets: Packets::default(),
        };
        trail.add(at, limit);
        trail
    }

    fn add(&mut self, at: At, limit: usize) {
        if at.packet > self.last.packet {
            self.last = at;
        }
        let listed = &mut self.packets.listed;
        if listed.last() == Some(&at.packet) {
            return;
        }
        if listed.len() < limit {
            if listed.len() == FEW {
                listed.reserve(MANY);
            }
            listed.push(at.packet);
        } else {
            self.packets.more += 1;
        }
    }
}

/// A request or a response whose body is not complete, or is, but it is not
/// yet known what follows.
#[derive(Debug)]
pub(super) struct Part {
    /// The transaction that it belongs to: its number in the conversation.
    pub transaction: Id,
    start: Start,
    head: Head,
    pub body: Reading,
    body_start: usize,
    /// Where the body ends, once that is known.
    body_end: usize,
    pub trail: Trail,
    pub sent: Sent,
    /// Its end was told.
    pub announced: bool,
}

/// Bytes as they were sent, up to a bound.
#[derive(Debug)]
pub(super) struct Sent {
    pub bytes: Vec<u8>,
    limit: usize,
}

impl Sent {
    fn new(bytes: &[u8], limit: usize) -> Sent {
        let mut sent = Sent {
            bytes: Vec::new(),
            limit,
        };
        sent.add(bytes);
        sent
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// A part with its body.
#[derive(Debug)]
pub(super) enum Half {
    Request(Request),
    Response(Response),
}

impl Part {
    pub(super) fn new(transaction: Id, found: Found, body: Reading) -> Part {
        let end = found.range.1;
        let parsed = found.parsed;
        Part {
            transaction,
            start: parsed.start,
            head: Head {
                version: parsed.version,
                headers: parsed.headers,
                range: place(found.range.0)..place(end),
                packet: found.trail.last.packet,
                time: found.trail.last.time,
                trouble: parsed.trouble,
            },
            body,
            body_start: place(end),
            body_end: place(end),
            trail: found.trail,
            sent: found.sent,
            announced: false,
        }
    }

    /// Takes room for bytes of which some may be the body's.
    fn make_room(&mut self, bytes: &[u8], settings: &Settings, held: &mut Held) {
        let most = settings.waits.bodies_in_all;
        self.body.make_room(bytes.len(), held, most);
    }

    /// As it is now, its packets left out.
    pub(super) fn finish(self) -> (Half, Packets) {
        let body = self.body.finish(self.body_start, self.body_end);
        let half = half(
            self.start,
            self.head,
            body,
            self.trail.first,
            self.trail.last,
        );
        (half, self.trail.packets)
    }

    /// Without its body.
    pub(super) fn only_head(&self) -> Half {
        let at = At {
            packet: self.head.packet,
            time: self.head.time,
        };
        self.copy(Body::default(), at)
    }

    /// As it is now.
    pub(super) fn so_far(&self) -> Half {
        let body = self.body.so_far(self.body_start, self.body_end);
        self.copy(body, self.trail.last)
    }

    fn copy(&self, body: Body, end: At) -> Half {
        let start = match &self.start {
            Start::Request { method, target } => Start::Request {
                method: method.clone(),
                target: target.clone(),
            },
            Start::Response { code, phrase } => Start::Response {
                code: *code,
                phrase: phrase.clone(),
            },
        };
        half(start, self.head.clone(), body, self.trail.first, end)
    }
}

fn half(start: Start, head: Head, body: Body, first: At, end: At) -> Half {
    match start {
        Start::Request { method, target } => Half::Request(Request {
            method,
            target,
            head,
            body,
            first,
            end,
        }),
        Start::Response { code, phrase } => Half::Response(Response {
            code,
            phrase,
            head,
            body,
            first,
            end,
        }),
    }
}

/// A position, which on no system that has the memory for it is cut.
fn place(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// What a way is read for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A head is expected.
    Head,
    Body,
    /// Bytes behind a message that begin no other one, up to the next turn.
    Leftover,
    /// Nothing can be told, up to the next gap or turn. `resync`: or up to a
    /// piece that begins with a head.
    Lost {
        resync: bool,
    },
    /// The stream's end was seen, or another protocol follows.
    Over,
}

/// A head that is complete.
#[derive(Debug)]
pub(super) struct Found {
    pub kind: Kind,
    pub parsed: Parsed,
    /// Where it lies in the stream.
    range: (u64, u64),
    trail: Trail,
    sent: Sent,
    /// The head's rest was not read.
    pub too_long: bool,
}

/// What a piece came to where a head is expected. So many of its bytes were
/// taken.
#[derive(Debug)]
pub(super) enum Heads {
    /// A head is complete: it is in [`Lane::found`].
    Found(usize),
    /// The first line's kind is known, the head is not complete.
    Known(usize, Kind),
    /// It may become one.
    Maybe(usize),
    /// No head, nor did what came before belong to one: so many bytes waited.
    No(u64),
}

#[derive(Debug)]
pub(super) struct Lane {
    /// Captured bytes that came.
    pub at: u64,
    pub state: State,
    /// Heads are looked for at the beginnings of pieces too: something is
    /// missing before them.
    pub resync: bool,
    /// A message was found.
    spoke: bool,
    /// So many bytes had come when the head of the latest request was complete. An
    /// answer may begin there, whatever the bytes before were. Unlike the beginning of
    /// a segment that place does not depend on how the bytes were cut. (Of requests it
    /// would: what is left over may go on as the method of the next one.)
    turn: Option<u64>,
    pub part: Option<Part>,
    /// Bytes behind that part that begin no other one.
    leftover: u64,
    /// How much of a message is kept as it was sent.
    sent: usize,
    /// The head that was completed last, until it is taken.
    pub found: Option<Found>,
    /// What came of a head that is not complete.
    begun: Vec<u8>,
    begun_by: Option<Trail>,
    /// Of these bytes, so many are empty lines before the start line.
    empty: usize,
    /// Of these bytes, so many have no end of a head.
    searched: usize,
    kind: Option<Kind>,
}

impl Lane {
    pub(super) fn new(at: u64, state: State, resync: bool, sent: usize) -> Lane {
        Lane {
            at,
            state,
            resync,
            spoke: false,
            turn: None,
            part: None,
            leftover: 0,
            sent,
            found: None,
            begun: Vec::new(),
            begun_by: None,
            empty: 0,
            searched: 0,
            kind: None,
        }
    }

    /// The state where nothing can be told.
    pub(super) fn lost(&self) -> State {
        State::Lost {
            resync: self.resync,
        }
    }

    /// The head of a request is complete.
    pub(super) fn turns(&mut self) {
        self.turn = Some(self.at);
    }

    /// Is what comes now what came first behind the latest request? Asked once.
    pub(super) fn take_turn(&mut self) -> bool {
        let is_turn = self.turn == Some(self.at);
        if is_turn {
            self.turn = None;
        }
        is_turn
    }

    /// Passes over bytes that cannot be read.
    pub(super) fn pass(&mut self, len: u64) {
        self.at += len;
        if self.state == State::Leftover {
            self.leftover += len;
        }
    }

    /// What waited, so many bytes, and what follows is no head.
    pub(super) fn no_head(&mut self, waited: u64) {
        self.forget();
        match self.part {
            Some(_) => {
                self.state = State::Leftover;
                self.leftover += waited;
            }
            None => self.state = self.lost(),
        }
    }

    /// How many bytes lie behind the part that is handed over.
    pub(super) fn take_leftover(&mut self) -> u64 {
        std::mem::take(&mut self.leftover)
    }

    /// What the bytes that cannot be read are where an answer is due.
    pub(super) fn unread(&self, len: u64) -> NoResponse {
        match self.spoke || self.resync {
            true => NoResponse::Unclear,
            false => NoResponse::NoStatusLine(len),
        }
    }

    /// Bytes of a head that is not complete, without the empty lines before it.
    pub(super) fn begun_len(&self) -> usize {
        self.begun.len() - head::empty_lines(&self.begun)
    }

    /// The packet with the first byte of a head that is not complete.
    pub(super) fn begun_first(&self) -> Option<usize> {
        self.begun_by.as_ref().map(|trail| trail.first.packet)
    }

    /// The bytes that wait are no head, but the first ones of an answer that
    /// has none.
    pub(super) fn simple_answer(&mut self, at: At, packets: usize) -> (Found, Vec<u8>) {
        let begun = std::mem::take(&mut self.begun);
        let trail = self.begun_by.take();
        let start = self.at - begun.len() as u64;
        self.forget();
        let found = Found {
            kind: Kind::Response,
            parsed: Parsed {
                start: Start::Response {
                    code: 0,
                    phrase: String::new(),
                },
                version: "HTTP/0.9",
                headers: Headers::default(),
                trouble: Vec::new(),
            },
            range: (start, start),
            trail: trail.unwrap_or_else(|| Trail::new(at, packets)),
            sent: Sent::new(&[], self.sent),
            too_long: false,
        };
        (found, begun)
    }

    /// Something of a head has come, and it is not complete.
    pub(super) fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Takes bytes behind which the body goes on for certain; false: they may
    /// not be such.
    pub(super) fn midst(
        &mut self,
        bytes: &[u8],
        at: At,
        settings: &Settings,
        held: &mut Held,
    ) -> bool {
        if self.state != State::Body {
            return false;
        }
        let Some(part) = &mut self.part else {
            return false;
        };
        part.make_room(bytes, settings, held);
        if part.body.midst(bytes) {
            self.at += bytes.len() as u64;
            part.trail.add(at, settings.packets);
            part.sent.add(bytes);
            return true;
        }
        false
    }

    /// Takes body bytes; returns how many.
    pub(super) fn body(
        &mut self,
        bytes: &[u8],
        at: At,
        settings: &Settings,
        held: &mut Held,
    ) -> usize {
        let Some(part) = &mut self.part else {
            return 0;
        };
        part.make_room(bytes, settings, held);
        let len = part.body.take(bytes);
        if len > 0 {
            self.at += len as u64;
            part.trail.add(at, settings.packets);
            part.sent.add(bytes.get(..len).unwrap_or(bytes));
        }
        if part.body.is_over() {
            part.body_end = place(self.at);
        }
        len
    }

    /// The end of the body is where the stream is now.
    pub(super) fn body_ends(&mut self) {
        if let Some(part) = &mut self.part {
            part.body_end = place(self.at);
        }
    }

    /// Looks for a head in what waits and in this piece.
    pub(super) fn head(&mut self, bytes: &[u8], at: At, wanted: Wanted, packets: usize) -> Heads {
        if self.begun.is_empty() {
            return self.fresh_head(bytes, at, wanted, packets);
        }
        let before = self.begun.len();
        let room = MAX_HEAD.saturating_sub(before);
        let piece = bytes.get(..room).unwrap_or(bytes);
        self.begun.extend_from_slice(piece);
        let kind = match self.kind {
            Some(kind) => kind,
            None => match self.look(wanted) {
                Look::Start(kind) => kind,
                Look::Maybe if self.begun.len() < MAX_HEAD => {
                    return self.wait(piece.len(), at, packets, None);
                }
                Look::Maybe | Look::No => {
                    self.begun.truncate(before);
                    return Heads::No(before as u64);
                }
            },
        };
        let (len, too_long) = match self.head_len(kind) {
            Ok(len) => (len, false),
            Err(searched) if self.begun.len() < MAX_HEAD => {
                self.searched = searched;
                return self.wait(piece.len(), at, packets, Some(kind));
            }
            Err(_) => (MAX_HEAD, true),
        };
        let mut trail = self
            .begun_by
            .take()
            .unwrap_or_else(|| Trail::new(at, packets));
        trail.add(at, packets);
        let taken = len.saturating_sub(before);
        let start = self.at - before as u64;
        self.at += taken as u64;
        let head = self.begun.get(..len).unwrap_or(&self.begun);
        let parsed = head::parse(head, kind);
        let sent = Sent::new(head, self.sent);
        self.forget();
        self.find(
            taken,
            Found {
                kind,
                parsed,
                range: (start, self.at),
                trail,
                sent,
                too_long,
            },
        )
    }

    /// Where nothing waits: in the piece itself, which is not copied.
    fn fresh_head(&mut self, bytes: &[u8], at: At, wanted: Wanted, packets: usize) -> Heads {
        let kind = match head::look(bytes, wanted) {
            Look::Start(kind) => Some(kind),
            Look::Maybe => None,
            Look::No => return Heads::No(0),
        };
        let len = match kind {
            Some(Kind::Simple) => Ok(head::line_len(bytes)),
            Some(_) => head::end(bytes, 0),
            None => Err(0),
        };
        match (kind, len) {
            (Some(kind), Ok(len)) if len <= MAX_HEAD => {
                let head = bytes.get(..len).unwrap_or(bytes);
                let start = self.at;
                self.at += len as u64;
                let found = Found {
                    kind,
                    parsed: head::parse(head, kind),
                    range: (start, self.at),
                    trail: Trail::new(at, packets),
                    sent: Sent::new(head, self.sent),
                    too_long: false,
                };
                self.find(len, found)
            }
            (kind, searched) => {
                let piece = bytes.get(..MAX_HEAD).unwrap_or(bytes);
                if piece.len() == MAX_HEAD {
                    // So large a piece is rare: as if it came in two.
                    return self.split_head(bytes, at, wanted, packets);
                }
                self.begun.extend_from_slice(piece);
                self.searched = searched.err().unwrap_or(0);
                self.wait(piece.len(), at, packets, kind)
            }
        }
    }

    fn split_head(&mut self, bytes: &[u8], at: At, wanted: Wanted, packets: usize) -> Heads {
        let (first, rest) = bytes.split_at(bytes.len().min(1));
        self.begun.extend_from_slice(first);
        self.wait(first.len(), at, packets, None);
        match self.head(rest, at, wanted, packets) {
            Heads::Found(taken) => Heads::Found(taken + first.len()),
            Heads::Known(taken, kind) => Heads::Known(taken + first.len(), kind),
            Heads::Maybe(taken) => Heads::Maybe(taken + first.len()),
            Heads::No(waited) => {
                self.at -= first.len() as u64;
                Heads::No(waited.saturating_sub(first.len() as u64))
            }
        }
    }

    /// Looks at what waits behind the empty lines, each of which is passed once.
    fn look(&mut self, wanted: Wanted) -> Look {
        let rest = self.begun.get(self.empty..).unwrap_or(&[]);
        self.empty += head::empty_lines(rest);
        head::look(self.begun.get(self.empty..).unwrap_or(&[]), wanted)
    }

    fn head_len(&self, kind: Kind) -> Result<usize, usize> {
        match kind {
            Kind::Simple => Ok(head::line_len(&self.begun)),
            Kind::Request | Kind::Response => head::end(&self.begun, self.searched),
        }
    }

    /// More of the head has to come.
    fn wait(&mut self, taken: usize, at: At, packets: usize, kind: Option<Kind>) -> Heads {
        self.at += taken as u64;
        self.kind = kind;
        match &mut self.begun_by {
            Some(trail) => trail.add(at, packets),
            None => self.begun_by = Some(Trail::new(at, packets)),
        }
        match kind {
            Some(kind) => Heads::Known(taken, kind),
            None => Heads::Maybe(taken),
        }
    }

    fn find(&mut self, taken: usize, mut found: Found) -> Heads {
        if found.too_long {
            found.parsed.trouble.push(head::TOO_LONG);
        }
        self.found = Some(found);
        self.spoke = true;
        Heads::Found(taken)
    }

    /// Gives up what came of a head.
    pub(super) fn forget(&mut self) {
        self.begun = Vec::new();
        self.begun_by = None;
        self.empty = 0;
        self.searched = 0;
        self.kind = None;
    }
}

impl Found {
    pub(super) fn first(&self) -> At {
        self.trail.first
    }

    pub(super) fn last(&self) -> At {
        self.trail.last
    }
}
