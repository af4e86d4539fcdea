//! Packets to conversations, one packet at a time in file order. State lives
//! for each open conversation, and there is a bound on how many are open; what
//! is over can be taken out while the capture goes on.

use std::net::SocketAddr;

use crate::decode::{Layer, Packet, Quoted, Tcp, TcpOption, TcpOptions, Transport, Trouble, Udp};
use crate::savefile::{Protocol, Timestamp};

use super::key::{FromLow, Key};
use super::late::Late;
use super::quoting::{Latest, Recent};
use super::reassembly::Store;
use super::receiver::Outlet;
use super::table::{List, Slot, Table};
use super::tcp::{self, Connection, Segment};
use super::zeek;
use super::{
    At, Beginning, Conversation, ConversationIndex, Direction, Group, Offered, Receiver, Seen,
    SeenTcp, TcpFacts, UdpFacts, Ways,
};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Bounds on memory. What they cost is told by [`Tracker::bitten`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Conversations that are open at a time. One more closes the one that was
    /// idle for the longest time: of those that are over, else of all.
    pub conversations: usize,
    /// Bytes of a stream that may wait for a segment before them; beyond it the
    /// segment is given up as missing.
    pub waiting: usize,
    /// The same for all streams together.
    pub waiting_in_all: usize,
    /// Segments of a stream that may wait, whatever their size: each costs memory
    /// beyond its bytes.
    pub waiting_segments: usize,
    /// Segments, of all streams together, that may wait for their ACK; without
    /// room for more, round-trip times and bytes in flight are not told.
    pub unacknowledged: usize,
    /// Packets among which an ICMP error looks for the one it quotes.
    pub quotable: usize,
    /// Nanoseconds of packet time after which a conversation that is over (or,
    /// in UDP, silent) is closed for good: a later packet begins another one.
    /// None: not before the end of the capture, as Wireshark does.
    pub linger: Option<i64>,
    /// Note which bytes come after they were given up ([`Tracker::take_late`]): for who
    /// can read the capture again.
    pub notes_late: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            conversations: 65_536,
            waiting: 4 << 20,
            waiting_in_all: 16 << 20,
            waiting_segments: 16_384,
            unacknowledged: 262_144,
            quotable: 16_384,
            linger: None,
            notes_late: false,
        }
    }
}

/// How often the bounds changed what came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bitten {
    /// Conversations that were closed although more of them might come: a later
    /// packet of one began another conversation.
    pub conversations: u64,
    /// Holes that were given up although the bytes might still come.
    pub holes: u64,
    /// Segments that were sent while too many waited for their ACK.
    pub segments: u64,
}

/// A conversation to which nothing more will be added.
#[derive(Clone, Debug)]
pub struct Closed<R> {
    pub index: ConversationIndex,
    pub conversation: Conversation,
    pub receiver: R,
}

/// A conversation that packets are still added to.
#[derive(Debug)]
struct Open<R> {
    index: ConversationIndex,
    id: u32,
    client_is_low: bool,
    first: Timestamp,
    /// Of the earliest and the latest packet: a file may have them in any order.
    earliest: Timestamp,
    last: Timestamp,
    /// Of the packet before in file order: `last` may be later.
    previous: Timestamp,
    first_packet: usize,
    last_packet: usize,
    packets: Ways<u64>,
    wire_bytes: Ways<u64>,
    bytes: Ways<u64>,
    /// Datagrams that an ICMP error reported as undelivered; of TCP, such errors.
    lost: u64,
    /// [`UdpFacts::group`].
    group: Option<Group>,
    recent: Ways<Latest>,
    /// TCP.
    connection: Option<Box<Connection>>,
    receiver: R,
}

impl<R: Receiver> Open<R> {
    fn way(&self, from_low: FromLow) -> Direction {
        if from_low == self.client_is_low {
            Direction::ToServer
        } else {
            Direction::ToClient
        }
    }

    fn count(&mut self, at: At, frame_len: u32, way: Direction, bytes: u64) {
        if at.time.is_known() {
            self.earliest = match self.earliest.is_known() {
                true => self.earliest.min(at.time),
                false => at.time,
            };
            self.last = self.last.max(at.time);
        }
        self.previous = at.time;
        *self.wire_bytes.get_mut(way) += u64::from(frame_len);
        self.last_packet = at.packet;
        *self.packets.get_mut(way) += 1;
        *self.bytes.get_mut(way) += bytes;
    }

    fn list(&self) -> List {
        match &self.connection {
            None => List::Udp,
            Some(connection) if connection.is_over() => List::Over,
            Some(_) => List::Open,
        }
    }

    fn close(mut self, key: &Key, store: &mut Store, found: &mut R::Found) -> Closed<R> {
        let tcp = self.connection.map(|mut connection| {
            let facts = connection.finish(&mut self.receiver, found, store);
            store.late.add(self.index, connection.take_late());
            TcpFacts {
                icmp_errors: self.lost,
                ..facts
            }
        });
        let udp = tcp.is_none().then_some(UdpFacts {
            datagrams: self.packets,
            group: self.group,
            lost: self.lost,
        });
        self.receiver.close(found);
        Closed {
            index: self.index,
            conversation: Conversation {
                protocol: key.protocol(),
                id: self.id,
                client: key.end(self.client_is_low),
                server: key.end(!self.client_is_low),
                first: self.first,
                earliest: self.earliest,
                last: self.last,
                first_packet: self.first_packet,
                packets: self.packets,
                wire_bytes: self.wire_bytes,
                bytes: self.bytes,
                tcp,
                udp,
            },
            receiver: self.receiver,
        }
    }
}

/// Assigns packets to conversations and says what their state tells of each.
/// What the conversations carry is handed to a receiver for each.
#[derive(Debug)]
pub struct Tracker<R: Receiver> {
    limits: Limits,
    settings: R::Settings,
    store: Store,
    recent: Recent,
    /// By the ends of the packets that belong to them now.
    table: Table<Open<R>>,
    begun: Vec<Beginning>,
    closed: Vec<Closed<R>>,
    next: ConversationIndex,
    tcp_ids: u32,
    udp_ids: u32,
    /// Conversations closed for want of room before they were over.
    crowded_out: u64,
    awaited: Late,
}

impl<R: Receiver> Tracker<R> {
    pub fn new(limits: Limits, settings: R::Settings) -> Tracker<R> {
        Tracker {
            limits,
            settings,
            store: Store::new(limits),
            recent: Recent::new(limits.quotable),
            table: Table::new(),
            begun: Vec::new(),
            closed: Vec::new(),
            next: 0,
            tcp_ids: 0,
            udp_ids: 0,
            crowded_out: 0,
            awaited: Late::default(),
        }
    }

    /// For another reading of the same packets: `late`, what the one before noted, is
    /// waited for, so that none of it is given up.
    #[must_use]
    pub fn awaiting(mut self, late: Late) -> Tracker<R> {
        self.awaited = late;
        self
    }

    /// Takes the next packet in file order. `index` is its place in the
    /// capture, `frame` its bytes. What the receivers find goes to `found`.
    pub fn packet(
        &mut self,
        index: usize,
        packet: &Packet,
        frame: &[u8],
        found: &mut R::Found,
    ) -> Seen {
        let mut seen = Seen::default();
        let mut outermost = None;
        for carrier in packet.outer_datagrams() {
            let around = self.around(index, packet, carrier, found);
            outermost = outermost.or(around);
        }
        if let Some((conversation, delta)) = outermost {
            seen.tunnel = Some(conversation);
            seen.tunnel_delta = delta;
        }
        self.own(index, packet, frame, &mut seen, found);
        seen
    }

    /// The same for the packet's own conversation alone: where another tracker has
    /// those around it. What is known goes to `seen`, in which nothing was but these.
    #[inline]
    pub fn own(
        &mut self,
        index: usize,
        packet: &Packet,
        frame: &[u8],
        seen: &mut Seen,
        found: &mut R::Found,
    ) {
        let at = self.arrives(index, packet, found);
        match &packet.transport {
            Transport::Tcp(tcp) => self.tcp(at, packet, tcp, frame, seen, found),
            Transport::Udp(udp) => self.udp(at, packet, udp, frame, seen, found),
            Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => {
                if let Some(quoted) = &icmp.quoted {
                    self.icmp_error(at, quoted, frame, seen);
                }
            }
            _ => {}
        }
    }

    /// Closes what is over by the time that a packet comes.
    #[inline]
    fn arrives(&mut self, index: usize, packet: &Packet, found: &mut R::Found) -> At {
        if let Some(linger) = self.limits.linger {
            self.close_lingering(packet.time, linger, found);
        }
        At {
            packet: index,
            time: packet.time,
        }
    }

    /// The conversations that began since the last call, in order. Their
    /// indices count up from 0, one for each; so do [`Conversation::id`]s
    /// within a protocol.
    pub fn take_begun(&mut self) -> Vec<Beginning> {
        std::mem::take(&mut self.begun)
    }

    /// The conversations that were closed since the last call.
    pub fn take_closed(&mut self) -> Vec<Closed<R>> {
        std::mem::take(&mut self.closed)
    }

    /// The bytes that came after they were given up, of the conversations that are
    /// closed; where [`Limits::notes_late`] says so.
    pub fn take_late(&mut self) -> Late {
        std::mem::take(&mut self.store.late)
    }

    pub fn bitten(&self) -> Bitten {
        Bitten {
            conversations: self.crowded_out,
            holes: self.store.given_up,
            segments: self.store.forgotten,
        }
    }

    /// The end of the capture: closes all conversations, in the order in which
    /// they began.
    pub fn close_all(&mut self, found: &mut R::Found) {
        let mut left: Vec<(ConversationIndex, Slot)> = self
            .table
            .iter()
            .map(|(slot, open)| (open.index, slot))
            .collect();
        left.sort_unstable();
        for (_, slot) in left {
            self.close(slot, found);
        }
    }

    fn tcp(
        &mut self,
        at: At,
        packet: &Packet,
        tcp: &Tcp,
        frame: &[u8],
        seen: &mut Seen,
        found: &mut R::Found,
    ) {
        let Some((src, dst)) = packet.sockets() else {
            return;
        };
        let (key, from_low) = Key::new(Protocol::Tcp, src, dst);
        let mut segment = Segment {
            at,
            flags: tcp.flags,
            seq: tcp.seq,
            ack: tcp.ack,
            window: tcp.window,
            offered: offered(tcp, frame),
            reuses_ports: false,
            sacked: sacked(tcp, frame),
            sound: !has_wrong_header(packet),
            len: tcp.len,
            data: tcp.payload.of(frame),
        };
        let mut known = self.table.find(&key);
        if segment.is_syn()
            && let Some(slot) = known
            && let Some(open) = self.table.get(slot)
            && let Some(connection) = &open.connection
            && connection.is_superseded_by(&segment, open.way(from_low))
        {
            self.close(slot, found);
            known = None;
            segment.reuses_ports = true;
        }
        let slot = match known {
            Some(slot) => slot,
            None => {
                let way = tcp::first_direction(&segment, src.port(), dst.port());
                let mut connection = Connection::new(&segment, way, src.port(), dst.port());
                if let Some(late) = self.awaited.take(self.next) {
                    connection.wait_for(late);
                }
                let client_is_low = (way == Direction::ToServer) == from_low;
                self.begin(key, client_is_low, at, Some(Box::new(connection)), found)
            }
        };
        let Some(open) = self.table.get_mut(slot) else {
            return;
        };
        let way = open.way(from_low);
        let Some(connection) = open.connection.as_mut() else {
            return;
        };
        let mut out = Outlet {
            receiver: &mut open.receiver,
            found,
            way,
        };
        seen.conversation = Some(open.index);
        seen.direction = Some(way);
        // In its place: it is too large to be moved there.
        let told = seen.tcp.insert(SeenTcp::default());
        connection.segment(&segment, &mut self.store, &mut out, told);
        told.is_read = out.receiver.reads();
        let new = told.new_bytes.as_ref().map_or(0, |r| r.end - r.start);
        open.count(at, packet.len, way, new);
        let latest = open.recent.get_mut(way);
        self.recent.remember(latest, at.packet, packet, frame);
        let list = open.list();
        if list == List::Over
            && let Some(connection) = &mut open.connection
        {
            connection.shrink();
        }
        self.table.touch(slot, list);
    }

    fn udp(
        &mut self,
        at: At,
        packet: &Packet,
        udp: &Udp,
        frame: &[u8],
        seen: &mut Seen,
        found: &mut R::Found,
    ) {
        let Some((src, dst)) = packet.sockets() else {
            return;
        };
        let (key, from_low) = Key::new(Protocol::Udp, src, dst);
        let slot = match self.table.find(&key) {
            Some(slot) => slot,
            None => {
                let slot = self.begin_udp(key, from_low, at, found);
                if let Some(open) = self.table.get_mut(slot)
                    && packet.outer().is_empty()
                {
                    open.group = Group::of_link(&packet.link);
                }
                slot
            }
        };
        let Some(open) = self.table.get_mut(slot) else {
            return;
        };
        let way = open.way(from_low);
        seen.conversation = Some(open.index);
        seen.direction = Some(way);
        let (payload, previous) = (payload_on_the_wire(packet, udp), open.previous);
        open.count(at, packet.len, way, payload);
        // A datagram without payload has no time in Wireshark, and is none before others.
        match payload {
            0 => open.previous = previous,
            _ => seen.udp_delta = at.time.elapsed(previous),
        }
        open.receiver
            .datagram(way, udp.payload.of(frame), at, found);
        let latest = open.recent.get_mut(way);
        self.recent.remember(latest, at.packet, packet, frame);
        self.table.touch(slot, List::Udp);
    }

    /// The conversation of a datagram that carries the packet through a tunnel. What
    /// is in it is not its own to read. Returns also how long after its packet before
    /// this one came.
    pub fn around(
        &mut self,
        index: usize,
        packet: &Packet,
        (src, dst, udp): (SocketAddr, SocketAddr, &Udp),
        found: &mut R::Found,
    ) -> Option<(ConversationIndex, Option<i64>)> {
        let at = self.arrives(index, packet, found);
        let (key, from_low) = Key::new(Protocol::Udp, src, dst);
        let slot = match self.table.find(&key) {
            Some(slot) => slot,
            None => self.begin_udp(key, from_low, at, found),
        };
        let open = self.table.get_mut(slot)?;
        let way = open.way(from_low);
        let seen = (open.index, at.time.elapsed(open.previous));
        open.count(at, packet.len, way, payload_on_the_wire(packet, udp));
        self.table.touch(slot, List::Udp);
        Some(seen)
    }

    /// An ICMP error belongs to the conversation of the packet it quotes, and
    /// never begins one. To one that cannot have sent that it does not belong: it is
    /// forged, or late and about an earlier one.
    fn icmp_error(&mut self, at: At, quoted: &Quoted, frame: &[u8], seen: &mut Seen) {
        let protocol = match quoted.protocol {
            TCP => Protocol::Tcp,
            UDP => Protocol::Udp,
            _ => return,
        };
        let (Some(src_port), Some(dst_port)) = (quoted.src_port, quoted.dst_port) else {
            return;
        };
        let src = SocketAddr::new(quoted.net.src(), src_port);
        let dst = SocketAddr::new(quoted.net.dst(), dst_port);
        let (key, from_low) = Key::new(protocol, src, dst);
        let open = self.table.find(&key).and_then(|s| self.table.get_mut(s));
        let Some(open) = open else {
            return;
        };
        let way = open.way(from_low);
        if let Some(connection) = &mut open.connection {
            // Of fewer bytes than the number it is not known.
            if quoted
                .seq
                .is_some_and(|seq| !connection.may_have_sent(way, seq))
            {
                return;
            }
            connection.quoted(at.time);
        }
        let found = self.recent.find(*open.recent.get(way), quoted, frame);
        // TCP sends a segment again under the same number: each error counts.
        let counts = protocol == Protocol::Tcp || found.is_none_or(|found| found.first);
        if quoted.undelivered && counts {
            open.lost += 1;
        }
        seen.conversation = Some(open.index);
        seen.direction = Some(way.opposite());
        seen.quotes = found.map(|found| found.packet);
    }

    /// The first datagram comes from the client, if its ports do not tell that it
    /// is an answer whose question came before the capture.
    fn begin_udp(&mut self, key: Key, from_low: bool, at: At, found: &mut R::Found) -> Slot {
        let (src, dst) = (key.end(from_low).port(), key.end(!from_low).port());
        let answers = zeek::datagram_likely_from_server(src, dst);
        self.begin(key, from_low != answers, at, None, found)
    }

    fn begin(
        &mut self,
        key: Key,
        client_is_low: bool,
        at: At,
        connection: Option<Box<Connection>>,
        found: &mut R::Found,
    ) -> Slot {
        while self.table.len() >= self.limits.conversations.max(1) {
            let Some(slot) = self.crowd_out() else {
                break;
            };
            self.close(slot, found);
        }
        let (ids, list) = match key.protocol() {
            Protocol::Tcp => (&mut self.tcp_ids, List::Open),
            Protocol::Udp => (&mut self.udp_ids, List::Udp),
        };
        let id = *ids;
        *ids += 1;
        let index = self.next;
        self.next += 1;
        let beginning = Beginning {
            conversation: index,
            protocol: key.protocol(),
            client: key.end(client_is_low),
            server: key.end(!client_is_low),
            at,
        };
        self.begun.push(beginning);
        let open = Open {
            index,
            id,
            client_is_low,
            first: at.time,
            earliest: at.time,
            last: at.time,
            previous: at.time,
            first_packet: at.packet,
            last_packet: at.packet,
            packets: Ways::default(),
            wire_bytes: Ways::default(),
            bytes: Ways::default(),
            lost: 0,
            group: None,
            recent: Ways::default(),
            connection,
            receiver: R::begin(&self.settings, &beginning),
        };
        self.table.insert(key, list, open)
    }

    /// Which conversation to close for want of room.
    fn crowd_out(&mut self) -> Option<Slot> {
        if let Some(over) = self.table.idlest(List::Over) {
            return Some(over);
        }
        self.crowded_out += 1;
        [List::Udp, List::Open]
            .into_iter()
            .filter_map(|list| self.table.idlest(list))
            .min_by_key(|slot| self.table.get(*slot).map(|open| open.last_packet))
    }

    /// Closes what was silent for longer than the limit, and is over or UDP.
    fn close_lingering(&mut self, now: Timestamp, linger: i64, found: &mut R::Found) {
        for list in [List::Over, List::Udp] {
            while let Some(slot) = self.table.idlest(list)
                && let Some(open) = self.table.get(slot)
                && now.since(open.last) >= linger
            {
                self.close(slot, found);
            }
        }
    }

    fn close(&mut self, slot: Slot, found: &mut R::Found) {
        if let Some((key, open)) = self.table.remove(slot) {
            self.closed.push(open.close(&key, &mut self.store, found));
        }
    }
}

/// Wireshark reads no further behind such a header.
#[inline]
fn has_wrong_header(packet: &Packet) -> bool {
    matches!(
        packet.trouble,
        Some(Trouble::Malformed {
            layer: Layer::Tcp,
            ..
        })
    )
}

/// The options that only a SYN may carry; time stamps go on if it has them.
fn offered(tcp: &Tcp, frame: &[u8]) -> Offered {
    let mut offered = Offered::default();
    if !tcp.flags.syn() {
        return offered;
    }
    for option in tcp.options(frame) {
        match option {
            TcpOption::MaximumSegmentSize(size) => offered.mss = Some(size),
            TcpOption::WindowScale(shift) => offered.window_scale = Some(shift),
            TcpOption::SackPermitted => offered.sack_permitted = true,
            TcpOption::Timestamps { .. } => offered.timestamps = true,
            _ => {}
        }
    }
    offered
}

/// The bytes in the blocks of the SACK option (RFC 2018).
#[inline]
fn sacked(tcp: &Tcp, frame: &[u8]) -> u32 {
    /// Two NOPs and time stamps: what nearly every segment has, if any.
    const TIMES: ([u8; 4], usize) = ([1, 1, 8, 10], 12);
    let options = tcp.options_span().of(frame);
    let only_times = options.starts_with(&TIMES.0) && options.len() == TIMES.1;
    if options.is_empty() || only_times || !tcp.flags.ack() {
        return 0;
    }
    reported(tcp.options(frame))
}

#[cold]
fn reported(mut options: TcpOptions<'_>) -> u32 {
    let blocks = options.find_map(|option| match option {
        TcpOption::Sack(blocks) => Some(blocks),
        _ => None,
    });
    let blocks = blocks.unwrap_or_default();
    blocks.iter().flatten().fold(0, |sum: u32, (left, right)| {
        sum.wrapping_add(right.wrapping_sub(*left))
    })
}

/// Payload bytes by the UDP header's account where the frame was cut.
fn payload_on_the_wire(packet: &Packet, udp: &Udp) -> u64 {
    const HEADER: u16 = 8;
    let captured = u64::from(udp.payload.len);
    if packet.cap_len < packet.len {
        captured.max(u64::from(udp.length.saturating_sub(HEADER)))
    } else {
        captured
    }
}
