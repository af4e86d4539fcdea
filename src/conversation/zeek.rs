//! Zeek's view of a TCP connection: the two endpoints' states, `conn_state`
//! and `history`, by the rules of `zeek -C` (checksums ignored; see
//! <https://docs.zeek.org>, conn.log). Zeek's timers are left out: a connection
//! here lasts as long as the conversation.

use crate::decode::TcpFlags;

use super::reassembly::Assembler;
use super::sequence::Positions;
use super::{ConnState, Direction, Ways};

/// A jump of a SYN or RST beyond this is not believed.
const TOO_LARGE_JUMP: i64 = 1_048_576;

/// Ports that Zeek's default scripts take for a server's
/// (`likely_server_ports`, TCP).
const LIKELY_SERVER_PORTS: &[u16] = &[
    21, 22, 23, 25, 53, 80, 81, 88, 102, 110, 135, 139, 143, 389, 443, 445, 502, 513, 514, 563,
    585, 587, 614, 631, 636, 989, 990, 992, 993, 995, 1080, 1433, 1434, 1883, 2811, 3128, 3268,
    3306, 3389, 5060, 5222, 5223, 5269, 5432, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888,
    20000,
];

/// Ports of UDP that Zeek's default scripts know a protocol at, those of servers
/// alone: what a server sends unasked goes from there as well (SNMP, DHCP).
const LIKELY_UDP_SERVER_PORTS: &[u16] =
    &[53, 67, 88, 123, 137, 161, 443, 514, 1812, 5060, 5353, 5355];

/// Does a datagram with no other before it come from the server? Both ends may
/// use the same port (NTP, multicast DNS): then it comes from the client.
pub(super) fn datagram_likely_from_server(src_port: u16, dst_port: u16) -> bool {
    let likely = |port| LIKELY_UDP_SERVER_PORTS.contains(&port);
    likely(src_port) && !likely(dst_port)
}

/// In a connection whose start was not captured: does the first segment come
/// from the server?
pub(super) fn likely_from_server(src_port: u16, dst_port: u16, syn: bool) -> bool {
    let likely = |port| LIKELY_SERVER_PORTS.contains(&port);
    likely(src_port) && (!likely(dst_port) || (!syn && src_port < dst_port))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Inactive,
    SynSent,
    SynAckSent,
    Partial,
    Established,
    Closed,
    Reset,
}

/// A letter that is written at the first, tenth, hundredth … occasion.
#[derive(Clone, Copy, Debug, Default)]
struct Scaled(u64);

impl Scaled {
    fn is_due(&mut self) -> bool {
        self.0 += 1;
        let mut rest = self.0;
        while rest.is_multiple_of(10) {
            rest /= 10;
        }
        rest == 1
    }
}

#[derive(Debug, Default)]
struct Endpoint {
    state: State,
    previous: State,
    /// Positions count from the SYN.
    positions: Option<Positions>,
    /// The highest position sent, and acknowledged by the peer.
    last: i64,
    acked: i64,
    fin: Option<i64>,
    fins: u32,
    /// Letters that are written once: a bit for each, `A` the lowest.
    written: u32,
    last_syn: Option<i64>,
    last_fin: Option<i64>,
    last_rst: Option<i64>,
    retransmissions: Scaled,
    zero_windows: Scaled,
    gaps: Scaled,
    /// The stream offset up to which gaps were looked for.
    delivered: u64,
}

impl Endpoint {
    fn set(&mut self, state: State) {
        if state != self.state {
            self.previous = self.state;
            self.state = state;
        }
    }

    fn start(&mut self, isn: u32) {
        self.positions = Some(Positions::new(isn));
        self.last = 0;
        self.acked = 0;
    }

    fn position(&self, seq: u32) -> i64 {
        self.positions.map_or(0, |p| p.of(seq))
    }

    /// Zeek's size of the stream, by sequence numbers.
    fn size(&self) -> i64 {
        let phantoms = 1 + i64::from(self.fins > 0);
        (self.last.max(self.acked) - phantoms).max(0)
    }

    /// Written once: returns whether the letter's kind was there before.
    fn seen_before(&mut self, kind: u8) -> bool {
        let letter = 1u32 << (kind.wrapping_sub(b'A') & 31);
        let seen = self.written & letter != 0;
        self.written |= letter;
        seen
    }

    fn is_clean(&self) -> bool {
        self.state == State::Established
            || (self.state == State::Closed && self.previous == State::Established)
    }
}

/// What Zeek looks at in a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub flags: TcpFlags,
    pub seq: u32,
    pub ack: u32,
    pub window: u16,
    pub len: u32,
}

#[derive(Debug)]
pub(super) struct Zeek {
    ends: Ways<Endpoint>,
    /// The way that Zeek's originator sends.
    originator: Direction,
    history: String,
}

impl Zeek {
    /// `originator`: the way of the packets of who Zeek takes for the
    /// originator. `flipped`: that is not who sent the first packet.
    pub(super) fn new(originator: Direction, flipped: bool) -> Zeek {
        let mut history = String::new();
        if flipped {
            history.push('^');
        }
        Zeek {
            ends: Ways::default(),
            originator,
            history,
        }
    }

    pub(super) fn history(&self) -> &str {
        &self.history
    }

    pub(super) fn segment(&mut self, look: &Look, way: Direction, peer_stream: &Assembler) {
        let position = self.place(look, way);
        self.flag_letters(look, way, position);
        self.window_letter(look, way);
        let segment_len = if look.flags.rst() { 0 } else { look.len }
            + u32::from(look.flags.syn())
            + u32::from(look.flags.fin());
        let past = position + i64::from(segment_len);
        let end = self.ends.get_mut(way);
        if look.flags.fin() {
            end.fins += 1;
            end.fin = Some(past);
        }
        let acked = self.acknowledge(look, way);
        self.advance(look, way, past);
        self.transition(look, way);
        if let Some(acked) = acked {
            self.gap_letter(way.opposite(), acked, peer_stream);
        }
    }

    /// `conn_state`.
    pub(super) fn state(&self) -> ConnState {
        let orig = self.ends.get(self.originator);
        let resp = self.ends.get(self.originator.opposite());
        let (os, rs) = (orig.state, resp.state);
        let absent = |s| matches!(s, State::Inactive | State::Partial);
        match (os, rs) {
            (State::SynSent | State::SynAckSent, State::Reset) => ConnState::REJ,
            (State::Reset, State::Reset) if orig.size() == 0 && resp.size() == 0 => ConnState::REJ,
            (o, State::Reset) if absent(o) => ConnState::RSTRH,
            (_, State::Reset) => ConnState::RSTR,
            (State::Reset, r) if absent(r) && self.is_aborted_attempt() => ConnState::RSTOS0,
            (State::Reset, r) if absent(r) => ConnState::OTH,
            (State::Reset, _) => ConnState::RSTO,
            (State::Closed, State::Closed) => ConnState::SF,
            (State::Closed, r) if absent(r) => ConnState::SH,
            (State::Closed, _) => ConnState::S2,
            (o, State::Closed) if absent(o) => ConnState::SHR,
            (_, State::Closed) => ConnState::S3,
            (State::SynSent, State::Inactive) => ConnState::S0,
            (State::Established, State::Established) => ConnState::S1,
            _ => ConnState::OTH,
        }
    }

    /// A SYN, then a RST, and nothing of an established connection between.
    fn is_aborted_attempt(&self) -> bool {
        let history = self.history.strip_prefix('^').unwrap_or(&self.history);
        history
            .strip_prefix('S')
            .and_then(|rest| rest.find('R').and_then(|at| rest.get(..at)))
            .is_some_and(|between| !between.contains(['H', 'A', 'F', 'G', 'I', 'Q']))
    }

    fn write(&mut self, letter: char, way: Direction) {
        self.history.push(if way == self.originator {
            letter
        } else {
            letter.to_ascii_lowercase()
        });
    }

    /// The segment's position; the first one of an endpoint says where its
    /// numbers start.
    fn place(&mut self, look: &Look, way: Direction) -> i64 {
        let end = self.ends.get_mut(way);
        let syn = look.flags.syn();
        let starts = match end.state {
            State::Inactive => true,
            State::SynSent | State::SynAckSent => syn && end.position(look.seq) != 0,
            State::Established | State::Partial => syn,
            State::Reset => syn && end.previous == State::Inactive,
            State::Closed => false,
        };
        if starts {
            // Without a SYN the numbers count as though there had been one.
            end.start(look.seq.wrapping_sub(u32::from(!syn)));
            // The first packet is no retransmission.
            end.last = i64::from(!syn);
        }
        end.position(look.seq)
    }

    fn flag_letters(&mut self, look: &Look, way: Direction, position: i64) {
        let flags = look.flags;
        let control = u8::from(flags.syn()) + u8::from(flags.fin()) + u8::from(flags.rst());
        let end = self.ends.get_mut(way);
        let letter = if control > 1 {
            let letter = if flags.fin() && flags.rst() { 'I' } else { 'Q' };
            (!end.seen_before(letter as u8)).then_some(letter)
        } else if flags.syn() {
            let letter = if flags.ack() { 'H' } else { 'S' };
            let again = end.seen_before(b'S') && end.last_syn == Some(position);
            end.last_syn = Some(position);
            (!again).then_some(letter)
        } else if flags.fin() {
            let at = position + i64::from(look.len);
            let again = end.seen_before(b'F') && end.last_fin == Some(at);
            end.last_fin = Some(at);
            (!again).then_some('F')
        } else if flags.rst() {
            let again = end.seen_before(b'R') && end.last_rst == Some(position);
            end.last_rst = Some(position);
            (!again).then_some('R')
        } else if look.len > 0 {
            (!end.seen_before(b'D')).then_some('D')
        } else if flags.ack() {
            (!end.seen_before(b'A')).then_some('A')
        } else {
            None
        };
        if let Some(letter) = letter {
            self.write(letter, way);
        }
    }

    fn window_letter(&mut self, look: &Look, way: Direction) {
        let peer_closed = self.ends.get(way.opposite()).state == State::Closed;
        let end = self.ends.get_mut(way);
        if look.window == 0
            && !look.flags.rst()
            && !peer_closed
            && end.state != State::Reset
            && end.zero_windows.is_due()
        {
            self.write('W', way);
        }
    }

    /// Returns the position that the segment acknowledges.
    fn acknowledge(&mut self, look: &Look, way: Direction) -> Option<i64> {
        if !look.flags.ack() {
            return None;
        }
        let peer = self.ends.get_mut(way.opposite());
        if peer.state == State::Inactive {
            peer.start(look.ack.wrapping_sub(1));
            return Some(1);
        }
        let acked = peer.position(look.ack);
        let broken = look.ack == 0 && acked - peer.acked > TOO_LARGE_JUMP;
        if !look.flags.rst() && !broken && acked > peer.acked {
            peer.acked = acked;
        }
        Some(acked.max(0))
    }

    fn advance(&mut self, look: &Look, way: Direction, past: i64) {
        let end = self.ends.get_mut(way);
        let step = past - end.last;
        let control = look.flags.syn() || look.flags.rst();
        if control && step.abs() > TOO_LARGE_JUMP {
            // A forged or broken number.
            return;
        }
        if (look.flags.fin() && end.last == 1) || (end.state != State::Reset && step > 0) {
            end.last = past;
            if let Some(positions) = &mut end.positions {
                positions.saw(look.seq.wrapping_add(look.len));
            }
        } else if end.state != State::Reset && look.len > 0 && end.retransmissions.is_due() {
            self.write('T', way);
        }
    }

    fn transition(&mut self, look: &Look, way: Direction) {
        match self.ends.get(way).state {
            State::Inactive => self.leave_inactive(look, way),
            State::SynSent | State::SynAckSent => {
                let end = self.ends.get_mut(way);
                if look.flags.fin() {
                    end.set(State::Closed);
                }
                if look.flags.rst() {
                    end.set(State::Reset);
                }
            }
            State::Established | State::Partial => self.leave_established(look, way),
            State::Closed => {
                // A RST after an exchange of FINs says nothing new.
                if look.flags.rst() && self.ends.get(way.opposite()).state != State::Closed {
                    self.ends.get_mut(way).set(State::Reset);
                }
            }
            State::Reset => {}
        }
    }

    fn leave_inactive(&mut self, look: &Look, way: Direction) {
        let is_originator = way == self.originator;
        let flags = look.flags;
        if flags.syn() && is_originator {
            let state = if flags.ack() {
                State::SynAckSent
            } else {
                State::SynSent
            };
            self.ends.get_mut(way).set(state);
        } else if flags.syn() {
            self.responder_syn(look, way);
        }
        if flags.fin() {
            self.ends.get_mut(way).set(State::Closed);
        }
        if flags.rst() {
            self.ends.get_mut(way).set(State::Reset);
        }
        if self.ends.get(way).state != State::Inactive {
            return;
        }
        let peer = self.ends.get(way.opposite()).state;
        if !is_originator && look.len == 0 && peer == State::SynSent {
            // Some hosts acknowledge a SYN before they answer it.
            return;
        }
        let missed_syn = flags.ack() && peer == State::Established;
        self.ends.get_mut(way).set(if missed_syn {
            State::Established
        } else {
            State::Partial
        });
    }

    fn responder_syn(&mut self, look: &Look, way: Direction) {
        let peer = self.ends.get_mut(way.opposite());
        if !look.flags.ack() && peer.state == State::SynAckSent {
            // The SYN,ACK was captured before its SYN.
            peer.set(State::Established);
            self.originator = way;
            self.history.push('^');
        } else if peer.state == State::SynSent {
            peer.set(State::Established);
        }
        self.ends.get_mut(way).set(State::Established);
    }

    fn leave_established(&mut self, look: &Look, way: Direction) {
        let peer = self.ends.get_mut(way.opposite());
        let peer_inactive = peer.state == State::Inactive;
        if look.flags.fin()
            && !look.flags.rst()
            && peer.state == State::Reset
            && peer.previous == State::Closed
        {
            // FIN, RST, FIN: a normal end after all.
            peer.set(State::Closed);
        }
        let end = self.ends.get_mut(way);
        if look.flags.syn() && !look.flags.ack() && end.state == State::Partial && peer_inactive {
            end.set(State::SynSent);
        }
        if look.flags.rst() {
            end.set(State::Reset);
        } else if look.flags.fin() {
            end.set(State::Closed);
        }
    }

    /// A `G` where the peer of `way` acknowledged bytes that were not captured.
    fn gap_letter(&mut self, way: Direction, acked: i64, stream: &Assembler) {
        let clean = self.ends.get(way).is_clean() && self.ends.get(way.opposite()).is_clean();
        let end = self.ends.get_mut(way);
        let acked = match end.fin {
            Some(fin) if acked >= fin => fin - 1,
            _ => acked,
        };
        // Position 1 is the stream's offset 0.
        let Ok(to) = u64::try_from(acked - 1) else {
            return;
        };
        let holes = stream.holes(end.delivered, to);
        end.delivered = end.delivered.max(to);
        for _ in 0..holes {
            if clean && self.ends.get_mut(way).gaps.is_due() {
                self.write('G', way);
            }
        }
    }
}
