//! One row of the packet list, and one arrow of the ladder.

use std::borrow::Cow;

use serde::Serialize;

use crate::conversation::{Direction, Marks};
use crate::decode::{Packet, TcpFlags, Transport};
use crate::render::terminal::inspect::{ends, info, protocol};
use crate::report;
use crate::trace::Trace;

/// One packet, in a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// `frame.number`.
    pub number: u64,
    /// Seconds since the capture's first packet. None: one of them has no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// Address, with the port where there is one.
    pub src: String,
    pub dst: String,
    /// The roles of the ends, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    pub protocol: &'static str,
    /// Bytes on the wire.
    pub length: u32,
    /// What it says, in the words that people know from Wireshark.
    pub info: String,
    pub kind: Kind,
    /// Index of its conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<Direction>,
    /// What the analysis says of it, by Wireshark's names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<&'static str>,
    /// `frame.number` of the packet that an ICMP error quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotes: Option<u64>,
}

/// What stands out in a packet, which decides how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Syn,
    Fin,
    Reset,
    /// It carries bytes.
    Data,
    /// It only acknowledges.
    Ack,
    /// An ICMP error.
    Error,
    Malformed,
    Other,
}

/// None for an index out of range.
pub fn row(trace: &Trace, index: usize) -> Option<Row> {
    let packet = trace.packets.get(index)?;
    let shown = report::Packet::of(trace, index)?;
    let (src, dst) = ends(&shown);
    let seen = trace.seen.get(index);
    let marks = seen.and_then(|seen| seen.tcp.as_ref()).map(|tcp| tcp.marks);
    Some(Row {
        number: packet.number,
        time: shown.frame.time_relative.map(|time| time.nearest()),
        src,
        dst,
        protocol: protocol(&shown),
        length: packet.len,
        info: info(&shown),
        kind: kind(packet),
        conversation: seen.and_then(|seen| seen.conversation),
        way: seen.and_then(|seen| seen.direction),
        marks: names(marks.unwrap_or_default()),
        quotes: seen
            .and_then(|seen| trace.packets.get(seen.quotes?))
            .map(|quoted| quoted.number),
        from: shown.from.map(Cow::into_owned),
        to: shown.to.map(Cow::into_owned),
    })
}

fn names(marks: Marks) -> Vec<&'static str> {
    let set = Marks::NAMES.iter().filter(|(mark, _)| marks.has(*mark));
    set.map(|(_, name)| *name).collect()
}

fn kind(packet: &Packet) -> Kind {
    if matches!(
        packet.trouble,
        Some(crate::decode::Trouble::Malformed { .. })
    ) {
        return Kind::Malformed;
    }
    match &packet.transport {
        Transport::Tcp(tcp) if tcp.flags.rst() => Kind::Reset,
        Transport::Tcp(tcp) if tcp.flags.syn() => Kind::Syn,
        Transport::Tcp(tcp) if tcp.flags.fin() => Kind::Fin,
        Transport::Tcp(tcp) if tcp.len > 0 => Kind::Data,
        Transport::Tcp(tcp) if tcp.flags.has(TcpFlags::ACK) => Kind::Ack,
        Transport::Udp(_) => Kind::Data,
        Transport::Icmp(icmp) | Transport::Icmpv6(icmp) if icmp.quoted.is_some() => Kind::Error,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let len = (body.len() as u32 + 12).to_le_bytes();
        [&kind.to_le_bytes(), &len, body, &len].concat()
    }

    /// Regression: it stood in the page at the beginning, at 0.
    #[test]
    fn a_packet_of_a_simple_packet_block_has_no_time() {
        let section = [0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0].into_iter();
        let section: Vec<u8> = section.chain([0xFF; 8]).collect();
        let frame = [0; 16];
        let enhanced = [
            &[0; 8][..],
            &[9, 0, 0, 0],
            &[16, 0, 0, 0, 16, 0, 0, 0],
            &frame,
        ];
        let file = [
            block(0x0A0D_0D0A, &section),
            block(1, &[1, 0, 0, 0, 0, 0, 0, 0]),
            block(6, &enhanced.concat()),
            block(3, &[&[16, 0, 0, 0][..], &frame].concat()),
        ];
        let trace = crate::trace::read(file.concat().as_slice(), "x.pcapng", None).unwrap();
        let times: Vec<_> = (0..2)
            .map(|index| row(&trace, index).unwrap().time)
            .collect();
        assert_eq!(times, [Some(0.0), None]);
    }
}
