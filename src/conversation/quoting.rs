//! ICMP errors and the packets they quote: what is remembered of the latest
//! packets of a conversation, so that an error finds the very one it is about.

use std::collections::VecDeque;

use crate::decode::{Net, Packet, Quoted, Transport};

/// Datagrams and segments remembered in each direction. A host answers a
/// datagram at once, if at all; TCP waits for an answer to its first segment.
const DATAGRAMS: usize = 1024;
const SEGMENTS: usize = 64;
/// Payload bytes remembered of each.
const PREFIX: usize = 24;

/// What tells one packet of a conversation from the others.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Index of the packet in the trace.
    packet: usize,
    /// `ip.id`; IPv6 has none.
    ip_id: Option<u16>,
    /// `tcp.seq_raw`.
    seq: Option<u32>,
    /// `udp.length`.
    udp_length: Option<u16>,
    prefix: [u8; PREFIX],
    prefix_len: usize,
    quoted: bool,
}

/// The latest packets that one side sent.
#[derive(Debug, Default)]
pub(super) struct Recent {
    marks: VecDeque<Mark>,
}

/// What an ICMP error was found to quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub packet: usize,
    /// No earlier error quoted it.
    pub first: bool,
}

impl Recent {
    pub(super) fn remember(&mut self, index: usize, packet: &Packet, frame: &[u8]) {
        let (seq, udp_length, bound) = match &packet.transport {
            Transport::Tcp(tcp) => (Some(tcp.seq), None, SEGMENTS),
            Transport::Udp(udp) => (None, Some(udp.length), DATAGRAMS),
            _ => return,
        };
        let (prefix, prefix_len) = prefix(packet.payload().of(frame));
        if self.marks.len() >= bound {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark {
            packet: index,
            ip_id: packet.net.as_ref().and_then(ip_id),
            seq,
            udp_length,
            prefix,
            prefix_len,
            quoted: false,
        });
    }

    /// Finds the packet that `quoted` shows. Among equal ones it is the first
    /// that no error quoted yet: errors come in the order of the packets.
    pub(super) fn find(&mut self, quoted: &Quoted, frame: &[u8]) -> Option<Found> {
        let (payload, payload_len) = prefix(quoted.payload.of(frame));
        let id = ip_id(&quoted.net);
        let matches = |mark: &Mark| {
            let common = payload_len.min(mark.prefix_len);
            agree(mark.ip_id, id)
                && agree(mark.seq, quoted.seq)
                && agree(mark.udp_length, quoted.udp_length)
                && mark.prefix.get(..common) == payload.get(..common)
        };
        let at = self
            .marks
            .iter()
            .position(|mark| !mark.quoted && matches(mark))
            .or_else(|| self.marks.iter().rposition(matches))?;
        let mark = self.marks.get_mut(at)?;
        let first = !std::mem::replace(&mut mark.quoted, true);
        Some(Found {
            packet: mark.packet,
            first,
        })
    }
}

/// Equal, as far as both are known.
fn agree<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn ip_id(net: &Net) -> Option<u16> {
    match net {
        Net::V4(ip) => Some(ip.id),
        Net::V6(_) => None,
    }
}

fn prefix(bytes: &[u8]) -> ([u8; PREFIX], usize) {
    let mut prefix = [0; PREFIX];
    let mut len = 0;
    for (to, from) in prefix.iter_mut().zip(bytes) {
        *to = *from;
        len += 1;
    }
    (prefix, len)
}
