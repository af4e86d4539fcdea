//! What was found in a stretch to what is shown of it. Needs no memory of
//! anything, so any thread can do it.

use std::io;
use std::vec::IntoIter;

use super::shard::{Entry, Over, Part, Told, What};
use super::stretch::Stretch;
use super::totals::Tally;
use super::{Collect, Show, Shown};

/// Messages, and conversations, of which it is made ahead what is shown: more than
/// ordinary stretches have. It is larger than what it is made of, so that of more it
/// is made piece by piece while they are handed out.
const AHEAD: usize = 16_384;

/// What is shown of a stretch.
pub(super) struct Portion<I> {
    lines: Vec<u8>,
    /// Which packets are displayed, from 0; and their conversations.
    displayed: Vec<(usize, Option<usize>)>,
    messages: Vec<I>,
    conversations: Vec<(usize, I)>,
    /// Those of which it is not made yet.
    told: IntoIter<Told>,
    over: IntoIter<Over>,
}

impl<I> Default for Portion<I> {
    fn default() -> Self {
        Portion {
            lines: Vec::new(),
            displayed: Vec::new(),
            messages: Vec::new(),
            conversations: Vec::new(),
            told: IntoIter::default(),
            over: IntoIter::default(),
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
        // Those of one conversation stay in their order.
        let place = |told: &Told| (told.packet, told.name.map(|name| name.index));
        part.messages.sort_by_key(place);
        self.told = std::mem::take(&mut part.messages).into_iter();
        self.over = std::mem::take(&mut part.closed).into_iter();
        self.messages(stretch, show);
        self.conversations(stretch, show);
    }

    /// Hands all of it over.
    pub fn deliver<S: Show<Item = I>>(
        &mut self,
        stretch: &Stretch,
        show: &S,
        collect: &mut impl Collect<I>,
    ) -> io::Result<()> {
        if !self.displayed.is_empty() {
            collect.packets(&self.lines, &self.displayed)?;
        }
        self.lines.clear();
        self.displayed.clear();
        while !self.messages.is_empty() || self.told.len() > 0 {
            for message in self.messages.drain(..) {
                collect.message(message)?;
            }
            self.messages(stretch, show);
        }
        while !self.conversations.is_empty() || self.over.len() > 0 {
            for (index, conversation) in self.conversations.drain(..) {
                collect.conversation(index, conversation)?;
            }
            self.conversations(stretch, show);
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

    /// Makes what is shown of the next messages.
    fn messages<S: Show<Item = I>>(&mut self, stretch: &Stretch, show: &S) {
        let next = self.told.by_ref().take(AHEAD);
        self.messages.extend(next.filter_map(|told| {
            let context = stretch.context(told.name?);
            match told.what {
                What::Message(message) => show.message(&message, &context),
                What::Lookup(lookup) => show.lookup(&lookup, &context),
            }
        }));
    }

    /// Makes what is shown of the next conversations.
    fn conversations<S: Show<Item = I>>(&mut self, stretch: &Stretch, show: &S) {
        let next = self.over.by_ref().take(AHEAD);
        self.conversations.extend(next.filter_map(|over| {
            let name = over.name?;
            let item = show.conversation(&over.closed, &stretch.context(name))?;
            Some((name.index, item))
        }));
    }
}
