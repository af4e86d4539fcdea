//! Sequence analysis of TCP segments: Wireshark's `tcp.analysis.*` flags by
//! the definitions of its User's Guide ("TCP Analysis"), as version 4.0 applies
//! them.

use crate::decode::TcpFlags;
use crate::savefile::Timestamp;

use super::sequence::before;

/// Segments that come sooner than this after the highest number seen may be
/// reordered ones, where no round-trip time is known.
const REORDERING_WINDOW: i64 = 3_000_000;
/// A segment that answers duplicate ACKs within this time is a fast retransmission.
const FAST_RETRANSMISSION_WINDOW: i64 = 20_000_000;

/// What the analysis needs of a segment. Numbers are raw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub time: Timestamp,
    pub flags: TcpFlags,
    pub seq: u32,
    pub ack: u32,
    /// Unscaled.
    pub window: u32,
    pub len: u32,
}

impl Numbers {
    fn is_control(&self) -> bool {
        self.flags.0 & (TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST) != 0
    }

    /// SYN and FIN take a place in the sequence space.
    fn phantom(&self) -> u32 {
        u32::from(self.flags.syn() || self.flags.fin())
    }
}

/// What is said of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub retransmission: bool,
    pub out_of_order: bool,
    pub duplicate_ack: bool,
    pub keep_alive: bool,
    pub keep_alive_ack: bool,
    pub window_update: bool,
    pub zero_window: bool,
    pub zero_window_probe: bool,
    pub zero_window_probe_ack: bool,
}

/// What is remembered of the segments of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// The highest sequence number expected next, and when it was set.
    next_seq: Option<(u32, Timestamp)>,
    /// The end of the bytes that were seen without a hole.
    contiguous: Option<u32>,
    /// The last segment.
    window: Option<u32>,
    last_ack: Option<u32>,
    last_time: Timestamp,
    last: Verdict,
    duplicate_acks: u32,
}

impl Flow {
    /// A SYN is sent again with the number of the one before: what a RST that
    /// came between did to the expectations is undone.
    pub(super) fn syn_again(&mut self) {
        if let (Some(contiguous), Some((_, time))) = (self.contiguous, self.next_seq) {
            self.next_seq = Some((contiguous, time));
        }
    }
}

/// Judges a segment sent in direction `forward` and remembers it.
/// `initial_rtt` is the handshake's round-trip time, where known.
pub(super) fn analyse(
    segment: &Numbers,
    forward: &mut Flow,
    reverse: &mut Flow,
    initial_rtt: Option<i64>,
) -> Verdict {
    let mut verdict = Verdict::default();
    acknowledgement(segment, forward, reverse, &mut verdict);
    if forward.last_ack != Some(segment.ack) {
        forward.duplicate_acks = 0;
    }
    acknowledges_unseen(segment, reverse);
    if (segment.len > 0 || segment.phantom() > 0) && !verdict.keep_alive {
        repeated_data(segment, forward, reverse, initial_rtt, &mut verdict);
    }
    remember(segment, forward, verdict);
    verdict
}

/// The flags that depend on ACK number, window, and bare presence.
fn acknowledgement(segment: &Numbers, forward: &Flow, reverse: &Flow, verdict: &mut Verdict) {
    let expected = forward.next_seq.map(|(seq, _)| seq);
    let in_place = expected == Some(segment.seq);
    if segment.len == 1 && in_place && reverse.window == Some(0) {
        verdict.zero_window_probe = true;
        return;
    }
    if segment.is_control() {
        return;
    }
    verdict.zero_window = segment.window == 0;
    verdict.keep_alive =
        segment.len <= 1 && expected.is_some_and(|next| segment.seq == next.wrapping_sub(1));
    let repeats_ack = segment.len == 0 && in_place && forward.last_ack == Some(segment.ack);
    if !repeats_ack {
        return;
    }
    let same_window = forward.window == Some(segment.window);
    if !same_window {
        verdict.window_update = segment.window != 0;
    } else if segment.window != 0 {
        verdict.keep_alive_ack = reverse.last.keep_alive;
        verdict.duplicate_ack = !verdict.keep_alive_ack;
    } else {
        verdict.zero_window_probe_ack = reverse.last.zero_window_probe;
    }
}

/// An ACK beyond all that was seen tells of segments that were not captured.
fn acknowledges_unseen(segment: &Numbers, reverse: &mut Flow) {
    if let (Some(contiguous), Some((next, _))) = (reverse.contiguous, reverse.next_seq)
        && segment.flags.ack()
        && before(contiguous, segment.ack)
        && before(contiguous, next)
    {
        reverse.contiguous = Some(next);
    }
}

/// Retransmission or reordering of bytes, SYN and FIN.
fn repeated_data(
    segment: &Numbers,
    forward: &Flow,
    reverse: &Flow,
    initial_rtt: Option<i64>,
    verdict: &mut Verdict,
) {
    let end = segment.seq.wrapping_add(segment.len);
    if segment.len > 0
        && reverse
            .last_ack
            .is_some_and(|ack| ack != 0 && !before(ack, end))
    {
        // The peer has it already: a spurious retransmission.
        verdict.retransmission = true;
        return;
    }
    let Some((next, set_at)) = forward.next_seq else {
        return;
    };
    // More than a byte that starts with the last one sent: a zero-window probe
    // came before, and this is new.
    let follows_probe = segment.len > 1 && next.wrapping_sub(1) == segment.seq;
    if !before(segment.seq, next) || follows_probe {
        return;
    }
    let answers_duplicate_acks = reverse.duplicate_acks >= 2
        && reverse.last_ack == Some(segment.seq)
        && segment.time.since(reverse.last_time) < FAST_RETRANSMISSION_WINDOW;
    let soon = segment.time.since(set_at) < initial_rtt.unwrap_or(REORDERING_WINDOW);
    let closes_the_row = next == end.wrapping_add(segment.phantom());
    verdict.out_of_order = !answers_duplicate_acks && soon && !closes_the_row;
    verdict.retransmission = !verdict.out_of_order;
}

fn remember(segment: &Numbers, forward: &mut Flow, verdict: Verdict) {
    let next = segment
        .seq
        .wrapping_add(segment.len)
        .wrapping_add(segment.phantom());
    let known = forward.next_seq.map(|(seq, _)| seq);
    // A zero-window probe's byte is not accepted, and sent again.
    if !verdict.zero_window_probe {
        if known.is_none_or(|known| before(known, next)) {
            // The RST that refuses a SYN has number 0, which tells nothing.
            // (In one of 2^32 segments this forgets a number that counts, as
            // Wireshark does.)
            forward.next_seq = (next != 0).then_some((next, segment.time));
        }
        if forward.contiguous.is_none_or(|c| c == segment.seq) {
            forward.contiguous = forward.next_seq.map(|(seq, _)| seq);
        }
    }
    if verdict.duplicate_ack {
        forward.duplicate_acks += 1;
    }
    forward.window = Some(segment.window);
    forward.last_ack = Some(segment.ack);
    forward.last_time = segment.time;
    forward.last = verdict;
}
