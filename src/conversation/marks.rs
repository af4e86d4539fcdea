//! What the analysis says of a segment, one bit for each of Wireshark's marks.

use std::ops::{BitOr, BitOrAssign};

/// A set of Wireshark's `tcp.analysis.*` marks, by the definitions of its
/// User's Guide ("TCP Analysis").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks(u32);

impl Marks {
    /// Its bytes, SYN or FIN were sent before. Fast and spurious
    /// retransmissions have this mark too.
    pub const RETRANSMISSION: Marks = Marks(1);
    /// A retransmission that answers duplicate ACKs.
    pub const FAST_RETRANSMISSION: Marks = Marks(1 << 1);
    /// A retransmission of what the other side had acknowledged.
    pub const SPURIOUS_RETRANSMISSION: Marks = Marks(1 << 2);
    /// It came later than its place in the stream.
    pub const OUT_OF_ORDER: Marks = Marks(1 << 3);
    /// It acknowledges what was acknowledged before, and nothing else.
    pub const DUPLICATE_ACK: Marks = Marks(1 << 4);
    /// Segments before it were not captured.
    pub const LOST_SEGMENT: Marks = Marks(1 << 5);
    /// It acknowledges segments that were not captured.
    pub const ACK_LOST_SEGMENT: Marks = Marks(1 << 6);
    /// The sender of this segment takes no more bytes.
    pub const ZERO_WINDOW: Marks = Marks(1 << 7);
    /// It fills the window that the other side announced.
    pub const WINDOW_FULL: Marks = Marks(1 << 8);
    /// Only the window differs from the ACK before.
    pub const WINDOW_UPDATE: Marks = Marks(1 << 9);
    /// One byte into a window of zero.
    pub const ZERO_WINDOW_PROBE: Marks = Marks(1 << 10);
    /// The answer to such a probe.
    pub const ZERO_WINDOW_PROBE_ACK: Marks = Marks(1 << 11);
    /// It asks whether the other side is still there.
    pub const KEEP_ALIVE: Marks = Marks(1 << 12);
    /// The answer to a keep-alive.
    pub const KEEP_ALIVE_ACK: Marks = Marks(1 << 13);
    /// Its SYN opens a connection on ports that another one had.
    pub const REUSED_PORTS: Marks = Marks(1 << 14);

    /// Each mark and its name in Wireshark, behind `tcp.analysis.`.
    pub const NAMES: [(Marks, &'static str); 15] = [
        (Marks::RETRANSMISSION, "retransmission"),
        (Marks::FAST_RETRANSMISSION, "fast_retransmission"),
        (Marks::SPURIOUS_RETRANSMISSION, "spurious_retransmission"),
        (Marks::OUT_OF_ORDER, "out_of_order"),
        (Marks::DUPLICATE_ACK, "duplicate_ack"),
        (Marks::LOST_SEGMENT, "lost_segment"),
        (Marks::ACK_LOST_SEGMENT, "ack_lost_segment"),
        (Marks::ZERO_WINDOW, "zero_window"),
        (Marks::WINDOW_FULL, "window_full"),
        (Marks::WINDOW_UPDATE, "window_update"),
        (Marks::ZERO_WINDOW_PROBE, "zero_window_probe"),
        (Marks::ZERO_WINDOW_PROBE_ACK, "zero_window_probe_ack"),
        (Marks::KEEP_ALIVE, "keep_alive"),
        (Marks::KEEP_ALIVE_ACK, "keep_alive_ack"),
        (Marks::REUSED_PORTS, "reused_ports"),
    ];

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Are all of these set?
    pub fn has(self, marks: Marks) -> bool {
        self.0 & marks.0 == marks.0
    }

    /// Is one of these set?
    pub fn has_any(self, marks: Marks) -> bool {
        self.0 & marks.0 != 0
    }
}

impl BitOr for Marks {
    type Output = Marks;

    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Marks) {
        self.0 |= other.0;
    }
}

/// How many segments have each mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkCounts([u32; Marks::NAMES.len()]);

impl MarkCounts {
    /// Counts the marks of a segment.
    pub(super) fn add(&mut self, marks: Marks) {
        if marks.is_empty() {
            return;
        }
        for (count, (mark, _)) in self.0.iter_mut().zip(Marks::NAMES) {
            *count += u32::from(marks.has(mark));
        }
    }

    /// Segments with this one mark.
    pub fn of(&self, mark: Marks) -> u32 {
        let counts = self.0.iter().zip(Marks::NAMES);
        let mut found = counts.filter(|(_, (known, _))| *known == mark);
        found.next().map_or(0, |(count, _)| *count)
    }

    /// The marks that were seen: their names in Wireshark, behind
    /// `tcp.analysis.`, and how often.
    pub fn seen(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        let counts = self.0.iter().zip(Marks::NAMES);
        let counts = counts.map(|(count, (_, name))| (name, *count));
        counts.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_counted_each_by_itself() {
        let mut counts = MarkCounts::default();
        counts.add(Marks::default());
        counts.add(Marks::RETRANSMISSION | Marks::FAST_RETRANSMISSION);
        counts.add(Marks::RETRANSMISSION);
        assert_eq!(counts.of(Marks::RETRANSMISSION), 2);
        assert_eq!(counts.of(Marks::ZERO_WINDOW), 0);
        let seen: Vec<_> = counts.seen().collect();
        assert_eq!(seen, [("retransmission", 2), ("fast_retransmission", 1)]);
    }
}
