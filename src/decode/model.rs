//! What a decoded packet says: plain values, positions into the frame's bytes,
//! nothing owned but the rare boxed part.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use super::{Arp, Gre, Igmp, Layer, Ppp, Sctp, Trouble, Wlan, network, tunnel};
use crate::savefile::Timestamp;

/// A range of bytes inside one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub len: u32,
}

impl Span {
    /// The bytes of the range; empty where the frame is shorter than it claims.
    pub fn of<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        frame.get(start..start + self.len as usize).unwrap_or(&[])
    }

    /// Its first `size` bytes.
    pub(super) fn first(&self, size: u32) -> Span {
        Span {
            start: self.start,
            len: self.len.min(size),
        }
    }

    /// What is behind its first `size` bytes.
    pub(super) fn behind(&self, size: u32) -> Span {
        Span {
            start: self.start.saturating_add(size),
            len: self.len.saturating_sub(size),
        }
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.start as usize..self.end() as usize
    }

    /// Where it ends.
    pub fn end(&self) -> u32 {
        self.start.saturating_add(self.len)
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// One frame, decoded. Holds no bytes: every [`Span`] points into the frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// `frame.number`, from 1.
    pub number: u64,
    /// `frame.time_epoch`.
    pub time: Timestamp,
    /// `frame.len`: bytes on the wire.
    pub len: u32,
    /// `frame.cap_len`: bytes in the file.
    pub cap_len: u32,
    /// Index of the capturing interface in the file (`frame.interface_id`).
    pub interface: u32,
    /// The frame's own link layer.
    pub link: Link,
    /// The innermost IP header: of a packet in a tunnel the outer ones are in
    /// [`Packet::outer`].
    pub net: Option<Net>,
    pub transport: Transport,
    /// What is wrong or unknown about the frame. Never an `Err`: a malformed
    /// packet is data.
    pub trouble: Option<Trouble>,
    /// What few packets have.
    pub extra: Option<Box<Extra>>,
}

impl Default for Packet {
    /// A frame of no bytes.
    fn default() -> Packet {
        Packet {
            number: 0,
            time: Timestamp(0),
            len: 0,
            cap_len: 0,
            interface: 0,
            link: Link::Unknown,
            net: None,
            transport: Transport::None,
            trouble: None,
            extra: None,
        }
    }
}

/// The rare parts of a packet, kept apart so that the ordinary one is small.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// The layers around a tunnelled packet, outermost first.
    pub outer: Vec<Outer>,
    /// The header of a tunnel that nothing could be read in, behind the transport header.
    pub unentered: Option<Encapsulation>,
    /// The datagram that the packet's fragment completes.
    pub reassembled: Option<Reassembled>,
    /// What is known of a fragment that did not come to a datagram, where that is
    /// noted ([`super::Defragmenter::noting`]).
    pub unfinished: Option<Unfinished>,
}

/// Why a fragment did not come to a datagram, if not for want of the other ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// It was captured twice: the datagram came of the other copy.
    Copy,
    /// The other ones were not waited for any longer.
    Late,
    /// Too many other datagrams waited.
    CrowdedOut,
    /// Another one contradicts it (IPv6).
    Contradicted,
}

/// A datagram put together from its fragments.
#[derive(Clone, Debug, PartialEq)]
pub struct Reassembled {
    /// The headers of the frame that completed it, then the whole payload.
    pub bytes: Vec<u8>,
    /// Where the payload begins.
    pub start: u32,
    /// The numbers of the frames that it came in (`ip.fragment`), ascending.
    pub frames: Vec<u64>,
    /// How many IP headers were around the fragments' own.
    pub depth: u8,
}

/// One IP header with a tunnelled packet behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outer {
    pub net: Net,
    /// What carries the inner packet: UDP for VXLAN, Geneve and GTP, GRE, or nothing
    /// but IP.
    pub transport: Transport,
    /// The tunnel's own header, between the transport and the inner packet.
    pub encapsulation: Option<Encapsulation>,
    /// The header of the Ethernet frame inside.
    pub ethernet: Option<Ethernet>,
}

impl Outer {
    /// Where the Ethernet frame inside begins.
    pub fn inner_frame(&self) -> Option<u32> {
        self.ethernet?;
        match (&self.encapsulation, &self.transport) {
            (Some(encapsulation), _) => Some(encapsulation.header.end()),
            (None, Transport::Gre(gre)) => Some(gre.payload.start),
            (None, Transport::Other { payload, .. }) => {
                Some(payload.start + tunnel::ETHERIP_HEADER)
            }
            _ => None,
        }
    }
}

/// The header of a tunnel over UDP or GRE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encapsulation {
    /// Which one: VXLAN, Geneve, GTP or ERSPAN.
    pub layer: Layer,
    /// What tells its networks, tunnels or sessions apart: `vxlan.vni`, `geneve.vni`,
    /// `gtp.teid`, `erspan.spanid`.
    pub number: u32,
    pub header: Span,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    Ethernet(Ethernet),
    LinuxCooked(Cooked),
    /// BSD null or loop (`null.family`).
    Null {
        family: u32,
    },
    /// Raw IP: no link layer.
    Raw,
    /// PPP on a serial line or over Ethernet.
    Ppp(Ppp),
    /// Cisco's HDLC (`chdlc.protocol`).
    Hdlc {
        protocol: u16,
    },
    /// IEEE 802.11.
    Wlan(Wlan),
    /// A link type that is not decoded.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ethernet {
    pub dst: [u8; 6],
    pub src: [u8; 6],
    /// `eth.type` of the innermost header (after VLAN tags).
    pub ethertype: u16,
    pub vlan: Vlan,
}

/// Linux cooked capture v1 or v2 (`sll`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cooked {
    /// Bytes of the header: which version it is.
    pub header_len: u8,
    pub packet_type: u16,
    /// `sll.etype`: the header's own.
    pub protocol: u16,
    /// The one after VLAN tags.
    pub ethertype: u16,
    pub vlan: Vlan,
}

/// The numbers of up to three VLAN tags (`vlan.id`), outermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Vlan {
    ids: [u16; Self::MOST],
    len: u8,
}

impl Vlan {
    pub const MOST: usize = 3;

    pub(super) fn push(&mut self, id: u16) {
        if let Some(place) = self.ids.get_mut(usize::from(self.len)) {
            *place = id;
            self.len += 1;
        }
    }

    pub fn ids(&self) -> &[u16] {
        self.ids.get(..usize::from(self.len)).unwrap_or(&self.ids)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Net {
    V4(Ipv4),
    V6(Ipv6),
}

impl Net {
    pub fn src(&self) -> IpAddr {
        match self {
            Net::V4(ip) => ip.src.into(),
            Net::V6(ip) => ip.src.into(),
        }
    }

    pub fn dst(&self) -> IpAddr {
        match self {
            Net::V4(ip) => ip.dst.into(),
            Net::V6(ip) => ip.dst.into(),
        }
    }

    /// What is behind the header, by the length that it claims.
    pub fn payload(&self) -> Span {
        let (start, len) = match self {
            Net::V4(ip) => {
                let len = u32::from(ip.total_len);
                (ip.header.end(), len.saturating_sub(ip.header.len))
            }
            Net::V6(ip) => {
                let len = u32::from(ip.payload_len);
                (ip.extensions().end(), len.saturating_sub(ip.extensions_len))
            }
        };
        Span { start, len }
    }
}

/// RFC 791. Field names as Wireshark's `ip.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ipv4 {
    /// Position of the header in the frame (`hdr_len` bytes, options included).
    pub header: Span,
    pub dscp: u8,
    pub ecn: u8,
    /// `ip.len`: total length in bytes. Where it is 0, left to the network card that
    /// cuts the packet to size, what the frame has.
    pub total_len: u16,
    pub id: u16,
    pub dont_fragment: bool,
    pub more_fragments: bool,
    /// In bytes; Wireshark's `ip.frag_offset` is in units of 8.
    pub fragment_offset: u16,
    pub ttl: u8,
    pub protocol: u8,
    pub checksum: u16,
    pub src: Ipv4Addr,
    pub dst: Ipv4Addr,
}

/// RFC 8200. Field names as Wireshark's `ipv6.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ipv6 {
    /// Position of the fixed header (40 bytes).
    pub header: Span,
    pub traffic_class: u8,
    pub flow_label: u32,
    /// `ipv6.plen`.
    pub payload_len: u16,
    /// `ipv6.nxt` of the fixed header.
    pub next_header: u8,
    pub hop_limit: u8,
    pub src: Ipv6Addr,
    pub dst: Ipv6Addr,
    /// Bytes of extension headers between the fixed header and the upper layer.
    pub extensions_len: u32,
    /// The upper layer's protocol number, after all extension headers.
    pub protocol: u8,
    pub fragment: Option<Ipv6Fragment>,
}

impl Ipv6 {
    /// Kind and bytes of each extension header. `data` are the packet's bytes.
    pub fn extension_headers<'a>(
        &self,
        data: &'a [u8],
    ) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        network::extensions(self, data)
    }

    /// The extension headers between the fixed header and the upper layer.
    pub fn extensions(&self) -> Span {
        Span {
            start: self.header.start + self.header.len,
            len: self.extensions_len,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ipv6Fragment {
    /// The header behind this one, in the first fragment.
    pub next: u8,
    pub id: u32,
    /// In bytes.
    pub offset: u16,
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    Tcp(Tcp),
    Udp(Udp),
    Icmp(Icmp),
    Icmpv6(Icmp),
    Igmp(Igmp),
    Sctp(Sctp),
    /// GRE whose payload is not decoded; else it is in [`Packet::outer`].
    Gre(Gre),
    /// In place of IP.
    Arp(Arp),
    /// A protocol beside IP that is known by name only.
    Named {
        layer: Layer,
        payload: Span,
    },
    /// An IP fragment whose upper layer cannot be read.
    Fragment,
    /// Another protocol over IP, by its number.
    Other {
        protocol: u8,
        payload: Span,
    },
    /// No IP, or no readable upper layer.
    None,
}

/// RFC 9293. Field names as Wireshark's `tcp.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tcp {
    /// Position of the header, options included (`tcp.hdr_len` bytes).
    pub header: Span,
    pub src_port: u16,
    pub dst_port: u16,
    /// `tcp.seq_raw`.
    pub seq: u32,
    /// `tcp.ack_raw`; meaningless without ACK.
    pub ack: u32,
    pub flags: TcpFlags,
    /// `tcp.window_size_value`: unscaled.
    pub window: u16,
    pub checksum: u16,
    pub urgent: u16,
    pub payload: Span,
    /// `tcp.len` by the IP header's account: more than `payload.len` where the
    /// frame was cut.
    pub len: u32,
}

/// The twelve bits of `tcp.flags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    pub const FIN: u16 = 0x001;
    pub const SYN: u16 = 0x002;
    pub const RST: u16 = 0x004;
    pub const PSH: u16 = 0x008;
    pub const ACK: u16 = 0x010;
    pub const URG: u16 = 0x020;
    pub const ECE: u16 = 0x040;
    pub const CWR: u16 = 0x080;
    pub const AE: u16 = 0x100;

    pub fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }
    pub fn syn(self) -> bool {
        self.has(Self::SYN)
    }
    pub fn ack(self) -> bool {
        self.has(Self::ACK)
    }
    pub fn fin(self) -> bool {
        self.has(Self::FIN)
    }
    pub fn rst(self) -> bool {
        self.has(Self::RST)
    }
}

/// RFC 768. The 8-byte header, field by field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Udp {
    /// Position of the 8 bytes.
    pub header: Span,
    pub src_port: u16,
    pub dst_port: u16,
    /// `udp.length`: header and payload, as the header claims.
    pub length: u16,
    pub checksum: u16,
    pub payload: Span,
}

/// RFC 792 and RFC 4443.
#[derive(Clone, Debug, PartialEq)]
pub struct Icmp {
    pub kind: u8,
    pub code: u8,
    pub checksum: u16,
    /// The four bytes after the checksum: identifier and sequence of an echo,
    /// the next-hop MTU of "fragmentation needed".
    pub rest: [u8; 4],
    pub payload: Span,
    /// The packet that an ICMP error quotes.
    pub quoted: Option<Box<Quoted>>,
}

/// The packet inside an ICMP error, as far as it was quoted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quoted {
    /// The error says that it did not arrive: none of redirect and source quench.
    pub undelivered: bool,
    pub net: Net,
    pub protocol: u8,
    pub src_port: Option<u16>,
    pub dst_port: Option<u16>,
    /// `tcp.seq_raw` of a quoted segment.
    pub seq: Option<u32>,
    /// `udp.length` of a quoted datagram.
    pub udp_length: Option<u16>,
    /// The quoted bytes after the transport header (UDP only).
    pub payload: Span,
}

/// The state of a checksum (`*.checksum.status`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ChecksumStatus {
    Good,
    Bad,
    /// Left to hardware that loopback does not have, or not enough bytes.
    Unverified,
    /// UDP over IPv4 with checksum 0.
    Absent,
}

impl Packet {
    /// The bytes that the packet's spans point into: those of its `frame`, or of
    /// the datagram that its fragment completes.
    #[inline]
    pub fn data<'a>(&'a self, frame: &'a [u8]) -> &'a [u8] {
        self.reassembled().map_or(frame, |whole| &whole.bytes)
    }

    /// The datagram that the packet's fragment completes.
    #[inline]
    pub fn reassembled(&self) -> Option<&Reassembled> {
        self.extra.as_ref()?.reassembled.as_ref()
    }

    /// The datagram that the fragment completes behind the IP header with so many
    /// others around it.
    #[inline]
    pub fn completed(&self, depth: usize) -> Option<&Reassembled> {
        self.reassembled()
            .filter(|whole| usize::from(whole.depth) == depth)
    }

    /// The header of a tunnel that nothing could be read in.
    pub fn unentered(&self) -> Option<Encapsulation> {
        self.extra.as_ref()?.unentered
    }

    pub fn unfinished(&self) -> Option<Unfinished> {
        self.extra.as_ref()?.unfinished
    }

    /// The datagrams that carry the packet through UDP tunnels (VXLAN, Geneve,
    /// GTP-U), outermost first, each with its source and destination. Wireshark
    /// counts these conversations, too (`udp.stream`).
    #[inline]
    pub fn outer_datagrams(&self) -> impl Iterator<Item = (SocketAddr, SocketAddr, &Udp)> + '_ {
        self.outer()
            .iter()
            .filter_map(|outer| match &outer.transport {
                Transport::Udp(udp) => Some((
                    SocketAddr::new(outer.net.src(), udp.src_port),
                    SocketAddr::new(outer.net.dst(), udp.dst_port),
                    udp,
                )),
                _ => None,
            })
    }

    /// The layers around a tunnelled packet, outermost first.
    #[inline]
    pub fn outer(&self) -> &[Outer] {
        self.extra.as_ref().map_or(&[], |extra| &extra.outer)
    }

    /// Is it part of a datagram, and not the one that completes it?
    #[inline]
    pub fn is_fragment(&self) -> bool {
        let fragment = match &self.net {
            Some(Net::V4(ip)) => ip.more_fragments || ip.fragment_offset != 0,
            Some(Net::V6(ip)) => ip.fragment.is_some_and(|f| f.more || f.offset != 0),
            None => false,
        };
        fragment && self.completed(self.outer().len()).is_none()
    }

    pub fn tcp(&self) -> Option<&Tcp> {
        match &self.transport {
            Transport::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    pub fn udp(&self) -> Option<&Udp> {
        match &self.transport {
            Transport::Udp(udp) => Some(udp),
            _ => None,
        }
    }

    /// ICMP or ICMPv6.
    pub fn icmp(&self) -> Option<&Icmp> {
        match &self.transport {
            Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => Some(icmp),
            _ => None,
        }
    }

    /// Source and destination ports of TCP and UDP.
    pub fn ports(&self) -> Option<(u16, u16)> {
        match &self.transport {
            Transport::Tcp(tcp) => Some((tcp.src_port, tcp.dst_port)),
            Transport::Udp(udp) => Some((udp.src_port, udp.dst_port)),
            _ => None,
        }
    }

    /// Source and destination with ports, for TCP and UDP.
    pub fn sockets(&self) -> Option<(SocketAddr, SocketAddr)> {
        let (src, dst) = self.ports()?;
        let net = self.net.as_ref()?;
        Some((
            SocketAddr::new(net.src(), src),
            SocketAddr::new(net.dst(), dst),
        ))
    }

    /// The payload of TCP, UDP, ICMP or another protocol, as far as captured.
    pub fn payload(&self) -> Span {
        match &self.transport {
            Transport::Tcp(tcp) => tcp.payload,
            Transport::Udp(udp) => udp.payload,
            Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => icmp.payload,
            Transport::Other { payload, .. } | Transport::Named { payload, .. } => *payload,
            Transport::Sctp(sctp) => sctp.payload,
            Transport::Gre(gre) => gre.payload,
            Transport::Igmp(_) | Transport::Arp(_) | Transport::Fragment | Transport::None => {
                Span::default()
            }
        }
    }
}
