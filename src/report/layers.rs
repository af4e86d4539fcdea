//! What few packets have: layers beside IP, and the ones around a tunnelled
//! packet.

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::Serialize;

use super::packet::{Eth, Ip, Ipv6, Packet};
use super::packets::{ethernet, ip, ipv6};
use super::spelled::Mac;
use crate::decode::{
    self, ArpParty, Encapsulation, Layer, Link, Net, Reassembled, Transport, header_checksum_status,
};

/// PPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ppp {
    /// 0x0021 is IPv4, 0x0057 IPv6.
    pub protocol: u16,
}

/// Cisco's HDLC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Chdlc {
    /// The protocol inside, as of Ethernet.
    pub protocol: u16,
}

/// IEEE 802.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wlan {
    pub fc: WlanControl,
    /// Destination; of a control frame its receiver.
    pub da: Mac,
    /// Source; zero where the frame has none.
    pub sa: Mac,
    /// The cell; zero where the frame names none.
    pub bssid: Mac,
}

/// What an 802.11 frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WlanControl {
    /// 32 is data, 40 data with quality of service, 8 a beacon.
    pub type_subtype: u8,
    /// The payload is encrypted.
    pub protected: bool,
}

/// RFC 826.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Arp {
    /// 1 asks, 2 answers.
    pub opcode: u16,
    /// Who sends the message.
    pub src: ArpEnd,
    /// Whom it is about.
    pub dst: ArpEnd,
}

/// A party of ARP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ArpEnd {
    /// Where it is an Ethernet address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hw_mac: Option<Mac>,
    /// Where it is an IPv4 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proto_ipv4: Option<Ipv4Addr>,
}

/// RFC 2236 and RFC 3376.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Igmp {
    /// 17 asks, 18, 22 and 34 answer, 23 leaves.
    #[serde(rename = "type")]
    pub kind: u8,
    /// The groups.
    pub maddr: Vec<Ipv4Addr>,
}

/// RFC 9260.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sctp {
    pub srcport: u16,
    pub dstport: u16,
    /// Tells associations between the same ports apart.
    pub verification_tag: u32,
}

/// RFC 2784 and RFC 2637.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gre {
    /// The protocol inside, as of Ethernet.
    pub proto: u16,
    /// Flags, and in the last three bits the version.
    pub flags_and_version: u16,
    /// What the tunnel's ends agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<u32>,
}

/// RFC 7348.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vxlan {
    /// The number of the network.
    pub vni: u32,
}

/// RFC 8926.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Geneve {
    /// The number of the network.
    pub vni: u32,
}

/// 3GPP TS 29.281.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gtp {
    /// The number of the tunnel's end.
    pub teid: u32,
}

/// A mirrored frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Erspan {
    /// The number of the session.
    pub spanid: u32,
}

/// Ports of a datagram around the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OuterUdp {
    pub srcport: u16,
    pub dstport: u16,
}

/// The headers around a tunnelled packet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Outer {
    /// IPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ip>,
    /// IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6>,
    /// The datagram that carries VXLAN, Geneve or GTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<OuterUdp>,
    /// VXLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vxlan: Option<Vxlan>,
    /// GRE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gre: Option<Gre>,
    /// Geneve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geneve: Option<Geneve>,
    /// GTP-U.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtp: Option<Gtp>,
    /// ERSPAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erspan: Option<Erspan>,
    /// The header of the Ethernet frame inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eth: Option<Eth>,
}

/// Fills in what an ordinary packet has not. `data` are the packet's bytes.
pub(super) fn fill(shown: &mut Packet<'_>, packet: &decode::Packet, data: &[u8]) {
    match &packet.link {
        Link::Ppp(ppp) => {
            shown.ppp = Some(Ppp {
                protocol: ppp.protocol,
            });
        }
        Link::Hdlc { protocol } => {
            shown.chdlc = Some(Chdlc {
                protocol: *protocol,
            });
        }
        Link::Wlan(frame) => shown.wlan = Some(wlan(frame)),
        _ => {}
    }
    let outers = packet.outer().iter().enumerate();
    let outers = outers.map(|(depth, o)| outer(o, packet.completed(depth), data));
    shown.outer = outers.collect();
    match &packet.transport {
        Transport::Arp(message) => shown.arp = Some(arp(message, data)),
        Transport::Igmp(message) => {
            shown.igmp = Some(Igmp {
                kind: message.kind,
                maddr: message.groups(data).collect(),
            });
        }
        Transport::Sctp(sctp) => {
            shown.sctp = Some(Sctp {
                srcport: sctp.src_port,
                dstport: sctp.dst_port,
                verification_tag: sctp.tag,
            });
        }
        Transport::Gre(header) => shown.gre = Some(gre(header)),
        Transport::Named { layer, .. } => shown.protocol = Some(layer.name()),
        Transport::Other { protocol, .. } => {
            shown.protocol = Layer::of_ip_protocol(*protocol).map(Layer::name);
        }
        _ => {}
    }
}

/// `whole`: the datagram that the fragment behind the header completes.
fn outer(outer: &decode::Outer, whole: Option<&Reassembled>, data: &[u8]) -> Outer {
    let mut shown = Outer {
        eth: outer.ethernet.as_ref().map(ethernet),
        ..Outer::default()
    };
    if let Some(Encapsulation {
        layer,
        number,
        header,
    }) = outer.encapsulation
    {
        match layer {
            Layer::Vxlan => shown.vxlan = Some(Vxlan { vni: number }),
            Layer::Geneve => shown.geneve = Some(Geneve { vni: number }),
            Layer::Gtp => shown.gtp = Some(Gtp { teid: number }),
            // Type I has no header, and no number.
            Layer::Erspan if !header.is_empty() => shown.erspan = Some(Erspan { spanid: number }),
            _ => {}
        }
    }
    match &outer.net {
        Net::V4(header) => {
            let status = header_checksum_status(&outer.net, data);
            shown.ip = Some(ip(header, status, whole));
        }
        Net::V6(header) => shown.ipv6 = Some(ipv6(header, whole)),
    }
    match &outer.transport {
        Transport::Udp(udp) => {
            shown.udp = Some(OuterUdp {
                srcport: udp.src_port,
                dstport: udp.dst_port,
            });
        }
        Transport::Gre(header) => shown.gre = Some(gre(header)),
        _ => {}
    }
    shown
}

fn gre(gre: &decode::Gre) -> Gre {
    Gre {
        proto: gre.protocol,
        flags_and_version: gre.flags,
        key: gre.key,
    }
}

fn wlan(wlan: &decode::Wlan) -> Wlan {
    Wlan {
        fc: WlanControl {
            type_subtype: wlan.type_subtype(),
            protected: wlan.protected(),
        },
        da: Mac(wlan.dst),
        sa: Mac(wlan.src),
        bssid: Mac(wlan.bssid),
    }
}

fn arp(arp: &decode::Arp, data: &[u8]) -> Arp {
    let end = |party| ArpEnd {
        hw_mac: arp.hardware(party, data).map(Mac),
        proto_ipv4: arp.ipv4(party, data),
    };
    Arp {
        opcode: arp.opcode,
        src: end(ArpParty::Sender),
        dst: end(ArpParty::Target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::samples;
    use crate::trace::read;

    /// The frames were told of the inner header.
    #[test]
    fn fragments_are_those_of_the_outer_header() {
        let fragment = |flags: [u8; 2], payload: &[u8]| {
            let mut bytes = vec![0x45, 0, 0, 20 + payload.len() as u8, 0, 5];
            bytes.extend(flags);
            bytes.extend([64, 41, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
            bytes.extend(payload);
            bytes
        };
        let mut inner = vec![0x60, 0, 0, 0, 0, 8, 17, 64];
        inner.extend([[1; 16], [2; 16]].concat());
        inner.extend([0, 1, 0, 2, 0, 8, 0, 0]);
        let frames = [
            fragment([0x20, 0], &inner[..40]),
            fragment([0, 5], &inner[40..]),
        ];
        let trace = read(&samples::pcap(101, &frames)[..], "test.pcap", None).unwrap();
        let shown = serde_json::to_value(Packet::of(&trace, 1)).unwrap();
        let outer = &shown["outer"][0]["ip"];
        assert_eq!(outer["fragments"], serde_json::json!([1, 2]));
        assert_eq!(outer["reassembled"]["length"], 48);
        assert_eq!(shown["udp"]["dstport"], 2);
        assert_eq!(shown["ipv6"].get("fragments"), None);
    }

    /// It was `eth.type`.
    #[test]
    fn a_length_in_the_types_place_is_none() {
        let frame = |number: [u8; 2]| [&[2; 12], &number[..], &[0x42, 0x42, 3]].concat();
        let frames = [frame([0, 3]), frame([0x88, 0xCC])];
        let trace = read(&samples::pcap(1, &frames)[..], "test.pcap", None).unwrap();
        let eth = |index| serde_json::to_value(Packet::of(&trace, index).unwrap().eth).unwrap();
        assert_eq!((&eth(0)["len"], eth(0).get("type")), (&3.into(), None));
        assert_eq!((&eth(1)["type"], eth(1).get("len")), (&0x88CC.into(), None));
    }
}
