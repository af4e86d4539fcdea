//! The receiver that keeps the streams, up to a bound.

use std::ops::Range;

use super::{At, Beginning, Direction, Receiver, Ways};

/// One way of a conversation, reassembled.
///
/// Where copies overlap and differ, the first one seen is kept. Gaps are not
/// filled: `bytes` goes on behind them, and `gaps` tells where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    pub bytes: Vec<u8>,
    /// Which packet brought which bytes: ascending positions in `bytes`.
    pub pieces: Vec<Piece>,
    /// Positions in `bytes` before which `missing` bytes were never captured.
    pub gaps: Vec<Gap>,
    /// The stream's end (FIN) was seen.
    pub finished: bool,
    /// Bytes beyond the bound on a stream's memory were left out.
    pub cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub at: usize,
    pub len: usize,
    /// Index of the packet in the trace.
    pub packet: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub at: usize,
    /// 0 where nobody knows how many: the bytes of another connection follow.
    pub missing: u64,
}

impl Stream {
    /// The packet that completed the bytes of `range`: the latest in the
    /// capture of those that brought them.
    pub fn completed_by(&self, range: Range<usize>) -> Option<usize> {
        let first = self.pieces.partition_point(|p| p.at + p.len <= range.start);
        self.pieces
            .get(first..)?
            .iter()
            .take_while(|p| p.at < range.end)
            .map(|p| p.packet)
            .max()
    }

    fn append(&mut self, bytes: &[u8], packet: usize, limit: usize) {
        let room = limit.saturating_sub(self.bytes.len());
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.cut |= kept.len() < bytes.len();
        if !kept.is_empty() {
            self.pieces.push(Piece {
                at: self.bytes.len(),
                len: kept.len(),
                packet,
            });
            self.bytes.extend_from_slice(kept);
        }
    }

    fn miss(&mut self, missing: u64) {
        if self.cut {
            return;
        }
        let at = self.bytes.len();
        match self.gaps.last_mut() {
            Some(last) if last.at == at => last.missing += missing,
            _ => self.gaps.push(Gap { at, missing }),
        }
    }
}

/// Both ways of a conversation; empty for UDP. The setting is how many bytes
/// are kept of each way: beyond it the stream is `cut`.
#[derive(Clone, Debug)]
pub struct Streams {
    pub ways: Ways<Stream>,
    limit: usize,
}

/// Bytes kept of each way, where nothing else is asked for.
pub const STREAM_LIMIT: usize = 16 << 20;

impl Receiver for Streams {
    type Settings = usize;
    type Found = ();

    fn begin(limit: &usize, _: &Beginning) -> Streams {
        Streams {
            ways: Ways::default(),
            limit: *limit,
        }
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], at: At, (): &mut ()) {
        self.ways.get_mut(way).append(bytes, at.packet, self.limit);
    }

    fn gap(&mut self, way: Direction, missing: u64, (): &mut ()) {
        self.ways.get_mut(way).miss(missing);
    }

    fn restart(&mut self, way: Direction, (): &mut ()) {
        self.ways.get_mut(way).miss(0);
    }

    fn end(&mut self, way: Direction, _: At, (): &mut ()) {
        self.ways.get_mut(way).finished = true;
    }

    fn datagram(&mut self, _: Direction, _: &[u8], _: At, (): &mut ()) {}

    fn close(&mut self, (): &mut ()) {}
}
