//! What was sent and is not in the capture, by the numbers in TCP's headers: a
//! segment behind it was captured, or the ACK of it was. A FIN takes a number too
//! (RFC 9293 §3.4), so that one that is missing is a hole like any other.

use crate::conversation::Ways;
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

/// What is missing of both ways of a conversation, whose packets these are.
///
/// The marks of the analysis do not tell: Wireshark's "ACKed unseen segment" is not
/// set behind duplicate ACKs, and its "previous segment not captured" not where the
/// number expected is 0.
pub fn missing(trace: &Trace, packets: &[usize]) -> Ways<Option<Missing>> {
    let mut ways: Ways<Numbers> = Ways::default();
    for &index in packets {
        let Some(tcp) = trace.packets.get(index).and_then(|packet| packet.tcp()) else {
            continue;
        };
        let seen = trace.seen.get(index);
        // What an ICMP error quotes, or a tunnel carries, is not of this conversation.
        let Some(way) = seen.filter(|s| s.tcp.is_some()).and_then(|s| s.direction) else {
            continue;
        };
        let flags = tcp.flags;
        // Whoever resets may use any number of the window.
        if flags.rst() {
            continue;
        }
        if flags.ack() {
            let other = ways.get_mut(way.opposite());
            other.reach(tcp.ack, Told::Acknowledged(index));
        }
        let own = ways.get_mut(way);
        let syn_and_fin = u32::from(flags.syn()) + u32::from(flags.fin());
        let end = tcp.seq.wrapping_add(tcp.len).wrapping_add(syn_and_fin);
        if flags.syn() {
            own.begin(tcp.seq);
        }
        own.reach(tcp.seq, Told::Behind(index));
        own.take(tcp.seq, end);
        own.fin |= flags.fin();
    }
    Ways {
        to_server: ways.to_server.missing(),
        to_client: ways.to_client.missing(),
    }
}

/// The sequence numbers of one way that were seen so far.
#[derive(Default)]
struct Numbers {
    /// That of the SYN.
    initial: Option<u32>,
    /// What is to come next. None: nothing of this way was seen.
    next: Option<u32>,
    /// Ascending.
    holes: Vec<Hole>,
    /// The first hole for which there was no room. It counts as never filled.
    crowded: Option<Told>,
    /// A FIN was captured.
    fin: bool,
}

impl Numbers {
    fn missing(self) -> Option<Missing> {
        let told = self.holes.first().map(|hole| hole.told).or(self.crowded)?;
        Some(Missing {
            told,
            may_be_end: !self.fin,
        })
    }

    /// A SYN: sent again, or of another connection on the same ports.
    fn begin(&mut self, seq: u32) {
        if self.initial != Some(seq) {
            self.initial = Some(seq);
            self.next = Some(seq);
            self.holes.clear();
            self.crowded = None;
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
            } else {
                self.crowded.get_or_insert(told);
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
    use crate::conversation::Direction;
    use crate::decode::Transport;
    use crate::expect::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};

    fn found(wire: &Wire, way: Direction) -> Option<Missing> {
        let packets: Vec<usize> = (0..wire.trace.packets.len()).collect();
        missing(&wire.trace, &packets).get(way).to_owned()
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

    /// Wireshark marks no "ACKed unseen segment" behind a duplicate ACK.
    #[test]
    fn an_ack_tells_behind_duplicate_ones() {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 12000));
        wire.handshake(c);
        wire.data(c, ToServer, b"hello");
        for _ in 0..3 {
            wire.ack(c, ToClient);
        }
        let ack = wire.ack(c, ToClient);
        change(&mut wire, ack, None, Some(1001 + 10));
        let told = found(&wire, ToServer).map(|missing| missing.told);
        assert_eq!(told, Some(Told::Acknowledged(ack)));
    }

    #[test]
    fn a_hole_for_which_there_is_no_room_counts_as_never_filled() {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 12000));
        wire.handshake(c);
        let segment = |wire: &mut Wire, n: usize| {
            let packet = wire.data(c, ToServer, b"x");
            change(wire, packet, Some(1002 + 2 * n as u32), None);
            packet
        };
        let early: Vec<usize> = (0..=WAITING).map(|n| segment(&mut wire, n)).collect();
        for n in 0..WAITING {
            let late = wire.data(c, ToServer, b"y");
            change(&mut wire, late, Some(1001 + 2 * n as u32), None);
        }
        let told = found(&wire, ToServer).map(|missing| missing.told);
        assert_eq!(told, Some(Told::Behind(early[WAITING])));
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
