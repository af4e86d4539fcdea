//! Packets to conversations, one packet at a time in file order. State lives
//! for each open conversation; what is over can be taken out while the capture
//! goes on.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use crate::decode::{Packet, Quoted, Tcp, TcpOption, Transport, Udp};
use crate::savefile::{Protocol, Timestamp};

use super::quoting::Recent;
use super::reassembly::Store;
use super::receiver::Outlet;
use super::tcp::{self, Connection, Segment};
use super::{
    At, Beginning, Conversation, ConversationIndex, Direction, Receiver, Seen, Stream, Streams,
    UdpFacts, Ways,
};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Bounds on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a stream that may wait for a segment before them; beyond it the
    /// segment is given up as missing.
    pub waiting: usize,
    /// The same for all streams together.
    pub waiting_in_all: usize,
    /// Nanoseconds of packet time after which a conversation that is over (or,
    /// in UDP, silent) is closed for good: a later packet begins another one.
    /// None: not before the end of the capture, as Wireshark does.
    pub linger: Option<i64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            waiting: 4 << 20,
            waiting_in_all: 32 << 20,
            linger: None,
        }
    }
}

/// All conversations of a capture, in the order of their first packets.
#[derive(Clone, Debug, Default)]
pub struct Tracked {
    pub conversations: Vec<Conversation>,
    /// Same index; empty for UDP.
    pub streams: Vec<Ways<Stream>>,
}

/// A conversation to which nothing more will be added.
#[derive(Clone, Debug)]
pub struct Closed<R> {
    pub index: ConversationIndex,
    pub conversation: Conversation,
    pub receiver: R,
}

/// Both ends of a conversation, the lower one first.
type Key = (Protocol, SocketAddr, SocketAddr);

fn key(protocol: Protocol, a: SocketAddr, b: SocketAddr) -> Key {
    (protocol, a.min(b), a.max(b))
}

/// A conversation that packets are still added to.
#[derive(Debug)]
struct Open<R> {
    facts: Conversation,
    connection: Option<Box<Connection>>,
    recent: Ways<Recent>,
    receiver: R,
}

impl<R: Receiver> Open<R> {
    fn direction(&self, src: SocketAddr) -> Direction {
        if src == self.facts.client {
            Direction::ToServer
        } else {
            Direction::ToClient
        }
    }

    fn count(&mut self, time: Timestamp, way: Direction, bytes: u64) {
        self.facts.last = self.facts.last.max(time);
        *self.facts.packets.get_mut(way) += 1;
        *self.facts.bytes.get_mut(way) += bytes;
    }

    fn close(
        mut self,
        index: ConversationIndex,
        store: &mut Store,
        found: &mut R::Found,
    ) -> Closed<R> {
        if let Some(mut connection) = self.connection {
            let facts = connection.finish(&mut self.receiver, found, store);
            self.facts.tcp = Some(facts);
        }
        self.receiver.close(found);
        Closed {
            index,
            conversation: self.facts,
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
    open: BTreeMap<ConversationIndex, Open<R>>,
    /// The conversation that a packet between two ends belongs to now.
    current: HashMap<Key, ConversationIndex>,
    begun: Vec<Beginning>,
    closed: Vec<Closed<R>>,
    next: ConversationIndex,
    tcp_ids: u32,
    udp_ids: u32,
    /// Packet time of the last search for conversations to close.
    swept: Option<Timestamp>,
}

impl<R: Receiver> Tracker<R> {
    pub fn new(limits: Limits, settings: R::Settings) -> Tracker<R> {
        Tracker {
            limits,
            settings,
            store: Store::new(limits),
            open: BTreeMap::new(),
            current: HashMap::new(),
            begun: Vec::new(),
            closed: Vec::new(),
            next: 0,
            tcp_ids: 0,
            udp_ids: 0,
            swept: None,
        }
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
        self.sweep(packet.time, found);
        match &packet.transport {
            Transport::Tcp(tcp) => self.tcp(index, packet, tcp, frame, found),
            Transport::Udp(udp) => self.udp(index, packet, udp, frame, found),
            Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => icmp
                .quoted
                .as_ref()
                .map_or_else(Seen::default, |quoted| self.icmp_error(quoted, frame)),
            _ => Seen::default(),
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

    /// The end of the capture: closes all conversations, in the order in which
    /// they began.
    pub fn close_all(&mut self, found: &mut R::Found) {
        for (index, open) in std::mem::take(&mut self.open) {
            self.closed.push(open.close(index, &mut self.store, found));
        }
        self.current.clear();
    }

    fn tcp(
        &mut self,
        index: usize,
        packet: &Packet,
        tcp: &Tcp,
        frame: &[u8],
        found: &mut R::Found,
    ) -> Seen {
        let Some((src, dst)) = packet.sockets() else {
            return Seen::default();
        };
        let at = At {
            packet: index,
            time: packet.time,
        };
        let segment = Segment {
            at,
            flags: tcp.flags,
            seq: tcp.seq,
            ack: tcp.ack,
            window: tcp.window,
            scale: window_scale(tcp, frame),
            len: tcp.len,
            data: tcp.payload.of(frame),
        };
        let key = key(Protocol::Tcp, src, dst);
        let known = self.current.get(&key).copied().filter(|i| {
            self.open.get(i).is_some_and(|open| {
                let way = open.direction(src);
                open.connection
                    .as_ref()
                    .is_some_and(|c| !c.is_superseded_by(&segment, way))
            })
        });
        let conversation = known.unwrap_or_else(|| {
            let way = tcp::first_direction(&segment, src.port(), dst.port());
            let connection = Connection::new(&segment, way, src.port(), dst.port());
            self.begin(key, src, dst, way, at, Some(Box::new(connection)), found)
        });
        let Some(open) = self.open.get_mut(&conversation) else {
            return Seen::default();
        };
        let way = open.direction(src);
        let Some(connection) = open.connection.as_mut() else {
            return Seen::default();
        };
        let mut out = Outlet {
            receiver: &mut open.receiver,
            found,
            way,
        };
        let seen = connection.segment(&segment, &mut self.store, &mut out);
        let new = seen.new_bytes.as_ref().map_or(0, |r| r.end - r.start);
        open.count(packet.time, way, new);
        open.recent.get_mut(way).remember(index, packet, frame);
        Seen {
            conversation: Some(conversation),
            direction: Some(way),
            quotes: None,
            tcp: Some(seen),
        }
    }

    fn udp(
        &mut self,
        index: usize,
        packet: &Packet,
        udp: &Udp,
        frame: &[u8],
        found: &mut R::Found,
    ) -> Seen {
        let Some((src, dst)) = packet.sockets() else {
            return Seen::default();
        };
        let at = At {
            packet: index,
            time: packet.time,
        };
        let key = key(Protocol::Udp, src, dst);
        let conversation = match self.current.get(&key) {
            Some(conversation) => *conversation,
            None => self.begin(key, src, dst, Direction::ToServer, at, None, found),
        };
        let Some(open) = self.open.get_mut(&conversation) else {
            return Seen::default();
        };
        let way = open.direction(src);
        open.count(packet.time, way, payload_on_the_wire(packet, udp));
        let facts = open.facts.udp.get_or_insert_default();
        *facts.datagrams.get_mut(way) += 1;
        open.receiver
            .datagram(way, udp.payload.of(frame), at, found);
        open.recent.get_mut(way).remember(index, packet, frame);
        Seen {
            conversation: Some(conversation),
            direction: Some(way),
            quotes: None,
            tcp: None,
        }
    }

    /// An ICMP error belongs to the conversation of the packet it quotes, and
    /// never begins one.
    fn icmp_error(&mut self, quoted: &Quoted, frame: &[u8]) -> Seen {
        let protocol = match quoted.protocol {
            TCP => Protocol::Tcp,
            UDP => Protocol::Udp,
            _ => return Seen::default(),
        };
        let (Some(src_port), Some(dst_port)) = (quoted.src_port, quoted.dst_port) else {
            return Seen::default();
        };
        let src = SocketAddr::new(quoted.net.src(), src_port);
        let dst = SocketAddr::new(quoted.net.dst(), dst_port);
        let Some(conversation) = self.current.get(&key(protocol, src, dst)).copied() else {
            return Seen::default();
        };
        let Some(open) = self.open.get_mut(&conversation) else {
            return Seen::default();
        };
        let way = open.direction(src);
        let found = open.recent.get_mut(way).find(quoted, frame);
        if let Some(facts) = &mut open.facts.udp
            && found.is_none_or(|found| found.first)
        {
            facts.lost += 1;
        }
        Seen {
            conversation: Some(conversation),
            direction: Some(way.opposite()),
            quotes: found.map(|found| found.packet),
            tcp: None,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "for now")]
    fn begin(
        &mut self,
        key: Key,
        src: SocketAddr,
        dst: SocketAddr,
        way: Direction,
        at: At,
        connection: Option<Box<Connection>>,
        found: &mut R::Found,
    ) -> ConversationIndex {
        let (client, server) = match way {
            Direction::ToServer => (src, dst),
            Direction::ToClient => (dst, src),
        };
        let ids = match key.0 {
            Protocol::Tcp => &mut self.tcp_ids,
            Protocol::Udp => &mut self.udp_ids,
        };
        let id = *ids;
        *ids += 1;
        let index = self.next;
        self.next += 1;
        let facts = Conversation {
            protocol: key.0,
            id,
            client,
            server,
            first: at.time,
            last: at.time,
            first_packet: at.packet,
            packets: Ways::default(),
            bytes: Ways::default(),
            tcp: None,
            udp: (key.0 == Protocol::Udp).then(UdpFacts::default),
        };
        let beginning = Beginning {
            conversation: index,
            protocol: key.0,
            client,
            server,
            at,
        };
        self.begun.push(beginning);
        let open = Open {
            facts,
            connection,
            recent: Ways::default(),
            receiver: R::begin(&self.settings, &beginning),
        };
        self.open.insert(index, open);
        if let Some(old) = self.current.insert(key, index)
            && self.limits.linger.is_some()
        {
            self.close(old, found);
        }
        index
    }

    /// Closes what is over for longer than the limit. Looks around only so
    /// often that the work stays in proportion to the packets.
    fn sweep(&mut self, now: Timestamp, found: &mut R::Found) {
        let Some(linger) = self.limits.linger else {
            return;
        };
        let due = self
            .swept
            .is_none_or(|last| now.since(last) >= linger.max(1) || now < last);
        if !due {
            return;
        }
        self.swept = Some(now);
        let over: Vec<ConversationIndex> = self
            .open
            .iter()
            .filter(|(_, open)| {
                now.since(open.facts.last) >= linger
                    && open.connection.as_ref().is_none_or(|c| c.is_over())
            })
            .map(|(index, _)| *index)
            .collect();
        for index in over {
            self.close(index, found);
        }
    }

    fn close(&mut self, index: ConversationIndex, found: &mut R::Found) {
        let Some(open) = self.open.remove(&index) else {
            return;
        };
        let key = key(open.facts.protocol, open.facts.client, open.facts.server);
        if self.current.get(&key) == Some(&index) {
            self.current.remove(&key);
        }
        self.closed.push(open.close(index, &mut self.store, found));
    }
}

impl Tracker<Streams> {
    /// The end of the capture: all conversations that were not taken before,
    /// with their streams.
    pub fn finish(mut self) -> Tracked {
        self.close_all(&mut ());
        self.closed.sort_by_key(|closed| closed.index);
        let (conversations, streams) = self
            .closed
            .into_iter()
            .map(|closed| (closed.conversation, closed.receiver.ways))
            .unzip();
        Tracked {
            conversations,
            streams,
        }
    }
}

/// The shift of the window scale option (RFC 7323), which only a SYN may carry.
fn window_scale(tcp: &Tcp, frame: &[u8]) -> Option<u8> {
    if !tcp.flags.syn() {
        return None;
    }
    tcp.options(frame).find_map(|option| match option {
        TcpOption::WindowScale(shift) => Some(shift),
        _ => None,
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
