//! Fields of the frame itself and of the link layer.

use crate::decode::{Ethernet, Link};

use crate::savefile::Format;

use super::fields::{Field, FieldValue, Kind, Needs, View, number};

pub(super) const FRAME: &[Field] = &[
    Field::new("frame", Kind::Protocol, "the whole frame", |v, out| {
        out.push(FieldValue::whole(v.frame))
    }),
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
        |v, out| out.push(number(v.packet.time.0)),
    ),
    Field::new(
        "frame.time_relative",
        Kind::Time,
        "seconds since the first frame of the capture",
        |v, out| out.push(number(v.packet.time.since(v.times.first))),
    ),
    Field::new(
        "frame.time_delta",
        Kind::Time,
        "seconds since the frame before",
        |v, out| {
            let before = v.times.captured.unwrap_or(v.packet.time);
            out.push(number(v.packet.time.since(before)));
        },
    )
    .needs(Needs::CAPTURED),
    Field::new(
        "frame.time_delta_displayed",
        Kind::Time,
        "seconds since the last frame that was shown",
        |v, out| {
            let before = v.times.displayed.unwrap_or(v.packet.time);
            out.push(number(v.packet.time.since(before)));
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
];

pub(super) const LINK: &[Field] = &[
    Field::new("eth", Kind::Protocol, "Ethernet", |v, out| {
        if ethernet(v).is_some() {
            out.push(FieldValue::Layer {
                header: ETHERNET,
                bytes: v.frame,
            });
        }
    }),
    Field::new(
        "eth.dst",
        Kind::Ether,
        "destination hardware address",
        |v, out| out.extend(ethernet(v).map(|e| FieldValue::bytes(&e.dst))),
    ),
    Field::new(
        "eth.src",
        Kind::Ether,
        "source hardware address",
        |v, out| out.extend(ethernet(v).map(|e| FieldValue::bytes(&e.src))),
    ),
    Field::new(
        "eth.addr",
        Kind::Ether,
        "either hardware address",
        |v, out| {
            out.extend(
                ethernet(v)
                    .into_iter()
                    .flat_map(|e| [FieldValue::bytes(&e.dst), FieldValue::bytes(&e.src)]),
            )
        },
    ),
    Field::new(
        "eth.type",
        Kind::Unsigned(16),
        "EtherType of the Ethernet header",
        |v, out| out.extend(eth_type(v).map(number)),
    ),
    Field::new(
        "vlan",
        Kind::Protocol,
        "a VLAN tag (IEEE 802.1Q)",
        |v, out| {
            if vlan_ids(v).next().is_some() {
                out.push(FieldValue::Layer {
                    header: 4,
                    bytes: v.slice(14, usize::MAX),
                });
            }
        },
    ),
    Field::new(
        "vlan.id",
        Kind::Unsigned(12),
        "VLAN number, one for each tag",
        |v, out| {
            out.extend(vlan_ids(v).map(number));
        },
    ),
    Field::new(
        "arp",
        Kind::Protocol,
        "Address Resolution Protocol",
        |v, out| {
            let arp = match v.packet.link {
                Link::Ethernet(e) => ARP.contains(&e.ethertype),
                Link::LinuxCooked { ethertype, .. } => ARP.contains(&ethertype),
                _ => false,
            };
            if arp {
                out.push(FieldValue::whole(&[]));
            }
        },
    ),
    Field::new("sll", Kind::Protocol, "Linux cooked capture", |v, out| {
        if cooked(v).is_some() {
            out.push(FieldValue::whole(v.frame));
        }
    }),
    Field::new(
        "sll.pkttype",
        Kind::Unsigned(16),
        "Linux cooked capture: 0 to us, 4 sent by us",
        |v, out| out.extend(cooked(v).map(|(kind, _)| number(kind))),
    ),
    Field::new(
        "sll.etype",
        Kind::Unsigned(16),
        "Linux cooked capture: EtherType",
        |v, out| out.extend(cooked(v).map(|(_, ethertype)| number(ethertype))),
    ),
    Field::new("null", Kind::Protocol, "BSD loopback header", |v, out| {
        if let Link::Null { .. } = v.packet.link {
            out.push(FieldValue::whole(v.frame));
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

/// The EtherType before an 802.1Q tag.
const TAG: [u8; 2] = [0x81, 0x00];

/// The EtherTypes of ARP and of its reverse.
const ARP: [u16; 2] = [0x0806, 0x8035];

/// Smaller numbers in the type's place are lengths (IEEE 802.3).
const FIRST_TYPE: u16 = 0x0600;

fn ethernet<'a>(v: &View<'a>) -> Option<&'a Ethernet> {
    match &v.packet.link {
        Link::Ethernet(ethernet) => Some(ethernet),
        _ => None,
    }
}

/// `eth.type` is the outer header's, also before VLAN tags.
fn eth_type(v: &View<'_>) -> Option<u16> {
    ethernet(v)?;
    let bytes = v.frame.get(12..14)?;
    let number = u16::from_be_bytes(bytes.try_into().ok()?);
    (number >= FIRST_TYPE).then_some(number)
}

/// The numbers of the 802.1Q tags. A tag's EtherType stands before it; those of
/// 802.1ad have fields of another name in Wireshark.
fn vlan_ids<'a>(v: &View<'a>) -> impl Iterator<Item = u16> + use<'a> {
    let tags = ethernet(v).map_or(&[][..], |e| e.vlan.ids());
    let types = v.frame.get(12..).unwrap_or(&[]).chunks(4);
    let tagged = tags.iter().copied().zip(types);
    tagged
        .filter(|(_, bytes)| bytes.starts_with(&TAG))
        .map(|(id, _)| id)
}

fn cooked(v: &View<'_>) -> Option<(u16, u16)> {
    match v.packet.link {
        Link::LinuxCooked {
            packet_type,
            ethertype,
        } => Some((packet_type, ethertype)),
        _ => None,
    }
}
