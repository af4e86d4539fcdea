//! Fields of IPv4, IPv6 and their ICMP.

use crate::decode::{Icmp, Ipv4, Ipv6, Ipv6Fragment, Net};

use super::fields::{Field, FieldValue, Kind, View, number};

pub(super) const IP: &[Field] =
    &[
        Field::new(
            "ip",
            Kind::Protocol,
            "Internet Protocol version 4",
            |v, out| {
                out.extend(v4(v).map(|ip| {
                    FieldValue::bytes(v.slice(ip.header.start, usize::from(ip.total_len)))
                }))
            },
        ),
        Field::new("ip.version", Kind::Unsigned(4), "4 or 6", |v, out| {
            out.extend(v.nets().map(|net| match net {
                Net::V4(_) => number(4u8),
                Net::V6(_) => number(6u8),
            }))
        }),
        Field::new(
            "ip.hdr_len",
            Kind::Unsigned(8),
            "header length in bytes, options included",
            |v, out| out.extend(v4(v).map(|ip| number(ip.header.len))),
        ),
        Field::new(
            "ip.dsfield",
            Kind::Unsigned(8),
            "differentiated services byte",
            |v, out| out.extend(v4(v).map(|ip| number(ip.dscp << 2 | ip.ecn))),
        ),
        Field::new(
            "ip.dsfield.dscp",
            Kind::Unsigned(6),
            "differentiated services code point",
            |v, out| out.extend(v4(v).map(|ip| number(ip.dscp))),
        ),
        Field::new(
            "ip.dsfield.ecn",
            Kind::Unsigned(2),
            "explicit congestion notification",
            |v, out| out.extend(v4(v).map(|ip| number(ip.ecn))),
        ),
        Field::new(
            "ip.len",
            Kind::Unsigned(16),
            "total length in bytes, header included",
            |v, out| out.extend(v4(v).map(|ip| number(ip.total_len))),
        ),
        Field::new("ip.id", Kind::Unsigned(16), "identification", |v, out| {
            out.extend(v4(v).map(|ip| number(ip.id)))
        }),
        Field::new(
            "ip.flags",
            Kind::Unsigned(3),
            "the three flag bits",
            |v, out| {
                out.extend(v4(v).map(|ip| {
                    number(u8::from(ip.dont_fragment) << 1 | u8::from(ip.more_fragments))
                }))
            },
        ),
        Field::new("ip.flags.df", Kind::Bool, "don't fragment", |v, out| {
            out.extend(v4(v).map(|ip| number(u8::from(ip.dont_fragment))))
        }),
        Field::new(
            "ip.flags.mf",
            Kind::Bool,
            "more fragments follow",
            |v, out| out.extend(v4(v).map(|ip| number(u8::from(ip.more_fragments)))),
        ),
        Field::new(
            "ip.frag_offset",
            Kind::Unsigned(16),
            "fragment offset, in units of 8 bytes",
            |v, out| out.extend(v4(v).map(|ip| number(ip.fragment_offset / 8))),
        ),
        Field::new("ip.ttl", Kind::Unsigned(8), "time to live", |v, out| {
            out.extend(v4(v).map(|ip| number(ip.ttl)))
        }),
        Field::new(
            "ip.proto",
            Kind::Unsigned(8),
            "number of the protocol above: 1 ICMP, 6 TCP, 17 UDP",
            |v, out| out.extend(v4(v).map(|ip| number(ip.protocol))),
        ),
        Field::new(
            "ip.checksum",
            Kind::Unsigned(16),
            "header checksum",
            |v, out| out.extend(v4(v).map(|ip| number(ip.checksum))),
        ),
        Field::new("ip.src", Kind::Ipv4, "source address", |v, out| {
            out.extend(v4(v).map(|ip| FieldValue::Ip(ip.src.into())))
        }),
        Field::new("ip.dst", Kind::Ipv4, "destination address", |v, out| {
            out.extend(v4(v).map(|ip| FieldValue::Ip(ip.dst.into())))
        }),
        Field::new("ip.addr", Kind::Ipv4, "either address", |v, out| {
            out.extend(
                v4(v).flat_map(|ip| [FieldValue::Ip(ip.src.into()), FieldValue::Ip(ip.dst.into())]),
            )
        }),
    ];

pub(super) const IPV6: &[Field] = &[
    Field::new(
        "ipv6",
        Kind::Protocol,
        "Internet Protocol version 6",
        |v, out| {
            out.extend(v6(v).map(|ip| {
                FieldValue::bytes(v.slice(ip.header.start, 40 + usize::from(ip.payload_len)))
            }))
        },
    ),
    Field::new("ipv6.version", Kind::Unsigned(4), "6", |v, out| {
        out.extend(v6(v).map(|_| number(6u8)))
    }),
    Field::new(
        "ipv6.tclass",
        Kind::Unsigned(8),
        "traffic class",
        |v, out| out.extend(v6(v).map(|ip| number(ip.traffic_class))),
    ),
    Field::new("ipv6.flow", Kind::Unsigned(20), "flow label", |v, out| {
        out.extend(v6(v).map(|ip| number(ip.flow_label)))
    }),
    Field::new(
        "ipv6.plen",
        Kind::Unsigned(16),
        "payload length in bytes, extension headers included",
        |v, out| out.extend(v6(v).map(|ip| number(ip.payload_len))),
    ),
    Field::new(
        "ipv6.nxt",
        Kind::Unsigned(8),
        "next header: 6 TCP, 17 UDP, 58 ICMPv6",
        |v, out| out.extend(v6(v).map(|ip| number(ip.next_header))),
    ),
    Field::new("ipv6.hlim", Kind::Unsigned(8), "hop limit", |v, out| {
        out.extend(v6(v).map(|ip| number(ip.hop_limit)))
    }),
    Field::new("ipv6.src", Kind::Ipv6, "source address", |v, out| {
        out.extend(v6(v).map(|ip| FieldValue::Ip(ip.src.into())))
    }),
    Field::new("ipv6.dst", Kind::Ipv6, "destination address", |v, out| {
        out.extend(v6(v).map(|ip| FieldValue::Ip(ip.dst.into())))
    }),
    Field::new("ipv6.addr", Kind::Ipv6, "either address", |v, out| {
        out.extend(
            v6(v).flat_map(|ip| [FieldValue::Ip(ip.src.into()), FieldValue::Ip(ip.dst.into())]),
        )
    }),
    Field::new(
        "ipv6.fraghdr.offset",
        Kind::Unsigned(16),
        "fragment offset, in units of 8 bytes",
        |v, out| out.extend(fragment(v).map(|f| number(f.offset / 8))),
    ),
    Field::new(
        "ipv6.fraghdr.more",
        Kind::Bool,
        "more fragments follow",
        |v, out| out.extend(fragment(v).map(|f| number(u8::from(f.more)))),
    ),
    Field::new(
        "ipv6.fraghdr.ident",
        Kind::Unsigned(32),
        "identification of a fragmented packet",
        |v, out| out.extend(fragment(v).map(|f| number(f.id))),
    ),
];

pub(super) const ICMP: &[Field] = &[
    Field::new(
        "icmp",
        Kind::Protocol,
        "Internet Control Message Protocol",
        |v, out| out.extend(v.icmp4().map(|icmp| whole(v, icmp))),
    ),
    Field::new(
        "icmp.type",
        Kind::Unsigned(8),
        "type: 0 echo reply, 3 destination unreachable, 8 echo, 11 time exceeded",
        |v, out| out.extend(v.icmp4().map(|icmp| number(icmp.kind))),
    ),
    Field::new(
        "icmp.code",
        Kind::Unsigned(8),
        "code; of type 3: 3 is port unreachable",
        |v, out| out.extend(v.icmp4().map(|icmp| number(icmp.code))),
    ),
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
    }),
    Field::new(
        "icmpv6.type",
        Kind::Unsigned(8),
        "type: 1 destination unreachable, 128 echo, 129 echo reply",
        |v, out| out.extend(v.icmp6().map(|icmp| number(icmp.kind))),
    ),
    Field::new(
        "icmpv6.code",
        Kind::Unsigned(8),
        "code; of type 1: 4 is port unreachable",
        |v, out| out.extend(v.icmp6().map(|icmp| number(icmp.code))),
    ),
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

fn v4<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Ipv4> + use<'a> {
    v.nets().filter_map(|net| match net {
        Net::V4(ip) => Some(ip),
        Net::V6(_) => None,
    })
}

fn v6<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Ipv6> + use<'a> {
    v.nets().filter_map(|net| match net {
        Net::V6(ip) => Some(ip),
        Net::V4(_) => None,
    })
}

fn fragment<'a>(v: &View<'a>) -> impl Iterator<Item = Ipv6Fragment> + use<'a> {
    v6(v).filter_map(|ip| ip.fragment)
}

/// Echo, time stamp, information and address mask have an identifier and a
/// sequence number.
fn asks_or_answers(icmp: &Icmp) -> bool {
    matches!(icmp.kind, 0 | 8 | 13..=18)
}

/// The ICMP message with its 8-byte header.
fn whole<'a>(v: &View<'a>, icmp: &Icmp) -> FieldValue<'a> {
    let start = icmp.payload.start.saturating_sub(8);
    FieldValue::bytes(v.slice(start, icmp.payload.len as usize + 8))
}

fn high(icmp: &Icmp) -> u16 {
    u16::from_be_bytes([icmp.rest[0], icmp.rest[1]])
}

fn low(icmp: &Icmp) -> u16 {
    u16::from_be_bytes([icmp.rest[2], icmp.rest[3]])
}
