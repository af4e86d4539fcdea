//! Segments to stream: one way of a TCP connection, put in order and handed
//! on. The first copy of a byte wins; what is missing becomes a gap. Only what
//! waits for a hole before it is kept, and that is bounded.
//!
//! A hole is given up when nothing speaks for its bytes to come any more: they were
//! acknowledged, or others wait for too long. What comes nonetheless: [`super::late`].

use std::collections::BTreeMap;
use std::ops::Range;

use super::late::{GivenUp, Late};
use super::receiver::Outlet;
use super::{At, Limits, Missing, Receiver};
use crate::savefile::Timestamp;

/// A segment, or a part of one, that waits for bytes before it.
#[derive(Debug)]
struct Waiting {
    /// Bytes on the wire; more than `data` where the frame was cut.
    len: u64,
    data: Vec<u8>,
    at: At,
    /// Where in its packet's payload `data` begins.
    skip: u32,
}

/// A segment, or what of it comes behind the stream's beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// Of its first byte in the stream.
    pub offset: u64,
    /// Bytes on the wire.
    pub len: u64,
    /// Those that were captured.
    pub data: &'a [u8],
    /// Where in its packet's payload they begin.
    pub skip: u32,
    pub at: At,
}

impl<'a> Piece<'a> {
    /// The part of it that lies there in the stream.
    fn part(&self, range: Range<u64>) -> Piece<'a> {
        let before = range.start.saturating_sub(self.offset);
        Piece {
            offset: range.start,
            len: range.end - range.start,
            data: slice(self.data, before, range.end - self.offset),
            skip: self
                .skip
                .saturating_add(u32::try_from(before).unwrap_or(u32::MAX)),
            at: self.at,
        }
    }
}

/// Reassembles one direction. Offsets are those of the stream: 0 is its first
/// byte.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// Everything before it was handed on, or given up as missing.
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    waiting_bytes: usize,
    /// The FIN's place, until it was handed on.
    end: Option<(u64, At)>,
    missing: u64,
    /// While something waits: an offset up to which the receiver has all, and
    /// the packet by which that is known.
    received: Option<(u64, At)>,
    given_up: GivenUp,
}

/// What all streams share.
#[derive(Debug)]
pub(super) struct Store {
    /// Bytes that wait, in all streams.
    waiting: usize,
    limits: Limits,
    /// How often a stream was read on behind a hole because too much waited.
    pub given_up: u64,
    /// Segments that wait for an ACK, in all connections.
    pub segments: usize,
    /// Those that were forgotten because there were too many.
    pub forgotten: u64,
    pub late: Late,
}

impl Store {
    pub(super) fn new(limits: Limits) -> Store {
        Store {
            waiting: 0,
            limits,
            given_up: 0,
            segments: 0,
            forgotten: 0,
            late: Late::default(),
        }
    }

    pub(super) fn has_room_for_a_segment(&mut self) -> bool {
        let room = self.segments < self.limits.unacknowledged;
        self.forgotten += u64::from(!room);
        room
    }
}

/// Packets that were captured in another order than they were sent in lie this
/// close together; the time that Wireshark takes for its "Out-Of-Order".
/// Nanoseconds.
const REORDERING: i64 = 3_000_000;
/// A sender that has no ACK for so long sends the segment again: RFC 6298 has
/// timers start at one second (section 2.1), and earlier versions at three.
/// Nanoseconds.
const RETRANSMISSION: i64 = 3_000_000_000;
/// What a waiting segment costs beyond its bytes.
const OVERHEAD: usize = 128;

impl Waiting {
    fn cost(&self) -> usize {
        self.data.len() + OVERHEAD
    }
}

impl Assembler {
    /// The offset up to which nothing more is expected.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Bytes that were given up so far.
    pub(super) fn missing(&self) -> u64 {
        self.missing
    }

    /// Takes a segment. Returns the range in which it was the first to
    /// carry bytes; a part that came earlier may lie within it.
    pub(super) fn insert<R: Receiver>(
        &mut self,
        segment: &Piece<'_>,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) -> Option<Range<u64>> {
        let start = segment.offset.max(self.next);
        let end = segment.offset.saturating_add(segment.len);
        if segment.offset < self.next {
            self.given_up.comes(segment.offset..end);
        }
        if start >= end {
            return None;
        }
        if start == self.next && self.waiting.is_empty() {
            // Nearly every segment of nearly every capture.
            self.hand_on(&segment.part(start..end), out);
            self.hand_on_end(out);
            return Some(start..end);
        }
        let mut new: Option<Range<u64>> = None;
        for range in self.uncovered(start, end) {
            new = Some(new.map_or(range.start, |r| r.start)..range.end);
            let piece = segment.part(range);
            if piece.offset == self.next {
                self.hand_on(&piece, out);
                self.hand_on_waiting(store, out);
            } else {
                let waiting = Waiting {
                    len: piece.len,
                    data: piece.data.to_vec(),
                    at: piece.at,
                    skip: piece.skip,
                };
                self.waiting_bytes += waiting.cost();
                store.waiting += waiting.cost();
                self.waiting.insert(piece.offset, waiting);
            }
        }
        while !self.waiting.is_empty() && self.waits_too_much(store) {
            store.given_up += 1;
            self.give_up_gap(None, store, out);
        }
        self.hand_on_end(out);
        new
    }

    /// The bytes that came after they were given up.
    pub(super) fn take_late(&mut self) -> Vec<Range<u64>> {
        self.given_up.take_late()
    }

    /// These bytes will come.
    pub(super) fn wait_for(&mut self, late: Vec<Range<u64>>) {
        self.given_up.wait_for(late);
    }

    /// Will bytes come of the hole before `end`?
    fn awaits(&self, end: u64) -> bool {
        self.given_up.awaits(self.next, end)
    }

    fn waits_too_much(&self, store: &Store) -> bool {
        self.waiting_bytes > store.limits.waiting
            || store.waiting > store.limits.waiting_in_all
            || self.waiting.len() > store.limits.waiting_segments
    }

    /// Does something wait for bytes before it?
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty() || self.end.is_some()
    }

    /// The receiver has acknowledged everything before `acked`, since `since`:
    /// what of it was not captured will not come (RFC 9293, section 3.4), except
    /// where the capture has packets in another order.
    pub(super) fn acknowledged<R: Receiver>(
        &mut self,
        acked: u64,
        by: At,
        now: Timestamp,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) {
        let (received, known_by) = *self.received.get_or_insert((acked, by));
        if now.since(known_by.time) < REORDERING {
            return;
        }
        self.give_up_before(received, Some(known_by.packet), store, out);
        // Who waits for bytes that will come still knows by whom those behind were had.
        let blocked = self.first_hole().is_some_and(|end| self.awaits(end));
        if !blocked {
            self.received = self.waits().then_some((acked, by));
        }
    }

    /// A segment at `offset` comes, and since others wait none of the receiver
    /// was captured. A sender that goes on with new bytes, when it would have
    /// sent again what is missing, had its ACK.
    pub(super) fn goes_on<R: Receiver>(
        &mut self,
        offset: u64,
        now: Timestamp,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) {
        let Some((last, segment)) = self.waiting.last_key_value() else {
            return;
        };
        let waited = now.since(segment.at.time);
        if waited >= RETRANSMISSION && offset >= last.saturating_add(segment.len) {
            self.give_up_before(offset, None, store, out);
        }
    }

    /// The packet that brought the first of what waits.
    pub(super) fn waits_since(&self) -> Option<usize> {
        self.waiting
            .values()
            .map(|waiting| waiting.at.packet)
            .next()
    }

    /// Where the first hole ends.
    fn first_hole(&self) -> Option<u64> {
        let end = self.end.map(|(end, _)| end);
        self.waiting.keys().next().copied().or(end)
    }

    /// Goes on behind the holes that end at `to` or before; by the packet
    /// `acknowledged` their receiver had the bytes.
    fn give_up_before<R: Receiver>(
        &mut self,
        to: u64,
        acknowledged: Option<usize>,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) {
        while let Some(start) = self.waiting.keys().next().copied()
            && start <= to
            && !self.awaits(start)
        {
            self.give_up_gap(acknowledged, store, out);
        }
        if let Some((end, _)) = self.end
            && self.waiting.is_empty()
            && end < to
            && !self.awaits(end)
        {
            self.note_given_up(end, store);
            self.gap(end.saturating_sub(self.next), acknowledged, out);
        }
        self.hand_on_end(out);
    }

    fn note_given_up(&mut self, end: u64, store: &Store) {
        if store.limits.notes_late {
            self.given_up.add(self.next..end);
        }
    }

    /// Another stream begins where this one is now: what waits is handed on.
    pub(super) fn restart<R: Receiver>(&mut self, store: &mut Store, out: &mut Outlet<R>) {
        self.finish(store, out);
        self.received = None;
        if self.next > 0 {
            out.restart();
        }
    }

    /// The first FIN stands at `offset`.
    pub(super) fn end_at<R: Receiver>(&mut self, offset: u64, at: At, out: &mut Outlet<R>) {
        self.end = Some((offset, at));
        self.hand_on_end(out);
    }

    /// The number of gaps that would remain if everything before `to` were
    /// given up now, not counting what lies before `from`.
    pub(super) fn holes(&self, from: u64, to: u64) -> usize {
        let from = from.max(self.next);
        if from >= to {
            return 0;
        }
        self.uncovered(from, to).len()
    }

    /// Nothing more comes: what waits is handed on behind its gaps.
    pub(super) fn finish<R: Receiver>(&mut self, store: &mut Store, out: &mut Outlet<R>) {
        let received = self.received;
        let by = |end: u64| {
            received
                .filter(|(to, _)| end <= *to)
                .map(|(_, by)| by.packet)
        };
        while let Some(end) = self.waiting.keys().next().copied() {
            self.give_up_gap(by(end), store, out);
        }
        if let Some((end, _)) = self.end {
            // The FIN has a number of its own.
            self.gap(
                end.saturating_sub(self.next),
                by(end.saturating_add(1)),
                out,
            );
            self.hand_on_end(out);
        }
    }

    /// The parts of `from..to` that no segment brought yet, ascending.
    fn uncovered(&self, from: u64, to: u64) -> Vec<Range<u64>> {
        let mut parts = Vec::new();
        if from >= to {
            return parts;
        }
        let first = self
            .waiting
            .range(..=from)
            .next_back()
            .map_or(from, |(start, _)| *start);
        let mut cursor = from;
        for (start, waiting) in self.waiting.range(first..to) {
            if *start > cursor {
                parts.push(cursor..*start);
            }
            cursor = cursor.max(start.saturating_add(waiting.len));
        }
        if cursor < to {
            parts.push(cursor..to);
        }
        parts
    }

    /// What was not captured of a piece (its frame was cut) is a gap.
    fn hand_on<R: Receiver>(&mut self, piece: &Piece<'_>, out: &mut Outlet<R>) {
        let captured = piece.data.len() as u64;
        if captured > 0 {
            out.bytes(piece.data, piece.at, piece.skip);
        }
        self.next += captured;
        self.gap(piece.len - captured, None, out);
    }

    fn hand_on_waiting<R: Receiver>(&mut self, store: &mut Store, out: &mut Outlet<R>) {
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() == self.next
        {
            let waiting = entry.remove();
            self.waiting_bytes -= waiting.cost();
            store.waiting -= waiting.cost();
            let piece = Piece {
                offset: self.next,
                len: waiting.len,
                data: &waiting.data,
                skip: waiting.skip,
                at: waiting.at,
            };
            self.hand_on(&piece, out);
        }
    }

    fn hand_on_end<R: Receiver>(&mut self, out: &mut Outlet<R>) {
        if let Some((end, at)) = self.end
            && end <= self.next
        {
            self.end = None;
            out.end(at);
        }
    }

    /// Goes on behind the first gap.
    fn give_up_gap<R: Receiver>(
        &mut self,
        acknowledged: Option<usize>,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) {
        if let Some(start) = self.waiting.keys().next().copied() {
            self.note_given_up(start, store);
            self.gap(start.saturating_sub(self.next), acknowledged, out);
            self.hand_on_waiting(store, out);
        }
    }

    fn gap<R: Receiver>(&mut self, bytes: u64, acknowledged: Option<usize>, out: &mut Outlet<R>) {
        if bytes == 0 {
            return;
        }
        self.next += bytes;
        self.missing += bytes;
        out.gap(Missing {
            bytes,
            acknowledged,
        });
    }
}

/// `data[from..to]`, as far as there is data.
fn slice(data: &[u8], from: u64, to: u64) -> &[u8] {
    let clamp = |x: u64| usize::try_from(x).map_or(data.len(), |x| x.min(data.len()));
    data.get(clamp(from)..clamp(to)).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use std::collections::HashMap;

    use crate::conversation::{Beginning, Direction, Gap, Stream, Streams};
    use crate::savefile::Protocol;

    /// An assembler with what takes its stream, and the payloads of its packets.
    struct Whole {
        assembler: Assembler,
        store: Store,
        streams: Streams,
        payloads: HashMap<usize, Vec<u8>>,
    }

    /// What came of it.
    struct Finished {
        stream: Stream,
        bytes: Vec<u8>,
        missing: u64,
    }

    impl Whole {
        fn new(limits: Limits) -> Whole {
            let end = "127.0.0.1:1".parse().unwrap();
            let beginning = Beginning {
                conversation: 0,
                protocol: Protocol::Tcp,
                client: end,
                server: end,
                at: at(0),
            };
            Whole {
                assembler: Assembler::default(),
                store: Store::new(limits),
                streams: Streams::begin(&(), &beginning),
                payloads: HashMap::new(),
            }
        }

        fn insert(
            &mut self,
            offset: u64,
            len: u64,
            data: &[u8],
            packet: usize,
        ) -> Option<Range<u64>> {
            let mut out = Outlet {
                receiver: &mut self.streams,
                found: &mut (),
                way: Direction::ToServer,
            };
            // Behind bytes that the stream does not have.
            let skip = packet as u32 % 7;
            let before = vec![b'?'; skip as usize];
            self.payloads.insert(packet, [&before, data].concat());
            let piece = Piece {
                offset,
                len,
                data,
                skip,
                at: at(packet),
            };
            self.assembler.insert(&piece, &mut self.store, &mut out)
        }

        fn end_at(&mut self, offset: u64) {
            let mut out = Outlet {
                receiver: &mut self.streams,
                found: &mut (),
                way: Direction::ToServer,
            };
            self.assembler.end_at(offset, at(99), &mut out);
        }

        fn finish(mut self) -> Finished {
            let mut out = Outlet {
                receiver: &mut self.streams,
                found: &mut (),
                way: Direction::ToServer,
            };
            self.assembler.finish(&mut self.store, &mut out);
            assert_eq!(self.store.waiting, 0);
            let stream = self.streams.to_server;
            let payload = |packet: usize| self.payloads[&packet].as_slice();
            Finished {
                bytes: stream.gather(0..stream.len(), payload).into_owned(),
                stream,
                missing: self.assembler.missing(),
            }
        }
    }

    fn at(packet: usize) -> At {
        At {
            packet,
            time: Timestamp(0),
        }
    }

    fn assembler() -> Whole {
        Whole::new(Limits::default())
    }

    fn add(a: &mut Whole, offset: u64, text: &str, packet: usize) -> Option<Range<u64>> {
        a.insert(offset, text.len() as u64, text.as_bytes(), packet)
    }

    fn brought(stream: &Stream, range: Range<usize>) -> Vec<usize> {
        stream.brings(range).map(|piece| piece.packet).collect()
    }

    #[test]
    fn segments_in_order() {
        let mut a = assembler();
        assert_eq!(add(&mut a, 0, "hel", 1), Some(0..3));
        assert_eq!(add(&mut a, 3, "lo", 2), Some(3..5));
        assert_eq!(add(&mut a, 0, "hel", 3), None);
        a.end_at(5);
        let found = a.finish();
        assert_eq!(found.bytes, b"hello");
        assert_eq!(found.missing, 0);
        assert!(found.stream.finished && found.stream.gaps.is_empty());
        assert_eq!(brought(&found.stream, 0..4), [1, 2]);
        assert_eq!(brought(&found.stream, 0..3), [1]);
        assert!(brought(&found.stream, 3..3).is_empty());
    }

    #[test]
    fn a_late_segment_fills_its_place() {
        let mut a = assembler();
        assert_eq!(add(&mut a, 3, "lo", 1), Some(3..5));
        assert_eq!(a.assembler.next(), 0);
        assert_eq!(add(&mut a, 0, "hel", 2), Some(0..3));
        assert_eq!(a.assembler.next(), 5);
        let found = a.finish();
        assert_eq!(found.bytes, b"hello");
        assert_eq!(brought(&found.stream, 0..5), [2, 1]);
        assert_eq!(brought(&found.stream, 3..5), [1]);
    }

    #[test]
    fn the_first_copy_wins() {
        let mut a = assembler();
        add(&mut a, 2, "XX", 1);
        assert_eq!(add(&mut a, 0, "abcdef", 2), Some(0..6));
        add(&mut a, 0, "ZZZZZZ", 3);
        assert_eq!(a.finish().bytes, b"abXXef");
    }

    #[test]
    fn what_never_came_is_a_gap() {
        let mut a = assembler();
        add(&mut a, 0, "ab", 1);
        add(&mut a, 5, "fg", 2);
        a.end_at(9);
        assert_eq!(a.assembler.holes(0, 9), 2);
        assert_eq!(a.assembler.holes(0, 7), 1);
        assert_eq!(a.assembler.holes(5, 7), 0);
        let found = a.finish();
        assert_eq!(found.bytes, b"abfg");
        assert_eq!(
            found.stream.gaps,
            [Gap { at: 2, missing: 3 }, Gap { at: 4, missing: 2 }]
        );
        assert_eq!(found.missing, 5);
    }

    #[test]
    fn the_rest_of_a_cut_frame_is_a_gap() {
        let mut a = assembler();
        assert_eq!(a.insert(0, 100, b"head", 1), Some(0..100));
        assert_eq!(add(&mut a, 100, "tail", 2), Some(100..104));
        let found = a.finish();
        assert_eq!(found.bytes, b"headtail");
        assert_eq!(found.stream.gaps, [Gap { at: 4, missing: 96 }]);
        assert_eq!(found.missing, 96);
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits {
            waiting: 8 * (1 + OVERHEAD),
            ..Limits::default()
        };
        let mut a = Whole::new(limits);
        for i in 0..100u64 {
            // Every second byte is missing, so all of them wait.
            a.insert(1 + 2 * i, 1, b"x", i as usize);
            assert!(a.assembler.waiting.len() <= 8);
        }
        let found = a.finish();
        assert_eq!(found.bytes.len(), 100);
        assert_eq!(found.missing, 100);
    }

    #[test]
    fn offsets_at_the_end_of_the_number_range_do_no_harm() {
        let mut a = assembler();
        a.insert(u64::MAX - 1, 10, b"0123456789", 0);
        a.insert(u64::MAX, 1, b"x", 0);
        a.finish();
    }

    proptest! {
        /// Any cutting, overlapping, doubling and reordering of a stream gives
        /// the stream back, and says of every byte exactly once that it is new.
        #[test]
        fn any_segmentation_gives_the_stream_back(
            bytes in prop::collection::vec(any::<u8>(), 1..400),
            cuts in prop::collection::vec((0usize..400, 1usize..60), 0..40),
            seed in any::<u64>(),
        ) {
            // Pieces that cover everything, plus arbitrary overlapping ones.
            let mut segments: Vec<Range<usize>> = (0..bytes.len())
                .step_by(37)
                .map(|at| at..(at + 37).min(bytes.len()))
                .collect();
            for (at, len) in cuts {
                let at = at % bytes.len();
                segments.push(at..(at + len).min(bytes.len()));
            }
            shuffle(&mut segments, seed);
            let mut a = assembler();
            let mut new_bytes = 0u64;
            for (packet, range) in segments.iter().enumerate() {
                let before = covered(&segments[..packet], bytes.len());
                let after = covered(&segments[..=packet], bytes.len());
                let new = a.insert(range.start as u64, range.len() as u64, &bytes[range.clone()], packet);
                prop_assert_eq!(new.is_some(), after > before);
                if let Some(new) = new {
                    prop_assert!(new.start >= range.start as u64 && new.end <= range.end as u64);
                    prop_assert!(new.end - new.start >= (after - before) as u64);
                }
                new_bytes += (after - before) as u64;
            }
            prop_assert_eq!(new_bytes, bytes.len() as u64);
            let found = a.finish();
            prop_assert_eq!(&found.bytes, &bytes);
            prop_assert_eq!(found.missing, 0);
            let mut at = 0;
            for piece in &found.stream.pieces {
                prop_assert_eq!(piece.at, at);
                at = piece.end();
            }
            prop_assert_eq!(at, bytes.len());
        }

        /// Whatever is missing: bytes and gaps together span the whole.
        #[test]
        fn gaps_say_what_is_missing(segments in prop::collection::vec((0u64..500, 1u64..50), 0..30)) {
            let mut a = assembler();
            let mut seen = [false; 600];
            for (packet, (at, len)) in segments.iter().enumerate() {
                a.insert(*at, *len, &vec![7; *len as usize], packet);
                seen[*at as usize..(at + len) as usize].fill(true);
            }
            let span = seen.iter().rposition(|s| *s).map_or(0, |last| last + 1);
            let present = seen.iter().filter(|s| **s).count();
            let found = a.finish();
            prop_assert_eq!(found.bytes.len(), present);
            prop_assert_eq!(found.missing as usize, span - present);
            let gaps = found.stream.gaps.iter().map(|g| g.missing);
            prop_assert_eq!(gaps.sum::<u64>(), found.missing);
        }
    }

    fn covered(segments: &[Range<usize>], len: usize) -> usize {
        (0..len)
            .filter(|i| segments.iter().any(|s| s.contains(i)))
            .count()
    }

    fn shuffle<T>(items: &mut [T], mut seed: u64) {
        for i in (1..items.len()).rev() {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            items.swap(i, (seed >> 33) as usize % (i + 1));
        }
    }
}
