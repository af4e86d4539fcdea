//! The transactions of a conversation that are not yet told, in the order of their
//! requests: to which of them a request or an answer belongs.

use std::collections::VecDeque;

use crate::conversation::{At, ConversationIndex, Direction};

use super::found::Held;
use super::lane::Half;
use super::length::Asked;
use super::{Message, NoResponse, Packets, Request, Response, Settings, Waits};

pub(super) const MORE_INTERIM: &str =
    "more interim responses answer the request than are kept: the rest is left out";

/// Tells transactions of a conversation apart.
pub(super) type Id = u64;

/// One transaction, not yet told.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    id: Id,
    pub request: Option<Request>,
    interim: Vec<Response>,
    response: Option<Response>,
    packets: Packets,
    pub switches_to: Option<String>,
    pub asked: Asked,
    /// Without a version: its answer has no head.
    pub simple: bool,
    /// The packet that brought the request's first byte; None: no request came.
    first: Option<usize>,
    /// The packet that completed the first response's head.
    pub answered: Option<At>,
    /// The request's last packet, for its answer.
    pub asked_at: Option<At>,
    /// The final response is there, or begun.
    pub taken: bool,
    /// Bytes of its answer were not captured, from its head on.
    answer_lost: bool,
    /// Bytes came where its answer belongs, and could not be read.
    unread: Option<NoResponse>,
    /// More can come of the request.
    pub request_open: bool,
    /// More can come of the response.
    pub response_open: bool,
    /// It was waited for no longer, or its other half was.
    given_up: bool,
}

/// How far the first transaction of a queue is.
pub(super) enum Front {
    /// Nothing more can come of it.
    Over,
    /// Too many wait: more can come of this one, at this place, but it is waited for
    /// no longer.
    InTheWay(usize, Id),
    Open,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    transactions: VecDeque<Transaction>,
    /// Those before this place are taken: so that none is looked at again and again
    /// where many wait.
    untaken: usize,
    /// Before this place there is no answer whose request may still come.
    unasked: usize,
    /// How many have no request.
    lone: usize,
    /// Those whose answers were lost when they were not taken.
    lost: Vec<Id>,
    /// The next transaction's.
    next: Id,
    /// Of a request whose head is not complete, which was answered.
    reserved: Option<Id>,
    /// The one whose 1xx answers came, but not the final one.
    interim: Option<Id>,
    /// Answers to requests that are waited for no more.
    owed: u64,
}

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    pub fn get_mut(&mut self, id: Id) -> Option<&mut Transaction> {
        let place = self.place(id)?;
        self.transactions.get_mut(place)
    }

    /// Those that are asked for are near one of the ends.
    fn place(&self, id: Id) -> Option<usize> {
        let len = self.transactions.len();
        let mut places = (0..len.div_ceil(2)).flat_map(|n| [n, len - 1 - n]);
        places.find(|place| self.transactions.get(*place).is_some_and(|t| t.id == id))
    }

    /// The place of the first one whose answer did not begin.
    fn first_untaken(&mut self) -> Option<usize> {
        while self.transactions.get(self.untaken)?.taken {
            self.untaken += 1;
        }
        Some(self.untaken)
    }

    /// Is the next answer one without a head?
    pub fn expects_simple_answer(&self) -> bool {
        let mut transactions = self.transactions.iter().skip(self.untaken);
        let next = transactions.find(|transaction| !transaction.taken);
        next.is_some_and(|transaction| transaction.simple)
    }

    /// The transaction of a request whose first byte this packet brought.
    pub fn place_request(&mut self, first: usize, answers_come: bool) -> Id {
        if let Some(id) = self.reserved.take() {
            return id;
        }
        // Who asks again has the answer, though the capture has not.
        self.another_answer_comes();
        // An answer may have come before it: packets were lost, and the
        // request waited for the bytes before it.
        while let Some(transaction) = self.transactions.get_mut(self.unasked) {
            if transaction.first.is_none() && transaction.request_open {
                let answered = transaction.answered;
                if answered.is_some_and(|answered| answered.packet >= first) {
                    return transaction.id;
                }
                transaction.request_open = false;
            }
            self.unasked += 1;
        }
        let transaction = Transaction {
            response_open: answers_come,
            ..Transaction::default()
        };
        self.insert(self.transactions.len(), transaction)
    }

    /// A request's head was read.
    pub fn ask(&mut self, id: Id, first: usize, asked: Asked, simple: bool) {
        let Some(transaction) = self.get_mut(id) else {
            return;
        };
        transaction.asked = asked;
        transaction.simple = simple;
        transaction.request_open = true;
        if transaction.first.replace(first).is_none() {
            self.lone = self.lone.saturating_sub(1);
        }
    }

    /// The transaction of a response whose head is complete with the packet
    /// `last`. One that was there before the request's first byte answers another
    /// one, or none (a 408 on an idle connection). `begun` is the packet that
    /// brought the first byte of a request whose head is not complete;
    /// `requests_come`: of the requests' way more can come.
    pub fn place_response(&mut self, last: usize, begun: Option<usize>, requests_come: bool) -> Id {
        if let Some(id) = self.interim {
            return id;
        }
        let next = self.first_untaken();
        let place = next.unwrap_or(self.transactions.len());
        if self.owed > 0 {
            self.owed -= 1;
            let owed = Transaction {
                given_up: true,
                ..Transaction::default()
            };
            return self.insert(place, owed);
        }
        let answers = |first: Option<usize>| first.is_some_and(|first| first <= last);
        let unasked = Transaction {
            request_open: requests_come,
            ..Transaction::default()
        };
        let waiting = next.and_then(|place| self.transactions.get(place));
        match waiting.map(|transaction| (transaction.id, transaction.first)) {
            Some((id, first)) if answers(first) => id,
            Some(_) => self.insert(place, unasked),
            None if answers(begun) => {
                let asked = Transaction {
                    first: begun,
                    request_open: true,
                    ..Transaction::default()
                };
                let id = self.insert(place, asked);
                self.reserved = Some(id);
                id
            }
            None => self.insert(place, unasked),
        }
    }

    /// The response that is read is a 1xx, and another follows; or it is final.
    pub fn set_interim(&mut self, id: Id, interim: bool) {
        self.interim = interim.then_some(id);
    }

    /// Is what was read last of its answers a 1xx?
    pub fn is_interim(&self, id: Id) -> bool {
        self.interim == Some(id)
    }

    /// Hands a request or a response over that was read, and the packets that brought
    /// it.
    pub fn settle(
        &mut self,
        id: Id,
        half: Half,
        packets: Packets,
        settings: &Settings,
        held: &mut Held,
    ) {
        let is_interim = self.is_interim(id);
        let Some(transaction) = self.get_mut(id) else {
            let (Half::Request(Request { body, .. }) | Half::Response(Response { body, .. })) =
                half;
            held.leave(body.bytes.len());
            return;
        };
        transaction.packets.add(packets, settings.packets);
        match half {
            Half::Request(request) => {
                transaction.request = Some(request);
                transaction.request_open = false;
            }
            Half::Response(response) if is_interim => {
                transaction.add_interim(response, settings.waits.interim, held);
            }
            Half::Response(response) => {
                transaction.response = Some(response);
                transaction.response_open = false;
            }
        }
    }

    /// Bytes were not captured where the next answer begins: those of the answer to
    /// the first request that waits, unless it came when who asks had them already,
    /// by the packet `acknowledged`. Where another request waits behind it, the next
    /// answer is that one's. How many were answered by those bytes is not known.
    pub fn lose_answer(&mut self, acknowledged: Option<usize>) {
        let place = self.first_untaken();
        let Some(first) = place.and_then(|place| self.transactions.get_mut(place)) else {
            return;
        };
        let asked = |packet| acknowledged.is_none_or(|acknowledged| packet < acknowledged);
        first.answer_lost = first.first.is_some_and(asked);
        if first.answer_lost && self.lost.last() != Some(&first.id) {
            self.lost.push(first.id);
        }
        let mut behind = self.transactions.iter().skip(self.untaken + 1);
        if behind.any(|transaction| !transaction.taken) {
            self.another_answer_comes();
        }
    }

    /// Bytes came where answers belong, and could not be read. To whichever of the
    /// requests that wait they are an answer, of none it can be told that it has none;
    /// if they begin like no answer, they are the first one's. `is_rest`: of an answer
    /// whose beginning is missing, so that there need not be another one.
    pub fn answer_unread(&mut self, what: NoResponse, is_rest: bool) {
        let first = self.first_untaken();
        let Some(first) = first.and_then(|place| self.transactions.get_mut(place)) else {
            return;
        };
        first.unread = Some(match (first.unread, what) {
            (Some(NoResponse::NoStatusLine(some)), NoResponse::NoStatusLine(more)) => {
                NoResponse::NoStatusLine(some + more)
            }
            (_, what) => what,
        });
        let id = first.id;
        let behind = self.transactions.range_mut(self.untaken + 1..);
        let mut is_alone = true;
        // Those before the last one that is marked are.
        for transaction in behind.rev().filter(|transaction| !transaction.taken) {
            is_alone = false;
            if transaction.unread.is_some() {
                break;
            }
            transaction.unread = Some(NoResponse::Unclear);
        }
        // Who asks for one thing after the other, and goes on, was answered.
        if is_alone && !is_rest && self.lost.last() != Some(&id) {
            self.lost.push(id);
        }
    }

    /// The next answer is not the one that was lost.
    fn another_answer_comes(&mut self) {
        for id in std::mem::take(&mut self.lost) {
            let transaction = self.get_mut(id);
            let lost = |t: &&mut Transaction| t.answer_lost || t.unread.is_some();
            let Some(transaction) = transaction.filter(lost).filter(|t| !t.taken) else {
                continue;
            };
            transaction.taken = true;
            transaction.response_open = false;
            if self.is_interim(id) {
                self.interim = None;
            }
        }
    }

    /// The head of the request that was begun will not come.
    pub fn unreserve(&mut self) {
        if let Some(id) = self.reserved.take()
            && let Some(transaction) = self.get_mut(id)
        {
            transaction.request_open = false;
        }
    }

    /// No further requests come.
    pub fn end_requests(&mut self) {
        let transactions = self.transactions.iter_mut();
        let unasked = transactions.filter(|transaction| transaction.first.is_none());
        unasked.for_each(|transaction| transaction.request_open = false);
    }

    /// No further answers come.
    pub fn end_responses(&mut self) {
        for transaction in &mut self.transactions {
            transaction.response_open = false;
        }
    }

    /// Nothing more comes of any.
    pub fn end(&mut self) {
        for transaction in &mut self.transactions {
            transaction.request_open = false;
            transaction.response_open = false;
        }
    }

    /// Forgets those behind one: they were none.
    pub fn forget_behind(&mut self, id: Id, held: &mut Held) {
        if let Some(place) = self.place(id) {
            for forgotten in self.transactions.drain(place + 1..) {
                held.leave(forgotten.held());
            }
            let lone = self.transactions.iter().filter(|t| t.first.is_none());
            self.lone = lone.count();
        }
    }

    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// How far the first one is; None where there is none. `crowded`: too many wait in
    /// all conversations.
    pub fn front(&self, waits: &Waits, crowded: bool) -> Option<Front> {
        let front = self.transactions.front()?;
        if !front.request_open && !front.response_open {
            return Some(Front::Over);
        }
        // An answer that is being read stays: where it ends the next one begins.
        let place = usize::from(front.taken && front.response_open);
        let waiting = self.transactions.len() - place;
        // The only one that a conversation has is no more than its lanes hold.
        let crowded = crowded && waiting > 1;
        if waiting <= waits.requests && self.lone <= waits.unasked && !crowded {
            return Some(Front::Open);
        }
        Some(match self.transactions.get(place) {
            Some(transaction) => Front::InTheWay(place, transaction.id),
            None => Front::Open,
        })
    }

    /// The one at this place is waited for no more. True: it was a request, whose
    /// answer may still come. Of an answer, the request would have come before it.
    pub fn give_up(&mut self, place: usize) -> bool {
        let Some(transaction) = self.transactions.get_mut(place) else {
            return false;
        };
        let asked = transaction.first.is_some();
        transaction.given_up |= asked;
        self.owed += u64::from(!transaction.taken);
        for id in [&mut self.reserved, &mut self.interim] {
            if *id == Some(transaction.id) {
                *id = None;
            }
        }
        asked
    }

    /// Takes the one at this place out.
    pub fn take(&mut self, place: usize) -> Option<Transaction> {
        let transaction = self.transactions.remove(place)?;
        self.lone -= usize::from(transaction.first.is_none());
        for cursor in [&mut self.untaken, &mut self.unasked] {
            *cursor -= usize::from(place < *cursor);
        }
        Some(transaction)
    }

    /// Puts a transaction before the one at `place`.
    fn insert(&mut self, place: usize, transaction: Transaction) -> Id {
        let id = self.next;
        self.next = id.wrapping_add(1);
        self.lone += usize::from(transaction.first.is_none());
        self.untaken = self.untaken.min(place);
        self.unasked = self.unasked.min(place);
        let place = place.min(self.transactions.len());
        let transaction = Transaction { id, ..transaction };
        self.transactions.insert(place, transaction);
        id
    }
}

impl Packets {
    /// Takes those that brought another part of the message, of which the first
    /// `most` will be listed.
    fn add(&mut self, others: Packets, most: usize) {
        self.listed.extend(others.listed);
        self.more += others.more;
        // Any number of parts may come. Seldom enough that sorting costs little.
        if self.listed.len() / 2 > most {
            self.keep_first(most);
        }
    }

    fn keep_first(&mut self, most: usize) {
        self.listed.sort_unstable();
        self.listed.dedup();
        self.more += self.listed.len().saturating_sub(most) as u64;
        self.listed.truncate(most);
    }
}

impl Transaction {
    /// Bytes of its bodies.
    pub fn held(&self) -> usize {
        let request = self.request.iter().map(|request| &request.body);
        let responses = self.interim.iter().chain(&self.response);
        let bodies = request.chain(responses.map(|response| &response.body));
        bodies.map(|body| body.bytes.len()).sum()
    }

    fn add_interim(&mut self, response: Response, most: usize, held: &mut Held) {
        if self.interim.len() < most {
            self.interim.push(response);
            return;
        }
        held.leave(response.body.bytes.len());
        if let Some(last) = self.interim.last_mut()
            && !last.head.trouble.contains(&MORE_INTERIM)
        {
            last.head.trouble.push(MORE_INTERIM);
        }
    }

    /// None: nothing of it was there.
    pub fn message(
        self,
        conversation: ConversationIndex,
        way: Direction,
        settings: &Settings,
    ) -> Option<Message> {
        if self.request.is_none() && self.response.is_none() && self.interim.is_empty() {
            return None;
        }
        let mut packets = self.packets;
        packets.keep_first(settings.packets);
        Some(Message {
            conversation,
            way,
            no_response: match self.response {
                Some(_) => None,
                None if self.answer_lost => Some(NoResponse::NotCaptured),
                None => self.unread,
            },
            request: self.request,
            response: self.response,
            interim: self.interim,
            packets,
            switches_to: self.switches_to,
            given_up: self.given_up,
        })
    }
}
