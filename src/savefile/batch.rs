//! A stretch of a capture: a block of its bytes and where its frames lie.

use std::borrow::Cow;

use super::sys::prefetch;
use super::{Frame, Timestamp, Window};

/// How many bytes a block has, where a record does not need more. Large enough
/// that a read's fixed costs vanish, small enough that several blocks stay in
/// a processor's second cache: measured twice as fast as blocks that do not.
const BLOCK: usize = 256 << 10;

/// The most frames that one has, unless its block is a large one: what is kept for
/// each is bounded too, however short they are.
pub(super) const MOST_FRAMES: usize = 4096;
/// A large block has one for each so many bytes.
const BYTES_FOR_A_FRAME: usize = 1024;

/// Some frames in succession, with their bytes. It belongs to nobody but its
/// owner, can be handed to another thread, and is filled anew by
/// [`super::Reader::next_batch`], without allocation once it has been used.
#[derive(Debug)]
pub struct Batch {
    /// Its whole length can be read into; the first `end` bytes are of the file.
    bytes: Vec<u8>,
    pub(super) end: usize,
    /// Where its bytes are looked at in place: then those above are not of it.
    window: Option<Box<dyn Window>>,
    /// Where in the file that begins.
    offset: u64,
    list: List,
    /// `frame.number` of the first frame.
    first: u64,
    block: usize,
}

/// Of the headers of a record behind the first line of the cache.
const SECOND_LINE: usize = 80;

/// Where the frames and comments of a block lie in it.
#[derive(Debug)]
pub struct List {
    /// Frames that have room.
    room: usize,
    pub frames: Vec<Entry>,
    /// Ascending by frame.
    pub comments: Vec<Comment>,
}

impl List {
    /// No further frame has room.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.frames.len() >= self.room
    }
}

/// One frame of a block.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub time: Timestamp,
    pub len: u32,
    pub interface: u32,
    pub link_type: u32,
    /// Its bytes in the block.
    pub start: u32,
    pub captured: u32,
}

/// One packet comment in a block.
#[derive(Clone, Copy, Debug)]
pub struct Comment {
    /// Index of its frame in the batch.
    pub frame: u32,
    pub start: u32,
    pub len: u32,
}

/// Has the processor fetch what comes soon: the headers in the record at `at`,
/// and the next records where they are as long as this one. A walk goes from one
/// record to the next and touches little of each, so that it would wait for
/// memory at every step.
#[inline(always)]
pub fn fetch(bytes: &[u8], at: usize, len: usize) {
    for soon in [at + SECOND_LINE, at + 2 * len, at + 4 * len, at + 8 * len] {
        bytes.get(soon).map(prefetch);
    }
}

/// The frames of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    entries: &'a [Entry],
    first: u64,
}

impl<'a> Frames<'a> {
    #[inline]
    pub fn get(&self, index: usize) -> Option<Frame<'a>> {
        let entry = self.entries.get(index)?;
        Some(self.frame(index, entry))
    }

    /// In file order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Frame<'a>> {
        let entries = self.entries.iter().enumerate();
        entries.map(move |(index, entry)| self.frame(index, entry))
    }

    /// Has the processor fetch the headers of the frame at `index`, where there is
    /// one: they are looked at soon.
    #[inline]
    pub fn prefetch(&self, index: usize) {
        /// Of the usual headers, or near it.
        const LAST: usize = 48;
        if let Some(entry) = self.entries.get(index) {
            let start = entry.start as usize;
            for place in [start, start + LAST] {
                self.bytes.get(place).map(prefetch);
            }
        }
    }

    #[inline]
    fn frame(&self, index: usize, entry: &Entry) -> Frame<'a> {
        Frame {
            number: self.first + index as u64,
            time: entry.time,
            len: entry.len,
            interface: entry.interface,
            link_type: entry.link_type,
            data: slice(self.bytes, entry.start, entry.captured),
        }
    }
}

#[inline]
fn slice(bytes: &[u8], start: u32, len: u32) -> &[u8] {
    let start = start as usize;
    bytes.get(start..start + len as usize).unwrap_or_default()
}

impl Default for Batch {
    fn default() -> Self {
        Batch::new()
    }
}

impl Batch {
    /// An empty batch. Its block is allocated when it is first filled.
    pub fn new() -> Self {
        Batch::with_block(BLOCK)
    }

    /// An empty batch that reads `block` bytes at a time, or fewer where no
    /// more are there. Frames that are longer make the block grow until it is
    /// filled the next time.
    pub fn with_block(block: usize) -> Self {
        let block = block.clamp(1, 64 << 20);
        Batch {
            bytes: Vec::new(),
            end: 0,
            window: None,
            offset: 0,
            list: List {
                room: MOST_FRAMES.max(block / BYTES_FOR_A_FRAME),
                frames: Vec::new(),
                comments: Vec::new(),
            },
            first: 1,
            block,
        }
    }

    /// How many frames it has.
    pub fn len(&self) -> usize {
        self.list.frames.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.frames.is_empty()
    }

    /// Its frames, to be asked for many of them.
    #[inline]
    pub fn frames(&self) -> Frames<'_> {
        Frames {
            bytes: self.bytes(),
            entries: &self.list.frames,
            first: self.first,
        }
    }

    /// The frame at `index`, from 0.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Frame<'_>> {
        self.frames().get(index)
    }

    /// Where in the file the bytes of the frame at `index` are, if it is looked at
    /// in place.
    pub fn offset(&self, index: usize) -> Option<u64> {
        self.window.as_ref()?;
        let entry = self.list.frames.get(index)?;
        Some(self.offset.saturating_add(u64::from(entry.start)))
    }

    /// The comments (`frame.comment`) of the frame at `index`, in file order.
    pub fn comments(&self, index: usize) -> impl Iterator<Item = Cow<'_, str>> {
        let comments = &self.list.comments;
        let start = comments.partition_point(|comment| (comment.frame as usize) < index);
        comments
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |comment| comment.frame as usize == index)
            .map(|comment| String::from_utf8_lossy(self.slice(comment.start, comment.len)))
    }

    /// Whether any frame has a comment.
    pub fn has_comments(&self) -> bool {
        !self.list.comments.is_empty()
    }

    /// Bytes that its block takes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    fn slice(&self, start: u32, len: u32) -> &[u8] {
        slice(self.bytes(), start, len)
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        match &self.window {
            Some(window) => window.bytes(),
            None => &self.bytes,
        }
    }

    /// Makes it empty.
    pub(super) fn clear(&mut self, first: u64) {
        self.first = first;
        self.list.frames.clear();
        self.list.comments.clear();
        self.window = None;
    }

    /// How many bytes it reads at a time.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// What lies in a window from `offset` in the file is listed next; nothing is
    /// yet.
    pub(super) fn look_at(&mut self, window: Box<dyn Window>, offset: u64) -> (&[u8], &mut List) {
        self.offset = offset;
        let window = self.window.insert(window);
        (window.bytes(), &mut self.list)
    }

    /// Leaves the frames out that do not lie in the block's first `len` bytes.
    pub(super) fn cut(&mut self, len: u64) {
        let ends = |entry: &Entry| u64::from(entry.start) + u64::from(entry.captured);
        let whole = self.list.frames.partition_point(|entry| ends(entry) <= len);
        self.list.frames.truncate(whole);
        let comments = &mut self.list.comments;
        comments.retain(|comment| (comment.frame as usize) < whole);
    }

    /// Makes it empty but for `tail`, the bytes that its block begins with.
    pub(super) fn restart(&mut self, first: u64, tail: &[u8]) {
        self.clear(first);
        // At least one byte can be read; a block that grew does not stay.
        let least = tail.len() + 1;
        if self.bytes.len() > 4 * self.block.max(least) {
            self.bytes.truncate(self.block);
            self.bytes.shrink_to_fit();
        }
        let len = self.bytes.len().max(self.block).max(least);
        self.bytes.resize(len, 0);
        if let Some(start) = self.bytes.get_mut(..tail.len()) {
            start.copy_from_slice(tail);
        }
        self.end = tail.len();
    }

    /// The bytes that were read, and what lies in them.
    pub(super) fn parts(&mut self) -> (&[u8], &mut List) {
        let bytes = self.bytes.get(..self.end).unwrap_or_default();
        (bytes, &mut self.list)
    }

    /// The room behind the bytes that were read, of which the first `done` are
    /// of no more use (no frame lies in the batch yet). The block grows to twice
    /// its size where it is full.
    pub(super) fn make_room(&mut self, done: usize) -> &mut [u8] {
        self.bytes.copy_within(done..self.end, 0);
        self.end -= done;
        if self.end == self.bytes.len() {
            self.bytes.resize(2 * self.bytes.len(), 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }
}
