//! What was found in a stretch to what is shown of it. Needs no memory of
//! anything, so any thread can do it.

use std::io;

use super::shard::{Entry, Part, Told, What};
use super::stretch::Stretch;
use super::totals::Tally;
use super::{Collect, Show, Shown};

/// What is shown of a stretch.
pub(super) struct Portion<I> {
    lines: Vec<u8>,
    /// Which packets are displayed, from 0; and their conversations.
    displayed: Vec<(usize, Option<usize>)>,
    messages: Vec<I>,
    conversations: Vec<(usize, I)>,
}

impl<I> Default for Portion<I> {
    fn default() -> Self {
        Portion {
            lines: Vec::new(),
            displayed: Vec::new(),
            messages: Vec::new(),
            conversations: Vec::new(),
        }
    }
}

impl<I: Send> Portion<I> {
    /// Makes what is shown of a stretch, in which everything has its name.
    /// Counts the packets that are displayed.
    pub fn fill<S: Show<Item = I>>(
        &mut self,
        stretch: &Stretch,
        part: &mut Part,
        show: &S,
        tally: &mut Tally,
    ) {
        for (place, entry) in part.packets.iter().enumerate() {
            self.packet(stretch, place, entry, show, tally);
        }
        self.messages(stretch, &mut part.messages, show);
        for over in part.closed.drain(..) {
            let Some(name) = over.name else {
                continue;
            };
            if let Some(item) = show.conversation(&over.closed, &stretch.context(name)) {
                self.conversations.push((name.index, item));
            }
        }
    }

    /// Hands all of it over.
    pub fn deliver(&mut self, collect: &mut impl Collect<I>) -> io::Result<()> {
        if !self.displayed.is_empty() {
            collect.packets(&self.lines, &self.displayed)?;
        }
        self.lines.clear();
        self.displayed.clear();
        for message in self.messages.drain(..) {
            collect.message(message)?;
        }
        for (index, conversation) in self.conversations.drain(..) {
            collect.conversation(index, conversation)?;
        }
        Ok(())
    }

    fn packet<S: Show<Item = I>>(
        &mut self,
        stretch: &Stretch,
        place: usize,
        entry: &Entry,
        show: &S,
        tally: &mut Tally,
    ) {
        let Some((packet, frame)) = stretch.packets().get(place) else {
            return;
        };
        let previous = match place.checked_sub(1) {
            Some(before) => stretch.batch.get(before).map(|frame| frame.time),
            None => stretch.previous,
        };
        let shown = Shown {
            packet,
            frame: &frame,
            seen: &entry.seen,
            name: entry.name,
            tunnel: entry.tunnel_name,
            parts: &entry.parts,
            start: stretch.start,
            previous,
            file: &stretch.file,
            batch: &stretch.batch,
            place,
        };
        if show.packet(&shown, &mut self.lines) {
            let conversation = entry.name.map(|name| name.index);
            self.displayed.push((shown.index(), conversation));
            tally.packet(packet, frame.data);
        }
    }

    fn messages<S: Show<Item = I>>(
        &mut self,
        stretch: &Stretch,
        messages: &mut Vec<Told>,
        show: &S,
    ) {
        // Those of one conversation stay in their order.
        messages.sort_by_key(|told| (told.packet, told.name.map(|name| name.index)));
        let items = messages.drain(..).filter_map(|told| {
            let context = stretch.context(told.name?);
            match told.what {
                What::Message(message) => show.message(&message, &context),
                What::Lookup(lookup) => show.lookup(&lookup, &context),
            }
        });
        self.messages.extend(items);
    }
}
