//! Packets by hand, for the unit tests of everything above decoding.

use std::net::{IpAddr, SocketAddr};

use crate::decode::{
    Icmp, Ipv4, Ipv6, Link, Net, Packet, Quoted, Span, Tcp, TcpFlags, Transport, Udp,
};
use crate::savefile::Timestamp;

use super::{Conversation, Limits, Seen, Streams, Tracker, Ways};

pub(crate) const CLIENT: &str = "127.0.0.1:40000";
pub(crate) const SERVER: &str = "127.0.0.1:12000";

/// A packet with the bytes that its spans point into.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub packet: Packet,
    pub frame: Vec<u8>,
}

impl Made {
    /// Microseconds after the first packet's usual time.
    pub(crate) fn at(mut self, microseconds: i64) -> Made {
        self.packet.time = Timestamp(microseconds * 1000);
        self
    }

    pub(crate) fn window(mut self, window: u16) -> Made {
        if let Transport::Tcp(tcp) = &mut self.packet.transport {
            tcp.window = window;
        }
        self
    }

    /// Adds a window scale option.
    pub(crate) fn scale(mut self, shift: u8) -> Made {
        if let Transport::Tcp(tcp) = &mut self.packet.transport {
            tcp.header = append(&mut self.frame, &[0; 20]);
            tcp.header.len += append(&mut self.frame, &[1, 3, 3, shift]).len;
        }
        self
    }

    pub(crate) fn ip_id(mut self, id: u16) -> Made {
        if let Some(Net::V4(ip)) = &mut self.packet.net {
            ip.id = id;
        }
        self
    }

    /// The segment had `len` bytes on the wire, of which fewer were captured.
    pub(crate) fn wire_len(mut self, len: u32) -> Made {
        if let Transport::Tcp(tcp) = &mut self.packet.transport {
            tcp.len = len;
        }
        self.packet.len = self.packet.cap_len + len;
        self
    }
}

fn append(frame: &mut Vec<u8>, bytes: &[u8]) -> Span {
    let start = frame.len() as u32;
    frame.extend_from_slice(bytes);
    Span {
        start,
        len: bytes.len() as u32,
    }
}

pub(crate) fn socket(text: &str) -> SocketAddr {
    text.parse().expect("a socket address")
}

fn net(src: IpAddr, dst: IpAddr, protocol: u8) -> Net {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => Net::V4(Ipv4 {
            header: Span::default(),
            dscp: 0,
            ecn: 0,
            total_len: 0,
            id: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            ttl: 64,
            protocol,
            checksum: 0,
            src,
            dst,
        }),
        (IpAddr::V6(src), IpAddr::V6(dst)) => Net::V6(Ipv6 {
            header: Span::default(),
            traffic_class: 0,
            flow_label: 0,
            payload_len: 0,
            next_header: protocol,
            hop_limit: 64,
            src,
            dst,
            extensions_len: 0,
            protocol,
            fragment: None,
        }),
        _ => panic!("addresses of two families"),
    }
}

fn made(net: Net, transport: Transport, frame: Vec<u8>) -> Made {
    Made {
        packet: Packet {
            number: 0,
            time: Timestamp(i64::MIN),
            len: 0,
            cap_len: 0,
            interface: 0,
            link: Link::Raw,
            net: Some(net),
            transport,
            ..Packet::default()
        },
        frame,
    }
}

/// Flags by their letters: `S`, `SA`, `A`, `PA`, `FA`, `RA` …
pub(crate) fn flags(letters: &str) -> TcpFlags {
    let bits = letters.chars().map(|letter| match letter {
        'F' => TcpFlags::FIN,
        'S' => TcpFlags::SYN,
        'R' => TcpFlags::RST,
        'P' => TcpFlags::PSH,
        'A' => TcpFlags::ACK,
        _ => panic!("no flag {letter}"),
    });
    TcpFlags(bits.fold(0, |a, b| a | b))
}

pub(crate) fn tcp(
    src: &str,
    dst: &str,
    letters: &str,
    seq: u32,
    ack: u32,
    payload: impl AsRef<[u8]>,
) -> Made {
    let (src, dst) = (socket(src), socket(dst));
    let mut frame = Vec::new();
    let payload = append(&mut frame, payload.as_ref());
    let tcp = Tcp {
        header: Span::default(),
        src_port: src.port(),
        dst_port: dst.port(),
        seq,
        ack,
        flags: flags(letters),
        window: 1000,
        checksum: 0,
        urgent: 0,
        payload,
        len: payload.len,
    };
    made(net(src.ip(), dst.ip(), 6), Transport::Tcp(tcp), frame)
}

pub(crate) fn udp(src: &str, dst: &str, payload: impl AsRef<[u8]>) -> Made {
    let (src, dst) = (socket(src), socket(dst));
    let mut frame = Vec::new();
    let payload = append(&mut frame, payload.as_ref());
    let udp = Udp {
        header: Span::default(),
        src_port: src.port(),
        dst_port: dst.port(),
        length: 8 + payload.len as u16,
        checksum: 0,
        payload,
    };
    made(net(src.ip(), dst.ip(), 17), Transport::Udp(udp), frame)
}

/// The error "port unreachable" that the destination of `of` answers with.
pub(crate) fn port_unreachable(of: &Made) -> Made {
    let quoted_net = of.packet.net.expect("an IP packet");
    let mut frame = Vec::new();
    let (seq, udp_length, protocol) = match &of.packet.transport {
        Transport::Tcp(tcp) => (Some(tcp.seq), None, 6),
        Transport::Udp(udp) => (None, Some(udp.length), 17),
        _ => panic!("neither TCP nor UDP"),
    };
    let quoted_payload = match &of.packet.transport {
        Transport::Udp(udp) => append(&mut frame, udp.payload.of(&of.frame)),
        _ => Span::default(),
    };
    let ports = of.packet.ports();
    let quoted = Quoted {
        undelivered: true,
        net: quoted_net,
        protocol,
        src_port: ports.map(|p| p.0),
        dst_port: ports.map(|p| p.1),
        seq,
        udp_length,
        payload: quoted_payload,
    };
    let icmp = |kind, code| Icmp {
        kind,
        code,
        checksum: 0,
        rest: [0; 4],
        payload: Span::default(),
        quoted: Some(Box::new(quoted)),
    };
    let transport = match quoted_net {
        Net::V4(_) => Transport::Icmp(icmp(3, 3)),
        Net::V6(_) => Transport::Icmpv6(icmp(1, 4)),
    };
    let number = match quoted_net {
        Net::V4(_) => 1,
        Net::V6(_) => 58,
    };
    made(
        net(quoted_net.dst(), quoted_net.src(), number),
        transport,
        frame,
    )
}

/// Numbers the packets and gives those without a time one, 10 ms apart.
pub(crate) fn number(packets: &mut [Made]) {
    for (index, made) in packets.iter_mut().enumerate() {
        made.packet.number = index as u64 + 1;
        if made.packet.time == Timestamp(i64::MIN) {
            made.packet.time = Timestamp(index as i64 * 10_000_000);
        }
    }
}

/// All conversations of a capture, in the order of their first packets.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    pub conversations: Vec<Conversation>,
    /// Same index; empty for UDP.
    pub streams: Vec<Streams>,
    /// What was sent in them.
    pub bytes: Vec<Ways<Vec<u8>>>,
}

impl Tracked {
    /// All that a tracker has of these packets and that was not taken before.
    pub(crate) fn of(mut tracker: Tracker<Streams>, packets: &[Made]) -> Tracked {
        tracker.close_all(&mut ());
        let mut closed = tracker.take_closed();
        closed.sort_by_key(|closed| closed.index);
        let payload = |packet: usize| {
            let made = &packets[packet];
            made.packet.payload().of(&made.frame)
        };
        let bytes = |stream: &super::Stream| stream.gather(0..stream.len(), payload).into_owned();
        Tracked {
            bytes: closed
                .iter()
                .map(|closed| Ways {
                    to_server: bytes(&closed.receiver.to_server),
                    to_client: bytes(&closed.receiver.to_client),
                })
                .collect(),
            conversations: closed.iter().map(|c| c.conversation.clone()).collect(),
            streams: closed.into_iter().map(|c| c.receiver).collect(),
        }
    }
}

pub(crate) fn track_with(limits: Limits, mut packets: Vec<Made>) -> (Vec<Seen>, Tracked) {
    number(&mut packets);
    let mut tracker = Tracker::new(limits, ());
    let seen = packets
        .iter()
        .enumerate()
        .map(|(index, made)| tracker.packet(index, &made.packet, &made.frame, &mut ()))
        .collect();
    (seen, Tracked::of(tracker, &packets))
}

pub(crate) fn track(packets: Vec<Made>) -> (Vec<Seen>, Tracked) {
    track_with(Limits::default(), packets)
}
