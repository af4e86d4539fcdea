//! What is made of each packet, transaction and conversation, on whichever
//! thread found it: the line that shows it, and what the summary needs of it.

use std::sync::{Mutex, PoisonError};

use super::args::{Args, How, What};
use crate::conversation::Closed;
use crate::expect::ast::Filter;
use crate::expect::fields::{Needs, Streamed};
use crate::expect::filter;
use crate::inspect::{Context, Show, Shown};
use crate::message::{self, Lookup, Message};
use crate::render::terminal::TerminalOptions;
use crate::render::terminal::inspect;
use crate::render::{csv, json};
use crate::report::{self, Findings, Packet};
use crate::savefile::{Protocol, Timestamp};

/// Bytes that most lines have: one that grows has all threads wait for the
/// allocator's lock.
const LINE: usize = 4096;

/// Makes what is shown.
pub struct Painter<'a> {
    what: What,
    how: How,
    filter: Option<&'a Filter>,
    needs: Needs,
    digests: bool,
    /// Transactions are wanted with their bodies.
    bodies: bool,
    /// A list of packets may be so wide.
    room: usize,
    screen: &'a TerminalOptions,
    /// What a line begins with that says of which file it is, where there are
    /// several.
    mark: Vec<u8>,
    /// The time of the last packet that the filter let through; of use only
    /// where packets come in their order, on one thread.
    displayed: Mutex<Option<Timestamp>>,
}

/// A transaction, a lookup or a conversation.
pub enum Item {
    Transaction(Box<Transaction>),
    Lookup(Box<Asked>),
    Conversation(Box<Conversation>),
}

/// A DNS lookup.
pub struct Asked {
    pub line: Vec<u8>,
    /// For a table.
    pub row: Option<report::Lookup>,
    /// The packets that brought it, from 0.
    pub packets: Vec<usize>,
    pub findings: Findings,
}

pub struct Transaction {
    pub conversation: usize,
    pub stream: u32,
    pub line: Vec<u8>,
    /// For a table.
    pub row: Option<report::Message<'static>>,
    /// With its bodies.
    pub message: Option<Message>,
    /// The packets that brought it, from 0, where a filter asks for them.
    pub packets: Vec<usize>,
    pub findings: Findings,
}

pub struct Conversation {
    pub line: Vec<u8>,
    pub protocol: Protocol,
    /// For a table.
    pub row: Option<report::Conversation>,
    pub findings: Findings,
}

impl<'a> Painter<'a> {
    pub fn new(
        args: &Args,
        filter: Option<&'a Filter>,
        file: &str,
        room: usize,
        screen: &'a TerminalOptions,
    ) -> Painter<'a> {
        Painter {
            what: args.what(),
            how: args.how(),
            filter,
            needs: filter.map_or(Needs::HEADERS, filter::needs),
            digests: args.digest,
            bodies: args.extract.is_some(),
            room,
            screen,
            mark: match args.how() {
                How::Lines if args.files.len() > 1 => json::file(file),
                How::Csv if args.files.len() > 1 => csv::file(file),
                _ => Vec::new(),
            },
            displayed: Mutex::new(None),
        }
    }

    /// Must packets be shown one by one?
    pub fn needs_packets(&self) -> bool {
        self.filter.is_some() || self.what == What::Packets
    }

    /// Must packets be shown with the messages in them?
    pub fn needs_parts(&self) -> bool {
        self.what == What::Packets || self.filters_messages()
    }

    /// Does the filter read what is in the messages?
    pub fn needs_bodies(&self) -> bool {
        self.needs.has(Needs::HTTP_BODIES)
    }

    /// Does the filter ask for messages?
    pub fn filters_messages(&self) -> bool {
        self.needs.has(Needs::HTTP)
    }

    /// Are TLS records, or messages of DNS over TCP, looked at by the filter or named in
    /// the list?
    pub fn needs_carried(&self) -> bool {
        self.needs.has(Needs::CARRIED) || self.names_messages()
    }

    /// Does the list of packets say what their messages say? In the JSON these have
    /// lists of their own.
    fn names_messages(&self) -> bool {
        self.what == What::Packets && matches!(self.how, How::Terminal | How::Csv)
    }

    /// Does the filter look at messages as they were sent?
    pub fn needs_sent(&self) -> bool {
        self.needs.has(Needs::HTTP_BYTES)
    }

    /// Does it depend on the packets before whether one is shown?
    pub fn needs_order(&self) -> bool {
        self.needs.has(Needs::DISPLAYED)
    }

    fn lets_through(&self, shown: &Shown<'_>) -> bool {
        let Some(filter) = self.filter else {
            return true;
        };
        // A panic elsewhere leaves a time that is as good as before.
        let mut displayed = self
            .displayed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Streamed::new(shown);
        let view = now.view(*displayed);
        let through = filter::matches(filter, &view);
        if through {
            *displayed = Some(shown.packet.time);
        }
        through
    }

    fn line(&self, shown: &Shown<'_>, lines: &mut Vec<u8>) {
        let mut packet = Packet::streamed(shown);
        if self.names_messages() {
            let data = shown.packet.data(shown.frame.data);
            packet.said = report::said(shown.packet, data, shown.parts);
        }
        match self.how {
            // An element of an array, behind another one.
            How::Json => {
                lines.push(b',');
                json::value(&packet, lines);
            }
            How::Lines => {
                self.marked(lines, |lines| json::value(&packet, lines));
                lines.push(b'\n');
            }
            How::Csv => self.marked(lines, |lines| csv::packet(&packet, lines)),
            How::Terminal => inspect::packet(&packet, self.room, self.screen, lines),
        }
    }

    /// Writes a line of CSV or an object, behind the name of its file.
    fn marked(&self, lines: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        lines.extend_from_slice(&self.mark);
        let at = lines.len();
        write(lines);
        // The name is in the object.
        if self.how == How::Lines
            && !self.mark.is_empty()
            && let Some(brace) = lines.get_mut(at)
        {
            *brace = b',';
        }
    }

    /// Is a row of the table of `what` written as a line?
    fn lines_of(&self, what: What) -> bool {
        match self.how {
            How::Json => !self.bodies,
            How::Lines | How::Csv => self.what == what,
            How::Terminal => false,
        }
    }

    fn rows_of(&self, what: What) -> bool {
        self.how == How::Terminal && (self.what == what || self.what == What::Summary)
    }
}

/// What `write` writes, where it is wanted. Lines wait together until they are handed
/// out: none has more memory than it needs.
fn written(wanted: bool, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    if !wanted {
        return Vec::new();
    }
    let mut line = Vec::with_capacity(LINE);
    write(&mut line);
    line.shrink_to_fit();
    line
}

impl Show for Painter<'_> {
    type Item = Item;

    fn packet(&self, shown: &Shown<'_>, lines: &mut Vec<u8>) -> bool {
        if !self.lets_through(shown) {
            return false;
        }
        if self.what == What::Packets {
            self.line(shown, lines);
        }
        true
    }

    fn message(&self, message: &Message, context: &Context) -> Option<Item> {
        let mut told = report::message(message, context.name.id, context.start, self.digests);
        told.conversation = context.name.index;
        let mut findings = Findings::default();
        findings.message(&told);
        let line = written(self.lines_of(What::Http), |line| match self.how {
            How::Csv => self.marked(line, |line| csv::transaction(&told, line)),
            How::Lines => self.marked(line, |line| json::line(&told, line)),
            _ => json::value(&told, line),
        });
        let row = self.rows_of(What::Http);
        Some(Item::Transaction(Box::new(Transaction {
            conversation: context.name.index,
            stream: context.name.id,
            line,
            row: row.then(|| told.into_owned()),
            message: self.bodies.then(|| message.clone()),
            packets: match self.filter {
                Some(_) => message.packets.listed.clone(),
                None => Vec::new(),
            },
            findings,
        })))
    }

    fn lookup(&self, lookup: &Lookup, context: &Context) -> Option<Item> {
        let name = context.name;
        let mut told = report::lookup(lookup, name.protocol, name.id, context.start);
        told.conversation = name.index;
        let mut findings = Findings::default();
        findings.lookup(&told);
        let line = written(self.how == How::Json && !self.bodies, |line| {
            json::value(&told, line);
        });
        let packets = [&lookup.query, &lookup.response];
        let packets = packets.into_iter().flatten().map(|seen| seen.at.packet);
        Some(Item::Lookup(Box::new(Asked {
            line,
            packets: packets
                .chain(lookup.again.iter().map(|at| at.packet))
                .collect(),
            row: (self.how == How::Terminal && self.what == What::Summary).then_some(told),
            findings,
        })))
    }

    fn conversation(&self, closed: &Closed<message::Reader>, context: &Context) -> Option<Item> {
        let facts = &closed.conversation;
        let mut told = report::conversation(facts, context.start, None, None);
        told.id = context.name.id;
        told.tls = closed.receiver.tls().map(report::tls);
        if self.filter.is_some() || self.how == How::Terminal {
            told.index = Some(context.name.index);
        }
        let mut findings = Findings::default();
        findings.conversation(&told);
        let line = written(self.lines_of(What::Conversations), |line| match self.how {
            How::Csv => self.marked(line, |line| csv::conversation(&told, line)),
            How::Lines => self.marked(line, |line| json::line(&told, line)),
            _ => json::value(&told, line),
        });
        Some(Item::Conversation(Box::new(Conversation {
            line,
            protocol: facts.protocol,
            row: self.rows_of(What::Conversations).then_some(told),
            findings,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: the lines of a stretch's messages had 4 KiB each, also where none was
    /// wanted.
    #[test]
    fn a_line_has_no_more_memory_than_it_needs() {
        assert_eq!(written(false, |line| line.push(b'x')).capacity(), 0);
        let line = written(true, |line| line.extend_from_slice(b"line"));
        assert_eq!(line, b"line");
        assert!(line.capacity() < LINE / 8);
    }
}
