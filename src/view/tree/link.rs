//! The link layer.

use super::{Node, hex16};
use crate::decode::{
    Arp, ArpParty, Cooked, Ethernet, FIRST_TYPE, Layer, Link, Packet, Span, Transport,
};

/// Bytes of an Ethernet header without tags (IEEE 802.3).
const ETHERNET: u32 = 14;
const TAG: u32 = 4;

pub fn layers(packet: &Packet, data: &[u8]) -> Vec<Node> {
    let end = header_end(packet, data);
    let span = Span { start: 0, len: end };
    let mut layers = match &packet.link {
        Link::Ethernet(ethernet) => vec![self::ethernet(ethernet, 0)],
        Link::LinuxCooked(cooked) => vec![self::cooked(cooked, span)],
        Link::Null { family } => vec![
            Node::group(Some("null"), "BSD loopback", span).with([Node::field(
                "null.family",
                "Address family",
                family,
                (0, 4),
            )]),
        ],
        Link::Ppp(ppp) => {
            let mut node = Node::group(Some("ppp"), "Point-to-Point Protocol", span);
            node.value = hex16(ppp.protocol);
            vec![node]
        }
        Link::Hdlc { protocol } => {
            let mut node = Node::group(Some("chdlc"), "Cisco HDLC", span);
            node.value = hex16(*protocol);
            vec![node]
        }
        Link::Wlan(wlan) => {
            let mut node = Node::group(Some("wlan"), "IEEE 802.11", span);
            node.value = format!("{} to {}", mac(&wlan.src), mac(&wlan.dst));
            vec![node]
        }
        Link::Raw | Link::Unknown => Vec::new(),
    };
    if let Transport::Arp(arp) = &packet.transport {
        layers.push(self::arp(arp, data));
    }
    layers
}

/// Where what the link layer carries begins.
fn header_end(packet: &Packet, data: &[u8]) -> u32 {
    use crate::decode::Net;
    let outermost = packet.outer().first().map(|outer| &outer.net);
    match outermost.or(packet.net.as_ref()) {
        Some(Net::V4(ip)) => ip.header.start,
        Some(Net::V6(ip)) => ip.header.start,
        None => data.len() as u32,
    }
}

/// The header of Linux cooked capture, with its VLAN tags.
fn cooked(cooked: &Cooked, span: Span) -> Node {
    let mut node = Node::group(Some("sll"), "Linux cooked capture", span);
    let to = match cooked.packet_type {
        0 => "to us",
        1 => "broadcast",
        2 => "multicast",
        3 => "to another host",
        4 => "sent by us",
        _ => "",
    };
    node.children = vec![
        Node::field("sll.pkttype", "Packet type", cooked.packet_type, (0, 0)).says(to),
        Node::field("sll.etype", "Protocol", hex16(cooked.protocol), (0, 0))
            .says(ethertype_name(cooked.protocol)),
    ];
    node.children
        .extend(tags(cooked.vlan.ids(), cooked.header_len.into()));
    node
}

/// VLAN tags, the first of which says its number from `at` on.
fn tags(ids: &[u16], at: u32) -> impl Iterator<Item = Node> {
    let places = (at..).step_by(TAG as usize);
    ids.iter()
        .zip(places)
        .map(|(id, at)| Node::field("vlan.id", "VLAN", id, (at, 2)))
}

/// The Ethernet header at `at`, with its VLAN tags.
pub fn ethernet(ethernet: &Ethernet, at: u32) -> Node {
    let ids = ethernet.vlan.ids();
    let tagged = ids.len() as u32 * TAG;
    let span = Span {
        start: at,
        len: ETHERNET + tagged,
    };
    let mut node = Node::group(Some("eth"), "Ethernet", span);
    node.value = format!("{} to {}", mac(&ethernet.src), mac(&ethernet.dst));
    node.children = vec![
        Node::field("eth.dst", "Destination", mac(&ethernet.dst), (at, 6)),
        Node::field("eth.src", "Source", mac(&ethernet.src), (at + 6, 6)),
    ];
    node.children.extend(tags(ids, at + ETHERNET));
    let (number, place) = (ethernet.ethertype, (at + 12 + tagged, 2));
    node.children.push(match number {
        length if length < FIRST_TYPE => Node::field("eth.len", "Length", length, place),
        kind => Node::field("eth.type", "Type", hex16(kind), place).says(ethertype_name(kind)),
    });
    node
}

fn arp(arp: &Arp, data: &[u8]) -> Node {
    let span = Span {
        start: arp.addresses.start.saturating_sub(8),
        len: arp.addresses.len + 8,
    };
    let mut node = Node::group(Some("arp"), "Address Resolution Protocol", span);
    let asks = match arp.opcode {
        1 => "request",
        2 => "reply",
        _ => "",
    };
    node.children
        .push(Node::field("arp.opcode", "Operation", arp.opcode, (span.start + 6, 2)).says(asks));
    for (party, label, field) in [
        (ArpParty::Sender, "Sender", "arp.src.proto_ipv4"),
        (ArpParty::Target, "Target", "arp.dst.proto_ipv4"),
    ] {
        if let Some(ip) = arp.ipv4(party, data) {
            node.children.push(Node::field(field, label, ip, (0, 0)));
        }
    }
    node
}

pub fn mac(bytes: &[u8; 6]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

fn ethertype_name(number: u16) -> &'static str {
    match number {
        0x0800 => "IPv4",
        0x86dd => "IPv6",
        0x0806 => Layer::Arp.name(),
        0x8100 => "VLAN",
        _ => "",
    }
}
