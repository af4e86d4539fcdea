//! What is plotted of a TCP connection: sequence numbers and round trips over
//! time.

use serde::Serialize;

use crate::conversation::{ConversationIndex, Direction};
use crate::trace::Trace;

/// The points of one connection, in the order of the capture.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Series {
    pub points: Vec<Point>,
    /// Not every packet is a point: there were more than are plotted.
    pub thinned: bool,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// `frame.number`.
    pub packet: u64,
    /// Seconds since the connection's first packet.
    pub time: f64,
    pub way: Direction,
    /// `tcp.seq` and `tcp.nxtseq`, relative.
    pub seq: u32,
    pub next: u32,
    /// `tcp.ack`, relative. Absent without ACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<u32>,
    /// Milliseconds between the segment that it acknowledges and itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// It was sent before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// So many points are enough for any screen.
const MOST: usize = 20_000;

pub fn series(trace: &Trace, conversation: ConversationIndex) -> Series {
    let own = |index: &usize| {
        let seen = trace.seen.get(*index);
        seen.is_some_and(|seen| seen.conversation == Some(conversation) && seen.tcp.is_some())
    };
    let all: Vec<usize> = (0..trace.packets.len()).filter(own).collect();
    let step = all.len().div_ceil(MOST).max(1);
    let points = all.iter().enumerate().filter_map(|(place, &index)| {
        let point = point(trace, index)?;
        // What was sent again is what the plot is looked at for.
        (place % step == 0 || point.again).then_some(point)
    });
    Series {
        points: points.collect(),
        thinned: step > 1,
    }
}

fn point(trace: &Trace, index: usize) -> Option<Point> {
    let packet = trace.packets.get(index)?;
    let seen = trace.seen.get(index)?;
    let tcp = seen.tcp.as_ref().filter(|_| packet.time.is_known())?;
    Some(Point {
        packet: packet.number,
        time: tcp.time_relative as f64 / 1e9,
        way: seen.direction?,
        seq: tcp.seq,
        next: tcp.next_seq,
        ack: packet.tcp()?.flags.ack().then_some(tcp.ack),
        rtt_ms: tcp
            .acks
            .and_then(|acks| acks.rtt)
            .map(|rtt| rtt as f64 / 1e6),
        again: tcp.is(crate::conversation::Marks::RETRANSMISSION),
    })
}
