//! What was found in a stretch to what is shown of it. Needs no memory of
//! anything, so any thread can do it.

use std::io;

use super::route::Work;
use super::totals::Tally;
use super::worker::{Entry, Over, Part, Told, What};
use super::{Collect, Show, Shown};

/// Conversations that are shown in one go, at the end of a capture.
const AT_ONCE: usize = 1024;

/// What was found in a stretch, and everything has its name.
pub(super) struct Named(pub Vec<Part>);

/// What is shown of a stretch.
pub(super) struct Portion<I> {
    lines: Vec<u8>,
    /// Of the packets that are displayed.
    pub tally: Tally,
    /// Which those are, from 0; and their conversations.
    displayed: Vec<(usize, Option<usize>)>,
    messages: Vec<I>,
    conversations: Vec<(usize, I)>,
}

impl Named {
    /// In pieces, each to be shown in one go: at the end of a capture all
    /// conversations are over at once.
    pub fn pieces(mut self) -> Vec<Named> {
        let mut later = Vec::new();
        for part in &mut self.0 {
            while part.closed.len() > AT_ONCE {
                let closed = part.closed.split_off(part.closed.len() - AT_ONCE);
                later.push(Named(vec![Part {
                    closed,
                    ..Part::default()
                }]));
            }
        }
        // The packets first: a conversation is over when all of its are shown.
        let mut pieces = Vec::new();
        if self.0.iter().any(Part::has_something_to_show) {
            pieces.push(self);
        }
        pieces.extend(later);
        pieces
    }

    pub fn show<S: Show>(self, work: &Work, show: &S) -> Portion<S::Item> {
        let mut portion = Portion::default();
        let mut messages = Vec::new();
        let mut packets = Vec::new();
        for part in self.0 {
            packets.push(part.packets);
            messages.extend(part.messages);
            portion.conversations(work, part.closed, show);
        }
        portion.packets(work, &packets, show);
        portion.messages(work, messages, show);
        portion
    }
}

impl<I> Default for Portion<I> {
    fn default() -> Self {
        Portion {
            lines: Vec::new(),
            tally: Tally::default(),
            displayed: Vec::new(),
            messages: Vec::new(),
            conversations: Vec::new(),
        }
    }
}

impl<I: Send> Portion<I> {
    pub fn deliver(self, collect: &mut impl Collect<I>) -> io::Result<()> {
        if !self.displayed.is_empty() {
            collect.packets(&self.lines, &self.displayed)?;
        }
        for message in self.messages {
            collect.message(message)?;
        }
        for (index, conversation) in self.conversations {
            collect.conversation(index, conversation)?;
        }
        Ok(())
    }

    /// The workers' packets, in the order of the file.
    fn packets<S: Show<Item = I>>(&mut self, work: &Work, parts: &[Vec<Entry>], show: &S) {
        let mut parts: Vec<_> = parts.iter().map(|part| part.iter().peekable()).collect();
        loop {
            let places = parts.iter_mut().map(|part| part.peek().map(|e| e.place));
            let first = places
                .enumerate()
                .filter_map(|(part, at)| Some((at?, part)))
                .min();
            let next = first.and_then(|(_, part)| parts.get_mut(part)?.next());
            let Some(entry) = next else {
                return;
            };
            self.packet(work, entry, show);
        }
    }

    fn packet<S: Show<Item = I>>(&mut self, work: &Work, entry: &Entry, show: &S) {
        let Some(frame) = work.batch.get(entry.place) else {
            return;
        };
        let previous = match entry.place.checked_sub(1) {
            Some(before) => work.batch.get(before).map(|frame| frame.time),
            None => work.previous,
        };
        let shown = Shown {
            packet: &entry.packet,
            frame: &frame,
            seen: &entry.seen,
            name: entry.name,
            parts: &entry.parts,
            start: work.start,
            previous,
            file: &work.file,
            batch: &work.batch,
            place: entry.place,
        };
        if show.packet(&shown, &mut self.lines) {
            let conversation = entry.name.map(|name| name.index);
            self.displayed.push((shown.index(), conversation));
            self.tally.packet(&entry.packet, frame.data);
        }
    }

    fn messages<S: Show<Item = I>>(&mut self, work: &Work, mut messages: Vec<Told>, show: &S) {
        // Those of one conversation stay in their order.
        messages.sort_by_key(|told| (told.packet, told.name.map(|name| name.index)));
        let items = messages.iter().filter_map(|told| {
            let context = work.context(told.name?);
            match &told.what {
                What::Message(message) => show.message(message, &context),
                What::Lookup(lookup) => show.lookup(lookup, &context),
            }
        });
        self.messages.extend(items);
    }

    fn conversations<S: Show<Item = I>>(&mut self, work: &Work, closed: Vec<Over>, show: &S) {
        for over in closed {
            let Some(name) = over.name else {
                continue;
            };
            if let Some(item) = show.conversation(&over.closed, &work.context(name)) {
                self.conversations.push((name.index, item));
            }
        }
    }
}
