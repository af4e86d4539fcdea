//! Sequence analysis of TCP segments: Wireshark's `tcp.analysis.*` by the
//! definitions of its User's Guide ("TCP Analysis"), as version 4.0 applies
//! them in its first pass.

use crate::decode::TcpFlags;

use super::flight::{Flight, Unacked};
use super::reassembly::Store;
use super::sequence::before;
use super::{Acks, At, Duplicate, Marks, Rto, SeenTcp, WindowScaling};

/// Segments that come sooner than this after the highest number seen may be
/// reordered ones, where no round-trip time is known.
const REORDERING_WINDOW: i64 = 3_000_000;
/// A segment that answers duplicate ACKs within this time is a fast retransmission.
const FAST_RETRANSMISSION_WINDOW: i64 = 20_000_000;
/// As many bytes in flight are taken for a mistake.
const MAX_IN_FLIGHT: u32 = 2_000_000_000;

/// What the analysis needs of a segment. Numbers are raw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub at: At,
    pub flags: TcpFlags,
    pub seq: u32,
    pub ack: u32,
    /// Unscaled.
    pub window: u32,
    pub len: u32,
    /// Bytes in the blocks of its SACK option; they wrap.
    pub sacked: u32,
}

impl Numbers {
    fn is_control(&self) -> bool {
        self.flags.0 & (TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST) != 0
    }

    /// SYN and FIN take a place in the sequence space.
    fn phantom(&self) -> u32 {
        u32::from(self.flags.syn() || self.flags.fin())
    }

    /// The sequence number behind the bytes.
    fn end(&self) -> u32 {
        self.seq.wrapping_add(self.len)
    }

    /// The sequence number behind all.
    fn next(&self) -> u32 {
        self.end().wrapping_add(self.phantom())
    }
}

/// The highest sequence number expected next.
#[derive(Clone, Copy, Debug)]
struct Expected {
    seq: u32,
    /// The segment that set it.
    at: At,
}

impl Expected {
    /// Wireshark takes number 0 for none where it looks for what comes before it
    /// or behind it: the RST that refuses a SYN has it, which tells nothing. (In
    /// one of 2^32 segments this forgets a number that counts.)
    fn tells(&self) -> bool {
        self.seq != 0
    }
}

/// What is remembered of the segments of one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    expected: Option<Expected>,
    /// The end of the bytes that were seen without a hole.
    contiguous: Option<u32>,
    /// The last segment.
    window: Option<u32>,
    last_ack: Option<u32>,
    last_at: Option<At>,
    last: Marks,
    duplicate_acks: u32,
    /// The other side acknowledged what this side was not seen to send, and
    /// nothing told of the loss but that. Until this side's ACK number changes
    /// or repeats, this counts as many duplicate ACKs.
    unseen: bool,
    /// The latest ACK that was no duplicate.
    original_ack: Option<usize>,
    /// Its last segment has a scaled window: it is no SYN (RFC 7323, section 2.2).
    scaled: bool,
    flight: Flight,
    /// What the other side's latest segment reported to have.
    sacked: u32,
    push_bytes: u32,
    pushed: bool,
}

impl Flow {
    /// A SYN is sent again with the number of the one before: what a RST that
    /// came between did to the expectations is undone.
    pub(super) fn syn_again(&mut self) {
        if let (Some(contiguous), Some(expected)) = (self.contiguous, &mut self.expected) {
            expected.seq = contiguous;
        }
    }

    /// Gives back the memory that a connection which is over needs no more.
    pub(super) fn shrink(&mut self) {
        self.flight.shrink();
    }

    pub(super) fn forget(&mut self, store: &mut Store) {
        self.flight.clear(store);
    }
}

/// What the analysis needs of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The handshake's round-trip time.
    pub initial_rtt: Option<i64>,
    /// The same before this segment, which may be the one that tells it: by this one
    /// it is judged whether it came late, as in Wireshark.
    pub rtt_before: Option<i64>,
    /// How the windows are scaled that the segment's receiver sends.
    pub scaling: WindowScaling,
    /// The sequence number that is shown as 0.
    pub base: u32,
}

/// Judges a segment sent in direction `forward` and remembers it.
pub(super) fn analyse(
    segment: &Numbers,
    forward: &mut Flow,
    reverse: &mut Flow,
    known: &Known,
    store: &mut Store,
    seen: &mut SeenTcp,
) {
    acknowledgement(segment, forward, reverse, known.scaling, seen);
    if forward.last_ack.unwrap_or(0) != segment.ack {
        forward.original_ack = Some(segment.at.packet);
        forward.duplicate_acks = 0;
        forward.unseen = false;
    }
    let unseen = acknowledges_unseen(segment, reverse, seen);
    let carries = segment.len > 0 || segment.phantom() > 0;
    if carries && !seen.is(Marks::KEEP_ALIVE) {
        repeated_data(segment, forward, reverse, known.rtt_before, seen);
    }
    remember(segment, forward, store, seen);
    if segment.flags.ack() || segment.flags.syn() {
        reverse.flight.has_no_hole();
    }
    if let Some(acked) = reverse.flight.acknowledge(segment.ack, store) {
        let rtt = segment.at.time.since(acked.time);
        seen.acks = Some(Acks {
            packet: acked.packet,
            rtt: (rtt != 0).then_some(rtt),
        });
    }
    let counted = segment.len > 0 && in_flight(segment, forward, known.base, seen);
    reverse.sacked = segment.sacked;
    // Wireshark tells the time only beside something else that it has to say.
    if counted || unseen || seen.acks.is_some() || !seen.marks.is_empty() {
        seen.initial_rtt = known.initial_rtt;
        seen.analysed = true;
    }
}

/// The marks that depend on numbers, window, and bare presence. Of a side that was
/// not heard before, Wireshark takes both numbers for 0, which counts where a program
/// makes segments with sequence numbers from 0.
fn acknowledgement(
    segment: &Numbers,
    forward: &mut Flow,
    reverse: &mut Flow,
    scaling: WindowScaling,
    seen: &mut SeenTcp,
) {
    let expected = forward.expected.map_or(0, |e| e.seq);
    let in_place = expected == segment.seq;
    if segment.len == 1 && in_place && reverse.window == Some(0) {
        seen.marks |= Marks::ZERO_WINDOW_PROBE;
        return;
    }
    let ahead = |expected: &Expected| expected.tells() && before(expected.seq, segment.seq);
    if forward.expected.as_ref().is_some_and(ahead) && !segment.flags.rst() {
        seen.marks |= Marks::LOST_SEGMENT;
        forward.flight.has_hole();
    }
    if segment.is_control() {
        return;
    }
    if segment.window == 0 {
        seen.marks |= Marks::ZERO_WINDOW;
    }
    if segment.len <= 1 && segment.seq == expected.wrapping_sub(1) {
        seen.marks |= Marks::KEEP_ALIVE;
    }
    if segment.len > 0 && fills_window(segment, reverse, scaling) {
        seen.marks |= Marks::WINDOW_FULL;
    }
    let last_ack = forward.last_ack.unwrap_or(0);
    let repeats_ack = segment.len == 0 && in_place && last_ack == segment.ack;
    if !repeats_ack {
        return;
    }
    let same_window = forward.window == Some(segment.window);
    if !same_window && segment.window != 0 {
        seen.marks |= Marks::WINDOW_UPDATE;
    }
    if same_window && segment.window != 0 && reverse.last.has(Marks::KEEP_ALIVE) {
        seen.marks |= Marks::KEEP_ALIVE_ACK;
    } else if same_window && segment.window == 0 && reverse.last.has(Marks::ZERO_WINDOW_PROBE) {
        seen.marks |= Marks::ZERO_WINDOW_PROBE_ACK;
    } else if same_window && segment.window != 0 {
        seen.marks |= Marks::DUPLICATE_ACK;
        forward.duplicate_acks = forward.duplicate_acks.saturating_add(1);
        forward.unseen = false;
        seen.duplicate = Some(Box::new(Duplicate {
            of: forward.original_ack,
            number: forward.duplicate_acks,
        }));
    }
}

/// The segment ends where the window ends that the other side announced.
fn fills_window(segment: &Numbers, reverse: &Flow, scaling: WindowScaling) -> bool {
    let (Some(window), Some(ack)) = (reverse.window, reverse.last_ack) else {
        return false;
    };
    let shift = match scaling {
        WindowScaling::Unknown => return false,
        WindowScaling::NotUsed => 0,
        WindowScaling::Shift(_) if !reverse.scaled => 0,
        WindowScaling::Shift(shift) => shift,
    };
    segment.end() == ack.wrapping_add(window << shift)
}

/// An ACK beyond all that was seen tells of segments that were not captured.
/// Where that is not known otherwise, it is said once.
fn acknowledges_unseen(segment: &Numbers, reverse: &mut Flow, seen: &mut SeenTcp) -> bool {
    let (Some(contiguous), Some(expected)) = (reverse.contiguous, reverse.expected) else {
        return false;
    };
    if !segment.flags.ack() || !before(contiguous, segment.ack) {
        return false;
    }
    let hole = before(contiguous, expected.seq);
    if hole || (reverse.duplicate_acks == 0 && !reverse.unseen) {
        seen.marks |= Marks::ACK_LOST_SEGMENT;
    }
    if !hole {
        reverse.duplicate_acks = 0;
        reverse.unseen = true;
    }
    reverse.contiguous = Some(expected).filter(Expected::tells).map(|e| e.seq);
    true
}

/// Retransmission or reordering of bytes, SYN and FIN.
fn repeated_data(
    segment: &Numbers,
    forward: &Flow,
    reverse: &Flow,
    rtt: Option<i64>,
    seen: &mut SeenTcp,
) {
    if segment.len > 0
        && reverse
            .last_ack
            .is_some_and(|ack| ack != 0 && !before(ack, segment.end()))
    {
        // The peer has it already.
        seen.marks |= Marks::RETRANSMISSION | Marks::SPURIOUS_RETRANSMISSION;
        return;
    }
    let Some(expected) = forward.expected.filter(Expected::tells) else {
        return;
    };
    // More than a byte that starts with the last one sent: a zero-window probe
    // came before, and this is new.
    let follows_probe = segment.len > 1 && expected.seq.wrapping_sub(1) == segment.seq;
    if !before(segment.seq, expected.seq) || follows_probe {
        return;
    }
    let now = segment.at.time;
    let answers_duplicate_acks = (reverse.duplicate_acks >= 2 || reverse.unseen)
        && reverse.last_ack == Some(segment.seq)
        && reverse
            .last_at
            .is_some_and(|at| now.since(at.time) < FAST_RETRANSMISSION_WINDOW);
    if answers_duplicate_acks {
        seen.marks |= Marks::RETRANSMISSION | Marks::FAST_RETRANSMISSION;
        return;
    }
    let soon = now.since(expected.at.time) < rtt.unwrap_or(REORDERING_WINDOW);
    let closes_the_row = expected.seq == segment.next();
    if soon && !closes_the_row {
        seen.marks |= Marks::OUT_OF_ORDER;
        return;
    }
    seen.marks |= Marks::RETRANSMISSION;
    let since = forward.flight.eldest().unwrap_or(expected.at);
    let time = now.since(since.time);
    seen.rto = (time != 0).then(|| {
        Box::new(Rto {
            packet: since.packet,
            time,
        })
    });
}

fn remember(segment: &Numbers, forward: &mut Flow, store: &mut Store, seen: &SeenTcp) {
    let next = segment.next();
    let known = forward.expected.filter(Expected::tells);
    let probe = seen.is(Marks::ZERO_WINDOW_PROBE);
    // A zero-window probe's byte is not accepted, and sent again.
    if !probe {
        if known.is_none_or(|known| before(known.seq, next)) {
            forward.expected = Some(Expected {
                seq: next,
                at: segment.at,
            });
        }
        if forward.contiguous.is_none_or(|c| c == segment.seq) {
            let expected = forward.expected.filter(Expected::tells);
            forward.contiguous = expected.map(|expected| expected.seq);
        }
    }
    if segment.len > 0 || segment.phantom() > 0 {
        let unacked = Unacked {
            seq: segment.seq,
            next,
            at: segment.at,
        };
        forward.flight.sent(unacked, store);
    }
    forward.window = Some(segment.window);
    forward.scaled = !segment.flags.syn();
    forward.last_ack = Some(segment.ack);
    forward.last_at = Some(segment.at);
    forward.last = seen.marks;
}

/// Returns false where bytes may be missing among those in flight.
fn in_flight(segment: &Numbers, forward: &mut Flow, base: u32, seen: &mut SeenTcp) -> bool {
    let Some(bytes) = forward.flight.bytes(base, forward.sacked) else {
        return false;
    };
    if forward.pushed {
        forward.push_bytes = 0;
    }
    forward.pushed = segment.flags.has(TcpFlags::PSH);
    forward.push_bytes = forward.push_bytes.wrapping_add(segment.len);
    let bytes = bytes.wrapping_sub(segment.phantom());
    if (1..MAX_IN_FLIGHT).contains(&bytes) {
        seen.bytes_in_flight = bytes;
        seen.push_bytes_sent = forward.push_bytes;
    }
    true
}
