//! ICMP errors and the packets they quote: what is remembered of the latest
//! packets, so that an error finds the very one it is about.

use crate::decode::{Net, Packet, Quoted, Transport};

/// Datagrams and segments of one way of a conversation among which an error
/// looks for the one it quotes. A host answers a datagram at once, if at all;
/// TCP waits for an answer to its first segment.
const DATAGRAMS: usize = 1024;
const SEGMENTS: usize = 64;
/// Payload bytes remembered of a datagram.
const PREFIX: usize = 16;

/// What tells one packet of a conversation from the others.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Index of the packet in the capture.
    packet: usize,
    /// The mark before it of the same way of the same conversation.
    before: Latest,
    /// Of a datagram.
    prefix: [u8; PREFIX],
    /// `tcp.seq_raw` or `udp.length`.
    number: u32,
    /// `ip.id`; IPv6 has none.
    ip_id: Option<u16>,
    prefix_len: u8,
    quoted: bool,
}

/// The latest mark of one way of a conversation: how many marks were made
/// until then. 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Latest(u64);

/// The latest packets of all conversations.
#[derive(Debug)]
pub(super) struct Recent {
    /// A ring.
    marks: Vec<Mark>,
    /// Where the next mark goes.
    next: usize,
    made: u64,
    limit: usize,
}

/// What an ICMP error was found to quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub packet: usize,
    /// No earlier error quoted it.
    pub first: bool,
}

impl Recent {
    /// `limit`: the packets that are remembered.
    pub(super) fn new(limit: usize) -> Recent {
        Recent {
            marks: Vec::new(),
            next: 0,
            made: 0,
            limit: limit.max(1),
        }
    }

    /// Remembers a packet. `latest` is of its way of its conversation.
    pub(super) fn remember(
        &mut self,
        latest: &mut Latest,
        index: usize,
        packet: &Packet,
        frame: &[u8],
    ) {
        let mut mark = Mark {
            packet: index,
            before: *latest,
            prefix: [0; PREFIX],
            number: 0,
            ip_id: packet.net.as_ref().and_then(ip_id),
            prefix_len: 0,
            quoted: false,
        };
        match &packet.transport {
            Transport::Tcp(tcp) => mark.number = tcp.seq,
            Transport::Udp(udp) => {
                mark.number = udp.length.into();
                let payload = prefix(udp.payload.of(frame));
                mark.prefix_len = payload.len() as u8;
                for (to, from) in mark.prefix.iter_mut().zip(payload) {
                    *to = *from;
                }
            }
            _ => return,
        }
        match self.marks.get_mut(self.next) {
            Some(old) => *old = mark,
            None => self.marks.push(mark),
        }
        self.next += 1;
        if self.next == self.limit {
            self.next = 0;
        }
        self.made += 1;
        *latest = Latest(self.made);
    }

    /// The place of a mark, unless later ones took it.
    fn place(&self, mark: Latest) -> Option<usize> {
        let number = mark.0.checked_sub(1)?;
        let kept = self.made - number <= self.limit as u64;
        kept.then_some((number % self.limit as u64) as usize)
    }

    /// Finds the packet that `quoted` shows. Among equal ones it is the first
    /// that no error quoted yet: errors come in the order of the packets.
    pub(super) fn find(&mut self, latest: Latest, quoted: &Quoted, frame: &[u8]) -> Option<Found> {
        let payload = prefix(quoted.payload.of(frame));
        let id = ip_id(&quoted.net);
        let number = quoted.seq.or(quoted.udp_length.map(u32::from));
        let bound = if quoted.seq.is_some() {
            SEGMENTS
        } else {
            DATAGRAMS
        };
        let matches = |mark: &Mark| {
            let known = mark.prefix.get(..mark.prefix_len.into()).unwrap_or(&[]);
            let common = payload.len().min(known.len());
            agree(mark.ip_id, id)
                && agree(Some(mark.number), number)
                && known.get(..common) == payload.get(..common)
        };
        let (mut unquoted, mut again) = (None, None);
        let mut next = self.place(latest);
        for _ in 0..bound {
            let Some((place, mark)) = next.and_then(|at| Some((at, self.marks.get(at)?))) else {
                break;
            };
            if matches(mark) {
                if mark.quoted {
                    again.get_or_insert(place);
                } else {
                    unquoted = Some(place);
                }
            }
            next = self.place(mark.before);
        }
        let mark = self.marks.get_mut(unquoted.or(again)?)?;
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

fn prefix(bytes: &[u8]) -> &[u8] {
    bytes.get(..PREFIX).unwrap_or(bytes)
}
