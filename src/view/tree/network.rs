//! IPv4 (RFC 791) and IPv6 (RFC 8200).

use super::{Node, flag, hex16};
use crate::decode::{ChecksumStatus, Ipv4, Ipv6, Layer, Net, header_checksum_status};

pub fn layer(net: &Net, data: &[u8]) -> Node {
    match net {
        Net::V4(ip) => ipv4(ip, header_checksum_status(net, data)),
        Net::V6(ip) => ipv6(ip),
    }
}

fn ipv4(ip: &Ipv4, status: Option<ChecksumStatus>) -> Node {
    let at = ip.header.start;
    let mut node = Node::group(Some("ip"), "Internet Protocol version 4", ip.header);
    node.value = format!("{} to {}", ip.src, ip.dst);
    node.children = vec![
        Node::field("ip.version", "Version", 4, (at, 1)),
        Node::field("ip.hdr_len", "Header length", ip.header.len, (at, 1)).says("bytes"),
        Node::field(
            "ip.dsfield.dscp",
            "Differentiated services",
            ip.dscp,
            (at + 1, 1),
        ),
        Node::field(
            "ip.dsfield.ecn",
            "Congestion notification",
            ip.ecn,
            (at + 1, 1),
        )
        .says(ecn(ip.ecn)),
        Node::field("ip.len", "Total length", ip.total_len, (at + 2, 2)).says("bytes"),
        Node::field("ip.id", "Identification", hex16(ip.id), (at + 4, 2)),
        flag(
            "ip.flags.df",
            "Don't fragment",
            ip.dont_fragment,
            (at + 6, 1),
        ),
        flag(
            "ip.flags.mf",
            "More fragments",
            ip.more_fragments,
            (at + 6, 1),
        ),
        Node::field(
            "ip.frag_offset",
            "Fragment offset",
            ip.fragment_offset / 8,
            (at + 6, 2),
        )
        .says("in units of 8 bytes"),
        Node::field("ip.ttl", "Time to live", ip.ttl, (at + 8, 1)).says("hops"),
        Node::field("ip.proto", "Protocol", ip.protocol, (at + 9, 1)).says(protocol(ip.protocol)),
        Node::field(
            "ip.checksum",
            "Header checksum",
            hex16(ip.checksum),
            (at + 10, 2),
        )
        .says(super::transport::checksum_words(status)),
        Node::field("ip.src", "Source", ip.src, (at + 12, 4)),
        Node::field("ip.dst", "Destination", ip.dst, (at + 16, 4)),
    ];
    if let Some(options) = ip.header.len.checked_sub(20).filter(|len| *len > 0) {
        node.children.push(Node::text(
            "Options",
            format!("{options} bytes"),
            (at + 20, options),
        ));
    }
    node
}

fn ipv6(ip: &Ipv6) -> Node {
    let at = ip.header.start;
    let mut span = ip.header;
    span.len += ip.extensions_len;
    let mut node = Node::group(Some("ipv6"), "Internet Protocol version 6", span);
    node.value = format!("{} to {}", ip.src, ip.dst);
    node.children = vec![
        Node::field("ipv6.version", "Version", 6, (at, 1)),
        Node::field(
            "ipv6.tclass",
            "Traffic class",
            format!("0x{:02x}", ip.traffic_class),
            (at, 2),
        ),
        Node::field(
            "ipv6.flow",
            "Flow label",
            format!("0x{:05x}", ip.flow_label),
            (at + 1, 3),
        ),
        Node::field("ipv6.plen", "Payload length", ip.payload_len, (at + 4, 2)).says("bytes"),
        Node::field("ipv6.nxt", "Next header", ip.next_header, (at + 6, 1))
            .says(protocol(ip.next_header)),
        Node::field("ipv6.hlim", "Hop limit", ip.hop_limit, (at + 7, 1)).says("hops"),
        Node::field("ipv6.src", "Source", ip.src, (at + 8, 16)),
        Node::field("ipv6.dst", "Destination", ip.dst, (at + 24, 16)),
    ];
    if ip.extensions_len > 0 {
        let extensions = ip.extensions();
        node.children.push(Node::text(
            "Extension headers",
            format!("{} bytes", extensions.len),
            (extensions.start, extensions.len),
        ));
    }
    node
}

/// RFC 3168.
fn ecn(bits: u8) -> &'static str {
    match bits {
        1 | 2 => "the sender understands it",
        3 => "congestion was met",
        _ => "not in use",
    }
}

pub fn protocol(number: u8) -> &'static str {
    match number {
        1 => "ICMP",
        6 => "TCP",
        17 => "UDP",
        58 => "ICMPv6",
        _ => Layer::of_ip_protocol(number).map_or("", Layer::name),
    }
}
