//! The segments of one way that were not acknowledged yet.

use std::collections::VecDeque;

use super::At;
use super::reassembly::Store;
use super::sequence::before;

/// A segment that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unacked {
    pub seq: u32,
    /// The number behind it.
    pub next: u32,
    pub at: At,
}

/// Segments that are remembered, as in Wireshark; later ones are not.
const MAX_SEGMENTS: usize = 10_000;

/// Segments in the order in which they came.
#[derive(Debug)]
pub(super) struct Flight {
    segments: VecDeque<Unacked>,
    /// Each begins at the end of the one before, or behind it.
    ascending: bool,
    hole: bool,
}

impl Default for Flight {
    fn default() -> Flight {
        Flight {
            segments: VecDeque::new(),
            ascending: true,
            hole: false,
        }
    }
}

impl Flight {
    pub(super) fn sent(&mut self, segment: Unacked, store: &mut Store) {
        if self.segments.len() >= MAX_SEGMENTS || !store.has_room_for_a_segment() {
            return;
        }
        if let Some(last) = self.segments.back() {
            self.ascending &= !before(segment.seq, last.next);
        }
        store.segments += 1;
        self.segments.push_back(segment);
    }

    /// Segments before this one were not captured.
    pub(super) fn has_hole(&mut self) {
        self.hole = true;
    }

    /// The other side has acknowledged what came before the hole.
    pub(super) fn has_no_hole(&mut self) {
        self.hole = false;
    }

    /// Takes out what is acknowledged. Returns the segment that ends there.
    pub(super) fn acknowledge(&mut self, ack: u32, store: &mut Store) -> Option<At> {
        let mut found = None;
        if self.ascending {
            while let Some(first) = self.segments.front_mut() {
                if before(ack, first.next) {
                    if before(first.seq, ack) {
                        first.seq = ack;
                    }
                    break;
                }
                if first.next == ack {
                    found = Some(first.at);
                }
                self.segments.pop_front();
                store.segments -= 1;
            }
        } else {
            let kept = self.segments.len();
            self.segments.retain_mut(|segment| {
                if segment.next == ack {
                    found.get_or_insert(segment.at);
                }
                if before(segment.seq, ack) && before(ack, segment.next) {
                    segment.seq = ack;
                }
                before(ack, segment.next)
            });
            store.segments -= kept - self.segments.len();
        }
        if self.segments.is_empty() {
            self.ascending = true;
        }
        found
    }

    /// Gives back the room that nothing is in.
    pub(super) fn shrink(&mut self) {
        self.segments.shrink_to_fit();
    }

    pub(super) fn eldest(&self) -> Option<At> {
        self.segments.front().map(|segment| segment.at)
    }

    /// The bytes between the lowest number and the highest, counted from
    /// `base`, without those that the peer reported to have: wraps below 0.
    pub(super) fn bytes(&self, base: u32, sacked: u32) -> Option<u32> {
        if self.hole {
            return None;
        }
        let (first, last) = self.span(base)?;
        Some(last.wrapping_sub(first).wrapping_sub(sacked))
    }

    fn span(&self, base: u32) -> Option<(u32, u32)> {
        let from_base = |seq: u32| seq.wrapping_sub(base);
        let (first, last) = (self.segments.front()?, self.segments.back()?);
        let whole = (from_base(first.seq), from_base(last.next));
        if self.ascending && whole.0 <= whole.1 {
            return Some(whole);
        }
        let low = self.segments.iter().map(|s| from_base(s.seq)).min()?;
        let high = self.segments.iter().map(|s| from_base(s.next)).max()?;
        Some((low, high))
    }

    pub(super) fn clear(&mut self, store: &mut Store) {
        store.segments -= self.segments.len();
        *self = Flight::default();
    }
}
