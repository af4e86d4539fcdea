//! Fields of what stands beside IP or around it: ARP, IGMP, SCTP, tunnels, PPP,
//! IEEE 802.11, and the protocols that are known by name only.

use crate::decode::{Arp, ArpParty, Gre, Igmp, Layer, Link, Net, Sctp, Transport, Wlan};

use super::fields::{Field, FieldValue, Kind, Names, Out, View, number};
use super::fields_ip::{SET, bit};

macro_rules! named {
    ($(($layer:ident, $name:literal, $meaning:literal),)*) => {
        /// Protocols that are known by name only.
        pub(super) const NAMED: &[Field] = &[$(
            // A mark: their bytes are not there to be looked at.
            Field::new($name, Kind::Label, $meaning, |v, out| has(v, out, Layer::$layer)),
        )*];
    };
}

named! {
    (Llc, "llc", "logical link control (IEEE 802.2)"),
    (Mpls, "mpls", "labels of multiprotocol label switching"),
    (Pppoed, "pppoed", "PPP over Ethernet: discovery"),
    (Pppoes, "pppoes", "PPP over Ethernet: a session"),
    (Chdlc, "chdlc", "Cisco's HDLC"),
    (Radiotap, "radiotap", "what the radio says of an IEEE 802.11 frame"),
    (Prism, "prism", "Prism's header of an IEEE 802.11 frame, not read"),
    (Wlancap, "wlancap", "AVS's header of an IEEE 802.11 frame, not read"),
    (Stp, "stp", "spanning tree, not read"),
    (Cdp, "cdp", "Cisco discovery, not read"),
    (Lldp, "lldp", "link layer discovery, not read"),
    (Eapol, "eapol", "port authentication (IEEE 802.1X), not read"),
    (Slow, "slow", "slow protocols, as link aggregation, not read"),
    (Ptp, "ptp", "precision time over Ethernet, not read"),
    (Loop, "loop", "configuration test, not read"),
    (Can, "can", "controller area network, not read"),
    (CanFd, "canfd", "controller area network with flexible data rate, not read"),
    (Slarp, "slarp", "Cisco's SLARP, as its keepalives, not read"),
    (Ipx, "ipx", "Novell's IPX, not read"),
    (Lcp, "lcp", "PPP link control, not read"),
    (Ipcp, "ipcp", "PPP control of IP, not read"),
    (Pap, "pap", "PPP password authentication, not read"),
    (Chap, "chap", "PPP challenge authentication, not read"),
    (Ah, "ah", "IPsec authentication header"),
    (Esp, "esp", "IPsec encapsulated payload, not read"),
    (Ospf, "ospf", "open shortest path first, not read"),
    (Eigrp, "eigrp", "Cisco's EIGRP, not read"),
    (Pim, "pim", "protocol independent multicast, not read"),
    (Vrrp, "vrrp", "virtual router redundancy, not read"),
    (Rsvp, "rsvp", "resource reservation, not read"),
    (L2tp, "l2tp", "layer 2 tunnelling over IP, not read"),
    (Dccp, "dccp", "datagram congestion control, not read"),
    (UdpLite, "udplite", "UDP-Lite, not read"),
    (Etherip, "etherip", "Ethernet in IP"),
}

/// Of ARP's operations.
const OPERATIONS: Names = &[("request", 1), ("reply", 2)];

pub(super) const CARRIED: &[Field] = &[
    Field::new(
        "ipv6.hopopts",
        Kind::Protocol,
        "IPv6 hop-by-hop options",
        |v, out| {
            extensions(v, out, 0);
        },
    ),
    Field::new(
        "ipv6.routing",
        Kind::Protocol,
        "IPv6 routing header",
        |v, out| {
            extensions(v, out, 43);
        },
    ),
    Field::new(
        "ipv6.dstopts",
        Kind::Protocol,
        "IPv6 destination options",
        |v, out| {
            extensions(v, out, 60);
        },
    ),
    Field::new(
        "arp.hw.type",
        Kind::Unsigned(16),
        "kind of hardware: 1 is Ethernet",
        |v, out| {
            out.extend(arp(v).map(|a| number(a.hw_type)));
        },
    ),
    Field::new(
        "arp.proto.type",
        Kind::Unsigned(16),
        "EtherType of the addresses asked for",
        |v, out| {
            out.extend(arp(v).map(|a| number(a.proto_type)));
        },
    ),
    Field::new(
        "arp.opcode",
        Kind::Unsigned(16),
        "1 asks, 2 answers",
        |v, out| {
            out.extend(arp(v).map(|a| number(a.opcode)));
        },
    )
    .names(OPERATIONS),
    Field::new(
        "arp.src.hw_mac",
        Kind::Ether,
        "hardware address of the sender",
        |v, out| {
            hardware(v, out, ArpParty::Sender);
        },
    ),
    Field::new(
        "arp.src.proto_ipv4",
        Kind::Ipv4,
        "IPv4 address of the sender",
        |v, out| {
            address(v, out, ArpParty::Sender);
        },
    ),
    Field::new(
        "arp.dst.hw_mac",
        Kind::Ether,
        "hardware address of the target",
        |v, out| {
            hardware(v, out, ArpParty::Target);
        },
    ),
    Field::new(
        "arp.dst.proto_ipv4",
        Kind::Ipv4,
        "IPv4 address of the target",
        |v, out| {
            address(v, out, ArpParty::Target);
        },
    ),
    Field::new(
        "igmp",
        Kind::Protocol,
        "Internet group management",
        |v, out| {
            out.extend(igmp(v).map(|i| FieldValue::whole(i.message.of(v.data()))));
        },
    ),
    Field::new(
        "igmp.type",
        Kind::Unsigned(8),
        "17 asks, 18, 22 and 34 answer, 23 leaves",
        |v, out| {
            out.extend(igmp(v).map(|i| number(i.kind)));
        },
    ),
    Field::new(
        "igmp.maddr",
        Kind::Ipv4,
        "each group that is named",
        |v, out| {
            let data = v.data();
            let groups = igmp(v).into_iter().flat_map(|i| i.groups(data));
            out.extend(groups.map(|group| FieldValue::Ip(group.into())));
        },
    ),
    Field::new(
        "sctp",
        Kind::Protocol,
        "stream control transmission",
        |v, out| {
            out.extend(sctp(v).map(|s| FieldValue::Layer {
                header: 12,
                bytes: v.slice(
                    s.payload.start.saturating_sub(12),
                    s.payload.len as usize + 12,
                ),
            }));
        },
    ),
    Field::new(
        "sctp.srcport",
        Kind::Unsigned(16),
        "source port",
        |v, out| {
            out.extend(sctp(v).map(|s| number(s.src_port)));
        },
    ),
    Field::new(
        "sctp.dstport",
        Kind::Unsigned(16),
        "destination port",
        |v, out| {
            out.extend(sctp(v).map(|s| number(s.dst_port)));
        },
    ),
    Field::new("sctp.port", Kind::Unsigned(16), "either port", |v, out| {
        out.extend(
            sctp(v)
                .into_iter()
                .flat_map(|s| [number(s.src_port), number(s.dst_port)]),
        );
    }),
    Field::new(
        "sctp.verification_tag",
        Kind::Unsigned(32),
        "tells associations between the same ports apart",
        |v, out| {
            out.extend(sctp(v).map(|s| number(s.tag)));
        },
    ),
    Field::new(
        "gre",
        Kind::Protocol,
        "generic routing encapsulation",
        |v, out| {
            out.layers(gres(v).map(|g| {
                let header = g.header.len as usize;
                FieldValue::Layer {
                    header,
                    bytes: v.slice(g.header.start, header + g.payload.len as usize),
                }
            }));
        },
    ),
    Field::new(
        "gre.proto",
        Kind::Unsigned(16),
        "EtherType of what is inside",
        |v, out| {
            out.layers(gres(v).map(|g| number(g.protocol)));
        },
    ),
    Field::new(
        "gre.flags_and_version",
        Kind::Unsigned(16),
        "flags, and the version in the last three bits",
        |v, out| {
            out.layers(gres(v).map(|g| number(g.flags)));
        },
    ),
    Field::new(
        "vxlan",
        Kind::Protocol,
        "virtual extensible LAN",
        |v, out| has(v, out, Layer::Vxlan),
    ),
    Field::new(
        "vxlan.vni",
        Kind::Unsigned(24),
        "number of the virtual network",
        |v, out| {
            out.extend(numbers(v, Layer::Vxlan));
        },
    ),
    Field::new(
        "geneve",
        Kind::Protocol,
        "generic network virtualisation encapsulation",
        |v, out| has(v, out, Layer::Geneve),
    ),
    Field::new(
        "geneve.vni",
        Kind::Unsigned(24),
        "number of the virtual network",
        |v, out| {
            out.extend(numbers(v, Layer::Geneve));
        },
    ),
    Field::new(
        "gtp",
        Kind::Protocol,
        "GPRS tunnelling protocol (GTP-U)",
        |v, out| has(v, out, Layer::Gtp),
    ),
    Field::new(
        "gtp.teid",
        Kind::Unsigned(32),
        "number of the tunnel's end",
        |v, out| {
            out.extend(numbers(v, Layer::Gtp));
        },
    ),
    Field::new(
        "erspan",
        Kind::Protocol,
        "encapsulated remote switch port analyser: a mirrored frame",
        |v, out| has(v, out, Layer::Erspan),
    ),
    Field::new(
        "erspan.spanid",
        Kind::Unsigned(16),
        "number of the mirroring session",
        |v, out| {
            out.extend(numbers(v, Layer::Erspan));
        },
    ),
    Field::new(
        "ppp",
        Kind::Protocol,
        "point-to-point protocol",
        |v, out| has(v, out, Layer::Ppp),
    ),
    Field::new("wlan", Kind::Protocol, "IEEE 802.11", |v, out| {
        out.extend(wlan(v).map(|w| FieldValue::Layer {
            header: w.header_len(),
            bytes: v.frame().get(w.start.into()..).unwrap_or(&[]),
        }));
    }),
    Field::new(
        "wlan.fc.type",
        Kind::Unsigned(8),
        "0 management, 1 control, 2 data",
        |v, out| {
            out.extend(wlan(v).map(|w| number(w.kind())));
        },
    ),
    Field::new(
        "wlan.fc.subtype",
        Kind::Unsigned(8),
        "kind of frame within its type",
        |v, out| {
            out.extend(wlan(v).map(|w| number(w.subtype())));
        },
    ),
    Field::new(
        "wlan.fc.type_subtype",
        Kind::Unsigned(16),
        "type and subtype: 8 beacon, 32 data, 40 data with quality of service",
        |v, out| {
            out.extend(wlan(v).map(|w| number(w.type_subtype())));
        },
    ),
    Field::new(
        "wlan.fc.protected",
        Kind::Bool,
        "the payload is encrypted",
        |v, out| {
            out.extend(wlan(v).map(|w| bit(w.protected())));
        },
    )
    .names(SET),
    Field::new("wlan.da", Kind::Ether, "destination", |v, out| {
        out.extend(ends(v).map(|w| FieldValue::bytes(&w.dst)));
    }),
    Field::new("wlan.sa", Kind::Ether, "source", |v, out| {
        out.extend(ends(v).map(|w| FieldValue::bytes(&w.src)));
    }),
    Field::new("wlan.bssid", Kind::Ether, "the cell", |v, out| {
        let named = ends(v).filter(|w| w.bssid != [0; 6]);
        out.extend(named.map(|w| FieldValue::bytes(&w.bssid)));
    }),
];

fn has(v: &View<'_>, out: &mut Out<'_, '_>, layer: Layer) {
    if v.packet.layers(v.frame()).as_slice().contains(&layer) {
        out.push(FieldValue::whole(&[]));
    }
}

/// The extension headers of this kind.
fn extensions<'a>(v: &View<'a>, out: &mut Out<'a, '_>, kind: u8) {
    for net in v.nets() {
        if let Net::V6(ip) = net {
            let headers = ip.extension_headers(v.data());
            let bytes = headers.filter(|(other, _)| *other == kind);
            out.extend(bytes.map(|(_, bytes)| FieldValue::whole(bytes)));
        }
    }
}

fn arp<'a>(v: &View<'a>) -> Option<&'a Arp> {
    match &v.packet.transport {
        Transport::Arp(arp) => Some(arp),
        _ => None,
    }
}

fn hardware<'a>(v: &View<'a>, out: &mut Out<'a, '_>, party: ArpParty) {
    let address = arp(v).and_then(|arp| arp.hardware(party, v.data()));
    out.extend(address.map(|a| FieldValue::Bytes(a.to_vec().into())));
}

fn address<'a>(v: &View<'a>, out: &mut Out<'a, '_>, party: ArpParty) {
    let address = arp(v).and_then(|arp| arp.ipv4(party, v.data()));
    out.extend(address.map(|a| FieldValue::Ip(a.into())));
}

fn igmp<'a>(v: &View<'a>) -> Option<&'a Igmp> {
    match &v.packet.transport {
        Transport::Igmp(igmp) => Some(igmp),
        _ => None,
    }
}

fn sctp<'a>(v: &View<'a>) -> Option<&'a Sctp> {
    match &v.packet.transport {
        Transport::Sctp(sctp) => Some(sctp),
        _ => None,
    }
}

/// What the headers of the tunnels of this kind have for a number, outermost first, then
/// of one that could not be entered.
fn numbers<'a>(v: &View<'a>, layer: Layer) -> impl Iterator<Item = FieldValue<'a>> + use<'a> {
    let tunnels = v.outer().iter().filter_map(|outer| outer.encapsulation);
    let tunnels = tunnels.chain(v.packet.unentered());
    // ERSPAN's type I has no header, and no number.
    let tunnels = tunnels.filter(move |t| t.layer == layer && !t.header.is_empty());
    tunnels.map(|tunnel| number(tunnel.number))
}

/// Of tunnels, outermost first; then of one that could not be entered.
fn gres<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Gre> + use<'a> {
    let outer = v.outer().iter().map(|outer| &outer.transport);
    let all = outer.chain([&v.packet.transport]);
    all.filter_map(|transport| match transport {
        Transport::Gre(gre) => Some(gre),
        _ => None,
    })
}

fn wlan<'a>(v: &View<'a>) -> Option<&'a Wlan> {
    match &v.packet.link {
        Link::Wlan(wlan) => Some(wlan),
        _ => None,
    }
}

/// A control frame has a receiver instead.
fn ends<'a>(v: &View<'a>) -> Option<&'a Wlan> {
    wlan(v).filter(|w| w.kind() != 1)
}
