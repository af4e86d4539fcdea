//! Both ways of an HTTP conversation: each response with its request.
//!
//! A transaction is told once its response is complete, or can no longer be,
//! and it is known whether other bytes stand where the next message should
//! begin. So of a connection that stays open one transaction is held.

use std::collections::VecDeque;

use crate::conversation::{At, ConversationIndex, Direction, Ways};

use super::body::Reading;
use super::found::Found;
use super::head::{self, Kind, Start, Wanted};
use super::lane::{self, Half, Heads, Lane, Part, State};
use super::length::{self, Asked, Length};
use super::{Message, Packets, Request, Response, Settings};

/// Requests that may wait for their answers.
pub(super) const MAX_WAITING: usize = 1000;
/// Answers that may wait for their requests, which may be late where packets
/// were lost.
pub(super) const MAX_UNASKED: usize = 32;

/// One transaction, not yet told.
#[derive(Debug, Default)]
struct Entry {
    request: Option<Request>,
    interim: Vec<Response>,
    response: Option<Response>,
    packets: Packets,
    switches_to: Option<String>,
    asked: Asked,
    /// Without a version: its answer has no head.
    simple: bool,
    /// The packet that brought the request's first byte; None: no request came.
    first: Option<usize>,
    /// The packet that completed the first response's head.
    answered: Option<At>,
    /// The request's last packet, for its answer.
    asked_at: Option<At>,
    /// The final response is there, or begun.
    taken: bool,
    /// More can come of the request.
    request_open: bool,
    /// More can come of the response.
    response_open: bool,
}

#[derive(Debug)]
pub(super) struct Exchange {
    conversation: ConversationIndex,
    lanes: Ways<Lane>,
    /// Which way the requests go, once that is known.
    requests: Option<Direction>,
    queue: VecDeque<Entry>,
    /// The number of the queue's first entry.
    first: u64,
    /// Entry of a request whose head is not complete, which was answered.
    reserved: Option<u64>,
    /// Entry whose 1xx answers came, but not the final one.
    interim: Option<u64>,
    /// Answers to requests that are waited for no more.
    owed: u64,
    /// No message was found yet, and a simple request may be one.
    fresh: bool,
    switched: bool,
}

impl Exchange {
    pub(super) fn new(conversation: ConversationIndex, lanes: Ways<Lane>, fresh: bool) -> Exchange {
        Exchange {
            conversation,
            lanes,
            requests: None,
            queue: VecDeque::new(),
            first: 0,
            reserved: None,
            interim: None,
            owed: 0,
            fresh,
            switched: false,
        }
    }

    /// Where nothing more can be found: the states of the ways, and what came
    /// of each.
    pub(super) fn is_over(&self) -> Option<Ways<(u64, State)>> {
        let lost = |lane: &Lane| matches!(lane.state, State::Lost { .. } | State::Over);
        let foreign =
            self.requests.is_none() && lost(&self.lanes.to_server) && lost(&self.lanes.to_client);
        let over = |lane: &Lane| lane.state == State::Over;
        // The connection may be remembered for long after that.
        let all_told =
            self.queue.is_empty() && over(&self.lanes.to_server) && over(&self.lanes.to_client);
        (self.switched || foreign || all_told).then_some(Ways {
            to_server: (self.lanes.to_server.at, self.lanes.to_server.state),
            to_client: (self.lanes.to_client.at, self.lanes.to_client.state),
        })
    }

    /// Takes bytes from the midst of a body, which is nearly all there are.
    /// False: it is something else.
    pub(super) fn midst(&mut self, way: Direction, bytes: &[u8], at: At, packets: usize) -> bool {
        self.lanes.get_mut(way).midst(bytes, at, packets)
    }

    /// Was another protocol agreed on?
    pub(super) fn has_switched(&self) -> bool {
        self.switched
    }

    pub(super) fn bytes(
        &mut self,
        way: Direction,
        bytes: &[u8],
        at: At,
        settings: &Settings,
        found: &mut Found,
    ) {
        let mut rest = bytes;
        if self.lanes.get(way).state == (State::Lost { resync: true }) {
            self.resync(way, bytes);
        }
        while !rest.is_empty() {
            let lane = self.lanes.get_mut(way);
            let taken = match lane.state {
                State::Body => {
                    let taken = lane.body(rest, at, settings.packets);
                    self.body_taken(way, settings, found);
                    taken
                }
                State::Head => self.head(way, rest, at, settings, found),
                State::Leftover(len) => {
                    lane.state = State::Leftover(len + rest.len() as u64);
                    lane.at += rest.len() as u64;
                    rest.len()
                }
                State::Lost { .. } | State::Over => {
                    lane.at += rest.len() as u64;
                    rest.len()
                }
            };
            rest = rest.get(taken..).unwrap_or(&[]);
        }
    }

    pub(super) fn gap(
        &mut self,
        way: Direction,
        missing: u64,
        settings: &Settings,
        found: &mut Found,
    ) {
        let lane = self.lanes.get_mut(way);
        if lane.state == State::Over {
            return;
        }
        if lane.state == State::Body
            && let Some(part) = &mut lane.part
        {
            part.body.miss(missing);
            if !part.body.is_over() {
                return;
            }
            lane.body_ends();
        }
        lane.forget();
        self.settle(way, settings, found);
        let lane = self.lanes.get_mut(way);
        lane.state = State::Head;
        lane.resync = true;
        self.fresh = false;
        self.unreserve(way);
        self.tell(settings, found);
    }

    /// Captured bytes that came of each way.
    pub(super) fn places(&self) -> Ways<u64> {
        Ways {
            to_server: self.lanes.to_server.at,
            to_client: self.lanes.to_client.at,
        }
    }

    pub(super) fn end(&mut self, way: Direction, at: At, settings: &Settings, found: &mut Found) {
        let lane = self.lanes.get_mut(way);
        if lane.has_begun() && self.is_simple_answer(way) {
            self.begin_simple_answer(way, at, settings, found);
        }
        let lane = self.lanes.get_mut(way);
        if lane.state == State::Body
            && let Some(part) = &mut lane.part
        {
            part.body.end();
            // The end is the body's: the FIN's packet completes it.
            if part.body.is_complete() && at.packet > part.trail.last.packet {
                part.trail.last = at;
            }
        }
        self.way_over(way, settings, found);
        self.tell(settings, found);
    }

    /// Nothing more comes.
    pub(super) fn close(&mut self, settings: &Settings, found: &mut Found) {
        for way in BOTH {
            self.way_over(way, settings, found);
        }
        for entry in &mut self.queue {
            entry.request_open = false;
            entry.response_open = false;
        }
        self.tell(settings, found);
    }

    fn way_over(&mut self, way: Direction, settings: &Settings, found: &mut Found) {
        let lane = self.lanes.get_mut(way);
        if lane.state == State::Body {
            lane.body_ends();
        }
        lane.forget();
        self.settle(way, settings, found);
        self.lanes.get_mut(way).state = State::Over;
        self.unreserve(way);
        if self.requests == Some(way.opposite()) {
            for entry in &mut self.queue {
                entry.response_open = false;
            }
        }
    }

    /// Does this piece begin with a head, after a part that could not be read?
    fn resync(&mut self, way: Direction, bytes: &[u8]) {
        if head::begins(bytes, self.wanted(way)) {
            self.lanes.get_mut(way).state = State::Head;
        }
    }

    fn wanted(&self, way: Direction) -> Wanted {
        let requests = self.requests.is_none_or(|requests| requests == way);
        let responses = self.requests.is_none_or(|requests| requests != way);
        Wanted {
            request: requests,
            simple: requests && self.fresh && way == Direction::ToServer,
            response: responses,
        }
    }

    /// Bytes where a head is expected. Returns how many were taken.
    fn head(
        &mut self,
        way: Direction,
        bytes: &[u8],
        at: At,
        settings: &Settings,
        found: &mut Found,
    ) -> usize {
        let wanted = self.wanted(way);
        let lane = self.lanes.get_mut(way);
        match lane.head(bytes, at, wanted, settings.packets) {
            Heads::Maybe(taken) => taken,
            Heads::Known(taken, kind) => {
                self.requests = Some(requests(way, kind));
                // Another message begins: the one before ended where its head says.
                self.settle(way, settings, found);
                self.tell(settings, found);
                taken
            }
            Heads::No(waited) => {
                if self.is_simple_answer(way) {
                    self.begin_simple_answer(way, at, settings, found);
                    return 0;
                }
                let lane = self.lanes.get_mut(way);
                lane.forget();
                lane.state = match lane.part {
                    Some(_) => State::Leftover(waited),
                    None => lane.lost(),
                };
                0
            }
            Heads::Found(taken) => {
                self.settle(way, settings, found);
                if let Some(head) = self.lanes.get_mut(way).found.take() {
                    self.fresh = false;
                    match head.kind {
                        Kind::Response => self.begin_response(way, head, settings, found),
                        _ => self.begin_request(way, head, settings, found),
                    }
                }
                self.tell(settings, found);
                taken
            }
        }
    }

    fn begin_request(
        &mut self,
        way: Direction,
        mut head: lane::Found,
        settings: &Settings,
        found: &mut Found,
    ) {
        self.requests = Some(requests(way, head.kind));
        let parsed = &mut head.parsed;
        let length = match head.kind {
            _ if head.too_long => Length::Wrong(head::TOO_LONG),
            Kind::Simple => Length::None,
            _ => length::of_request(&parsed.headers, parsed.version, &mut parsed.trouble),
        };
        let asked = match &parsed.start {
            Start::Request { method, .. } => Asked::by(method),
            Start::Response { .. } => Asked::Other,
        };
        let simple = head.kind == Kind::Simple;
        let first = head.first().packet;
        let id = self.place_request(way, first);
        if let Some(entry) = self.entry(id) {
            entry.asked = asked;
            entry.simple = simple;
            entry.first = Some(first);
            entry.request_open = true;
        }
        self.begin_body(
            way,
            Part::new(id, head, Reading::new(length, settings.bodies)),
            settings,
            found,
        );
    }

    fn begin_response(
        &mut self,
        way: Direction,
        mut head: lane::Found,
        settings: &Settings,
        found: &mut Found,
    ) {
        self.requests = Some(requests(way, head.kind));
        let id = self.place_response(way, &head);
        let asked = self.entry(id).map(|entry| entry.asked).unwrap_or_default();
        let parsed = &mut head.parsed;
        let code = match parsed.start {
            Start::Response { code, .. } => code,
            Start::Request { .. } => 0,
        };
        let length = if head.too_long {
            Length::Wrong(head::TOO_LONG)
        } else {
            length::of_response(
                &parsed.headers,
                parsed.version,
                code,
                asked,
                &mut parsed.trouble,
            )
        };
        // RFC 9110, sections 9.3.6 and 15.2.2.
        let switches = code == 101 || asked.is_tunnel(code);
        let upgrade = if switches {
            parsed.headers.named("upgrade").next().map(str::to_owned)
        } else {
            None
        };
        let interim = (100..200).contains(&code) && !switches;
        let answered = head.last();
        if let Some(entry) = self.entry(id) {
            entry.answered.get_or_insert(answered);
            entry.taken = !interim;
            entry.response_open = true;
        }
        self.interim = interim.then_some(id);
        self.begin_body(
            way,
            Part::new(id, head, Reading::new(length, settings.bodies)),
            settings,
            found,
        );
        if switches {
            self.switch(id, upgrade, settings, found);
        }
    }

    /// Another protocol follows, both ways: a tunnel, or what was asked for by
    /// Upgrade.
    fn switch(&mut self, id: u64, upgrade: Option<String>, settings: &Settings, found: &mut Found) {
        for way in BOTH {
            let lane = self.lanes.get_mut(way);
            lane.forget();
            // Bytes that follow are the other protocol's.
            lane.state = State::Over;
            self.settle(way, settings, found);
        }
        // What was taken for requests behind it were none.
        let behind = id.wrapping_sub(self.first).wrapping_add(1);
        self.queue
            .truncate(usize::try_from(behind).unwrap_or(usize::MAX));
        for entry in &mut self.queue {
            entry.request_open = false;
            entry.response_open = false;
        }
        if let Some(entry) = self.entry(id) {
            let target = entry.request.as_ref().map_or("", |request| &request.target);
            entry.switches_to = Some(match entry.asked {
                Asked::Connect => format!("tunnel to {target}"),
                _ => upgrade.unwrap_or_default(),
            });
        }
        self.switched = true;
    }

    /// Is the next answer one without a head?
    fn is_simple_answer(&self, way: Direction) -> bool {
        self.requests == Some(way.opposite())
            && self.lanes.get(way).part.is_none()
            && self
                .queue
                .iter()
                .find(|entry| !entry.taken)
                .is_some_and(|entry| entry.simple)
    }

    fn begin_simple_answer(
        &mut self,
        way: Direction,
        at: At,
        settings: &Settings,
        found: &mut Found,
    ) {
        let (head, begun) = self.lanes.get_mut(way).simple_answer(at, settings.packets);
        let id = self.place_response(way, &head);
        let answered = head.last();
        if let Some(entry) = self.entry(id) {
            entry.answered = Some(answered);
            entry.taken = true;
        }
        let mut body = Reading::new(Length::UntilClose, settings.bodies);
        body.take(&begun);
        let mut part = Part::new(id, head, body);
        part.sent.add(&begun);
        self.begin_body(way, part, settings, found);
    }

    fn begin_body(&mut self, way: Direction, part: Part, settings: &Settings, found: &mut Found) {
        if settings.parts {
            let asked = self.entry(part.entry).and_then(|entry| entry.asked_at);
            let told = (part.only_head(), part.sent.bytes.clone());
            found.part(self.conversation, way, false, asked, told);
        }
        let lane = self.lanes.get_mut(way);
        lane.part = Some(part);
        lane.state = State::Body;
        self.body_taken(way, settings, found);
    }

    /// Looks whether the body is over.
    fn body_taken(&mut self, way: Direction, settings: &Settings, found: &mut Found) {
        let lane = self.lanes.get_mut(way);
        let Some(part) = &lane.part else {
            lane.state = lane.lost();
            return;
        };
        if !part.body.is_over() {
            return;
        }
        lane.state = State::Head;
        if part.body.is_complete() {
            self.announce(way, settings, found);
            return;
        }
        // It is wrong, so that what follows says nothing of it.
        if part.body.is_lost() {
            lane.state = lane.lost();
        }
        self.settle(way, settings, found);
    }

    /// Tells a part that is complete, or that no more will come of.
    fn announce(&mut self, way: Direction, settings: &Settings, found: &mut Found) {
        let Some(part) = &mut self.lanes.get_mut(way).part else {
            return;
        };
        if part.announced {
            return;
        }
        part.announced = true;
        let (id, last) = (part.entry, part.trail.last);
        let half = settings.parts.then(|| (part.so_far(), part.sent.take()));
        let is_request = self.requests == Some(way);
        let entry = self.entry(id);
        let asked = entry.as_ref().and_then(|entry| entry.asked_at);
        if let Some(entry) = entry.filter(|_| is_request) {
            entry.asked_at = Some(last);
        }
        if let Some(half) = half {
            found.part(self.conversation, way, true, asked, half);
        }
    }

    /// Hands the part that was read last to its transaction.
    fn settle(&mut self, way: Direction, settings: &Settings, found: &mut Found) {
        let lane = self.lanes.get_mut(way);
        if lane.part.as_ref().is_some_and(|part| !part.body.is_over()) {
            lane.body_ends();
        }
        self.announce(way, settings, found);
        let lane = self.lanes.get_mut(way);
        let Some(mut part) = lane.part.take() else {
            return;
        };
        if let State::Leftover(len) = lane.state {
            part.body.has_more_behind(len);
        }
        let id = part.entry;
        let (half, packets) = part.finish();
        let response_over = self.interim != Some(id);
        let Some(entry) = self.entry(id) else {
            return;
        };
        entry.packets.listed.extend(packets.listed);
        entry.packets.more += packets.more;
        match half {
            Half::Request(request) => {
                entry.request = Some(request);
                entry.request_open = false;
            }
            Half::Response(response) if response_over => {
                entry.response = Some(response);
                entry.response_open = false;
            }
            Half::Response(response) => entry.interim.push(response),
        }
    }

    fn entry(&mut self, id: u64) -> Option<&mut Entry> {
        let index = usize::try_from(id.wrapping_sub(self.first)).ok()?;
        self.queue.get_mut(index)
    }

    /// The transaction of a request whose first byte this packet brought.
    fn place_request(&mut self, way: Direction, first: usize) -> u64 {
        if let Some(id) = self.reserved.take() {
            return id;
        }
        // An answer may have come before it: packets were lost, and the
        // request waited for the bytes before it.
        for (index, entry) in self.queue.iter_mut().enumerate() {
            if entry.first.is_some() || !entry.request_open {
                continue;
            }
            if entry
                .answered
                .is_some_and(|answered| answered.packet >= first)
            {
                return self.first.wrapping_add(index as u64);
            }
            entry.request_open = false;
        }
        let answers_come = self.lanes.get(way.opposite()).state != State::Over;
        self.insert(
            self.queue.len(),
            Entry {
                response_open: answers_come,
                ..Entry::default()
            },
        )
    }

    /// The transaction of a response. One that was there before the request's
    /// first byte answers another one, or none (a 408 on an idle connection).
    fn place_response(&mut self, way: Direction, head: &lane::Found) -> u64 {
        if let Some(id) = self.interim {
            return id;
        }
        let requests = self.lanes.get(way.opposite());
        let (begun_by, over) = (requests.begun_first(), requests.state == State::Over);
        let answers = |first: Option<usize>| first.is_some_and(|first| first <= head.last().packet);
        let waiting = self.queue.iter().position(|entry| !entry.taken);
        let unasked = Entry {
            request_open: !over,
            ..Entry::default()
        };
        if self.owed > 0 {
            self.owed -= 1;
            return self.insert(0, Entry::default());
        }
        match waiting {
            Some(index) if answers(self.queue.get(index).and_then(|entry| entry.first)) => {
                self.first.wrapping_add(index as u64)
            }
            Some(index) => self.insert(index, unasked),
            None if answers(begun_by) => {
                let id = self.insert(
                    self.queue.len(),
                    Entry {
                        first: begun_by,
                        request_open: true,
                        ..Entry::default()
                    },
                );
                self.reserved = Some(id);
                id
            }
            None => self.insert(self.queue.len(), unasked),
        }
    }

    /// Puts a transaction before the one at `index`; returns its number.
    fn insert(&mut self, index: usize, entry: Entry) -> u64 {
        let id = self.first.wrapping_add(index as u64);
        let later = |other: u64| other.wrapping_sub(self.first) >= index as u64;
        if index < self.queue.len() {
            let parts = [
                &mut self.lanes.to_server.part,
                &mut self.lanes.to_client.part,
            ];
            let numbers = parts.into_iter().flatten().map(|part| &mut part.entry);
            for number in numbers.chain(&mut self.reserved).chain(&mut self.interim) {
                if later(*number) {
                    *number = number.wrapping_add(1);
                }
            }
        }
        self.queue.insert(index.min(self.queue.len()), entry);
        id
    }

    /// The head of a request that was begun will not come.
    fn unreserve(&mut self, way: Direction) {
        if self.requests == Some(way.opposite()) {
            return;
        }
        if let Some(id) = self.reserved.take()
            && let Some(entry) = self.entry(id)
        {
            entry.request_open = false;
        }
        if self.lanes.get(way).state == State::Over {
            let unasked = self.queue.iter_mut().filter(|entry| entry.first.is_none());
            unasked.for_each(|entry| entry.request_open = false);
        }
    }

    /// Tells the transactions that are complete, or given up, in their order.
    fn tell(&mut self, settings: &Settings, found: &mut Found) {
        let mut unasked = self
            .queue
            .iter()
            .filter(|entry| entry.first.is_none())
            .count();
        loop {
            let too_many = self.queue.len() > MAX_WAITING || unasked > MAX_UNASKED;
            match self.queue.front() {
                Some(front) if !front.request_open && !front.response_open => {}
                Some(_) if too_many => self.give_up(settings, found),
                _ => return,
            }
            let Some(entry) = self.queue.pop_front() else {
                return;
            };
            self.first = self.first.wrapping_add(1);
            unasked = unasked.saturating_sub(usize::from(entry.first.is_none()));
            let way = self.requests.unwrap_or(Direction::ToServer);
            if let Some(message) = entry.message(self.conversation, way, settings) {
                found.messages.push(message);
            }
        }
    }

    /// The first transaction is told as it is.
    fn give_up(&mut self, settings: &Settings, found: &mut Found) {
        let id = self.first;
        for way in BOTH {
            let lane = self.lanes.get_mut(way);
            if lane.part.as_ref().is_some_and(|part| part.entry == id) {
                self.settle(way, settings, found);
                let lane = self.lanes.get_mut(way);
                if lane.state != State::Head {
                    lane.state = lane.lost();
                }
            }
        }
        for number in [&mut self.reserved, &mut self.interim] {
            if *number == Some(id) {
                *number = None;
            }
        }
        if self.queue.front().is_some_and(|front| !front.taken) {
            self.owed += 1;
        }
    }
}

/// Which way requests go where this one has such a head.
fn requests(way: Direction, kind: Kind) -> Direction {
    match kind {
        Kind::Request | Kind::Simple => way,
        Kind::Response => way.opposite(),
    }
}

const BOTH: [Direction; 2] = [Direction::ToServer, Direction::ToClient];

impl Entry {
    fn message(
        self,
        conversation: ConversationIndex,
        way: Direction,
        settings: &Settings,
    ) -> Option<Message> {
        if self.request.is_none() && self.response.is_none() && self.interim.is_empty() {
            return None;
        }
        let mut packets = self.packets;
        packets.listed.sort_unstable();
        packets.listed.dedup();
        let more = packets.listed.len().saturating_sub(settings.packets);
        packets.listed.truncate(settings.packets);
        packets.more += more as u64;
        Some(Message {
            conversation,
            way,
            request: self.request,
            response: self.response,
            interim: self.interim,
            packets,
            switches_to: self.switches_to,
        })
    }
}
