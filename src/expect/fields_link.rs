//! Fields of the frame itself and of the link layer.

use smallvec::SmallVec;

use crate::decode::{Cooked, Ethernet, FIRST_TYPE, Layer, Link, Transport, Trouble, Vlan};
use crate::savefile::Format;

use super::fields::{self, Alike, Field, FieldValue, Kind, Needs, Out, View, number};

pub(super) const FRAME: &[Field] = &[
    Field::new("frame", Kind::Protocol, "the whole frame", |v, out| {
        out.push(FieldValue::whole(v.frame()))
    })
    .alike(Alike::Kind),
    Field::new(
        "frame.protocols",
        Kind::Text,
        "the protocols, outermost first: eth:ethertype:ip:tcp:http",
        |v, out| out.push(FieldValue::owned(protocols(v))),
    )
    .needs(Needs::HTTP)
    .needs(Needs::CARRIED),
    Field::new(
        "frame.number",
        Kind::Unsigned(32),
        "number of the frame in the capture, from 1",
        |v, out| out.push(number(v.packet.number)),
    ),
    Field::new(
        "frame.len",
        Kind::Unsigned(32),
        "bytes on the wire",
        |v, out| out.push(number(v.packet.len)),
    ),
    Field::new(
        "frame.cap_len",
        Kind::Unsigned(32),
        "bytes in the capture file",
        |v, out| out.push(number(v.packet.cap_len)),
    ),
    Field::new(
        "frame.time_epoch",
        Kind::Time,
        "seconds since 1970-01-01 00:00 UTC",
        |v, out| out.extend(time(v)),
    ),
    Field::new(
        "frame.time",
        Kind::Moment,
        "when the frame was captured; compared with dates, which are UTC",
        |v, out| out.extend(time(v)),
    ),
    Field::new(
        "frame.offset_shift",
        Kind::Time,
        "seconds by which the time was shifted: none here",
        |_, out| out.push(number(0u8)),
    ),
    Field::new(
        "frame.marked",
        Kind::Bool,
        "marked by hand: never here",
        |_, out| out.push(number(0u8)),
    ),
    Field::new(
        "frame.ignored",
        Kind::Bool,
        "ignored by hand: never here",
        |_, out| out.push(number(0u8)),
    ),
    Field::new(
        "frame.time_relative",
        Kind::Time,
        "seconds since the first frame of the capture",
        |v, out| out.extend(v.packet.time.elapsed(v.times().first).map(number)),
    ),
    Field::new(
        "frame.time_delta",
        Kind::Time,
        "seconds since the frame before",
        |v, out| {
            let before = v.times().captured.unwrap_or(v.packet.time);
            out.extend(v.packet.time.elapsed(before).map(number));
        },
    )
    .needs(Needs::CAPTURED),
    Field::new(
        "frame.time_delta_displayed",
        Kind::Time,
        "seconds since the last frame that was shown",
        |v, out| {
            let before = v.shown_before().unwrap_or(v.packet.time);
            out.extend(v.packet.time.elapsed(before).map(number));
        },
    )
    .needs(Needs::DISPLAYED),
    Field::new(
        "frame.interface_id",
        Kind::Unsigned(32),
        "number of the capturing interface in the file, from 0 (pcapng)",
        |v, out| {
            if v.known.format() == Format::Pcapng {
                out.push(number(v.packet.interface));
            }
        },
    ),
    Field::new(
        "frame.interface_name",
        Kind::Text,
        "name of the capturing interface",
        |v, out| {
            let name = v.known.interface_name(v.packet.interface);
            out.extend(name.map(FieldValue::text));
        },
    ),
    // A mark, as of the other protocols that have no bytes of their own.
    Field::new(
        "_ws.malformed",
        Kind::Label,
        "a header is wrong, or claims bytes that are not there",
        |v, out| {
            if let Some(Trouble::Malformed { .. }) = v.packet.trouble {
                out.push(FieldValue::bytes(&[]));
            }
        },
    ),
];

pub(super) const LINK: &[Field] = &[
    Field::new("eth", Kind::Protocol, "Ethernet", |v, out| {
        out.layers(frames(v).map(|(_, bytes)| FieldValue::Layer {
            header: ETHERNET,
            bytes,
        }));
    }),
    Field::new(
        "eth.dst",
        Kind::Ether,
        "destination hardware address",
        |v, out| out.layers(ethernets(v).map(|e| FieldValue::bytes(&e.dst))),
    ),
    Field::new(
        "eth.src",
        Kind::Ether,
        "source hardware address",
        |v, out| out.layers(ethernets(v).map(|e| FieldValue::bytes(&e.src))),
    ),
    Field::new(
        "eth.addr",
        Kind::Ether,
        "either hardware address",
        |v, out| {
            for ethernet in ethernets(v) {
                out.push(FieldValue::bytes(&ethernet.dst));
                out.push(FieldValue::bytes(&ethernet.src));
                out.next_layer();
            }
        },
    ),
    Field::new(
        "eth.dst.oui",
        Kind::Unsigned(24),
        "the destination address's first three bytes: its maker",
        |v, out| out.layers(ethernets(v).map(|e| oui(&e.dst))),
    ),
    Field::new(
        "eth.src.oui",
        Kind::Unsigned(24),
        "the source address's first three bytes: its maker",
        |v, out| out.layers(ethernets(v).map(|e| oui(&e.src))),
    ),
    Field::new(
        "eth.addr.oui",
        Kind::Unsigned(24),
        "the first three bytes of either address",
        |v, out| of_addresses(v, out, oui),
    ),
    Field::new(
        "eth.dst.ig",
        Kind::Bool,
        "the destination is a group: multicast or broadcast",
        |v, out| out.layers(ethernets(v).map(|e| first_bit(&e.dst, 1))),
    ),
    Field::new(
        "eth.dst.lg",
        Kind::Bool,
        "the destination address is given locally, not by its maker",
        |v, out| out.layers(ethernets(v).map(|e| first_bit(&e.dst, 2))),
    ),
    Field::new(
        "eth.src.ig",
        Kind::Bool,
        "the source is a group",
        |v, out| out.layers(ethernets(v).map(|e| first_bit(&e.src, 1))),
    ),
    Field::new(
        "eth.src.lg",
        Kind::Bool,
        "the source address is given locally, not by its maker",
        |v, out| out.layers(ethernets(v).map(|e| first_bit(&e.src, 2))),
    ),
    Field::new(
        "eth.ig",
        Kind::Bool,
        "either address is a group",
        |v, out| of_addresses(v, out, |a| first_bit(a, 1)),
    ),
    Field::new(
        "eth.lg",
        Kind::Bool,
        "either address is given locally",
        |v, out| of_addresses(v, out, |a| first_bit(a, 2)),
    ),
    Field::new(
        "eth.len",
        Kind::Unsigned(16),
        "length of the payload (IEEE 802.3), where it stands in the type's place",
        |v, out| {
            let lengths = types_or_lengths(v).filter(|n| *n < FIRST_TYPE);
            out.extend(lengths.map(number));
        },
    ),
    Field::new(
        "eth.type",
        Kind::Unsigned(16),
        "EtherType of the Ethernet header",
        |v, out| {
            let types = types_or_lengths(v).filter(|n| *n >= FIRST_TYPE);
            out.extend(types.map(number));
        },
    )
    .names(&[("IPv4", 0x0800), ("ARP", 0x0806), ("IPv6", 0x86DD)]),
    Field::new(
        "vlan",
        Kind::Protocol,
        "a VLAN tag (IEEE 802.1Q)",
        |v, out| {
            out.layers(
                tags(v, Layer::Vlan)
                    .into_iter()
                    .map(|tag| FieldValue::Layer {
                        header: 4,
                        bytes: tag.bytes,
                    }),
            )
        },
    ),
    Field::new(
        "vlan.id",
        Kind::Unsigned(16),
        "VLAN number, one for each tag",
        |v, out| {
            out.layers(
                tags(v, Layer::Vlan)
                    .into_iter()
                    .map(|tag| number(tag.control & 0xfff)),
            )
        },
    ),
    Field::new(
        "vlan.priority",
        Kind::Unsigned(16),
        "priority of each tag, 0 to 7",
        |v, out| {
            out.layers(
                tags(v, Layer::Vlan)
                    .into_iter()
                    .map(|tag| number(tag.control >> 13)),
            )
        },
    ),
    Field::new(
        "vlan.dei",
        Kind::Bool,
        "each tag's drop eligible indicator",
        |v, out| {
            out.layers(
                tags(v, Layer::Vlan)
                    .into_iter()
                    .map(|tag| number(tag.control >> 12 & 1)),
            )
        },
    ),
    Field::new(
        "vlan.etype",
        Kind::Unsigned(16),
        "EtherType behind each tag",
        |v, out| {
            for tag in tags(v, Layer::Vlan) {
                out.extend((tag.next >= FIRST_TYPE).then(|| number(tag.next)));
                out.next_layer();
            }
        },
    ),
    Field::new(
        "ieee8021ad",
        Kind::Protocol,
        "a VLAN tag (IEEE 802.1ad)",
        |v, out| {
            out.layers(
                tags(v, Layer::Ieee8021ad)
                    .into_iter()
                    .map(|tag| FieldValue::Layer {
                        header: 4,
                        bytes: tag.bytes,
                    }),
            )
        },
    ),
    Field::new(
        "ieee8021ad.id",
        Kind::Unsigned(16),
        "VLAN number, one for each tag",
        |v, out| {
            out.layers(
                tags(v, Layer::Ieee8021ad)
                    .into_iter()
                    .map(|tag| number(tag.control & 0xfff)),
            )
        },
    ),
    Field::new(
        "ieee8021ad.priority",
        Kind::Unsigned(16),
        "priority of each tag, 0 to 7",
        |v, out| {
            out.layers(
                tags(v, Layer::Ieee8021ad)
                    .into_iter()
                    .map(|tag| number(tag.control >> 13)),
            )
        },
    ),
    Field::new(
        "ieee8021ad.dei",
        Kind::Bool,
        "each tag's drop eligible indicator",
        |v, out| {
            out.layers(
                tags(v, Layer::Ieee8021ad)
                    .into_iter()
                    .map(|tag| number(tag.control >> 12 & 1)),
            )
        },
    ),
    Field::new(
        "arp",
        Kind::Protocol,
        "Address Resolution Protocol",
        |v, out| {
            let ethertype = match v.packet.link {
                Link::Ethernet(e) => Some(e.ethertype),
                Link::LinuxCooked(cooked) => Some(cooked.ethertype),
                _ => None,
            };
            if let Transport::Arp(arp) = &v.packet.transport {
                let start = arp.addresses.start.saturating_sub(8);
                let len = 8 + arp.addresses.len as usize;
                out.push(FieldValue::whole(v.slice(start, len)));
            } else if ethertype.is_some_and(|number| ARP.contains(&number)) {
                out.push(FieldValue::whole(&[]));
            }
        },
    ),
    Field::new("sll", Kind::Protocol, "Linux cooked capture", |v, out| {
        out.extend(cooked(v).map(|cooked| FieldValue::Layer {
            header: cooked.header_len.into(),
            bytes: v.frame(),
        }));
    }),
    Field::new(
        "sll.pkttype",
        Kind::Unsigned(16),
        "Linux cooked capture: 0 to us, 4 sent by us",
        |v, out| out.extend(cooked(v).map(|c| number(c.packet_type))),
    ),
    Field::new(
        "sll.etype",
        Kind::Unsigned(16),
        "Linux cooked capture: EtherType",
        |v, out| {
            let types = cooked(v).map(|c| c.protocol);
            out.extend(types.filter(|n| *n >= FIRST_TYPE).map(number));
        },
    ),
    Field::new("null", Kind::Protocol, "BSD loopback header", |v, out| {
        if let Link::Null { .. } = v.packet.link {
            out.push(FieldValue::Layer {
                header: 4,
                bytes: v.frame(),
            });
        }
    }),
    Field::new(
        "null.family",
        Kind::Unsigned(32),
        "BSD loopback header: address family",
        |v, out| {
            if let Link::Null { family } = v.packet.link {
                out.push(number(family));
            }
        },
    ),
];

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// The EtherTypes of ARP and of its reverse.
const ARP: [u16; 2] = [0x0806, 0x8035];

fn ethernet<'a>(v: &View<'a>) -> Option<&'a Ethernet> {
    match &v.packet.link {
        Link::Ethernet(ethernet) => Some(ethernet),
        _ => None,
    }
}

/// The frame's own header, then those inside tunnels.
fn ethernets<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Ethernet> + use<'a> {
    let inner = v.outer().iter().filter_map(|outer| outer.ethernet.as_ref());
    ethernet(v).into_iter().chain(inner)
}

/// The same, each with the bytes from its first one on.
fn frames<'a>(v: &View<'a>) -> impl Iterator<Item = (&'a Ethernet, &'a [u8])> + use<'a> {
    let own = ethernet(v).map(|ethernet| (ethernet, v.frame()));
    let data = v.data();
    let inner = v.outer().iter().filter_map(move |outer| {
        let bytes = data.get(outer.inner_frame()? as usize..)?;
        Some((outer.ethernet.as_ref()?, bytes))
    });
    own.into_iter().chain(inner)
}

/// What stands behind the addresses: the type also before VLAN tags.
fn types_or_lengths<'a>(v: &View<'a>) -> impl Iterator<Item = u16> + use<'a> {
    frames(v).filter_map(|(_, bytes)| {
        let bytes = bytes.get(12..14)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    })
}

/// A value of each address.
fn of_addresses<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    value: impl Fn(&[u8; 6]) -> FieldValue<'a>,
) {
    for ethernet in ethernets(v) {
        out.push(value(&ethernet.dst));
        out.push(value(&ethernet.src));
        out.next_layer();
    }
}

fn oui<'a>(address: &[u8; 6]) -> FieldValue<'a> {
    let [a, b, c, ..] = *address;
    number(u32::from_be_bytes([0, a, b, c]))
}

fn first_bit(address: &[u8; 6], bit: u8) -> FieldValue<'static> {
    number(u8::from(address[0] & bit != 0))
}

/// A VLAN tag.
struct Tag<'a> {
    control: u16,
    /// The EtherType behind it.
    next: u16,
    /// From its first byte on.
    bytes: &'a [u8],
}

/// The tags of the headers in question, wherever they stand; those of 802.1ad are a layer
/// of another name.
fn tags<'a>(v: &View<'a>, layer: Layer) -> SmallVec<[Tag<'a>; Vlan::MOST]> {
    let mut tags = SmallVec::new();
    let data = v.data();
    let mut each = |found: Layer, at: usize| {
        let bytes = data.get(at..).filter(|_| found == layer);
        if let Some((bytes, [a, b, c, d])) = bytes.and_then(|b| Some((b, *b.first_chunk()?))) {
            tags.push(Tag {
                control: u16::from_be_bytes([a, b]),
                next: u16::from_be_bytes([c, d]),
                bytes,
            });
        }
    };
    v.packet.link_layers(data, &mut each);
    for outer in v.outer() {
        outer.inner_layers(data, &mut each);
    }
    tags
}

fn cooked<'a>(v: &View<'a>) -> Option<&'a Cooked> {
    match &v.packet.link {
        Link::LinuxCooked(cooked) => Some(cooked),
        _ => None,
    }
}

/// `frame.protocols`: the layers, and what of them carries a message that is
/// read.
fn protocols(v: &View<'_>) -> String {
    let layers = v.packet.layers(v.frame());
    let layers = layers.as_slice().iter();
    let layers = layers.filter(|layer| **layer != Layer::Frame);
    let mut names: Vec<&str> = layers.map(|layer| layer.name()).collect();
    let carried = ["http", "tls", "dns", "mdns", "llmnr"];
    let own = v.packet.tcp().is_some() || v.packet.udp().is_some();
    let carried = carried
        .iter()
        .filter(|name| own && fields::lookup(name).is_some_and(|field| field.is_in(v)));
    names.extend(carried);
    names.join(":")
}

/// Where the capture has it.
fn time<'a>(v: &View<'a>) -> Option<FieldValue<'a>> {
    let time = v.packet.time;
    time.is_known().then(|| number(time.0))
}
