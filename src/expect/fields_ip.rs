//! Fields of IPv4, IPv6 and their ICMP.

use std::net::IpAddr;

use crate::decode::{Icmp, Ipv4, Ipv6, Ipv6Fragment, Net, Reassembled};

use super::fields::{Alike, Field, FieldValue, Kind, Names, Out, View, number};

pub(super) const IP: &[Field] = &[
    Field::new(
        "ip",
        Kind::Protocol,
        "Internet Protocol version 4",
        |v, out| {
            of_v4(v, out, |ip| FieldValue::Layer {
                header: ip.header.len as usize,
                bytes: v.slice(ip.header.start, usize::from(ip.total_len)),
            })
        },
    )
    .alike(Alike::Kind),
    Field::new("ip.version", Kind::Unsigned(4), "4 or 6", |v, out| {
        for net in v.nets() {
            out.push(match net {
                Net::V4(_) => number(4u8),
                Net::V6(_) => number(6u8),
            });
            out.next_layer();
        }
    })
    .alike(Alike::Kind),
    Field::new(
        "ip.hdr_len",
        Kind::Unsigned(8),
        "header length in bytes, options included",
        |v, out| of_v4(v, out, |ip| number(ip.header.len)),
    ),
    Field::new(
        "ip.dsfield",
        Kind::Unsigned(8),
        "differentiated services byte",
        |v, out| of_v4(v, out, |ip| number(ip.dscp << 2 | ip.ecn)),
    ),
    Field::new(
        "ip.dsfield.dscp",
        Kind::Unsigned(6),
        "differentiated services code point",
        |v, out| of_v4(v, out, |ip| number(ip.dscp)),
    ),
    Field::new(
        "ip.dsfield.ecn",
        Kind::Unsigned(2),
        "explicit congestion notification",
        |v, out| of_v4(v, out, |ip| number(ip.ecn)),
    ),
    Field::new(
        "ip.len",
        Kind::Unsigned(16),
        "total length in bytes, header included",
        |v, out| of_v4(v, out, |ip| number(ip.total_len)),
    ),
    Field::new("ip.id", Kind::Unsigned(16), "identification", |v, out| {
        of_v4(v, out, |ip| number(ip.id))
    }),
    Field::new(
        "ip.flags",
        Kind::Unsigned(3),
        "the three flag bits",
        |v, out| of_v4(v, out, |ip| number(flags(v, ip))),
    ),
    Field::new("ip.flags.rb", Kind::Bool, "reserved bit", |v, out| {
        of_v4(v, out, |ip| bit(flags(v, ip) & 4 != 0))
    })
    .names(SET),
    Field::new("ip.flags.df", Kind::Bool, "don't fragment", |v, out| {
        of_v4(v, out, |ip| bit(ip.dont_fragment))
    })
    .names(SET),
    Field::new(
        "ip.flags.mf",
        Kind::Bool,
        "more fragments follow",
        |v, out| of_v4(v, out, |ip| bit(ip.more_fragments)),
    )
    .names(SET),
    Field::new(
        "ip.frag_offset",
        Kind::Unsigned(16),
        "fragment offset, in units of 8 bytes",
        |v, out| of_v4(v, out, |ip| number(ip.fragment_offset / 8)),
    ),
    Field::new("ip.ttl", Kind::Unsigned(8), "time to live", |v, out| {
        of_v4(v, out, |ip| number(ip.ttl))
    }),
    Field::new(
        "ip.proto",
        Kind::Unsigned(8),
        "number of the protocol above: 1 ICMP, 6 TCP, 17 UDP",
        |v, out| of_v4(v, out, |ip| number(ip.protocol)),
    )
    .names(PROTOCOLS),
    Field::new(
        "ip.checksum",
        Kind::Unsigned(16),
        "header checksum",
        |v, out| of_v4(v, out, |ip| number(ip.checksum)),
    ),
    Field::new(
        "ip.checksum.status",
        Kind::Unsigned(8),
        "header checksum: 0 bad, 1 good, 2 not verified, which is Wireshark's default",
        |v, out| of_v4(v, out, |_| number(UNVERIFIED)),
    )
    .names(STATUS),
    Field::new("ip.src", Kind::Ipv4, "source address", |v, out| {
        of_v4(v, out, |ip| FieldValue::Ip(ip.src.into()))
    })
    .alike(Alike::Flow),
    Field::new("ip.dst", Kind::Ipv4, "destination address", |v, out| {
        of_v4(v, out, |ip| FieldValue::Ip(ip.dst.into()))
    })
    .alike(Alike::Flow),
    Field::new("ip.addr", Kind::Ipv4, "either address", |v, out| {
        ends_of(v, out, false, FieldValue::Ip)
    })
    .alike(Alike::Flow),
    Field::new(
        "ip.src_host",
        Kind::Text,
        "source address as text; names are not looked up",
        |v, out| of_v4(v, out, |ip| FieldValue::owned(ip.src.to_string())),
    )
    .alike(Alike::Flow),
    Field::new(
        "ip.dst_host",
        Kind::Text,
        "destination address as text; names are not looked up",
        |v, out| of_v4(v, out, |ip| FieldValue::owned(ip.dst.to_string())),
    )
    .alike(Alike::Flow),
    Field::new(
        "ip.host",
        Kind::Text,
        "either address as text; names are not looked up",
        |v, out| ends_of(v, out, false, |ip| FieldValue::owned(ip.to_string())),
    )
    .alike(Alike::Flow),
    Field::new(
        "ip.fragment",
        Kind::Unsigned(32),
        "at the packet that completes a fragmented datagram: the number of each of its frames",
        |v, out| {
            let frames = whole_of(v, false).map_or(&[][..], |whole| &whole.frames);
            out.extend(frames.iter().map(|frame| number(*frame)));
        },
    ),
    Field::new(
        "ip.fragment.count",
        Kind::Unsigned(32),
        "in how many frames the datagram came that the packet completes",
        |v, out| out.extend(whole_of(v, false).map(|whole| number(whole.frames.len() as u64))),
    ),
    Field::new(
        "ip.reassembled.length",
        Kind::Unsigned(32),
        "bytes behind the IP header of the datagram that the packet completes",
        |v, out| {
            let length =
                |whole: &Reassembled| number(whole.bytes.len() as u64 - u64::from(whole.start));
            out.extend(whole_of(v, false).map(length));
        },
    ),
];

pub(super) const IPV6: &[Field] = &[
    Field::new(
        "ipv6",
        Kind::Protocol,
        "Internet Protocol version 6",
        |v, out| {
            of_v6(v, out, |ip| FieldValue::Layer {
                header: IPV6_HEADER,
                bytes: v.slice(ip.header.start, IPV6_HEADER + usize::from(ip.payload_len)),
            })
        },
    )
    .alike(Alike::Kind),
    Field::new("ipv6.version", Kind::Unsigned(4), "6", |v, out| {
        of_v6(v, out, |_| number(6u8))
    })
    .alike(Alike::Kind),
    Field::new(
        "ipv6.tclass",
        Kind::Unsigned(8),
        "traffic class",
        |v, out| of_v6(v, out, |ip| number(ip.traffic_class)),
    ),
    Field::new(
        "ipv6.tclass.dscp",
        Kind::Unsigned(6),
        "differentiated services code point",
        |v, out| of_v6(v, out, |ip| number(ip.traffic_class >> 2)),
    ),
    Field::new(
        "ipv6.tclass.ecn",
        Kind::Unsigned(2),
        "explicit congestion notification",
        |v, out| of_v6(v, out, |ip| number(ip.traffic_class & 3)),
    ),
    Field::new("ipv6.flow", Kind::Unsigned(20), "flow label", |v, out| {
        of_v6(v, out, |ip| number(ip.flow_label))
    }),
    Field::new(
        "ipv6.plen",
        Kind::Unsigned(16),
        "payload length in bytes, extension headers included",
        |v, out| of_v6(v, out, |ip| number(ip.payload_len)),
    ),
    Field::new(
        "ipv6.nxt",
        Kind::Unsigned(8),
        "next header: 6 TCP, 17 UDP, 58 ICMPv6",
        |v, out| of_v6(v, out, |ip| number(ip.next_header)),
    )
    .names(PROTOCOLS),
    Field::new("ipv6.hlim", Kind::Unsigned(8), "hop limit", |v, out| {
        of_v6(v, out, |ip| number(ip.hop_limit))
    }),
    Field::new("ipv6.src", Kind::Ipv6, "source address", |v, out| {
        of_v6(v, out, |ip| FieldValue::Ip(ip.src.into()))
    })
    .alike(Alike::Flow),
    Field::new("ipv6.dst", Kind::Ipv6, "destination address", |v, out| {
        of_v6(v, out, |ip| FieldValue::Ip(ip.dst.into()))
    })
    .alike(Alike::Flow),
    Field::new("ipv6.addr", Kind::Ipv6, "either address", |v, out| {
        ends_of(v, out, true, FieldValue::Ip)
    })
    .alike(Alike::Flow),
    Field::new(
        "ipv6.src_host",
        Kind::Text,
        "source address as text; names are not looked up",
        |v, out| of_v6(v, out, |ip| FieldValue::owned(ip.src.to_string())),
    )
    .alike(Alike::Flow),
    Field::new(
        "ipv6.dst_host",
        Kind::Text,
        "destination address as text; names are not looked up",
        |v, out| of_v6(v, out, |ip| FieldValue::owned(ip.dst.to_string())),
    )
    .alike(Alike::Flow),
    Field::new(
        "ipv6.host",
        Kind::Text,
        "either address as text; names are not looked up",
        |v, out| ends_of(v, out, true, |ip| FieldValue::owned(ip.to_string())),
    )
    .alike(Alike::Flow),
    Field::new(
        "ipv6.fraghdr.nxt",
        Kind::Unsigned(8),
        "what the first fragment begins with: 17 UDP",
        |v, out| of_fragments(v, out, |fragment| number(fragment.next)),
    ),
    Field::new(
        "ipv6.fraghdr.offset",
        Kind::Unsigned(16),
        "fragment offset, in units of 8 bytes",
        |v, out| of_fragments(v, out, |fragment| number(fragment.offset / 8)),
    ),
    Field::new(
        "ipv6.fraghdr.more",
        Kind::Bool,
        "more fragments follow",
        |v, out| of_fragments(v, out, |fragment| bit(fragment.more)),
    ),
    Field::new(
        "ipv6.fraghdr.ident",
        Kind::Unsigned(32),
        "identification of a fragmented packet",
        |v, out| of_fragments(v, out, |fragment| number(fragment.id)),
    ),
    Field::new(
        "ipv6.fragment",
        Kind::Unsigned(32),
        "at the packet that completes a fragmented datagram: the number of each of its frames",
        |v, out| {
            let frames = whole_of(v, true).map_or(&[][..], |whole| &whole.frames);
            out.extend(frames.iter().map(|frame| number(*frame)));
        },
    ),
    Field::new(
        "ipv6.fragment.count",
        Kind::Unsigned(32),
        "in how many frames the datagram came that the packet completes",
        |v, out| out.extend(whole_of(v, true).map(|whole| number(whole.frames.len() as u64))),
    ),
    Field::new(
        "ipv6.reassembled.length",
        Kind::Unsigned(32),
        "bytes behind the IP header of the datagram that the packet completes",
        |v, out| {
            let length =
                |whole: &Reassembled| number(whole.bytes.len() as u64 - u64::from(whole.start));
            out.extend(whole_of(v, true).map(length));
        },
    ),
];

pub(super) const ICMP: &[Field] = &[
    Field::new(
        "icmp",
        Kind::Protocol,
        "Internet Control Message Protocol",
        |v, out| out.extend(v.icmp4().map(|icmp| whole(v, icmp))),
    )
    .alike(Alike::Kind),
    Field::new(
        "icmp.type",
        Kind::Unsigned(8),
        "type: 0 echo reply, 3 destination unreachable, 8 echo, 11 time exceeded",
        |v, out| out.extend(v.icmp4().map(|icmp| number(icmp.kind))),
    )
    .alike(Alike::Kind),
    Field::new(
        "icmp.code",
        Kind::Unsigned(8),
        "code; of type 3: 3 is port unreachable",
        |v, out| out.extend(v.icmp4().map(|icmp| number(icmp.code))),
    )
    .alike(Alike::Kind),
    Field::new("icmp.checksum", Kind::Unsigned(16), "checksum", |v, out| {
        out.extend(v.icmp4().map(|icmp| number(icmp.checksum)))
    }),
    Field::new(
        "icmp.ident",
        Kind::Unsigned(16),
        "identifier of an echo or another question",
        |v, out| {
            let asks = v.icmp4().filter(|icmp| asks_or_answers(icmp));
            out.extend(asks.map(|icmp| number(high(icmp))));
        },
    ),
    Field::new(
        "icmp.seq",
        Kind::Unsigned(16),
        "sequence number of an echo or another question",
        |v, out| {
            let asks = v.icmp4().filter(|icmp| asks_or_answers(icmp));
            out.extend(asks.map(|icmp| number(low(icmp))));
        },
    ),
    Field::new(
        "icmp.mtu",
        Kind::Unsigned(16),
        "MTU of the next hop, where fragmentation was needed",
        |v, out| {
            let needed = v.icmp4().filter(|icmp| (icmp.kind, icmp.code) == (3, 4));
            out.extend(needed.map(|icmp| number(low(icmp))));
        },
    ),
    Field::new("icmpv6", Kind::Protocol, "ICMP for IPv6", |v, out| {
        out.extend(v.icmp6().map(|icmp| whole(v, icmp)))
    })
    .alike(Alike::Kind),
    Field::new(
        "icmpv6.type",
        Kind::Unsigned(8),
        "type: 1 destination unreachable, 128 echo, 129 echo reply",
        |v, out| out.extend(v.icmp6().map(|icmp| number(icmp.kind))),
    )
    .alike(Alike::Kind),
    Field::new(
        "icmpv6.code",
        Kind::Unsigned(8),
        "code; of type 1: 4 is port unreachable",
        |v, out| out.extend(v.icmp6().map(|icmp| number(icmp.code))),
    )
    .alike(Alike::Kind),
    Field::new(
        "icmpv6.checksum",
        Kind::Unsigned(16),
        "checksum",
        |v, out| out.extend(v.icmp6().map(|icmp| number(icmp.checksum))),
    ),
    Field::new(
        "icmpv6.echo.identifier",
        Kind::Unsigned(16),
        "identifier of an echo",
        |v, out| {
            let echo = v.icmp6().filter(|icmp| matches!(icmp.kind, 128 | 129));
            out.extend(echo.map(|icmp| number(high(icmp))));
        },
    ),
    Field::new(
        "icmpv6.echo.sequence_number",
        Kind::Unsigned(16),
        "sequence number of an echo",
        |v, out| {
            let echo = v.icmp6().filter(|icmp| matches!(icmp.kind, 128 | 129));
            out.extend(echo.map(|icmp| number(low(icmp))));
        },
    ),
    Field::new(
        "icmpv6.mtu",
        Kind::Unsigned(32),
        "MTU of the next hop, where the packet was too big",
        |v, out| {
            let big = v.icmp6().filter(|icmp| icmp.kind == 2);
            out.extend(big.map(|icmp| number(u32::from_be_bytes(icmp.rest))));
        },
    ),
];

/// Wireshark does not verify checksums unless it is told to.
const UNVERIFIED: u8 = 2;

const IPV6_HEADER: usize = 40;

/// Of flags.
pub(super) const SET: Names = &[("Set", 1), ("Not set", 0)];

/// Of checksums.
pub(super) const STATUS: Names = &[
    ("Bad", 0),
    ("Good", 1),
    ("Unverified", 2),
    ("Not present", 3),
    ("Illegal", 4),
];

/// Of IP's protocols, as Wireshark abbreviates them.
const PROTOCOLS: Names = &[
    ("ICMP", 1),
    ("IGMP", 2),
    ("IPIP", 4),
    ("TCP", 6),
    ("UDP", 17),
    ("IPv6", 41),
    ("GRE", 47),
    ("ESP", 50),
    ("AH", 51),
    ("ICMPv6", 58),
    ("OSPF IGP", 89),
    ("SCTP", 132),
];

/// The datagram that the packet completes, where the header of its fragments is one
/// of this version of IP, and in question.
fn whole_of<'a>(v: &View<'a>, v6: bool) -> Option<&'a Reassembled> {
    let around = v.outer().iter().map(|outer| &outer.net);
    let inner = v.packet.outer().len() - v.outer().len();
    let mut headers = around.chain(&v.packet.net).zip(inner..);
    headers.find_map(|(net, depth)| {
        let whole = v.packet.completed(depth)?;
        (matches!(net, Net::V6(_)) == v6).then_some(whole)
    })
}

pub(super) fn bit(set: bool) -> FieldValue<'static> {
    number(u8::from(set))
}

/// The three flag bits as sent.
fn flags(v: &View<'_>, ip: &Ipv4) -> u8 {
    v.slice(ip.header.start + 6, 1)
        .first()
        .map_or(0, |byte| byte >> 5)
}

/// A value of each IPv4 header, the outermost first.
fn of_v4<'a>(v: &View<'a>, out: &mut Out<'a, '_>, value: impl Fn(&'a Ipv4) -> FieldValue<'a>) {
    for net in v.nets() {
        if let Net::V4(ip) = net {
            out.push(value(ip));
            out.next_layer();
        }
    }
}

/// A value of each IPv6 header.
fn of_v6<'a>(v: &View<'a>, out: &mut Out<'a, '_>, value: impl Fn(&'a Ipv6) -> FieldValue<'a>) {
    for net in v.nets() {
        if let Net::V6(ip) = net {
            out.push(value(ip));
            out.next_layer();
        }
    }
}

fn of_fragments<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    value: impl Fn(Ipv6Fragment) -> FieldValue<'a>,
) {
    for net in v.nets() {
        if let Net::V6(ip) = net {
            out.extend(ip.fragment.map(&value));
            out.next_layer();
        }
    }
}

/// Source and destination of each header of this version.
fn ends_of<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    v6: bool,
    value: impl Fn(IpAddr) -> FieldValue<'a>,
) {
    for net in v.nets() {
        if matches!(net, Net::V6(_)) == v6 {
            out.push(value(net.src()));
            out.push(value(net.dst()));
            out.next_layer();
        }
    }
}

/// Echo, time stamp, information and address mask have an identifier and a
/// sequence number.
fn asks_or_answers(icmp: &Icmp) -> bool {
    matches!(icmp.kind, 0 | 8 | 13..=18)
}

/// The ICMP message with its 8-byte header.
fn whole<'a>(v: &View<'a>, icmp: &Icmp) -> FieldValue<'a> {
    let start = icmp.payload.start.saturating_sub(8);
    FieldValue::whole(v.slice(start, icmp.payload.len as usize + 8))
}

fn high(icmp: &Icmp) -> u16 {
    u16::from_be_bytes([icmp.rest[0], icmp.rest[1]])
}

fn low(icmp: &Icmp) -> u16 {
    u16::from_be_bytes([icmp.rest[2], icmp.rest[3]])
}
