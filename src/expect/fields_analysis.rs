//! Fields of the analysis of TCP: what a segment is in its conversation.

use crate::conversation::Marks;

use super::fields::{Alike, Field, FieldValue, Kind, Needs, number};
use super::fields_transport::{label, seen};

pub(super) const ANALYSIS: &[Field] = &[
    Field::new(
        "tcp.analysis",
        Kind::Label,
        "anything that the analysis says: what a segment acknowledges, what is in flight, \
         tcp.analysis.flags",
        |v, out| label(out, seen(v).is_some_and(|s| s.analysed)),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.flags",
        Kind::Label,
        "anything of note: a retransmission, a duplicate ACK, a keep-alive, …",
        |v, out| label(out, seen(v).is_some_and(|s| !s.marks.is_empty())),
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.retransmission",
        Kind::Label,
        "bytes that were sent before",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::RETRANSMISSION)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.fast_retransmission",
        Kind::Label,
        "a retransmission that answers duplicate ACKs",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::FAST_RETRANSMISSION)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.spurious_retransmission",
        Kind::Label,
        "a retransmission of what was acknowledged",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::SPURIOUS_RETRANSMISSION)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.out_of_order",
        Kind::Label,
        "bytes that arrive after later ones",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::OUT_OF_ORDER)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.lost_segment",
        Kind::Label,
        "segments before this one were not captured",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::LOST_SEGMENT)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.ack_lost_segment",
        Kind::Label,
        "acknowledges segments that were not captured",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::ACK_LOST_SEGMENT)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.duplicate_ack",
        Kind::Label,
        "the same acknowledgment again",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::DUPLICATE_ACK)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.keep_alive",
        Kind::Label,
        "asks whether the peer is still there",
        |v, out| label(out, seen(v).is_some_and(|s| s.marks.has(Marks::KEEP_ALIVE))),
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.keep_alive_ack",
        Kind::Label,
        "the answer to a keep-alive",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::KEEP_ALIVE_ACK)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.window_update",
        Kind::Label,
        "only the window changed",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::WINDOW_UPDATE)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.window_full",
        Kind::Label,
        "fills the window that the peer announced",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::WINDOW_FULL)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.zero_window",
        Kind::Label,
        "the receiver has no room",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::ZERO_WINDOW)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.zero_window_probe",
        Kind::Label,
        "one byte into a window of zero",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::ZERO_WINDOW_PROBE)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.zero_window_probe_ack",
        Kind::Label,
        "the answer to such a probe",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::ZERO_WINDOW_PROBE_ACK)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.reused_ports",
        Kind::Label,
        "a SYN on the ports of an earlier conversation",
        |v, out| {
            label(
                out,
                seen(v).is_some_and(|s| s.marks.has(Marks::REUSED_PORTS)),
            )
        },
    )
    .alike(Alike::Kind)
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.duplicate_ack_num",
        Kind::Unsigned(32),
        "how often the acknowledgment was repeated",
        |v, out| {
            out.extend(
                seen(v)
                    .and_then(|s| s.duplicate.as_ref())
                    .map(|d| number(d.number)),
            )
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.duplicate_ack_frame",
        Kind::Unsigned(32),
        "the frame that a duplicate ACK repeats",
        |v, out| {
            out.extend(
                seen(v)
                    .and_then(|s| s.duplicate.as_ref())
                    .map(|d| d.of.map_or(number(0), frame)),
            )
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.acks_frame",
        Kind::Unsigned(32),
        "the frame that this one acknowledges",
        |v, out| {
            out.extend(
                seen(v)
                    .and_then(|s| s.acks.as_ref())
                    .map(|a| frame(a.packet)),
            )
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.ack_rtt",
        Kind::Time,
        "seconds since the frame that this one acknowledges",
        |v, out| {
            out.extend(
                seen(v)
                    .and_then(|s| s.acks.as_ref())
                    .and_then(|a| a.rtt)
                    .map(number),
            )
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.initial_rtt",
        Kind::Time,
        "seconds from the SYN to the ACK of the handshake",
        |v, out| out.extend(seen(v).and_then(|s| s.initial_rtt).map(number)),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.bytes_in_flight",
        Kind::Unsigned(32),
        "bytes sent and not acknowledged, this segment's too",
        |v, out| {
            out.extend(
                seen(v)
                    .map(|s| s.bytes_in_flight)
                    .filter(|n| *n > 0)
                    .map(number),
            )
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.push_bytes_sent",
        Kind::Unsigned(32),
        "bytes sent since the last PSH",
        |v, out| {
            out.extend(
                seen(v)
                    .map(|s| s.push_bytes_sent)
                    .filter(|n| *n > 0)
                    .map(number),
            )
        },
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.rto",
        Kind::Time,
        "seconds from the first sending to this retransmission",
        |v, out| out.extend(seen(v).and_then(|s| s.rto.as_ref()).map(|r| number(r.time))),
    )
    .needs(Needs::CONVERSATION),
    Field::new(
        "tcp.analysis.rto_frame",
        Kind::Unsigned(32),
        "the frame that was sent first",
        |v, out| {
            out.extend(
                seen(v)
                    .and_then(|s| s.rto.as_ref())
                    .map(|r| frame(r.packet)),
            )
        },
    )
    .needs(Needs::CONVERSATION),
];

/// The number of the frame at an index.
fn frame(index: usize) -> FieldValue<'static> {
    number(index as u64 + 1)
}
