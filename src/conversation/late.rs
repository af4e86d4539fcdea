//! Bytes of a TCP stream that come after they were given up.
//!
//! Who has the whole capture reads it again then, and waits for just those: where
//! nothing comes late, nothing changes, and messages pair by the same ACKs.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{ConversationIndex, Ways};

/// Bytes of TCP streams that came after they were given up, as ranges of offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Late(BTreeMap<ConversationIndex, Ways<Vec<Range<u64>>>>);

impl Late {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, of: ConversationIndex, late: Ways<Vec<Range<u64>>>) {
        if !late.to_server.is_empty() || !late.to_client.is_empty() {
            self.0.insert(of, late);
        }
    }

    pub(super) fn take(&mut self, of: ConversationIndex) -> Option<Ways<Vec<Range<u64>>>> {
        self.0.remove(&of)
    }
}

/// The holes that one stream was read on behind. Offsets are those of the stream.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    /// Those that were not filled since: the end of each by its beginning.
    holes: BTreeMap<u64, u64>,
    /// What came of them.
    late: Vec<Range<u64>>,
    /// What is known to come, in order.
    awaited: Vec<Range<u64>>,
}

impl GivenUp {
    pub(super) fn add(&mut self, hole: Range<u64>) {
        if !hole.is_empty() {
            self.holes.insert(hole.start, hole.end);
        }
    }

    /// A segment brings these bytes: notes what they fill.
    pub(super) fn comes(&mut self, segment: Range<u64>) {
        if self.holes.is_empty() {
            return;
        }
        let first = self.holes.range(..=segment.start).next_back();
        let first = first.map_or(segment.start, |(start, _)| *start);
        let holes = self.holes.range(first..segment.end);
        let holes: Vec<Range<u64>> = holes.map(|(start, end)| *start..*end).collect();
        for hole in holes.into_iter().filter(|hole| hole.end > segment.start) {
            self.holes.remove(&hole.start);
            let filled = hole.start.max(segment.start)..hole.end.min(segment.end);
            self.add(hole.start..filled.start);
            self.add(filled.end..hole.end);
            self.late.push(filled);
        }
    }

    /// The bytes that came, by their place.
    pub(super) fn take_late(&mut self) -> Vec<Range<u64>> {
        let mut late = std::mem::take(&mut self.late);
        late.sort_unstable_by_key(|range| range.start);
        late
    }

    /// These bytes will come.
    pub(super) fn wait_for(&mut self, late: Vec<Range<u64>>) {
        self.awaited = late;
    }

    /// Will bytes come of the hole `from..to`?
    pub(super) fn awaits(&self, from: u64, to: u64) -> bool {
        let next = self.awaited.partition_point(|range| range.end <= from);
        self.awaited.get(next).is_some_and(|range| range.start < to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each byte of a hole comes late once, with the first segment that brings it.
        #[test]
        fn each_byte_comes_late_once(
            holes in prop::collection::vec((1u64..20, 1u64..20), 0..8),
            segments in prop::collection::vec((0u64..200, 0u64..40), 0..20),
        ) {
            let mut given_up = GivenUp::default();
            let mut missing = [false; 400];
            let mut at = 0;
            for (before, len) in holes {
                at += before;
                given_up.add(at..at + len);
                missing[at as usize..(at + len) as usize].fill(true);
                at += len;
            }
            let mut expected = Vec::new();
            for (start, len) in segments {
                for byte in start..start + len {
                    if std::mem::take(&mut missing[byte as usize]) {
                        expected.push(byte);
                    }
                }
                given_up.comes(start..start + len);
            }
            expected.sort_unstable();
            let late = given_up.take_late();
            prop_assert_eq!(late.iter().cloned().flatten().collect::<Vec<u64>>(), expected);
            let mut again = GivenUp::default();
            again.wait_for(late.clone());
            for byte in 0..400u64 {
                let comes = late.iter().any(|range| range.contains(&byte));
                prop_assert_eq!(again.awaits(byte, byte + 1), comes);
            }
        }
    }
}
