//! What a link layer carries: by EtherType, by LLC, behind MPLS labels.

use std::ops::Range;

use etherparse::ether_type;

use super::fault::Fault;
use super::{Layer, Numbering, ppp};

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
pub fn by_ethertype(frame: &[u8], start: usize, ethertype: u16) -> Result<Inside, Fault> {
    let version = match ethertype {
        t if t == ether_type::IPV4.0 => 4,
        t if t == ether_type::IPV6.0 => 6,
        other => return by_other_type(frame, start, other),
    };
    Ok(Inside::Ip(Carried {
        version: Some(version),
        range: start..frame.len(),
    }))
}

#[inline(never)]
fn by_other_type(frame: &[u8], start: usize, ethertype: u16) -> Result<Inside, Fault> {
    match ethertype {
        0x0806 | 0x8035 => Ok(Inside::Arp(start)),
        0x8847 | 0x8848 => mpls(frame, start),
        0x8864 => ppp::session_inside(frame, start)?.1,
        length if length <= LONGEST => {
            let end = (start + usize::from(length)).min(frame.len());
            llc(frame.get(..end).unwrap_or(frame), start)
        }
        between if between < FIRST_TYPE => Err(Fault::unknown(Numbering::Length, between)),
        other => match Layer::of_ethertype(other) {
            Some(layer) => Ok(Inside::Named(layer, start..frame.len())),
            None => Err(Fault::unknown(Numbering::EtherType, other)),
        },
    }
}

/// IEEE 802.2 at `start`, up to the end of `frame`.
pub fn llc(frame: &[u8], start: usize) -> Result<Inside, Fault> {
    const HEADER: usize = 3;
    let bytes = frame.get(start..).unwrap_or(&[]);
    // Novell's IPX without LLC begins with the checksum that it never uses.
    if bytes.starts_with(&[0xFF, 0xFF]) {
        return Ok(Inside::Named(Layer::Ipx, start..frame.len()));
    }
    let Some([dsap, ssap, control]) = bytes.first_chunk::<HEADER>() else {
        return Err(Fault::short(Layer::Llc, HEADER, bytes.len()));
    };
    // Information and supervisory frames have a control field of two bytes.
    let size = if control & 3 == 3 { HEADER } else { HEADER + 1 };
    let named = |layer| {
        Ok(Inside::Named(
            layer,
            (start + size).min(frame.len())..frame.len(),
        ))
    };
    match (*dsap, *ssap) {
        (0xAA, 0xAA | 0xAB) => snap(frame, start + size),
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
fn snap(frame: &[u8], start: usize) -> Result<Inside, Fault> {
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
        return by_ethertype(frame, start, number);
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
pub fn mpls(frame: &[u8], start: usize) -> Result<Inside, Fault> {
    const LABEL: usize = 4;
    let mut at = start;
    loop {
        let rest = frame.get(at..).unwrap_or(&[]);
        let Some([_, _, bottom, _]) = rest.first_chunk::<LABEL>() else {
            return Err(Fault::short(Layer::Mpls, LABEL, rest.len()));
        };
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
