//! The receiver that notes where the streams' bytes are.

use std::borrow::Cow;
use std::ops::Range;

use super::{At, Beginning, Direction, Missing, Receiver, Ways};

/// One way of a conversation, reassembled.
///
/// Its bytes stay where they are, in the packets that brought them, and are
/// gathered for whoever asks ([`Stream::gather`]): most statements ask for few of
/// them, and a capture is as long as all of its streams together.
///
/// Where copies overlap and differ, the first one seen counts. Gaps are not
/// filled: the bytes go on behind them, and `gaps` tells where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    /// Which packet brought which bytes: ascending positions in the stream, each
    /// at the end of the one before.
    pub pieces: Vec<Piece>,
    /// Positions in the stream before which `missing` bytes were never captured.
    pub gaps: Vec<Gap>,
    /// The stream's end (FIN) was seen.
    pub finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub at: usize,
    /// Index of the packet in the trace.
    pub packet: usize,
    pub len: u32,
    /// Where in the packet's payload the bytes begin.
    pub skip: u32,
}

impl Piece {
    /// Where in the stream it ends.
    pub fn end(&self) -> usize {
        self.at.saturating_add(self.len as usize)
    }

    /// Its bytes in the packet's payload.
    pub fn of<'a>(&self, payload: &'a [u8]) -> &'a [u8] {
        let start = self.skip as usize;
        payload
            .get(start..start.saturating_add(self.len as usize))
            .unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub at: usize,
    /// 0 where nobody knows how many: the bytes of another connection follow.
    pub missing: u64,
}

impl Stream {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.pieces.last().map_or(0, Piece::end)
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The pieces that bring something of `range`.
    pub fn brings(&self, range: Range<usize>) -> impl Iterator<Item = &Piece> {
        let first = self.pieces.partition_point(|p| p.end() <= range.start);
        let rest = self.pieces.get(first..).unwrap_or_default().iter();
        rest.take_while(move |p| p.at < range.end)
    }

    /// The bytes of `range`, piece by piece; `payload` gives that of a packet.
    pub fn parts<'a>(
        &self,
        range: Range<usize>,
        payload: impl Fn(usize) -> &'a [u8],
    ) -> impl Iterator<Item = (usize, &'a [u8])> {
        self.brings(range.clone()).map(move |piece| {
            let bytes = piece.of(payload(piece.packet));
            let from = range.start.max(piece.at);
            let to = range.end.min(piece.end());
            let part = bytes.get(from - piece.at..to.saturating_sub(piece.at));
            (from, part.unwrap_or_default())
        })
    }

    /// The bytes of `range` together; `payload` gives that of a packet.
    pub fn gather<'a>(
        &self,
        range: Range<usize>,
        payload: impl Fn(usize) -> &'a [u8],
    ) -> Cow<'a, [u8]> {
        let room = range.end.min(self.len()).saturating_sub(range.start);
        let mut parts = self.parts(range, payload).map(|(_, bytes)| bytes);
        let Some(first) = parts.next() else {
            return Cow::Borrowed(&[]);
        };
        let Some(second) = parts.next() else {
            return Cow::Borrowed(first);
        };
        let mut bytes = Vec::with_capacity(room);
        bytes.extend_from_slice(first);
        bytes.extend_from_slice(second);
        parts.for_each(|part| bytes.extend_from_slice(part));
        Cow::Owned(bytes)
    }

    fn append(&mut self, len: usize, at: At, skip: u32) {
        self.pieces.push(Piece {
            at: self.len(),
            packet: at.packet,
            // No frame is longer.
            len: u32::try_from(len).unwrap_or(u32::MAX),
            skip,
        });
    }

    fn miss(&mut self, missing: u64) {
        let at = self.len();
        match self.gaps.last_mut() {
            Some(last) if last.at == at => last.missing += missing,
            _ => self.gaps.push(Gap { at, missing }),
        }
    }
}

/// Both ways of a conversation; empty for UDP.
pub type Streams = Ways<Stream>;

impl Receiver for Streams {
    type Settings = ();
    type Found = ();

    fn begin((): &(), _: &Beginning) -> Streams {
        Streams::default()
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, skip: u32, (): &mut ()) {
        self.get_mut(way).append(bytes.len(), at, skip);
    }

    fn gap(&mut self, way: Direction, missing: Missing, (): &mut ()) {
        self.get_mut(way).miss(missing.bytes);
    }

    fn restart(&mut self, way: Direction, (): &mut ()) {
        self.get_mut(way).miss(0);
    }

    fn end(&mut self, way: Direction, _: At, (): &mut ()) {
        self.get_mut(way).finished = true;
    }

    fn datagram(&mut self, _: Direction, _: &[u8], _: At, (): &mut ()) {}

    fn close(&mut self, (): &mut ()) {}
}
