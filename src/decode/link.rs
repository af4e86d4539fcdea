//! Link layers: what comes before IP.

use std::ops::Range;

use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice, ether_type};

use super::fault::Fault;
use super::{Ethernet, Link};

/// Numbers of <https://www.tcpdump.org/linktypes.html>.
mod link_type {
    pub const NULL: u32 = 0;
    pub const ETHERNET: u32 = 1;
    /// `DLT_RAW` as most systems number it: it gets into files.
    pub const RAW_DLT: u32 = 12;
    /// `DLT_RAW` of OpenBSD.
    pub const RAW_DLT_OPENBSD: u32 = 14;
    pub const RAW: u32 = 101;
    pub const LOOP: u32 = 108;
    pub const LINUX_SLL: u32 = 113;
    pub const IPV4: u32 = 228;
    pub const IPV6: u32 = 229;
    pub const LINUX_SLL2: u32 = 276;
}

/// An IP packet inside a frame. `version` is what the link layer says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    pub version: Option<u8>,
    pub range: Range<usize>,
}

/// The link layer, and the IP packet in it or why there is none.
pub fn decode(link_type: u32, frame: &[u8]) -> (Link, Result<Carried, Fault>) {
    let raw = |version| {
        let carried = Carried {
            version,
            range: 0..frame.len(),
        };
        (Link::Raw, Ok(carried))
    };
    match link_type {
        link_type::ETHERNET => ethernet(frame),
        link_type::LINUX_SLL => cooked(frame),
        link_type::LINUX_SLL2 => cooked_v2(frame),
        link_type::NULL | link_type::LOOP => null(frame),
        link_type::RAW | link_type::RAW_DLT | link_type::RAW_DLT_OPENBSD => raw(None),
        link_type::IPV4 => raw(Some(4)),
        link_type::IPV6 => raw(Some(6)),
        number => (
            Link::Unknown,
            Err(Fault::Unknown {
                what: "link type",
                number,
            }),
        ),
    }
}

fn ethernet(frame: &[u8]) -> (Link, Result<Carried, Fault>) {
    let Ok(header) = Ethernet2HeaderSlice::from_slice(frame) else {
        return (Link::Unknown, Err(Fault::short("eth", 14, frame.len())));
    };
    let tagged = untag(frame, 14, header.ether_type().0);
    let link = Link::Ethernet(Ethernet {
        dst: header.destination(),
        src: header.source(),
        ethertype: tagged.ethertype,
        vlan: tagged.vlan,
    });
    (link, tagged.carried(frame))
}

/// What is behind the VLAN tags.
struct Untagged {
    ethertype: u16,
    start: usize,
    vlan: [Option<u16>; 3],
    fault: Option<Fault>,
}

/// Takes off up to three VLAN tags (802.1Q, 802.1ad, and Cisco's older 0x9100).
fn untag(frame: &[u8], start: usize, ethertype: u16) -> Untagged {
    let mut untagged = Untagged {
        ethertype,
        start,
        vlan: [None; 3],
        fault: None,
    };
    for id in &mut untagged.vlan {
        let tag = [
            ether_type::VLAN_TAGGED_FRAME,
            ether_type::PROVIDER_BRIDGING,
            ether_type::VLAN_DOUBLE_TAGGED_FRAME,
        ];
        if !tag.iter().any(|tag| tag.0 == untagged.ethertype) {
            break;
        }
        let rest = frame.get(untagged.start..).unwrap_or(&[]);
        let Ok(header) = SingleVlanHeaderSlice::from_slice(rest) else {
            untagged.fault = Some(Fault::short("vlan", 4, rest.len()));
            break;
        };
        *id = Some(header.vlan_identifier().value());
        untagged.ethertype = header.ether_type().0;
        untagged.start += 4;
    }
    untagged
}

impl Untagged {
    fn carried(self, frame: &[u8]) -> Result<Carried, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let version = match self.ethertype {
            t if t == ether_type::IPV4.0 => 4,
            t if t == ether_type::IPV6.0 => 6,
            // IEEE 802.3: a length, then LLC.
            length if length < 0x0600 => {
                return Err(Fault::Unknown {
                    what: "802.3 frame of length",
                    number: u32::from(length),
                });
            }
            other => {
                return Err(Fault::Unknown {
                    what: "EtherType",
                    number: u32::from(other),
                });
            }
        };
        Ok(Carried {
            version: Some(version),
            range: self.start..frame.len(),
        })
    }
}

/// Linux cooked capture, version 1.
fn cooked(frame: &[u8]) -> (Link, Result<Carried, Fault>) {
    const SIZE: usize = 16;
    let (Some(packet_type), Some(ethertype)) = (u16_at(frame, 0), u16_at(frame, SIZE - 2)) else {
        return (Link::Unknown, Err(Fault::short("sll", SIZE, frame.len())));
    };
    cooked_payload(frame, SIZE, packet_type, ethertype)
}

/// Linux cooked capture, version 2: here the packet type is one byte.
fn cooked_v2(frame: &[u8]) -> (Link, Result<Carried, Fault>) {
    const SIZE: usize = 20;
    let (Some(ethertype), Some(packet_type), true) =
        (u16_at(frame, 0), frame.get(10), frame.len() >= SIZE)
    else {
        return (Link::Unknown, Err(Fault::short("sll", SIZE, frame.len())));
    };
    cooked_payload(frame, SIZE, u16::from(*packet_type), ethertype)
}

fn cooked_payload(
    frame: &[u8],
    start: usize,
    packet_type: u16,
    ethertype: u16,
) -> (Link, Result<Carried, Fault>) {
    let untagged = untag(frame, start, ethertype);
    let link = Link::LinuxCooked {
        packet_type,
        ethertype: untagged.ethertype,
    };
    (link, untagged.carried(frame))
}

/// BSD null (the family in the byte order of the capturing machine) and loop
/// (in network order). No family needs more than 16 bits, so the order shows.
/// Some systems put an EtherType there instead.
fn null(frame: &[u8]) -> (Link, Result<Carried, Fault>) {
    let Some(head) = frame.first_chunk::<4>() else {
        return (Link::Unknown, Err(Fault::short("null", 4, frame.len())));
    };
    let little = u32::from_le_bytes(*head);
    let family = if little > 0xFFFF {
        u32::from_be_bytes(*head) & 0xFFFF
    } else {
        little
    };
    let version = match family {
        2 => Ok(4),
        // Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Ok(6),
        number if number == u32::from(ether_type::IPV4.0) => Ok(4),
        number if number == u32::from(ether_type::IPV6.0) => Ok(6),
        number => Err(Fault::Unknown {
            what: "address family",
            number,
        }),
    };
    let carried = version.map(|version| Carried {
        version: Some(version),
        range: 4..frame.len(),
    });
    (Link::Null { family }, carried)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, QINQ_ICMP_ECHO, SLL_SYN_ACK, SLL2_SYN};
    use super::*;

    fn carried(version: Option<u8>, range: Range<usize>) -> Result<Carried, Fault> {
        Ok(Carried { version, range })
    }

    #[test]
    fn two_tags() {
        let data = samples::bytes(QINQ_ICMP_ECHO.1);
        let (link, ip) = decode(QINQ_ICMP_ECHO.0, &data);
        let Link::Ethernet(ethernet) = link else {
            panic!("{link:?}");
        };
        assert_eq!(ethernet.dst, [0x40, 0x8F, 0x9D, 0x6E, 0xC7, 0xD8]);
        assert_eq!(ethernet.ethertype, 0x0800);
        assert_eq!(ethernet.vlan, [Some(1525), Some(30), None]);
        assert_eq!(ip, carried(Some(4), 22..50));
    }

    #[test]
    fn a_fourth_tag_is_not_taken_off() {
        let mut data = vec![0; 12];
        for id in 1..=4 {
            data.extend([0x81, 0, 0, id]);
        }
        let (link, ip) = decode(link_type::ETHERNET, &[&data[..], &[8, 0]].concat());
        let Link::Ethernet(ethernet) = link else {
            panic!("{link:?}");
        };
        assert_eq!(ethernet.vlan, [Some(1), Some(2), Some(3)]);
        let what = "EtherType";
        let number = 0x8100;
        assert_eq!(ip, Err(Fault::Unknown { what, number }));
    }

    #[test]
    fn cooked_frames() {
        let data = samples::bytes(SLL_SYN_ACK.1);
        let link = Link::LinuxCooked {
            packet_type: 0,
            ethertype: 0x0800,
        };
        assert_eq!(decode(113, &data), (link, carried(Some(4), 16..76)));
        let data = samples::bytes(SLL2_SYN.1);
        let link = Link::LinuxCooked {
            packet_type: 4,
            ethertype: 0x0800,
        };
        assert_eq!(decode(276, &data), (link, carried(Some(4), 20..80)));
    }

    #[test]
    fn null_families_in_either_byte_order() {
        for (family, version) in [(2u32, 4), (10, 6), (24, 6), (28, 6), (30, 6), (0x0800, 4)] {
            for head in [family.to_le_bytes(), family.to_be_bytes()] {
                for number in [link_type::NULL, link_type::LOOP] {
                    let expected = (Link::Null { family }, carried(Some(version), 4..4));
                    assert_eq!(decode(number, &head), expected);
                }
            }
        }
        let (_, unknown) = decode(link_type::NULL, &[7, 0, 0, 0]);
        assert!(matches!(unknown, Err(Fault::Unknown { number: 7, .. })));
    }

    #[test]
    fn raw_ip() {
        for number in [12, 14, 101] {
            assert_eq!(decode(number, b"x"), (Link::Raw, carried(None, 0..1)));
        }
        assert_eq!(decode(228, b"x"), (Link::Raw, carried(Some(4), 0..1)));
        assert_eq!(decode(229, b"x"), (Link::Raw, carried(Some(6), 0..1)));
    }

    #[test]
    fn what_is_no_ip_is_named() {
        let frame = |ethertype: u16| [&[0; 12][..], &ethertype.to_be_bytes()].concat();
        let unknown = |ethertype| match decode(link_type::ETHERNET, &frame(ethertype)).1 {
            Err(Fault::Unknown { what, number }) => (what, number),
            other => panic!("{other:?}"),
        };
        assert_eq!(unknown(0x0806), ("EtherType", 0x0806));
        assert_eq!(unknown(0x0026), ("802.3 frame of length", 0x26));
        let (link, unknown) = decode(127, b"");
        assert_eq!(link, Link::Unknown);
        let what = "link type";
        assert_eq!(unknown, Err(Fault::Unknown { what, number: 127 }));
    }
}
