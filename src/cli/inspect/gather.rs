//! What was made of packets, transactions and conversations, to standard
//! output: line by line, into one document, or into a summary at the end.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};

use super::args::{Args, How, What};
use super::extract::Extractor;
use super::paint::{Asked, Conversation, Item, Transaction};
use super::show::Showing;
use super::spool::Spool;
use crate::cli::{Exit, output};
use crate::conversation::Limits;
use crate::inspect::{Collect, Totals};
use crate::render::json;
use crate::report::{self, Counts, Findings, Report, SchemaName};
use crate::savefile::Protocol;

/// Rows of the summary's tables that are held beyond those that are shown,
/// before the lesser ones are dropped.
const SPARE: usize = 4096;

pub struct Gather<'a> {
    showing: &'a mut Showing,
    extractor: Option<&'a mut Extractor>,
    what: What,
    how: How,
    rows: usize,
    /// Of packets and conversations, where a filter chooses.
    displayed: Option<Displayed>,
    displayed_packets: u64,
    findings: Findings,
    counts: Counts,
    lookups: Vec<report::Lookup>,
    lookup_lines: Spool,
    conversations: Vec<report::Conversation>,
    messages: Vec<report::Message<'static>>,
    conversation_lines: Spool,
    message_lines: Spool,
    /// How many transactions of each conversation there were.
    numbers: HashMap<usize, usize>,
    part: Part,
    /// The line above the list of packets was written.
    headed: bool,
    file: String,
    exit: Exit,
}

/// What a display filter let through.
#[derive(Default)]
struct Displayed {
    /// A bit for each packet.
    packets: Vec<u64>,
    conversations: HashSet<usize>,
}

impl Displayed {
    fn add(&mut self, packet: usize, conversation: Option<usize>) {
        let word = packet / 64;
        if self.packets.len() <= word {
            self.packets.resize(word + 1, 0);
        }
        if let Some(word) = self.packets.get_mut(word) {
            *word |= 1 << (packet % 64);
        }
        self.conversations.extend(conversation);
    }

    fn has(&self, packet: usize) -> bool {
        let word = self.packets.get(packet / 64).copied().unwrap_or(0);
        word >> (packet % 64) & 1 == 1
    }
}

/// Which array of the document is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Nothing,
    Packets,
    Messages,
}

impl<'a> Gather<'a> {
    pub fn new(
        showing: &'a mut Showing,
        extractor: Option<&'a mut Extractor>,
        args: &Args,
        filtered: bool,
        file: &str,
    ) -> Gather<'a> {
        Gather {
            showing,
            extractor,
            what: args.what(),
            how: args.how(),
            rows: args.rows,
            displayed: filtered.then(Displayed::default),
            displayed_packets: 0,
            findings: Findings::default(),
            counts: Counts::default(),
            lookups: Vec::new(),
            lookup_lines: Spool::default(),
            conversations: Vec::new(),
            messages: Vec::new(),
            conversation_lines: Spool::default(),
            message_lines: Spool::default(),
            numbers: HashMap::new(),
            part: Part::Nothing,
            headed: false,
            file: file.to_owned(),
            exit: Exit::Passed,
        }
    }
}

impl Gather<'_> {
    fn transaction(&mut self, item: Transaction) -> io::Result<()> {
        let number = match &self.extractor {
            Some(_) => self.next_of(item.conversation),
            None => 0,
        };
        if let Some(displayed) = &self.displayed
            && !item.packets.iter().any(|packet| displayed.has(*packet))
        {
            return Ok(());
        }
        self.counts.transactions += 1;
        self.findings.merge(item.findings);
        if let Some(extractor) = &mut self.extractor {
            if let Some(message) = &item.message {
                let exit = extractor.message(message, item.stream, number, self.showing);
                self.exit = self.exit.worst(exit);
            }
            return self.on_error();
        }
        match self.how {
            How::Json => self.element(Part::Messages, &item.line),
            How::Lines | How::Csv if self.what == What::Http => self.write(&item.line),
            How::Lines | How::Csv => Ok(()),
            How::Terminal => {
                self.messages.extend(item.row);
                let most = self.rows.saturating_add(SPARE);
                if self.what == What::Summary && self.messages.len() > most {
                    self.earliest();
                    self.messages.truncate(self.rows);
                }
                Ok(())
            }
        }
    }

    fn lookup(&mut self, item: Asked) -> io::Result<()> {
        if let Some(displayed) = &self.displayed
            && !item.packets.iter().any(|packet| displayed.has(*packet))
        {
            return Ok(());
        }
        self.findings.merge(item.findings);
        let place = usize::try_from(self.counts.lookups).unwrap_or(usize::MAX);
        self.counts.lookups += 1;
        if !item.line.is_empty() {
            self.lookup_lines.push(place, &item.line)?;
        }
        if self.lookups.len() < self.rows {
            self.lookups.extend(item.row);
        }
        Ok(())
    }

    /// The next number of a conversation's transactions, from 0.
    fn next_of(&mut self, conversation: usize) -> usize {
        let next = self.numbers.entry(conversation).or_default();
        *next += 1;
        *next - 1
    }

    fn ended(&mut self, index: usize, item: Conversation) -> io::Result<()> {
        if let Some(displayed) = &self.displayed
            && !displayed.conversations.contains(&index)
        {
            return Ok(());
        }
        *match item.protocol {
            Protocol::Tcp => &mut self.counts.conversations.tcp,
            Protocol::Udp => &mut self.counts.conversations.udp,
        } += 1;
        self.findings.merge(item.findings);
        if !item.line.is_empty() {
            self.conversation_lines.push(index, &item.line)?;
        }
        if let Some(row) = item.row {
            self.conversations.push(row);
            if self.what == What::Summary && self.conversations.len() > self.rows + SPARE {
                self.largest();
            }
        }
        Ok(())
    }

    /// Leaves only the conversations that are to be shown.
    fn largest(&mut self) {
        self.conversations
            .sort_by_key(|c| (std::cmp::Reverse(c.size()), c.index));
        self.conversations.truncate(self.rows);
    }

    /// Puts the transactions in the order of their first heads; they came in that of
    /// their ends.
    fn earliest(&mut self) {
        self.messages.sort_by_key(report::Message::first_frame);
    }

    /// Writes an element of one of the document's arrays, or keeps it until
    /// the array before it is whole.
    fn element(&mut self, part: Part, element: &[u8]) -> io::Result<()> {
        if part == Part::Messages && self.what == What::Packets {
            let place = usize::try_from(self.counts.transactions).unwrap_or(usize::MAX);
            return self.message_lines.push(place, element);
        }
        if self.part == part {
            self.write(b",")?;
        } else {
            self.open(part)?;
        }
        self.write(element)
    }

    /// Begins one of the document's arrays.
    fn open(&mut self, part: Part) -> io::Result<()> {
        if self.part == Part::Nothing {
            let schema = serde_json::to_vec(&SchemaName::V1)?;
            self.write(b"{\"schema\":")?;
            self.write(&schema)?;
        } else {
            self.write(b"]")?;
        }
        self.part = part;
        match part {
            Part::Nothing => Ok(()),
            Part::Packets => self.write(b",\"packets\":["),
            Part::Messages => self.write(b",\"messages\":["),
        }
    }

    /// The capture is read: writes what is written at the end.
    pub fn finish(mut self, totals: &Totals, limits: &Limits) -> io::Result<Exit> {
        self.counts.displayed = self.displayed.as_ref().map(|_| self.displayed_packets);
        let findings = std::mem::take(&mut self.findings);
        let mut report = Report::at_a_glance(totals, limits, findings, &self.counts);
        let exit = self.exit.worst(Exit::of(&report));
        if let Some(error) = report.error.as_ref().filter(|_| self.how != How::Json) {
            output::tell(&error.message);
        }
        if self.extractor.is_some() {
            return Ok(exit);
        }
        match self.how {
            How::Json => self.document(&report)?,
            How::Lines | How::Csv => {
                let lines = std::mem::take(&mut self.conversation_lines);
                lines.drain(|_, line| self.write(line))?;
            }
            How::Terminal if self.what == What::Packets => self.head()?,
            How::Terminal => {
                if self.what == What::Summary && self.conversations.len() > self.rows {
                    self.largest();
                }
                self.conversations.sort_by_key(|c| c.index);
                self.earliest();
                report.conversations = self.conversations;
                report.messages = self.messages;
                report.lookups = self.lookups;
                self.showing.report(&report);
                return Ok(exit);
            }
        }
        self.showing.write();
        Ok(exit)
    }

    /// The rest of the document.
    fn document(&mut self, report: &Report) -> io::Result<()> {
        if self.part == Part::Nothing && self.what == What::Packets {
            self.open(Part::Packets)?;
        }
        if self.part != Part::Messages {
            self.open(Part::Messages)?;
            elements(&mut self.message_lines, b"", self.showing)?;
        }
        self.write(b"],\"conversations\":[")?;
        elements(&mut self.conversation_lines, b"", self.showing)?;
        elements(&mut self.lookup_lines, b"],\"lookups\":[", self.showing)?;
        let mut rest = Vec::new();
        json::rest(report, &mut rest);
        self.write(b"]")?;
        self.write(&rest)?;
        self.write(b"\n")
    }

    /// What stands above a list of packets.
    fn head(&mut self) -> io::Result<()> {
        if self.how == How::Terminal && !std::mem::replace(&mut self.headed, true) {
            self.showing.head(&self.file);
            return self.showing.flush();
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.showing.append(&[bytes])
    }

    /// Nothing more can be extracted, or listed.
    fn on_error(&self) -> io::Result<()> {
        match self.exit {
            Exit::Passed if !self.showing.out.is_broken() => Ok(()),
            _ => Err(ErrorKind::BrokenPipe.into()),
        }
    }
}

/// Writes the elements of an array, `before` the first of them.
fn elements(lines: &mut Spool, before: &[u8], showing: &mut Showing) -> io::Result<()> {
    let mut before = before;
    std::mem::take(lines).drain(|_, line| {
        let between = std::mem::replace(&mut before, b",");
        showing.append(&[between, line])
    })
}

impl Collect<Item> for Gather<'_> {
    fn packets(&mut self, lines: &[u8], displayed: &[(usize, Option<usize>)]) -> io::Result<()> {
        if let Some(set) = &mut self.displayed {
            for (packet, conversation) in displayed {
                set.add(*packet, *conversation);
            }
        }
        self.displayed_packets += displayed.len() as u64;
        if self.what != What::Packets || self.extractor.is_some() {
            return Ok(());
        }
        if self.how == How::Json && self.part == Part::Nothing {
            self.open(Part::Packets)?;
            // Behind nothing there is no comma.
            return self.write(lines.get(1..).unwrap_or_default());
        }
        self.head()?;
        self.showing.lines(lines)
    }

    fn message(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Transaction(item) => self.transaction(*item),
            Item::Lookup(item) => self.lookup(*item),
            Item::Conversation(_) => Ok(()),
        }
    }

    fn conversation(&mut self, index: usize, item: Item) -> io::Result<()> {
        match item {
            Item::Conversation(item) => self.ended(index, *item),
            Item::Transaction(_) | Item::Lookup(_) => Ok(()),
        }
    }

    fn pause(&mut self) -> io::Result<()> {
        match self.how {
            How::Lines | How::Csv | How::Terminal => self.showing.flush(),
            How::Json => Ok(()),
        }
    }
}
