//! What was sent and is not in the capture, by the numbers in TCP's headers: a
//! segment behind it was captured, or the ACK of it was. A FIN takes a number too
//! (RFC 9293 §3.4), so that one that is missing is a hole like any other.

use crate::conversation::{Direction, Marks, TcpFacts};
use crate::trace::Trace;

/// So many holes may wait to be filled by segments that come late.
const WAITING: usize = 1000;

/// How it is known that something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// This packet, of the same way, stands behind it.
    Behind(usize),
    /// This packet, of the other way, acknowledges it.
    Acknowledged(usize),
}

/// What is missing of one way of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// How the first of it is known.
    pub told: Told,
    /// No FIN was captured: it may have been in there.
    pub may_be_end: bool,
}

/// Sequence numbers from `start` to before `end`.
struct Hole {
    start: u32,
    end: u32,
    told: Told,
}

/// Can anything be missing? Once both sides were seen to begin, the analysis of
/// their segments marks every hole. Asked first, as looking at all packets again
/// takes its time.
pub fn are_possible(tcp: &TcpFacts) -> bool {
    /// SYN and SYN,ACK were captured.
    const BOTH: u8 = 3;
    let lost = tcp.marks.of(Marks::LOST_SEGMENT) + tcp.marks.of(Marks::ACK_LOST_SEGMENT);
    tcp.completeness & BOTH != BOTH || lost > 0
}

/// What is missing of one way of a conversation, whose packets these are.
pub fn missing(trace: &Trace, packets: &[usize], way: Direction) -> Option<Missing> {
    let mut fin = false;
    let mut numbers = Numbers {
        initial: None,
        next: None,
        holes: Vec::new(),
    };
    for &index in packets {
        let Some(tcp) = trace.packets.get(index).and_then(|packet| packet.tcp()) else {
            continue;
        };
        let seen = trace.seen.get(index);
        // What an ICMP error quotes, or a tunnel carries, is not of this way.
        let Some(direction) = seen.filter(|s| s.tcp.is_some()).and_then(|s| s.direction) else {
            continue;
        };
        let flags = tcp.flags;
        if direction != way {
            if flags.ack() && !flags.rst() {
                numbers.reach(tcp.ack, Told::Acknowledged(index));
            }
            continue;
        }
        // Whoever resets may use any number of the window.
        if flags.rst() {
            continue;
        }
        let syn_and_fin = u32::from(flags.syn()) + u32::from(flags.fin());
        let end = tcp.seq.wrapping_add(tcp.len).wrapping_add(syn_and_fin);
        if flags.syn() {
            numbers.begin(tcp.seq);
        }
        numbers.reach(tcp.seq, Told::Behind(index));
        numbers.take(tcp.seq, end);
        fin |= flags.fin();
    }
    numbers.holes.first().map(|hole| Missing {
        told: hole.told,
        may_be_end: !fin,
    })
}

/// The sequence numbers of one way that were seen so far.
struct Numbers {
    /// That of the SYN.
    initial: Option<u32>,
    /// What is to come next. None: nothing of this way was seen.
    next: Option<u32>,
    /// Ascending.
    holes: Vec<Hole>,
}

impl Numbers {
    /// A SYN: sent again, or of another connection on the same ports.
    fn begin(&mut self, seq: u32) {
        if self.initial != Some(seq) {
            self.initial = Some(seq);
            self.next = Some(seq);
            self.holes.clear();
        }
    }

    /// All before `seq` was sent.
    fn reach(&mut self, seq: u32, told: Told) {
        let Some(next) = self.next else {
            self.next = Some(seq);
            return;
        };
        if is_before(next, seq) {
            if self.holes.len() < WAITING {
                self.holes.push(Hole {
                    start: next,
                    end: seq,
                    told,
                });
            }
            self.next = Some(seq);
        }
    }

    /// From `start` to before `end` was captured.
    fn take(&mut self, start: u32, end: u32) {
        if self.next.is_none_or(|next| is_before(next, end)) {
            self.next = Some(end);
        }
        if self.holes.is_empty() || start == end {
            return;
        }
        let holes = std::mem::take(&mut self.holes);
        for hole in holes {
            if !is_before(start, hole.end) || !is_before(hole.start, end) {
                self.holes.push(hole);
                continue;
            }
            let sides = [(hole.start, start), (end, hole.end)];
            let left = sides.into_iter().filter(|(from, to)| is_before(*from, *to));
            self.holes.extend(left.map(|(start, end)| Hole {
                start,
                end,
                told: hole.told,
            }));
        }
    }
}

/// Serial number arithmetic (RFC 1982): numbers wrap.
fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Transport;
    use crate::expect::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};

    fn found(wire: &Wire, way: Direction) -> Option<Missing> {
        let packets: Vec<usize> = (0..wire.trace.packets.len()).collect();
        missing(&wire.trace, &packets, way)
    }

    fn change(wire: &mut Wire, packet: usize, seq: Option<u32>, ack: Option<u32>) {
        let Transport::Tcp(tcp) = &mut wire.trace.packets[packet].transport else {
            panic!("a segment");
        };
        (tcp.seq, tcp.ack) = (seq.unwrap_or(tcp.seq), ack.unwrap_or(tcp.ack));
    }

    #[test]
    fn what_is_whole_has_no_hole() {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 12000));
        wire.handshake(c);
        wire.data(c, ToServer, b"hello");
        wire.ack(c, ToClient);
        wire.fin(c, ToClient);
        wire.fin(c, ToServer);
        wire.ack(c, ToClient);
        assert_eq!(
            (found(&wire, ToServer), found(&wire, ToClient)),
            (None, None)
        );
    }

    #[test]
    fn an_ack_tells_of_bytes_and_of_a_fin() {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 12000));
        wire.handshake(c);
        let ack = wire.ack(c, ToClient);
        change(&mut wire, ack, None, Some(1002));
        let hole = Missing {
            told: Told::Acknowledged(ack),
            may_be_end: true,
        };
        assert_eq!(found(&wire, ToServer), Some(hole));
        assert_eq!(found(&wire, ToClient), None);
        // A RST may say what it likes.
        let mut reset = Wire::new();
        let c = reset.tcp(CLIENT, (SERVER, 12000));
        reset.handshake(c);
        let rst = reset.segment(c, ToClient, 0x14, b"");
        change(&mut reset, rst, Some(9000), Some(9000));
        assert_eq!(
            (found(&reset, ToServer), found(&reset, ToClient)),
            (None, None)
        );
    }

    #[test]
    fn what_comes_late_fills_its_hole() {
        for comes in [false, true] {
            let mut wire = Wire::new();
            let c = wire.tcp(CLIENT, (SERVER, 12000));
            wire.handshake(c);
            let early = wire.data(c, ToServer, b"world");
            change(&mut wire, early, Some(1001 + 5), None);
            let fin = wire.fin(c, ToServer);
            change(&mut wire, fin, Some(1001 + 10), None);
            if comes {
                let late = wire.data(c, ToServer, b"hello");
                change(&mut wire, late, Some(1001), None);
            }
            let hole = Missing {
                told: Told::Behind(early),
                may_be_end: false,
            };
            assert_eq!(found(&wire, ToServer), (!comes).then_some(hole));
        }
    }
}
