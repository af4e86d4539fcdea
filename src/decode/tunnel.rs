//! Packets inside packets: IP in IP, GRE, ERSPAN, VXLAN, Geneve, GTP-U, Ethernet
//! in IP.

use etherparse::ip_number;

use super::carried::{Carried, Inside, by_tagged_type, by_type_alone};
use super::fault::{Fault, First};
use super::network::{self, Network};
use super::{
    Encapsulation, Ethernet, Layer, Outer, Packet, Reason, Span, Transport, frame, link, ppp,
    transport,
};

/// So many IP headers may be around a packet; beyond is an attack.
pub const DEEPEST: usize = 8;

/// RFC 7348.
const VXLAN_PORT: u16 = 4789;
/// RFC 8926.
const GENEVE_PORT: u16 = 6081;
/// 3GPP TS 29.281: the user's packets in a mobile network.
const GTP_U_PORT: u16 = 2152;

/// RFC 3378: a version, then the frame.
pub(super) const ETHERIP_HEADER: u32 = 2;

/// May a datagram between these ports carry a packet?
#[inline(always)]
pub fn is_udp_tunnel(src_port: u16, dst_port: u16) -> bool {
    let is_tunnel = |port| matches!(port, VXLAN_PORT | GENEVE_PORT | GTP_U_PORT);
    is_tunnel(src_port) || is_tunnel(dst_port)
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
    /// Position of the header, with all its optional fields.
    pub header: Span,
    pub payload: Span,
}

impl Gre {
    /// `gre.proto` of version 1: PPP.
    pub const PPP: u16 = 0x880B;
    /// `gre.proto`: a whole Ethernet frame.
    pub const ETHERNET: u16 = 0x6558;
    /// `gre.proto`: a mirrored Ethernet frame, of ERSPAN's types I and II.
    const ERSPAN: u16 = 0x88BE;
    /// `gre.proto`: the same of type III.
    const ERSPAN_3: u16 = 0x22EB;
    const SEQUENCE: u16 = 0x1000;

    /// `gre.flags.version`: 1 is PPTP's.
    pub fn version(&self) -> u8 {
        (self.flags & 7) as u8
    }
}

pub fn decode_gre(frame: &[u8], network: Network) -> Result<Gre, Fault> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
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
        header: Span::default(),
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
    if flag(Gre::SEQUENCE) {
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
    gre.header = network.payload.first(at as u32);
    gre.payload = network.payload.behind(at as u32);
    Ok(gre)
}

/// A tunnel's header, and what the packet carries behind it.
struct Entered {
    /// None: nothing that is a packet again.
    inside: Option<Result<Inside, Fault>>,
    ethernet: Option<Ethernet>,
    encapsulation: Option<Encapsulation>,
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

/// What stands in a tunnel before the IP packet ([`Outer::inner_layers`]). `transport` is
/// what carries the tunnel.
pub fn layers(transport: &Transport, bytes: &[u8], each: &mut impl FnMut(Layer, usize)) {
    // What is entered is known already.
    let _ = enter(bytes, transport, each);
}

fn enter(
    bytes: &[u8],
    transport: &Transport,
    each: &mut impl FnMut(Layer, usize),
) -> Option<Entered> {
    let by_ip = |payload: Span, version| Entered {
        inside: Some(Ok(Inside::Ip(Carried {
            version: Some(version),
            range: payload.range(),
        }))),
        ethernet: None,
        encapsulation: None,
    };
    match transport {
        Transport::Other { protocol, payload } => match etherparse::IpNumber(*protocol) {
            ip_number::IPV4 => Some(by_ip(*payload, 4)),
            ip_number::IPV6 => Some(by_ip(*payload, 6)),
            ip_number::ETHER_IP => {
                Some(enter_ethernet(bytes, payload.behind(ETHERIP_HEADER), each))
            }
            _ => None,
        },
        Transport::Gre(gre) => enter_gre(bytes, gre, each),
        Transport::Udp(udp) => {
            let between = |port| udp.src_port == port || udp.dst_port == port;
            if between(GTP_U_PORT) {
                enter_gtp(bytes, udp.payload)
            } else if between(VXLAN_PORT) {
                enter_vxlan(bytes, udp.payload, each)
            } else {
                enter_geneve(bytes, udp.payload, each)
            }
        }
        _ => None,
    }
}

fn enter_vxlan(
    bytes: &[u8],
    payload: Span,
    each: &mut impl FnMut(Layer, usize),
) -> Option<Entered> {
    const HEADER: u32 = 8;
    const HAS_NETWORK: u8 = 0x08;
    let [flags, _, _, _, n2, n1, n0, _] = payload.of(bytes).first_chunk()?;
    if flags & HAS_NETWORK == 0 {
        return None;
    }
    let number = u32::from_be_bytes([0, *n2, *n1, *n0]);
    let entered = enter_ethernet(bytes, payload.behind(HEADER), each);
    Some(entered.behind(Layer::Vxlan, number, payload.first(HEADER)))
}

/// RFC 8926: options behind a fixed header, then what an EtherType tells.
fn enter_geneve(
    bytes: &[u8],
    payload: Span,
    each: &mut impl FnMut(Layer, usize),
) -> Option<Entered> {
    const FIXED: u32 = 8;
    let [version, _, p1, p0, n2, n1, n0, _] = payload.of(bytes).first_chunk()?;
    let header = FIXED + 4 * u32::from(version & 0x3F);
    if version >> 6 != 0 || header > payload.len {
        return None;
    }
    let number = u32::from_be_bytes([0, *n2, *n1, *n0]);
    let protocol = u16::from_be_bytes([*p1, *p0]);
    let entered = enter_ethertype(bytes, payload.behind(header), protocol, true, each);
    Some(entered.behind(Layer::Geneve, number, payload.first(header)))
}

/// GTP-U, version 1: a user's packet, or a signal between the tunnel's ends.
fn enter_gtp(bytes: &[u8], payload: Span) -> Option<Entered> {
    const FIXED: u32 = 8;
    /// Version 1, and the protocol type that is not GTP'.
    const VERSION: u8 = 0x30;
    const HAS_OPTIONS: u8 = 0x07;
    const HAS_EXTENSIONS: u8 = 0x04;
    const USERS_PACKET: u8 = 0xFF;
    let message = payload.of(bytes);
    let [flags, kind, _, _, number @ ..] = message.first_chunk::<8>()?;
    if flags & 0xF0 != VERSION {
        return None;
    }
    let mut header = FIXED;
    if flags & HAS_OPTIONS != 0 {
        header += 4;
        let mut next = match flags & HAS_EXTENSIONS {
            0 => 0,
            _ => *message.get(header as usize - 1)?,
        };
        // An extension's first byte is its length, its last one the next one's kind.
        while next != 0 {
            let length = 4 * u32::from(*message.get(header as usize)?);
            if length == 0 {
                return None;
            }
            header += length;
            next = *message.get(header as usize - 1)?;
        }
    }
    if header > payload.len {
        return None;
    }
    let version = message.get(header as usize).map(|first| first >> 4);
    let is_packet = *kind == USERS_PACKET && matches!(version, Some(4 | 6));
    let entered = Entered {
        inside: is_packet.then(|| {
            Ok(Inside::Ip(Carried {
                version,
                range: payload.behind(header).range(),
            }))
        }),
        ethernet: None,
        encapsulation: None,
    };
    let number = u32::from_be_bytes(*number);
    Some(entered.behind(Layer::Gtp, number, payload.first(header)))
}

impl Entered {
    /// The same, with what stands before it.
    fn behind(self, layer: Layer, number: u32, header: Span) -> Entered {
        Entered {
            encapsulation: Some(Encapsulation {
                layer,
                number,
                header,
            }),
            ..self
        }
    }
}

fn enter_gre(bytes: &[u8], gre: &Gre, each: &mut impl FnMut(Layer, usize)) -> Option<Entered> {
    match gre.protocol {
        Gre::PPP => {
            let range = gre.payload.range();
            let until = bytes.get(..range.end).filter(|_| !range.is_empty())?;
            Some(Entered {
                inside: Some(ppp::inside(until, range.start, each).and_then(|(_, inside)| inside)),
                ethernet: None,
                encapsulation: None,
            })
        }
        Gre::ERSPAN | Gre::ERSPAN_3 => enter_erspan(bytes, gre, each),
        protocol => Some(enter_ethertype(bytes, gre.payload, protocol, false, each)),
    }
}

/// A mirrored frame (draft-foschiano-erspan). Type I has no header of its own, and
/// GRE no sequence number.
fn enter_erspan(bytes: &[u8], gre: &Gre, each: &mut impl FnMut(Layer, usize)) -> Option<Entered> {
    const TYPE_2: u32 = 8;
    const TYPE_3: u32 = 12;
    const PLATFORM: u32 = 8;
    if gre.protocol == Gre::ERSPAN && gre.flags & Gre::SEQUENCE == 0 {
        let entered = enter_ethernet(bytes, gre.payload, each);
        return Some(entered.behind(Layer::Erspan, 0, gre.payload.first(0)));
    }
    let message = gre.payload.of(bytes);
    let [_, _, s1, s0] = message.first_chunk()?;
    let header = match gre.protocol {
        Gre::ERSPAN => TYPE_2,
        _ => match message.get(TYPE_3 as usize - 1)? & 1 {
            0 => TYPE_3,
            _ => TYPE_3 + PLATFORM,
        },
    };
    let session = u32::from(u16::from_be_bytes([*s1, *s0]) & 0x03FF);
    let entered = enter_ethernet(bytes, gre.payload.behind(header), each);
    Some(entered.behind(Layer::Erspan, session, gre.payload.first(header)))
}

/// What an EtherType tells. In GRE no tags follow it, as Wireshark has it.
fn enter_ethertype(
    bytes: &[u8],
    payload: Span,
    ethertype: u16,
    may_have_tags: bool,
    each: &mut impl FnMut(Layer, usize),
) -> Entered {
    if ethertype == Gre::ETHERNET && !payload.is_empty() {
        return enter_ethernet(bytes, payload, each);
    }
    let range = payload.range();
    let until = bytes.get(..range.end).filter(|_| !range.is_empty());
    Entered {
        inside: until.map(|until| match may_have_tags {
            true => by_tagged_type(until, range.start, ethertype, each),
            false => by_type_alone(until, range.start, ethertype, each),
        }),
        ethernet: None,
        encapsulation: None,
    }
}

fn enter_ethernet(bytes: &[u8], payload: Span, each: &mut impl FnMut(Layer, usize)) -> Entered {
    let range = payload.range();
    let until = bytes.get(..range.end).unwrap_or(bytes);
    let mut ethernet = None;
    let inside = link::ethernet_at(until, range.start, &mut ethernet, each);
    Entered {
        inside: Some(inside),
        ethernet,
        encapsulation: None,
    }
}

impl Packet {
    /// Of the tunnel its header is all that is known.
    fn unenter(&mut self, encapsulation: Option<Encapsulation>) {
        if encapsulation.is_some() {
            self.extra.get_or_insert_default().unentered = encapsulation;
        }
    }
}

/// Goes inwards through all tunnels that begin at the packet's transport layer.
#[inline(never)]
pub fn enter_all(bytes: &[u8], packet: &mut Packet, first: &mut First) {
    while may_be(&packet.transport) {
        let Some(entered) = enter(bytes, &packet.transport, &mut |_, _| {}) else {
            return;
        };
        let Some(inside) = entered.inside else {
            packet.unenter(entered.encapsulation);
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
            encapsulation: entered.encapsulation,
        };
        packet.net = None;
        let carried = match inside {
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
            packet.unenter(outer.encapsulation);
            return;
        }
        packet.extra.get_or_insert_default().outer.push(outer);
        let Some(network) = carried else {
            return;
        };
        transport::decode(bytes, network, &mut packet.transport, first);
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, ERSPAN_UDP, GENEVE_UDP, GTP_UDP, VXLAN_UDP};
    use super::*;
    use crate::decode::decode;

    /// The layers, each tunnel's number and its header's bytes.
    fn seen(link_type: u32, bytes: &[u8]) -> (String, Vec<(Layer, u32, u32)>) {
        let packet = decode(&samples::frame(link_type, bytes));
        let tunnels = packet
            .outer()
            .iter()
            .filter_map(|outer| outer.encapsulation);
        let tunnels = tunnels.map(|tunnel| (tunnel.layer, tunnel.number, tunnel.header.len));
        (packet.layers(bytes).to_string(), tunnels.collect())
    }

    #[test]
    fn tunnels_over_udp_and_gre() {
        for ((link_type, hex), layers, tunnel) in [
            (
                VXLAN_UDP,
                "udp:vxlan:eth:ethertype",
                (Layer::Vxlan, 5000, 8),
            ),
            (
                GENEVE_UDP,
                "udp:geneve:eth:ethertype",
                (Layer::Geneve, 42, 12),
            ),
            (GTP_UDP, "udp:gtp", (Layer::Gtp, 263, 16)),
            (
                ERSPAN_UDP,
                "gre:erspan:eth:ethertype",
                (Layer::Erspan, 42, 8),
            ),
        ] {
            let (seen, tunnels) = seen(link_type, &samples::bytes(hex));
            assert_eq!(seen, format!("eth:ethertype:ip:{layers}:ip:udp"));
            assert_eq!(tunnels, [tunnel]);
        }
    }

    /// An extension without a length, Geneve of another version and options beyond the
    /// datagram are no tunnels.
    #[test]
    fn what_is_no_tunnel_stays_a_datagram() {
        const MESSAGE: usize = 42;
        for ((link_type, hex), at, byte) in [
            (GTP_UDP, MESSAGE + 12, 0),
            (GENEVE_UDP, MESSAGE, 0x41),
            (GENEVE_UDP, MESSAGE, 0x3F),
        ] {
            let mut bytes = samples::bytes(hex);
            bytes[at] = byte;
            let (layers, tunnels) = seen(link_type, &bytes);
            assert_eq!(
                (layers.as_str(), tunnels.len()),
                ("eth:ethertype:ip:udp", 0)
            );
        }
    }

    /// Their headers were told of in no way, though they are whole: a signal of GTP, a
    /// packet that was cut behind the header, an unknown EtherType.
    #[test]
    fn of_a_tunnel_with_nothing_to_read_the_header_is_told() {
        const MESSAGE: usize = 42;
        for ((link_type, hex), change, end, tunnel) in [
            (GTP_UDP, Some((MESSAGE + 1, 1)), None, (Layer::Gtp, 263, 16)),
            (GTP_UDP, None, Some(MESSAGE + 20), (Layer::Gtp, 263, 16)),
            (
                GENEVE_UDP,
                Some((MESSAGE + 2, 0x88)),
                None,
                (Layer::Geneve, 42, 12),
            ),
            (
                GENEVE_UDP,
                None,
                Some(MESSAGE + 12),
                (Layer::Geneve, 42, 12),
            ),
            (VXLAN_UDP, None, Some(MESSAGE + 9), (Layer::Vxlan, 5000, 8)),
        ] {
            let mut bytes = samples::bytes(hex);
            let whole = bytes.len() as u32;
            if let Some((at, byte)) = change {
                bytes[at] = byte;
            }
            bytes.truncate(end.unwrap_or(bytes.len()));
            let mut frame = samples::frame(link_type, &bytes);
            frame.len = whole;
            let packet = decode(&frame);
            let unentered = packet.unentered().unwrap();
            let number = (unentered.layer, unentered.number, unentered.header.len);
            assert_eq!(number, tunnel);
            // It is a datagram still.
            assert!(packet.udp().is_some() && packet.outer().is_empty());
            let layers = packet.layers(&bytes).to_string();
            assert_eq!(layers, format!("eth:ethertype:ip:udp:{}", tunnel.0.name()));
        }
    }
}
