//! What a link layer carries: by EtherType, by LLC, behind VLAN tags and MPLS labels.
//!
//! Whoever asks what stands between a header and what it carries goes through the same
//! once more: `each` is told of every layer, and where it begins.

use std::ops::Range;

use etherparse::{SingleVlanHeaderSlice, ether_type};

use super::fault::Fault;
use super::{Layer, Numbering, Vlan, ppp};

/// An IP packet inside a frame. `version` is what the link layer says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    pub version: Option<u8>,
    pub range: Range<usize>,
}

/// What is inside a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Inside {
    Ip(Carried),
    /// ARP, from here on.
    Arp(usize),
    /// A protocol that is known by name only.
    Named(Layer, Range<usize>),
    /// Bytes that cannot be read without a key.
    Encrypted(Layer),
}

/// Smaller numbers in the EtherType's place are lengths (IEEE 802.3).
pub const FIRST_TYPE: u16 = 0x0600;
/// The longest payload of IEEE 802.3.
const LONGEST: u16 = 1500;

/// What an EtherType says of the bytes from `start` on.
#[inline(always)]
pub fn by_ethertype(
    frame: &[u8],
    start: usize,
    ethertype: u16,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let version = match ethertype {
        t if t == ether_type::IPV4.0 => 4,
        t if t == ether_type::IPV6.0 => 6,
        other => return by_other_type(frame, start, other, each),
    };
    Ok(Inside::Ip(Carried {
        version: Some(version),
        range: start..frame.len(),
    }))
}

#[inline(never)]
fn by_other_type(
    frame: &[u8],
    start: usize,
    ethertype: u16,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    match ethertype {
        0x0806 | 0x8035 => Ok(Inside::Arp(start)),
        0x8847 | 0x8848 => mpls(frame, start, each),
        0x8864 => ppp::session_inside(frame, start, each)?.1,
        length if length <= LONGEST => {
            let end = (start + usize::from(length)).min(frame.len());
            llc(frame.get(..end).unwrap_or(frame), start, each)
        }
        between if between < FIRST_TYPE => Err(Fault::unknown(Numbering::Length, between)),
        other => match Layer::of_ethertype(other) {
            Some(layer) => Ok(Inside::Named(layer, start..frame.len())),
            None => Err(Fault::unknown(Numbering::EtherType, other)),
        },
    }
}

/// Takes off up to three VLAN tags (802.1Q, 802.1ad, and Cisco's older 0x9100), which go
/// to `vlan`: `start` and `ethertype` are those of what is behind them.
pub fn untag(
    frame: &[u8],
    start: &mut usize,
    ethertype: &mut u16,
    vlan: &mut Vlan,
    each: &mut impl FnMut(Layer, usize),
) -> Result<(), Fault> {
    const TAG: usize = 4;
    for _ in 0..Vlan::MOST {
        let layer = match *ethertype {
            number if number == ether_type::PROVIDER_BRIDGING.0 => Layer::Ieee8021ad,
            number if is_tag(number) => Layer::Vlan,
            _ => break,
        };
        let rest = frame.get(*start..).unwrap_or(&[]);
        let Ok(header) = SingleVlanHeaderSlice::from_slice(rest) else {
            return Err(Fault::short(Layer::Vlan, TAG, rest.len()));
        };
        each(layer, *start);
        vlan.push(header.vlan_identifier().value());
        *ethertype = header.ether_type().0;
        *start += TAG;
        named_type(*start, *ethertype, each);
    }
    Ok(())
}

pub fn is_tag(ethertype: u16) -> bool {
    [
        ether_type::VLAN_TAGGED_FRAME,
        ether_type::PROVIDER_BRIDGING,
        ether_type::VLAN_DOUBLE_TAGGED_FRAME,
    ]
    .iter()
    .any(|tag| tag.0 == ethertype)
}

/// Wireshark takes an EtherType before what begins at `start` for a layer of its own.
#[inline(always)]
pub fn named_type(start: usize, ethertype: u16, each: &mut impl FnMut(Layer, usize)) {
    if ethertype >= FIRST_TYPE {
        each(Layer::Ethertype, start - 2);
    }
}

/// The same as [`by_ethertype`], where the number never stands for a length.
pub fn by_type_alone(
    frame: &[u8],
    start: usize,
    ethertype: u16,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    match ethertype {
        number if number < FIRST_TYPE => Err(Fault::unknown(Numbering::EtherType, number)),
        number => by_ethertype(frame, start, number, each),
    }
}

/// The same, of what may have VLAN tags.
pub fn by_tagged_type(
    frame: &[u8],
    mut start: usize,
    mut ethertype: u16,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let mut vlan = Vlan::default();
    untag(frame, &mut start, &mut ethertype, &mut vlan, each)?;
    by_type_alone(frame, start, ethertype, each)
}

/// IEEE 802.2 at `start`, up to the end of `frame`.
pub fn llc(
    frame: &[u8],
    start: usize,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    const HEADER: usize = 3;
    let bytes = frame.get(start..).unwrap_or(&[]);
    // Novell's IPX without LLC begins with the checksum that it never uses.
    if bytes.starts_with(&[0xFF, 0xFF]) {
        return Ok(Inside::Named(Layer::Ipx, start..frame.len()));
    }
    let Some([dsap, ssap, control]) = bytes.first_chunk::<HEADER>() else {
        return Err(Fault::short(Layer::Llc, HEADER, bytes.len()));
    };
    each(Layer::Llc, start);
    // Information and supervisory frames have a control field of two bytes.
    let size = if control & 3 == 3 { HEADER } else { HEADER + 1 };
    let named = |layer| {
        Ok(Inside::Named(
            layer,
            (start + size).min(frame.len())..frame.len(),
        ))
    };
    match (*dsap, *ssap) {
        (0xAA, 0xAA | 0xAB) => snap(frame, start + size, each),
        (0x06, _) => Ok(Inside::Ip(Carried {
            version: Some(4),
            range: (start + size).min(frame.len())..frame.len(),
        })),
        (0x42, _) => named(Layer::Stp),
        (0xE0, _) => named(Layer::Ipx),
        (0xF0, _) => named(Layer::Netbios),
        (0xFE, _) => named(Layer::Osi),
        _ => named(Layer::Llc),
    }
}

/// The subnetwork access protocol: an organisation, and a number that it gave.
fn snap(frame: &[u8], start: usize, each: &mut impl FnMut(Layer, usize)) -> Result<Inside, Fault> {
    const HEADER: usize = 5;
    const CISCO: [u8; 3] = [0, 0, 0x0C];
    /// Encapsulated Ethernet, and bridged by RFC 1042's and IEEE 802.1H's tunnel.
    const ETHERNET: [[u8; 3]; 2] = [[0, 0, 0], [0, 0, 0xF8]];
    let bytes = frame.get(start..).unwrap_or(&[]);
    let Some([a, b, c, p1, p0]) = bytes.first_chunk::<HEADER>() else {
        return Err(Fault::short(Layer::Llc, HEADER, bytes.len()));
    };
    let (organisation, number) = ([*a, *b, *c], u16::from_be_bytes([*p1, *p0]));
    let start = start + HEADER;
    if ETHERNET.contains(&organisation) && number >= FIRST_TYPE {
        return by_tagged_type(frame, start, number, each);
    }
    let layer = match (organisation, number) {
        (CISCO, 0x010B) => Layer::Stp,
        (CISCO, 0x0111) => Layer::Udld,
        (CISCO, 0x2000) => Layer::Cdp,
        (CISCO, 0x2003) => Layer::Vtp,
        (CISCO, 0x2004) => Layer::Dtp,
        _ => Layer::Llc,
    };
    Ok(Inside::Named(layer, start..frame.len()))
}

/// RFC 3032: behind the last label the payload's first bits tell its kind.
pub fn mpls(
    frame: &[u8],
    start: usize,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    const LABEL: usize = 4;
    let mut at = start;
    loop {
        let rest = frame.get(at..).unwrap_or(&[]);
        let Some([_, _, bottom, _]) = rest.first_chunk::<LABEL>() else {
            return Err(Fault::short(Layer::Mpls, LABEL, rest.len()));
        };
        if at == start {
            each(Layer::Mpls, start);
        }
        at += LABEL;
        if bottom & 1 == 1 {
            break;
        }
    }
    let range = at..frame.len();
    Ok(match frame.get(at).map(|first| first >> 4) {
        Some(version @ (4 | 6)) => Inside::Ip(Carried {
            version: Some(version),
            range,
        }),
        Some(_) => Inside::Named(Layer::Mpls, range),
        None => return Err(Fault::short(Layer::Mpls, at + 1 - start, at - start)),
    })
}
