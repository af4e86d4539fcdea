//! ICMP and ICMPv6, with the packet that an error quotes.

use etherparse::{IpNumber, ip_number};

use super::fault::{Fault, part, span};
use super::link::Carried;
use super::network::{self, Fragment, Network};
use super::{Icmp, Quoted, Span};

/// Type, code, checksum, and four bytes that depend on the type.
const HEADER: usize = 8;

/// RFC 792: the types that quote a packet, with the place of RFC 4884's length
/// of the quoted part in `rest`, which counts 32-bit words.
pub fn decode_v4(frame: &[u8], network: &Network) -> Result<Icmp, Fault> {
    let mut icmp = header(frame, network, "icmp")?;
    let quoted_len = match icmp.kind {
        // Destination unreachable, time exceeded, parameter problem.
        3 | 11 | 12 => usize::from(icmp.rest[1]) * 4,
        // Source quench, redirect.
        4 | 5 => 0,
        _ => return Ok(icmp),
    };
    icmp.quoted = quoted(frame, icmp.payload, quoted_len).map(Box::new);
    Ok(icmp)
}

/// RFC 4443; RFC 4884's length counts 64-bit words.
pub fn decode_v6(frame: &[u8], network: &Network) -> Result<Icmp, Fault> {
    let mut icmp = header(frame, network, "icmpv6")?;
    let quoted_len = match icmp.kind {
        // Destination unreachable, time exceeded.
        1 | 3 => usize::from(icmp.rest[0]) * 8,
        // Packet too big, parameter problem.
        2 | 4 => 0,
        _ => return Ok(icmp),
    };
    icmp.quoted = quoted(frame, icmp.payload, quoted_len).map(Box::new);
    Ok(icmp)
}

fn header(frame: &[u8], network: &Network, layer: &'static str) -> Result<Icmp, Fault> {
    let bytes = part(frame, &network.payload);
    let Some([kind, code, sum_high, sum_low, rest @ ..]) = bytes.first_chunk::<HEADER>() else {
        return Err(Fault::short(layer, HEADER, bytes.len()));
    };
    Ok(Icmp {
        kind: *kind,
        code: *code,
        checksum: u16::from_be_bytes([*sum_high, *sum_low]),
        rest: *rest,
        payload: span(network.payload.start + HEADER..network.payload.end),
        quoted: None,
    })
}

/// The quoted packet, which is cut as a rule. `len` is its length where the
/// error states it, else 0.
fn quoted(frame: &[u8], payload: Span, len: usize) -> Option<Quoted> {
    let start = payload.start as usize;
    let available = payload.len as usize;
    let len = if len == 0 {
        available
    } else {
        len.min(available)
    };
    let carried = Carried {
        version: None,
        range: start..start + len,
    };
    let network = network::decode(frame, &carried, 0).ok()?;
    let bytes = part(frame, &network.payload);
    let mut quoted = Quoted {
        net: network.net,
        protocol: network.protocol,
        src_port: None,
        dst_port: None,
        seq: None,
        udp_length: None,
        payload: Span::default(),
    };
    // Eight bytes are quoted at least, but not of a later fragment.
    let Some([s1, s0, d1, d0, a, b, c, d]) = bytes.first_chunk::<8>() else {
        return Some(quoted);
    };
    if network.fragment == Fragment::Later {
        return Some(quoted);
    }
    let protocol = IpNumber(network.protocol);
    if protocol == ip_number::TCP || protocol == ip_number::UDP {
        quoted.src_port = Some(u16::from_be_bytes([*s1, *s0]));
        quoted.dst_port = Some(u16::from_be_bytes([*d1, *d0]));
    }
    if protocol == ip_number::TCP {
        quoted.seq = Some(u32::from_be_bytes([*a, *b, *c, *d]));
    }
    if protocol == ip_number::UDP {
        let length = u16::from_be_bytes([*a, *b]);
        quoted.udp_length = Some(length);
        let end = usize::from(length).clamp(8, bytes.len());
        let start = network.payload.start;
        quoted.payload = span(start + 8..start + end);
    }
    Some(quoted)
}
