//! Link layers: what comes before IP.

use etherparse::{Ethernet2HeaderSlice, ether_type};

use super::carried::{Carried, FIRST_TYPE, Inside, by_ethertype, is_tag, llc, named_type, untag};
use super::fault::Fault;
use super::{Cooked, Ethernet, Layer, Link, Numbering, Vlan, ppp, wlan};

/// Numbers of <https://www.tcpdump.org/linktypes.html>.
pub mod link_type {
    pub const NULL: u32 = 0;
    pub const ETHERNET: u32 = 1;
    pub const PPP: u32 = 9;
    /// `DLT_RAW` as most systems number it: it gets into files.
    pub const RAW_DLT: u32 = 12;
    /// `DLT_RAW` of OpenBSD.
    pub const RAW_DLT_OPENBSD: u32 = 14;
    pub const PPP_SERIAL: u32 = 50;
    pub const PPP_ETHER: u32 = 51;
    pub const RAW: u32 = 101;
    pub const C_HDLC: u32 = 104;
    pub const WLAN: u32 = 105;
    pub const LOOP: u32 = 108;
    pub const LINUX_SLL: u32 = 113;
    /// 802.11 with a Prism monitor header.
    pub const PRISM: u32 = 119;
    /// 802.11 with radiotap.
    pub const RADIOTAP: u32 = 127;
    /// 802.11 with an AVS header.
    pub const AVS: u32 = 163;
    /// PPP behind a byte that tells the direction.
    pub const PPP_WITH_DIR: u32 = 204;
    pub const IPV4: u32 = 228;
    pub const IPV6: u32 = 229;
    pub const LINUX_SLL2: u32 = 276;
}

const ETHERNET: usize = 14;
/// Linux cooked capture, versions 1 and 2.
const SLL: u8 = 16;
const SLL2: u8 = 20;

/// What is in a frame, or why nothing is. The link layer goes to
/// `link`: written once, in its place.
#[inline(always)]
pub fn decode(link_type: u32, frame: &[u8], link: &mut Link) -> Result<Inside, Fault> {
    // Nobody asks what is between.
    let each = &mut |_, _| {};
    match link_type {
        link_type::ETHERNET => ethernet(frame, link, each),
        link_type::LINUX_SLL => cooked(frame, link, each),
        link_type::LINUX_SLL2 => cooked_v2(frame, link, each),
        link_type::NULL | link_type::LOOP => null(frame, link),
        link_type::RAW | link_type::RAW_DLT | link_type::RAW_DLT_OPENBSD => raw(frame, None, link),
        link_type::IPV4 => raw(frame, Some(4), link),
        link_type::IPV6 => raw(frame, Some(6), link),
        other => decode_other(other, frame, link),
    }
}

#[inline(never)]
fn decode_other(link_type: u32, frame: &[u8], link: &mut Link) -> Result<Inside, Fault> {
    let each = &mut |_, _| {};
    match link_type {
        link_type::PPP | link_type::PPP_SERIAL => ppp::serial(frame, link, each),
        link_type::PPP_WITH_DIR => ppp::with_direction(frame, link, each),
        link_type::PPP_ETHER => ppp::over_ethernet(frame, link, each),
        link_type::C_HDLC => ppp::hdlc(frame, link, each),
        link_type::WLAN => wlan::plain(frame, link, each),
        link_type::RADIOTAP => wlan::radiotap(frame, link, each),
        link_type::PRISM => Ok(Inside::Named(Layer::Prism, 0..frame.len())),
        link_type::AVS => Ok(Inside::Named(Layer::Wlancap, 0..frame.len())),
        number => Err(Fault::unknown(Numbering::LinkType, number)),
    }
}

/// What stands in a frame before what it carries ([`Packet::link_layers`](super::Packet)).
/// `link` is what the frame was decoded to.
pub fn layers(link: &Link, frame: &[u8], each: &mut impl FnMut(Layer, usize)) {
    let again = &mut Link::Unknown;
    // Where a fault is, the layers end: that it is one was noted when it was decoded.
    let _ = match link {
        Link::Ethernet(_) => ethernet(frame, again, each),
        Link::LinuxCooked(cooked) if cooked.header_len == SLL2 => cooked_v2(frame, again, each),
        Link::LinuxCooked(_) => cooked(frame, again, each),
        Link::Ppp(ppp) if ppp.session.is_some() => ppp::over_ethernet(frame, again, each),
        Link::Ppp(ppp) if ppp.directed => ppp::with_direction(frame, again, each),
        Link::Ppp(_) => ppp::serial(frame, again, each),
        Link::Hdlc { .. } => ppp::hdlc(frame, again, each),
        Link::Wlan(wlan) if wlan.has_radiotap() => wlan::radiotap(frame, again, each),
        Link::Wlan(_) => wlan::plain(frame, again, each),
        Link::Null { .. } => return each(Layer::Null, 0),
        Link::Raw => return each(Layer::Raw, 0),
        Link::Unknown => return each(Layer::Frame, 0),
    };
}

fn raw(frame: &[u8], version: Option<u8>, link: &mut Link) -> Result<Inside, Fault> {
    *link = Link::Raw;
    Ok(Inside::Ip(Carried {
        version,
        range: 0..frame.len(),
    }))
}

#[inline(always)]
fn ethernet(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let Ok(header) = Ethernet2HeaderSlice::from_slice(frame) else {
        return Err(Fault::short(Layer::Eth, ETHERNET, frame.len()));
    };
    let ethertype = header.ether_type().0;
    *link = Link::Ethernet(Ethernet {
        dst: header.destination(),
        src: header.source(),
        ethertype,
        vlan: Vlan::default(),
    });
    each(Layer::Eth, 0);
    named_type(ETHERNET, ethertype, each);
    if is_tag(ethertype) {
        return tagged(frame, ETHERNET, link, each);
    }
    by_ethertype(frame, ETHERNET, ethertype, each)
}

/// Takes off VLAN tags, and notes in `link` what is behind them.
#[inline(never)]
fn tagged(
    frame: &[u8],
    mut start: usize,
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let (ethertype, vlan) = match link {
        Link::Ethernet(ethernet) => (&mut ethernet.ethertype, &mut ethernet.vlan),
        Link::LinuxCooked(cooked) => (&mut cooked.ethertype, &mut cooked.vlan),
        _ => return Err(Fault::short(Layer::Vlan, 4, 0)),
    };
    untag(frame, &mut start, ethertype, vlan, each)?;
    by_ethertype(frame, start, *ethertype, each)
}

/// An Ethernet frame inside another packet: from `start` to the end of `bytes`.
pub fn ethernet_at(
    bytes: &[u8],
    start: usize,
    ethernet: &mut Option<Ethernet>,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let rest = bytes.get(start..).unwrap_or(&[]);
    let Ok(header) = Ethernet2HeaderSlice::from_slice(rest) else {
        return Err(Fault::short(Layer::Eth, ETHERNET, rest.len()));
    };
    let ethertype = header.ether_type().0;
    let mut link = Link::Ethernet(Ethernet {
        dst: header.destination(),
        src: header.source(),
        ethertype,
        vlan: Vlan::default(),
    });
    each(Layer::Eth, start);
    named_type(start + ETHERNET, ethertype, each);
    let inside = tagged(bytes, start + ETHERNET, &mut link, each);
    if let Link::Ethernet(inner) = link {
        *ethernet = Some(inner);
    }
    inside
}

/// Linux cooked capture, version 1.
fn cooked(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let (Some(packet_type), Some(hardware), Some(protocol)) =
        (u16_at(frame, 0), u16_at(frame, 2), u16_at(frame, 14))
    else {
        return Err(Fault::short(Layer::Sll, SLL.into(), frame.len()));
    };
    *link = cooked_link(SLL, packet_type, protocol);
    cooked_payload(frame, SLL, hardware, protocol, link, each)
}

/// Linux cooked capture, version 2: here the packet type is one byte.
fn cooked_v2(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let (Some(protocol), Some(hardware), Some(packet_type), true) = (
        u16_at(frame, 0),
        u16_at(frame, 8),
        frame.get(10),
        frame.len() >= SLL2.into(),
    ) else {
        return Err(Fault::short(Layer::Sll, SLL2.into(), frame.len()));
    };
    *link = cooked_link(SLL2, (*packet_type).into(), protocol);
    cooked_payload(frame, SLL2, hardware, protocol, link, each)
}

fn cooked_link(header_len: u8, packet_type: u16, protocol: u16) -> Link {
    Link::LinuxCooked(Cooked {
        header_len,
        packet_type,
        protocol,
        ethertype: protocol,
        vlan: Vlan::default(),
    })
}

fn cooked_payload(
    frame: &[u8],
    header_len: u8,
    hardware: u16,
    protocol: u16,
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    /// Linux's `ARPHRD_NETLINK`: the protocol is a family of netlink.
    const NETLINK: u16 = 824;
    let start = usize::from(header_len);
    each(Layer::Sll, 0);
    if hardware == NETLINK {
        return Ok(Inside::Named(Layer::Netlink, start..frame.len()));
    }
    if protocol < FIRST_TYPE {
        return by_linux_protocol(frame, start, protocol, each);
    }
    named_type(start, protocol, each);
    tagged(frame, start, link, each)
}

/// Linux's own numbers (`ETH_P_802_3` and so on), which are neither EtherTypes nor the
/// lengths of IEEE 802.3.
fn by_linux_protocol(
    frame: &[u8],
    start: usize,
    protocol: u16,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let named = |layer| Ok(Inside::Named(layer, start..frame.len()));
    match protocol {
        // 802.3 without LLC: only Novell sends that.
        0x0001 => named(Layer::Ipx),
        0x0004 => llc(frame, start, each),
        0x000C => named(Layer::Can),
        0x000D => named(Layer::CanFd),
        other => Err(Fault::unknown(Numbering::LinuxProtocol, other)),
    }
}

/// BSD null and loop.
fn null(frame: &[u8], link: &mut Link) -> Result<Inside, Fault> {
    let Some(head) = frame.first_chunk::<4>() else {
        return Err(Fault::short(Layer::Null, 4, frame.len()));
    };
    let family = family(*head);
    *link = Link::Null { family };
    let version =
        version_of(family).ok_or_else(|| Fault::unknown(Numbering::AddressFamily, family));
    version.map(|version| {
        Inside::Ip(Carried {
            version: Some(version),
            range: 4..frame.len(),
        })
    })
}

/// The address family: in null in the byte order of the capturing machine, in
/// loop in network order. No family needs more than 16 bits, so the order shows.
/// Some systems put an EtherType there instead.
pub fn family(head: [u8; 4]) -> u32 {
    let little = u32::from_le_bytes(head);
    if little > 0xFFFF {
        u32::from_be_bytes(head) & 0xFFFF
    } else {
        little
    }
}

/// The version of IP that an address family stands for.
pub fn version_of(family: u32) -> Option<u8> {
    match family {
        2 => Some(4),
        // Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Some(6),
        number if number == u32::from(ether_type::IPV4.0) => Some(4),
        number if number == u32::from(ether_type::IPV6.0) => Some(6),
        _ => None,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, QINQ_ICMP_ECHO, SLL_SYN_ACK, SLL2_SYN};
    use std::ops::Range;

    use super::*;

    fn decode(link_type: u32, frame: &[u8]) -> (Link, Result<Inside, Fault>) {
        let mut link = Link::Unknown;
        let carried = super::decode(link_type, frame, &mut link);
        (link, carried)
    }

    fn carried(version: Option<u8>, range: Range<usize>) -> Result<Inside, Fault> {
        Ok(Inside::Ip(Carried { version, range }))
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
        assert_eq!(ethernet.vlan.ids(), [1525, 30]);
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
        assert_eq!(ethernet.vlan.ids(), [1, 2, 3]);
        assert_eq!(ip, Err(Fault::unknown(Numbering::EtherType, 0x8100u16)));
    }

    #[test]
    fn cooked_frames() {
        let link = |header_len, packet_type| {
            Link::LinuxCooked(Cooked {
                header_len,
                packet_type,
                protocol: 0x0800,
                ethertype: 0x0800,
                vlan: Vlan::default(),
            })
        };
        let data = samples::bytes(SLL_SYN_ACK.1);
        assert_eq!(decode(113, &data), (link(16, 0), carried(Some(4), 16..76)));
        let data = samples::bytes(SLL2_SYN.1);
        assert_eq!(decode(276, &data), (link(20, 4), carried(Some(4), 20..80)));
    }

    /// It was read as LLC of so many bytes.
    #[test]
    fn the_family_of_a_netlink_message_is_no_ethertype() {
        let mut frame = vec![0, 0, 824u16.to_be_bytes()[0], 824u16.to_be_bytes()[1]];
        frame.extend([0; 10]);
        frame.extend([0, 16]);
        frame.extend([7; 20]);
        let mut link = Link::Unknown;
        let inside = super::decode(link_type::LINUX_SLL, &frame, &mut link);
        assert_eq!(inside, Ok(Inside::Named(Layer::Netlink, 16..36)));
    }

    #[test]
    fn the_tags_of_a_cooked_frame_are_kept_beside_its_own_type() {
        let mut header = samples::bytes(SLL_SYN_ACK.1);
        header.truncate(14);
        let tagged = [&header[..], &[0x81, 0, 0, 42, 0x88, 0xA8, 0, 7, 8, 0]].concat();
        let (link, ip) = decode(link_type::LINUX_SLL, &tagged);
        let Link::LinuxCooked(cooked) = link else {
            panic!("{link:?}");
        };
        assert_eq!((cooked.protocol, cooked.ethertype), (0x8100, 0x0800));
        assert_eq!(cooked.vlan.ids(), [42, 7]);
        assert_eq!(ip, carried(Some(4), 24..24));
        assert_eq!(size_of::<Link>(), 24, "as of Ethernet");
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
        assert_eq!(unknown(0x0801), (Numbering::EtherType, 0x0801));
        assert_eq!(unknown(1501), (Numbering::Length, 1501));
        let (link, unknown) = decode(147, b"");
        assert_eq!(link, Link::Unknown);
        assert_eq!(unknown, Err(Fault::unknown(Numbering::LinkType, 147u32)));
    }
}
