//! Both ways of an HTTP conversation: each response with its request.
//!
//! A transaction is told once its response is complete, or can no longer be,
//! and it is known whether other bytes stand where the next message should
//! begin. So of a connection that stays open one transaction is held.

use crate::conversation::{At, ConversationIndex, Direction, Missing, Ways};

use super::NoResponse;
use super::Settings;
use super::body::Reading;
use super::found::Found;
use super::head::{self, Kind, Start, Wanted};
use super::lane::{self, Heads, Lane, Part, State};
use super::length::{self, Asked, Length};
use super::queue::{Front, Id, Queue};

#[derive(Debug)]
pub(super) struct Exchange {
    conversation: ConversationIndex,
    lanes: Ways<Lane>,
    /// Which way the requests go, once that is known.
    requests: Option<Direction>,
    queue: Queue,
    /// So many of its transactions are in [`Found::transactions`].
    counted: usize,
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
            queue: Queue::default(),
            counted: 0,
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
    pub(super) fn midst(
        &mut self,
        way: Direction,
        bytes: &[u8],
        at: At,
        settings: &Settings,
        found: &mut Found,
    ) -> bool {
        let lane = self.lanes.get_mut(way);
        lane.midst(bytes, at, settings, &mut found.held)
    }

    /// Was a start line found?
    pub(super) fn is_evident(&self) -> bool {
        self.requests.is_some()
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
            if matches!(lane.state, State::Leftover | State::Lost { .. }) && lane.take_turn() {
                lane.state = State::Head;
            }
            let taken = match lane.state {
                State::Body => {
                    let taken = lane.body(rest, at, settings, &mut found.held);
                    self.body_taken(way, settings, found);
                    taken
                }
                State::Head => self.head(way, rest, at, settings, found),
                State::Leftover | State::Lost { .. } => {
                    lane.pass(rest.len() as u64);
                    let what = lane.unread(rest.len() as u64);
                    self.unread(way, what);
                    rest.len()
                }
                State::Over => {
                    lane.pass(rest.len() as u64);
                    rest.len()
                }
            };
            rest = rest.get(taken..).unwrap_or(&[]);
        }
    }

    pub(super) fn gap(
        &mut self,
        way: Direction,
        missing: Missing,
        settings: &Settings,
        found: &mut Found,
    ) {
        let lane = self.lanes.get_mut(way);
        if lane.state == State::Over {
            return;
        }
        if matches!(lane.state, State::Leftover | State::Lost { .. }) {
            self.unread(way, NoResponse::Unclear);
        }
        let lane = self.lanes.get_mut(way);
        let mut loses_next = lane.state == State::Head;
        if lane.state == State::Body
            && let Some(part) = &mut lane.part
        {
            loses_next = part.body.miss(missing.bytes);
            if !part.body.is_over() {
                return;
            }
            lane.body_ends();
        }
        lane.forget();
        self.settle(way, settings, found);
        if loses_next && self.requests == Some(way.opposite()) {
            self.queue.lose_answer(missing.acknowledged);
        }
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
        self.queue.end();
        self.tell(settings, found);
    }

    fn way_over(&mut self, way: Direction, settings: &Settings, found: &mut Found) {
        let lane = self.lanes.get_mut(way);
        if lane.state == State::Body {
            lane.body_ends();
        }
        let begun = lane.begun_len() as u64;
        lane.forget();
        self.settle(way, settings, found);
        self.lanes.get_mut(way).state = State::Over;
        self.unreserve(way);
        if self.requests == Some(way.opposite()) {
            if begun > 0 {
                self.queue
                    .answer_unread(NoResponse::NoBlankLine(begun), false);
            }
            self.queue.end_responses();
        }
    }

    /// Does this piece begin with a head, after a part that could not be read?
    fn resync(&mut self, way: Direction, bytes: &[u8]) {
        if head::begins(bytes, self.wanted(way)) {
            self.lanes.get_mut(way).state = State::Head;
        }
    }

    /// Bytes came, or are missing, behind others that could not be read.
    fn unread(&mut self, way: Direction, what: NoResponse) {
        if self.requests == Some(way.opposite()) {
            let is_rest = self.lanes.get(way).state == State::Lost { resync: true };
            self.queue.answer_unread(what, is_rest);
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
                lane.no_head(waited);
                if waited > 0 {
                    let what = lane.unread(waited);
                    self.unread(way, what);
                }
                0
            }
            Heads::Found(taken) => {
                self.settle(way, settings, found);
                if let Some(head) = self.lanes.get_mut(way).found.take() {
                    self.fresh = false;
                    match head.kind {
                        Kind::Response => self.begin_response(way, head, settings, found),
                        _ => {
                            self.lanes.get_mut(way.opposite()).turns();
                            self.begin_request(way, head, settings, found);
                        }
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
        let answers_come = self.lanes.get(way.opposite()).state != State::Over;
        self.settle_interim(way.opposite(), settings, found);
        let id = self.queue.place_request(first, answers_come);
        self.queue.ask(id, first, asked, simple);
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
        let transaction = self.queue.get_mut(id);
        let asked = transaction.map(|transaction| transaction.asked);
        let asked = asked.unwrap_or_default();
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
        if let Some(transaction) = self.queue.get_mut(id) {
            transaction.answered.get_or_insert(answered);
            transaction.taken = !interim;
            transaction.response_open = true;
        }
        self.queue.set_interim(id, interim);
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
        self.queue.forget_behind(id, &mut found.held);
        self.queue.end();
        if let Some(transaction) = self.queue.get_mut(id) {
            let request = transaction.request.as_ref();
            let target = request.map_or("", |request| &request.target);
            transaction.switches_to = Some(match transaction.asked {
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
            && self.queue.expects_simple_answer()
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
        if let Some(transaction) = self.queue.get_mut(id) {
            transaction.answered = Some(answered);
            transaction.taken = true;
            transaction.response_open = true;
        }
        let mut body = Reading::new(Length::UntilClose, settings.bodies);
        body.make_room(begun.len(), &mut found.held, settings.waits.bodies_in_all);
        body.take(&begun);
        let mut part = Part::new(id, head, body);
        part.sent.add(&begun);
        self.begin_body(way, part, settings, found);
    }

    fn begin_body(&mut self, way: Direction, part: Part, settings: &Settings, found: &mut Found) {
        if settings.parts {
            let transaction = self.queue.get_mut(part.transaction);
            let asked = transaction.and_then(|transaction| transaction.asked_at);
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
        let (id, last) = (part.transaction, part.trail.last);
        let half = settings.parts.then(|| (part.so_far(), part.sent.take()));
        let is_request = self.requests == Some(way);
        let transaction = self.queue.get_mut(id);
        let asked = transaction.as_ref().and_then(|one| one.asked_at);
        if let Some(transaction) = transaction.filter(|_| is_request) {
            transaction.asked_at = Some(last);
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
        let leftover = lane.take_leftover();
        let Some(mut part) = lane.part.take() else {
            return;
        };
        if leftover > 0 {
            part.body.has_more_behind(leftover);
        }
        part.body.leave_room(&mut found.held);
        let id = part.transaction;
        let (half, packets) = part.finish();
        let queue = &mut self.queue;
        queue.settle(id, half, packets, settings, &mut found.held);
    }

    /// Hands an interim response over that is read, before its request may be told: its
    /// final answer can be known to be lost.
    fn settle_interim(&mut self, way: Direction, settings: &Settings, found: &mut Found) {
        let part = self.lanes.get(way).part.as_ref();
        if part.is_some_and(|part| self.queue.is_interim(part.transaction)) {
            self.settle(way, settings, found);
        }
    }

    /// The transaction of a response whose head was found.
    fn place_response(&mut self, way: Direction, head: &lane::Found) -> Id {
        let requests = self.lanes.get(way.opposite());
        let requests_come = requests.state != State::Over;
        let begun = requests.begun_first();
        self.queue
            .place_response(head.last().packet, begun, requests_come)
    }

    /// The head of a request that was begun will not come.
    fn unreserve(&mut self, way: Direction) {
        if self.requests == Some(way.opposite()) {
            return;
        }
        self.queue.unreserve();
        if self.lanes.get(way).state == State::Over {
            self.queue.end_requests();
        }
    }

    /// Tells the transactions that are complete, or given up, in their order.
    fn tell(&mut self, settings: &Settings, found: &mut Found) {
        loop {
            let now = self.queue.len();
            found.transactions = (found.transactions + now).saturating_sub(self.counted);
            self.counted = now;
            let crowded = found.transactions > settings.waits.requests_in_all;
            let place = match self.queue.front(&settings.waits, crowded) {
                Some(Front::Over) => 0,
                Some(Front::InTheWay(place, id)) => {
                    self.give_up(place, id, settings, found);
                    place
                }
                Some(Front::Open) | None => return,
            };
            let Some(transaction) = self.queue.take(place) else {
                return;
            };
            found.held.leave(transaction.held());
            let way = self.requests.unwrap_or(Direction::ToServer);
            if let Some(message) = transaction.message(self.conversation, way, settings) {
                found.messages.push(message);
            }
        }
    }

    /// The transaction at this place is told as it is.
    fn give_up(&mut self, place: usize, id: Id, settings: &Settings, found: &mut Found) {
        for way in BOTH {
            let lane = self.lanes.get_mut(way);
            if lane
                .part
                .as_ref()
                .is_some_and(|part| part.transaction == id)
            {
                self.settle(way, settings, found);
                let lane = self.lanes.get_mut(way);
                if lane.state != State::Head {
                    lane.state = lane.lost();
                }
            }
        }
        found.bitten.transactions += u64::from(self.queue.give_up(place));
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
