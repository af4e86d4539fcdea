//! Packets inside packets: IP in IP, GRE, VXLAN, Ethernet in IP.

use etherparse::ip_number;

use super::carried::{Carried, Inside};
use super::fault::{Fault, First};
use super::network::{self, Network};
use super::{Ethernet, Layer, Outer, Packet, Reason, Span, Transport, frame, link, ppp, transport};

/// So many IP headers may be around a packet; beyond is an attack.
pub const DEEPEST: usize = 8;

/// RFC 7348.
const VXLAN_PORT: u16 = 4789;

/// May a datagram between these ports carry a frame?
pub fn is_udp_tunnel(src_port: u16, dst_port: u16) -> bool {
    src_port == VXLAN_PORT || dst_port == VXLAN_PORT
}

/// RFC 2784 and RFC 2890, RFC 1701, RFC 2637. Field names as Wireshark's `gre.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gre {
    /// `gre.flags_and_version`.
    pub flags: u16,
    /// `gre.proto`: an EtherType.
    pub protocol: u16,
    /// `gre.key`: what the tunnel's ends agreed on; of version 1 the payload's
    /// length and the call.
    pub key: Option<u32>,
    pub payload: Span,
}

impl Gre {
    /// `gre.proto` of version 1: PPP.
    pub const PPP: u16 = 0x880B;
    /// `gre.proto`: a whole Ethernet frame.
    pub const ETHERNET: u16 = 0x6558;

    /// `gre.flags.version`: 1 is PPTP's.
    pub fn version(&self) -> u8 {
        (self.flags & 7) as u8
    }
}

pub fn decode_gre(frame: &[u8], network: Network) -> Result<Gre, Fault> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGMENT: u16 = 0x0080;
    let bytes = network.payload.of(frame);
    let short = |needed| Fault::short(Layer::Gre, needed, bytes.len());
    let Some([f1, f0, p1, p0]) = bytes.first_chunk() else {
        return Err(short(4));
    };
    let mut gre = Gre {
        flags: u16::from_be_bytes([*f1, *f0]),
        protocol: u16::from_be_bytes([*p1, *p0]),
        key: None,
        payload: Span::default(),
    };
    let flag = |bit| gre.flags & bit != 0;
    let mut at = 4;
    if flag(CHECKSUM) || flag(ROUTING) {
        at += 4;
    }
    if flag(KEY) {
        let key = bytes.get(at..).and_then(|rest| rest.first_chunk());
        gre.key = key.map(|key| u32::from_be_bytes(*key));
        at += 4;
    }
    if flag(SEQUENCE) {
        at += 4;
    }
    if flag(ACKNOWLEDGMENT) && gre.version() == 1 {
        at += 4;
    }
    // Source routes, the last one of no length.
    while flag(ROUTING) {
        let Some([_, _, _, length]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
            return Err(short(at + 4));
        };
        at += 4 + usize::from(*length);
        if *length == 0 {
            break;
        }
    }
    if bytes.len() < at {
        return Err(short(at));
    }
    gre.payload = network.payload.behind(at as u32);
    Ok(gre)
}

/// What a packet carries that is a packet again.
struct Entered {
    inside: Result<Inside, Fault>,
    ethernet: Option<Ethernet>,
    vni: Option<u32>,
}

/// May the transport layer carry a packet again?
#[inline(always)]
pub fn may_be(transport: &Transport) -> bool {
    match transport {
        Transport::Udp(udp) => is_udp_tunnel(udp.src_port, udp.dst_port),
        Transport::Gre(_) | Transport::Other { .. } => true,
        _ => false,
    }
}

fn enter(bytes: &[u8], transport: &Transport) -> Option<Entered> {
    let by_ip = |payload: Span, version| Entered {
        inside: Ok(Inside::Ip(Carried {
            version: Some(version),
            range: payload.range(),
        })),
        ethernet: None,
        vni: None,
    };
    match transport {
        Transport::Other { protocol, payload } => match etherparse::IpNumber(*protocol) {
            ip_number::IPV4 => Some(by_ip(*payload, 4)),
            ip_number::IPV6 => Some(by_ip(*payload, 6)),
            // RFC 3378: a version, then the frame.
            ip_number::ETHER_IP => Some(enter_ethernet(bytes, payload.behind(2))),
            _ => None,
        },
        Transport::Gre(gre) => enter_gre(bytes, gre),
        Transport::Udp(udp) => {
            const HEADER: u32 = 8;
            const HAS_NETWORK: u8 = 0x08;
            let [flags, _, _, _, n2, n1, n0, _] = udp.payload.of(bytes).first_chunk()?;
            if flags & HAS_NETWORK == 0 {
                return None;
            }
            Some(Entered {
                vni: Some(u32::from_be_bytes([0, *n2, *n1, *n0])),
                ..enter_ethernet(bytes, udp.payload.behind(HEADER))
            })
        }
        _ => None,
    }
}

fn enter_gre(bytes: &[u8], gre: &Gre) -> Option<Entered> {
    let range = gre.payload.range();
    if range.is_empty() {
        return None;
    }
    let until = bytes.get(..range.end)?;
    let inside = match gre.protocol {
        Gre::ETHERNET => return Some(enter_ethernet(bytes, gre.payload)),
        Gre::PPP => ppp::inside(until, range.start, Layer::Ppp).and_then(|(_, inside)| inside),
        protocol => super::carried::by_ethertype(until, range.start, protocol),
    };
    Some(Entered {
        inside,
        ethernet: None,
        vni: None,
    })
}

fn enter_ethernet(bytes: &[u8], payload: Span) -> Entered {
    let range = payload.range();
    let until = bytes.get(..range.end).unwrap_or(bytes);
    let mut ethernet = None;
    let inside = link::ethernet_at(until, range.start, &mut ethernet);
    Entered {
        inside,
        ethernet,
        vni: None,
    }
}

/// Goes inwards through all tunnels that begin at the packet's transport layer.
#[inline(never)]
pub fn enter_all(bytes: &[u8], packet: &mut Packet, first: &mut First) {
    while may_be(&packet.transport) {
        let Some(entered) = enter(bytes, &packet.transport) else {
            return;
        };
        let Some(net) = packet.net else {
            return;
        };
        if packet.outer().len() >= DEEPEST {
            let reason = Reason::TooDeep {
                limit: DEEPEST as u8,
            };
            first.note(Fault::wrong(Layer::Ip, reason));
            return;
        }
        let has_ethernet = entered.ethernet.is_some();
        let outer = Outer {
            net,
            transport: std::mem::replace(&mut packet.transport, Transport::None),
            ethernet: entered.ethernet,
            vni: entered.vni,
        };
        packet.net = None;
        let carried = match entered.inside {
            Ok(Inside::Ip(carried)) => network::decode(bytes, &carried, 0, &mut packet.net, first),
            Ok(other) => {
                frame::beside_ip(bytes, other, packet, first);
                None
            }
            Err(fault) => {
                first.note(fault);
                None
            }
        };
        if packet.net.is_none() && packet.transport == Transport::None && !has_ethernet {
            // Nothing could be read in there: the packet is what is around it.
            packet.net = Some(outer.net);
            packet.transport = outer.transport;
            return;
        }
        packet.extra.get_or_insert_default().outer.push(outer);
        let Some(network) = carried else {
            return;
        };
        transport::decode(bytes, network, &mut packet.transport, first);
    }
}
