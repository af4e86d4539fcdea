//! PPP: on a serial line, in PPPoE, in GRE; and Cisco's HDLC.

use super::carried::{Carried, Inside, by_type_alone, mpls};
use super::fault::Fault;
use super::{Layer, Link, Numbering};

/// A frame of PPP. Field names as Wireshark's `ppp.*` and `pppoe.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ppp {
    /// `ppp.protocol`.
    pub protocol: u16,
    /// `pppoe.session_id`, where the link is PPPoE.
    pub session: Option<u16>,
    /// A byte before it tells the direction.
    pub directed: bool,
}

/// RFC 1662: the address and control field, where it was not left out.
const ALL_STATIONS: [u8; 2] = [0xFF, 0x03];

/// PPP in HDLC-like framing, or Cisco's framing, which begins with another address.
pub fn serial(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    const CISCO: [u8; 2] = [0x0F, 0x8F];
    if frame.first().is_some_and(|first| CISCO.contains(first)) {
        return hdlc(frame, link, each);
    }
    let (protocol, inside) = inside(frame, 0, each)?;
    *link = Link::Ppp(Ppp {
        protocol,
        session: None,
        directed: false,
    });
    inside
}

/// Behind a byte that is 0 in what was received.
pub fn with_direction(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let (protocol, inside) = inside(frame, 1, each)?;
    *link = Link::Ppp(Ppp {
        protocol,
        session: None,
        directed: true,
    });
    inside
}

/// Cisco's HDLC: address, control, EtherType, but for numbers of its own.
pub fn hdlc(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    const HEADER: usize = 4;
    /// To Ethernet the number of reverse ARP.
    const SLARP: u16 = 0x8035;
    const CDP: u16 = 0x2000;
    const OSI: u16 = 0xFEFE;
    let Some([_, _, t1, t0]) = frame.first_chunk::<HEADER>() else {
        return Err(Fault::short(Layer::Chdlc, HEADER, frame.len()));
    };
    let protocol = u16::from_be_bytes([*t1, *t0]);
    *link = Link::Hdlc { protocol };
    each(Layer::Chdlc, 0);
    let named = |layer| Ok(Inside::Named(layer, HEADER..frame.len()));
    match protocol {
        SLARP => named(Layer::Slarp),
        CDP => named(Layer::Cdp),
        OSI => named(Layer::Osi),
        other => by_type_alone(frame, HEADER, other, each),
    }
}

/// RFC 2516: a session's frame without Ethernet around it.
pub fn over_ethernet(
    frame: &[u8],
    link: &mut Link,
    each: &mut impl FnMut(Layer, usize),
) -> Result<Inside, Fault> {
    let session = frame
        .get(2..)
        .and_then(|rest| rest.first_chunk())
        .map(|session| u16::from_be_bytes(*session));
    let (protocol, inside) = session_inside(frame, 0, each)?;
    *link = Link::Ppp(Ppp {
        protocol,
        session,
        directed: false,
    });
    inside
}

/// What a PPPoE session's frame at `at` carries.
pub fn session_inside(
    frame: &[u8],
    at: usize,
    each: &mut impl FnMut(Layer, usize),
) -> Result<(u16, Result<Inside, Fault>), Fault> {
    const HEADER: usize = 6;
    let bytes = frame.get(at..).unwrap_or(&[]);
    let Some([_, _, _, _, l1, l0]) = bytes.first_chunk::<HEADER>() else {
        return Err(Fault::short(Layer::Pppoes, HEADER, bytes.len()));
    };
    each(Layer::Pppoes, at);
    let length = usize::from(u16::from_be_bytes([*l1, *l0]));
    let end = (at + HEADER + length).min(frame.len());
    inside(frame.get(..end).unwrap_or(frame), at + HEADER, each)
}

/// The protocol of the PPP frame at `at`, which ends where `frame` does, and
/// what it carries.
pub fn inside(
    frame: &[u8],
    at: usize,
    each: &mut impl FnMut(Layer, usize),
) -> Result<(u16, Result<Inside, Fault>), Fault> {
    let begin = at;
    let mut at = at;
    if frame
        .get(at..)
        .is_some_and(|b| b.starts_with(&ALL_STATIONS))
    {
        at += ALL_STATIONS.len();
    }
    let bytes = frame.get(at..).unwrap_or(&[]);
    // A number with an odd first byte is compressed to that byte (RFC 1661);
    // 255 is none, so that the address field can be told.
    let (protocol, size) = match bytes {
        [one, ..] if one & 1 == 1 && *one != ALL_STATIONS[0] => (u16::from(*one), 1),
        [high, low, ..] => (u16::from_be_bytes([*high, *low]), 2),
        _ => return Err(Fault::short(Layer::Ppp, 2, bytes.len())),
    };
    each(Layer::Ppp, begin);
    let start = at + size;
    let ip = |version| {
        Ok(Inside::Ip(Carried {
            version: Some(version),
            range: start..frame.len(),
        }))
    };
    let inside = match protocol {
        0x0021 => ip(4),
        0x0057 => ip(6),
        0x0281 | 0x0283 => mpls(frame, start, each),
        other => match Layer::of_ppp(other) {
            Some(layer) => Ok(Inside::Named(layer, start..frame.len())),
            None => Err(Fault::unknown(Numbering::PppProtocol, other)),
        },
    };
    Ok((protocol, inside))
}
