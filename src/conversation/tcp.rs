//! One TCP connection, segment by segment: relative numbers, handshake, close,
//! completeness; with the analysis, Zeek's view and the streams beside it.

use std::ops::Range;

use crate::decode::TcpFlags;
use crate::savefile::Timestamp;

use super::analysis::{self, Flow, Known, Numbers};
use super::reassembly::{Assembler, Piece, Store};
use super::receiver::Outlet;
use super::sequence::{Positions, before};
use super::zeek::{self, Zeek};
use super::{
    At, Close, Direction, MarkCounts, Marks, Offered, Receiver, SeenTcp, SideFacts, TcpFacts, Ways,
    WindowScaling,
};

/// Wireshark's bits of `tcp.completeness`.
mod completeness {
    pub const SYN: u8 = 1;
    pub const SYN_ACK: u8 = 2;
    pub const ACK: u8 = 4;
    pub const DATA: u8 = 8;
    pub const FIN: u8 = 16;
    pub const RST: u8 = 32;
}

#[derive(Clone, Copy, Debug, Default)]
struct Completeness {
    all: u8,
    /// What Wireshark shows of it in its first pass.
    in_one_pass: u8,
}

/// A shift beyond this is read as this (RFC 7323, section 2.3).
const MAX_WINDOW_SHIFT: u8 = 14;

/// A segment as the connection needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub at: At,
    pub flags: TcpFlags,
    pub seq: u32,
    pub ack: u32,
    /// Unscaled.
    pub window: u16,
    /// Of a SYN.
    pub offered: Offered,
    /// It is a SYN, and another connection had the ports.
    pub reuses_ports: bool,
    /// Bytes in the blocks of its SACK option; they wrap.
    pub sacked: u32,
    /// The length of its header is no wrong one: there is something to say of it.
    pub sound: bool,
    /// Payload bytes on the wire.
    pub len: u32,
    /// Those that were captured.
    pub data: &'a [u8],
}

impl Segment<'_> {
    pub(super) fn is_syn(&self) -> bool {
        self.flags.syn() && !self.flags.ack()
    }

    pub(super) fn is_syn_ack(&self) -> bool {
        self.flags.syn() && self.flags.ack()
    }
}

/// One side's half of the state: of what it sends.
#[derive(Debug, Default)]
struct Side {
    /// The sequence number that is shown as 0.
    base: Option<u32>,
    positions: Option<Positions>,
    /// The initial sequence number, from a SYN.
    isn: Option<u32>,
    /// Bytes that the SYN carried (TCP Fast Open).
    syn_len: u32,
    /// The position of its FIN, once it was seen.
    fin: Option<i64>,
    /// Its latest segment, by its place in the capture.
    heard: Option<usize>,
    /// The highest number that it acknowledged, and since when.
    acked: Option<(u32, At)>,
    scale: WindowScaling,
    flow: Flow,
    stream: Assembler,
    facts: SideFacts,
}

impl Side {
    fn relative(&self, seq: u32) -> u32 {
        seq.wrapping_sub(self.base.unwrap_or(0))
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    sides: Ways<Side>,
    zeek: Zeek,
    /// The first segment's time, and the latest one's.
    started: Timestamp,
    latest: Timestamp,
    /// None before the first segment.
    completeness: Option<Completeness>,
    latest_syn: Option<Timestamp>,
    /// Wireshark's `tcp.analysis.initial_rtt`: to the first ACK of any kind.
    initial_rtt: Option<i64>,
    handshake_rtt: Option<i64>,
    handshake_done: bool,
    first_fin: Option<Direction>,
    reset: Option<Direction>,
    marks: MarkCounts,
}

/// Who is the client, by the first segment: the way that this one goes.
pub(super) fn first_direction(segment: &Segment, src_port: u16, dst_port: u16) -> Direction {
    let from_server = segment.is_syn_ack()
        || (!segment.flags.syn() && zeek::likely_from_server(src_port, dst_port, false));
    if from_server {
        Direction::ToClient
    } else {
        Direction::ToServer
    }
}

impl Connection {
    /// A connection whose first captured segment goes `way`.
    pub(super) fn new(
        segment: &Segment,
        way: Direction,
        src_port: u16,
        dst_port: u16,
    ) -> Connection {
        let flipped =
            !segment.is_syn() && zeek::likely_from_server(src_port, dst_port, segment.flags.syn());
        let originator = if flipped { way.opposite() } else { way };
        Connection {
            sides: Ways::default(),
            started: segment.at.time,
            latest: segment.at.time,
            zeek: Zeek::new(originator, flipped),
            completeness: None,
            latest_syn: None,
            initial_rtt: None,
            handshake_rtt: None,
            handshake_done: false,
            first_fin: None,
            reset: None,
            marks: MarkCounts::default(),
        }
    }

    /// Does this SYN open another connection on the same ports? Its number is
    /// another one. With the same number it is the old one's, even behind a RST.
    pub(super) fn is_superseded_by(&self, segment: &Segment, way: Direction) -> bool {
        let base = self.sides.get(way).base;
        segment.is_syn() && base.is_some_and(|base| base != segment.seq)
    }

    /// May a segment of this number have gone this way (RFC 5927, section 4.1)? Where
    /// the SYN was captured: none before it, nor beyond what was sent, or what the other
    /// side's window allowed where the capture misses segments.
    pub(super) fn may_have_sent(&self, way: Direction, seq: u32) -> bool {
        let (side, peer) = (self.sides.get(way), self.sides.get(way.opposite()));
        let (Some(_), Some(positions)) = (side.isn, side.positions) else {
            return true;
        };
        let unheard = peer.heard.is_none() && side.acked.is_some();
        let allowed = match peer.acked {
            _ if unheard => i64::MAX,
            None => 0,
            Some((acked, _)) => positions.of(acked) + i64::from(peer.facts.max_window),
        };
        // What is sent behind a FIN has the number behind it.
        let sent = positions.highest() + 1;
        (0..=sent.max(allowed)).contains(&positions.of(seq))
    }

    /// An ICMP error quotes one of its segments, from which Wireshark counts
    /// the time to the next one.
    pub(super) fn quoted(&mut self, time: Timestamp) {
        self.latest = time;
    }

    /// Nothing more is due: both sides sent FIN, or one sent RST.
    pub(super) fn is_over(&self) -> bool {
        self.reset.is_some()
            || (self.sides.to_server.fin.is_some() && self.sides.to_client.fin.is_some())
    }

    /// It is over, and may be remembered for long.
    pub(super) fn shrink(&mut self) {
        self.sides.to_server.flow.shrink();
        self.sides.to_client.flow.shrink();
    }

    /// Takes the next segment, which goes the way of `out`. What the state says
    /// of it goes to `seen`, of which nothing was known before.
    pub(super) fn segment<R: Receiver>(
        &mut self,
        segment: &Segment,
        store: &mut Store,
        out: &mut Outlet<R>,
        seen: &mut SeenTcp,
    ) {
        let way = out.way;
        let restarts = self.restart_numbers(segment, store, out);
        self.set_bases(segment, way);
        self.scaling(segment, way);
        let before = self.completeness.unwrap_or_default();
        self.complete(segment);
        let rtt_before = self.initial_rtt;
        self.times(segment);

        seen.handshake_ack = self.is_handshake_ack(segment, way);
        seen.completeness = before.in_one_pass;
        let timed = segment.at.time.is_known();
        if timed && !self.started.is_known() {
            self.started = segment.at.time;
        }
        seen.time_relative = segment.at.time.since(self.started);
        seen.time_delta = segment.at.time.since(self.latest);
        if restarts || segment.reuses_ports {
            seen.marks |= Marks::REUSED_PORTS;
        }
        if segment.reuses_ports {
            // Wireshark makes the new conversation too late to show it empty.
            seen.completeness = completeness::SYN;
        }
        if timed {
            self.latest = segment.at.time;
        }
        if seen.handshake_ack {
            self.handshake_done = true;
            let syn = self.latest_syn;
            self.handshake_rtt = syn.and_then(|syn| segment.at.time.elapsed(syn));
        }
        self.numbers(segment, way, seen);
        self.judge(segment, way, rtt_before, store, seen);
        let look = zeek::Look {
            flags: segment.flags,
            seq: segment.seq,
            ack: segment.ack,
            window: segment.window,
            len: segment.len,
        };
        self.zeek
            .segment(&look, way, &self.sides.get(way.opposite()).stream);
        self.hear(segment, store, out);
        // What this segment may answer comes first.
        self.give_up_holes(segment, way.opposite(), store, out);
        seen.new_bytes = self.reassemble(segment, store, out);
        seen.new_fin = self.fin(segment, out);
        self.give_up_holes(segment, way, store, out);
        self.remember(segment, way, seen);
        if segment.flags.rst() && self.reset.is_none() && !self.is_over() {
            self.reset = Some(way);
        }
    }

    /// Nothing more comes: the rest of the streams, and the facts.
    pub(super) fn finish<R: Receiver>(
        &mut self,
        receiver: &mut R,
        found: &mut R::Found,
        store: &mut Store,
    ) -> TcpFacts {
        let mut missing = 0;
        for way in [Direction::ToServer, Direction::ToClient] {
            let mut out = Outlet {
                receiver,
                found,
                way,
            };
            let stream = &mut self.sides.get_mut(way).stream;
            stream.finish(store, &mut out);
            missing += stream.missing();
            self.sides.get_mut(way).flow.forget(store);
        }
        TcpFacts {
            completeness: self.completeness.unwrap_or_default().all,
            state: self.zeek.state(),
            history: self.zeek.history().to_owned(),
            handshake_rtt: self.handshake_rtt,
            close: self.close(),
            started_before: self.completeness.unwrap_or_default().all
                & (completeness::SYN | completeness::SYN_ACK)
                == 0,
            sides: Ways {
                to_server: self.sides.to_server.facts,
                to_client: self.sides.to_client.facts,
            },
            retransmissions: self.marks.of(Marks::RETRANSMISSION),
            out_of_order: self.marks.of(Marks::OUT_OF_ORDER),
            marks: self.marks,
            missing_bytes: missing,
            icmp_errors: 0,
        }
    }

    /// The bytes of each way that came after they were given up.
    pub(super) fn take_late(&mut self) -> Ways<Vec<Range<u64>>> {
        Ways {
            to_server: self.sides.to_server.stream.take_late(),
            to_client: self.sides.to_client.stream.take_late(),
        }
    }

    /// These bytes will come: they are not to be given up.
    pub(super) fn wait_for(&mut self, late: Ways<Vec<Range<u64>>>) {
        self.sides.to_server.stream.wait_for(late.to_server);
        self.sides.to_client.stream.wait_for(late.to_client);
    }

    fn close(&self) -> Close {
        let client_syn = self.sides.to_server.isn.is_some();
        // Whoever acknowledged was there, where the SYN,ACK was not captured either.
        let acknowledged = |side: &Side| side.acked.is_some();
        let answered = self.sides.to_client.isn.is_some()
            || acknowledged(&self.sides.to_server)
            || acknowledged(&self.sides.to_client);
        match (self.reset, self.first_fin) {
            (Some(Direction::ToClient), _) if client_syn && !answered => Close::Refused,
            (Some(by), _) => Close::Reset { by },
            (None, Some(first)) if self.sides.get(first.opposite()).fin.is_some() => {
                Close::Fin { first }
            }
            (None, Some(by)) => Close::HalfClosed { by },
            (None, None) => Close::Open,
        }
    }

    /// A SYN with the number of the one before, or a SYN,ACK with another one,
    /// for which it returns true.
    fn restart_numbers<R: Receiver>(
        &mut self,
        segment: &Segment,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) -> bool {
        let side = self.sides.get_mut(out.way);
        let Some(base) = side.base else {
            return false;
        };
        if segment.is_syn() && base == segment.seq {
            side.flow.syn_again();
        }
        let restarts = segment.is_syn_ack() && base != segment.seq;
        if restarts {
            side.base = Some(segment.seq);
            // The bytes so far stay; those behind the new SYN follow them.
            side.stream.restart(store, out);
            let next = side.stream.next().cast_signed();
            if let Some(positions) = &mut side.positions {
                positions.restart(segment.seq, next);
            }
            // What was acknowledged so far were other numbers.
            self.sides.get_mut(out.way.opposite()).acked = None;
        }
        restarts
    }

    /// The numbers that are shown as 0: each side's SYN, or what stands for one
    /// that was not captured.
    fn set_bases(&mut self, segment: &Segment, way: Direction) {
        let own = segment.seq.wrapping_sub(u32::from(!segment.flags.syn()));
        let side = self.sides.get_mut(way);
        let base = *side.base.get_or_insert(own);
        if segment.flags.syn() && side.isn.is_none() {
            side.isn = Some(segment.seq);
            side.syn_len = segment.len;
        }
        side.positions.get_or_insert_with(|| Positions::new(base));
        let peer = self.sides.get_mut(way.opposite());
        if segment.flags.ack() && peer.base.is_none() {
            let base = segment.ack.wrapping_sub(1);
            peer.base = Some(base);
            peer.positions = Some(Positions::new(base));
        }
    }

    fn scaling(&mut self, segment: &Segment, way: Direction) {
        if let Some(shift) = segment.offered.window_scale {
            self.sides.get_mut(way).scale = WindowScaling::Shift(shift.min(MAX_WINDOW_SHIFT));
        }
        if !segment.flags.syn() {
            return;
        }
        let peer = self.sides.get(way.opposite()).scale;
        if self.sides.get(way).scale == WindowScaling::Unknown {
            // Both sides must offer it (RFC 7323, section 2.2).
            self.sides.to_server.scale = WindowScaling::NotUsed;
            self.sides.to_client.scale = WindowScaling::NotUsed;
        } else if segment.flags.ack() && peer == WindowScaling::NotUsed {
            self.sides.get_mut(way).scale = WindowScaling::NotUsed;
        }
    }

    fn remember(&mut self, segment: &Segment, way: Direction, seen: &SeenTcp) {
        let facts = &mut self.sides.get_mut(way).facts;
        if segment.flags.syn() {
            facts.offered = segment.offered;
        }
        facts.max_window = facts.max_window.max(seen.window);
        let timed = segment.at.time.is_known();
        if seen.new_bytes.is_some() && facts.first_byte.is_none() && timed {
            facts.first_byte = Some(seen.time_relative);
        }
    }

    /// A SYN counts only where the connection begins with it.
    fn complete(&mut self, segment: &Segment) {
        let flags = segment.flags;
        let first = self.completeness.is_none();
        let mut bits = 0;
        if segment.is_syn() && first {
            bits |= completeness::SYN;
            if segment.len > 0 && !segment.reuses_ports {
                // TCP Fast Open. On ports that were used Wireshark sees the SYN alone.
                bits |= completeness::DATA;
            }
        }
        if segment.is_syn_ack() {
            bits |= completeness::SYN_ACK;
        }
        if flags.ack() && !flags.syn() {
            // Also a RST,ACK without bytes: a refused connection has this bit.
            bits |= if segment.len > 0 {
                completeness::DATA
            } else {
                completeness::ACK
            };
        }
        if flags.has(TcpFlags::FIN | TcpFlags::ACK) {
            bits |= completeness::FIN;
        }
        if flags.rst() {
            bits |= completeness::RST;
        }
        let known = self.completeness.unwrap_or_default();
        // In one pass, Wireshark looks at the first segment only for a SYN.
        let seen = if first && !segment.is_syn() { 0 } else { bits };
        self.completeness = Some(Completeness {
            all: known.all | bits,
            in_one_pass: known.in_one_pass | seen,
        });
    }

    fn times(&mut self, segment: &Segment) {
        if segment.is_syn() {
            self.latest_syn = Some(segment.at.time);
        } else if segment.flags.ack() && !segment.flags.syn() && self.initial_rtt.is_none() {
            // Wireshark takes a time of 0 for none.
            let syn = self.latest_syn;
            let rtt = syn.and_then(|syn| segment.at.time.elapsed(syn));
            self.initial_rtt = rtt.filter(|rtt| *rtt != 0);
        }
    }

    fn is_handshake_ack(&self, segment: &Segment, way: Direction) -> bool {
        let (client, server) = (&self.sides.to_server, &self.sides.to_client);
        let (Some(client_isn), Some(_), Some(sent)) = (client.isn, server.isn, server.positions)
        else {
            return false;
        };
        let next = client_isn.wrapping_add(1);
        // Bytes in the SYN may be acknowledged already, or not at all; so may
        // bytes that the server sent behind its SYN.
        let in_place = segment.seq == next || segment.seq == next.wrapping_add(client.syn_len);
        !self.handshake_done
            && way == Direction::ToServer
            && segment.flags.ack()
            && !segment.flags.syn()
            && !segment.flags.rst()
            && in_place
            && (1..=sent.highest().max(1)).contains(&sent.of(segment.ack))
    }

    fn numbers(&self, segment: &Segment, way: Direction, seen: &mut SeenTcp) {
        let side = self.sides.get(way);
        let flags = segment.flags;
        seen.seq = side.relative(segment.seq);
        seen.ack = if flags.ack() {
            self.sides.get(way.opposite()).relative(segment.ack)
        } else {
            segment.ack
        };
        seen.next_seq = seen
            .seq
            .wrapping_add(segment.len)
            .wrapping_add(u32::from(flags.syn() || flags.fin()));
        seen.scaling = side.scale;
        seen.window = match side.scale {
            WindowScaling::Shift(shift) if !flags.syn() => u32::from(segment.window) << shift,
            _ => u32::from(segment.window),
        };
    }

    fn judge(
        &mut self,
        segment: &Segment,
        way: Direction,
        rtt_before: Option<i64>,
        store: &mut Store,
        seen: &mut SeenTcp,
    ) {
        let numbers = Numbers {
            at: segment.at,
            flags: segment.flags,
            seq: segment.seq,
            ack: segment.ack,
            window: u32::from(segment.window),
            len: segment.len,
            sacked: segment.sacked,
        };
        let (forward, reverse) = match way {
            Direction::ToServer => (&mut self.sides.to_server, &mut self.sides.to_client),
            Direction::ToClient => (&mut self.sides.to_client, &mut self.sides.to_server),
        };
        let known = Known {
            initial_rtt: self.initial_rtt,
            rtt_before,
            scaling: reverse.scale,
            base: forward.base.unwrap_or(0),
        };
        let (forward, reverse) = (&mut forward.flow, &mut reverse.flow);
        analysis::analyse(&numbers, forward, reverse, &known, store, seen);
        if !segment.sound {
            seen.marks = Marks::default();
        }
        self.marks.add(seen.marks);
    }

    /// The offset in the stream of the first byte after the segment's header.
    fn offset(side: &Side, segment: &Segment) -> i64 {
        let position = side.positions.map_or(1, |p| p.of(segment.seq));
        position - 1 + i64::from(segment.flags.syn())
    }

    fn reassemble<R: Receiver>(
        &mut self,
        segment: &Segment,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) -> Option<Range<u64>> {
        // What a RST carries is no part of the stream (RFC 9293, section 3.5.3).
        if segment.len == 0 || segment.flags.rst() {
            return None;
        }
        let side = self.sides.get_mut(out.way);
        let offset = Connection::offset(side, segment);
        // Bytes before offset 0: a keep-alive, or sent before the first
        // captured segment and captured behind it.
        let before = offset.min(0).unsigned_abs();
        let len = u64::from(segment.len).checked_sub(before)?;
        let skip = u32::try_from(before).unwrap_or(u32::MAX);
        let piece = Piece {
            offset: offset.max(0).unsigned_abs(),
            len,
            data: segment.data.get(skip as usize..).unwrap_or(&[]),
            skip,
            at: segment.at,
        };
        let new = side.stream.insert(&piece, store, out);
        if let Some(positions) = &mut side.positions {
            positions.saw(segment.seq.wrapping_add(segment.len));
        }
        new
    }

    /// Notes what the segment's sender acknowledges, and that it was heard of.
    fn hear<R: Receiver>(&mut self, segment: &Segment, store: &mut Store, out: &mut Outlet<R>) {
        let way = out.way;
        let peer_heard = self.sides.get(way.opposite()).heard;
        let side = self.sides.get_mut(way);
        side.heard = Some(segment.at.packet);
        if segment.flags.ack() && !segment.flags.rst() {
            match side.acked {
                Some((acked, _)) if !before(acked, segment.ack) => {}
                _ => side.acked = Some((segment.ack, segment.at)),
            }
        }
        let offset = Connection::offset(side, segment);
        if let Some(since) = side.stream.waits_since()
            && segment.len > 0
            && peer_heard.is_none_or(|heard| heard < since)
            && let Ok(offset) = u64::try_from(offset)
        {
            side.stream.goes_on(offset, segment.at.time, store, out);
        }
    }

    /// Goes on behind bytes sent `way` that their receiver has, although they
    /// were not captured.
    fn give_up_holes<R: Receiver>(
        &mut self,
        segment: &Segment,
        way: Direction,
        store: &mut Store,
        out: &mut Outlet<R>,
    ) {
        if !self.sides.get(way).stream.waits() {
            return;
        }
        let Some((acked, by)) = self.sides.get(way.opposite()).acked else {
            return;
        };
        let side = self.sides.get_mut(way);
        let position = side.positions.map_or(0, |positions| positions.of(acked));
        let Ok(offset) = u64::try_from(position - 1) else {
            return;
        };
        let mut out = Outlet {
            receiver: &mut *out.receiver,
            found: &mut *out.found,
            way,
        };
        side.stream
            .acknowledged(offset, by, segment.at.time, store, &mut out);
    }

    /// Returns whether this FIN is new: the side's first, or one behind the
    /// first. One that lies before bytes that were sent is no end of them; no
    /// receiver accepts it (RFC 9293, section 3.10.7.4, first check).
    fn fin<R: Receiver>(&mut self, segment: &Segment, out: &mut Outlet<R>) -> bool {
        let way = out.way;
        let side = self.sides.get_mut(way);
        if !segment.flags.fin() {
            return false;
        }
        let end = Connection::offset(side, segment) + i64::from(segment.len);
        let sent = side.positions.map_or(0, |p| p.highest() - 1);
        if end < sent || side.fin.is_some_and(|fin| end <= fin) {
            return false;
        }
        if side.fin.replace(end).is_none() {
            let offset = end.max(0).unsigned_abs();
            side.stream.end_at(offset, segment.at, out);
        }
        self.first_fin.get_or_insert(way);
        true
    }
}
