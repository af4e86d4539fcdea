//! The transactions of a conversation that are not yet told, in the order of their
//! requests: to which of them a request or an answer belongs.

use std::collections::VecDeque;

use crate::conversation::{At, ConversationIndex, Direction};

use super::lane::Half;
use super::length::Asked;
use super::{Message, Packets, Request, Response, Settings};

/// Requests that may wait for their answers.
pub const MAX_REQUESTS: usize = 1000;
/// Answers that may wait for their requests, which may be late where packets
/// were lost.
pub(super) const MAX_UNASKED: usize = 32;

/// 1xx answers that are kept of one transaction.
pub(super) const MAX_INTERIM: usize = 32;
pub(super) const MORE_INTERIM: &str =
    "more than 32 interim responses answer the request: the rest is left out";

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
    pub first: Option<usize>,
    /// The packet that completed the first response's head.
    pub answered: Option<At>,
    /// The request's last packet, for its answer.
    pub asked_at: Option<At>,
    /// The final response is there, or begun.
    pub taken: bool,
    /// Bytes of its answer were not captured, from its head on.
    answer_lost: bool,
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
    /// More can come of it, but too many others wait.
    InTheWay(Id),
    Open,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    transactions: VecDeque<Transaction>,
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
        let mut transactions = self.transactions.iter_mut();
        transactions.find(|transaction| transaction.id == id)
    }

    /// Is the next answer one without a head?
    pub fn expects_simple_answer(&self) -> bool {
        let mut transactions = self.transactions.iter();
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
        for transaction in &mut self.transactions {
            if transaction.first.is_some() || !transaction.request_open {
                continue;
            }
            let answered = transaction.answered;
            if answered.is_some_and(|answered| answered.packet >= first) {
                return transaction.id;
            }
            transaction.request_open = false;
        }
        let transaction = Transaction {
            response_open: answers_come,
            ..Transaction::default()
        };
        self.insert(self.transactions.len(), transaction)
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
        if self.owed > 0 {
            self.owed -= 1;
            let owed = Transaction {
                given_up: true,
                ..Transaction::default()
            };
            return self.insert(0, owed);
        }
        let answers = |first: Option<usize>| first.is_some_and(|first| first <= last);
        let unasked = Transaction {
            request_open: requests_come,
            ..Transaction::default()
        };
        let waiting = self.transactions.iter().enumerate();
        let waiting = waiting.filter(|(_, transaction)| !transaction.taken);
        let waiting =
            waiting.map(|(index, transaction)| (index, transaction.id, transaction.first));
        match { waiting }.next() {
            Some((_, id, first)) if answers(first) => id,
            Some((index, ..)) => self.insert(index, unasked),
            None if answers(begun) => {
                let asked = Transaction {
                    first: begun,
                    request_open: true,
                    ..Transaction::default()
                };
                let id = self.insert(self.transactions.len(), asked);
                self.reserved = Some(id);
                id
            }
            None => self.insert(self.transactions.len(), unasked),
        }
    }

    /// The response that is read is a 1xx, and another follows; or it is final.
    pub fn set_interim(&mut self, id: Id, interim: bool) {
        self.interim = interim.then_some(id);
    }

    /// Hands a request or a response over that was read, and the packets that brought
    /// it, of which up to `most` are listed of the transaction.
    pub fn settle(&mut self, id: Id, half: Half, packets: Packets, most: usize) {
        let is_interim = self.interim == Some(id);
        let Some(transaction) = self.get_mut(id) else {
            return;
        };
        transaction.packets.add(packets, most);
        match half {
            Half::Request(request) => {
                transaction.request = Some(request);
                transaction.request_open = false;
            }
            Half::Response(response) if is_interim => transaction.add_interim(response),
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
        let mut waiting = self.transactions.iter_mut().filter(|t| !t.taken);
        let Some(first) = waiting.next() else {
            return;
        };
        let asked = |packet| acknowledged.is_none_or(|acknowledged| packet < acknowledged);
        first.answer_lost = first.first.is_some_and(asked);
        if waiting.next().is_some() {
            self.another_answer_comes();
        }
    }

    /// The next answer is not the one that was lost.
    fn another_answer_comes(&mut self) {
        let lost = self.transactions.iter_mut();
        for transaction in lost.filter(|t| t.answer_lost && !t.taken) {
            transaction.taken = true;
            transaction.response_open = false;
            if self.interim == Some(transaction.id) {
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
    pub fn forget_behind(&mut self, id: Id) {
        let mut transactions = self.transactions.iter();
        if let Some(index) = transactions.position(|transaction| transaction.id == id) {
            self.transactions.truncate(index + 1);
        }
    }

    /// The first one; None where there is none.
    pub fn front(&self) -> Option<Front> {
        let front = self.transactions.front()?;
        if !front.request_open && !front.response_open {
            return Some(Front::Over);
        }
        let unasked = |transaction: &&Transaction| transaction.first.is_none();
        let too_many = self.transactions.len() > MAX_REQUESTS
            || self.transactions.iter().filter(unasked).count() > MAX_UNASKED;
        Some(if too_many {
            Front::InTheWay(front.id)
        } else {
            Front::Open
        })
    }

    /// The first one is waited for no more. True: it was a request, whose answer may
    /// still come. Of an answer, the request would have come before it.
    pub fn give_up_front(&mut self) -> bool {
        let Some(front) = self.transactions.front_mut() else {
            return false;
        };
        let asked = front.first.is_some();
        front.given_up |= asked;
        self.owed += u64::from(!front.taken);
        for id in [&mut self.reserved, &mut self.interim] {
            if *id == Some(front.id) {
                *id = None;
            }
        }
        asked
    }

    pub fn pop_front(&mut self) -> Option<Transaction> {
        self.transactions.pop_front()
    }

    /// Puts a transaction before the one at `index`.
    fn insert(&mut self, index: usize, transaction: Transaction) -> Id {
        let id = self.next;
        self.next = id.wrapping_add(1);
        let transaction = Transaction { id, ..transaction };
        self.transactions
            .insert(index.min(self.transactions.len()), transaction);
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
    fn add_interim(&mut self, response: Response) {
        if self.interim.len() < MAX_INTERIM {
            self.interim.push(response);
        } else if let Some(last) = self.interim.last_mut()
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
            answer_lost: self.answer_lost && self.response.is_none(),
            request: self.request,
            response: self.response,
            interim: self.interim,
            packets,
            switches_to: self.switches_to,
            given_up: self.given_up,
        })
    }
}
