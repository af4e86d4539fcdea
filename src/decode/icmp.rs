//! ICMP and ICMPv6, with the packet that an error quotes.

use etherparse::{IpNumber, ip_number};

use super::carried::Carried;
use super::fault::{Fault, First, span};
use super::network::{self, Fragment, Network};
use super::{Icmp, Layer, Quoted, Span};

/// Type, code, checksum, and four bytes that depend on the type.
const HEADER: usize = 8;

/// RFC 792: the types that quote a packet, with the place of RFC 4884's length
/// of the quoted part in `rest`, which counts 32-bit words.
pub fn decode_v4(frame: &[u8], network: Network) -> Result<Icmp, Fault> {
    let mut icmp = header(frame, network, Layer::Icmp)?;
    let quoted_len = match icmp.kind {
        // Destination unreachable, time exceeded, parameter problem.
        3 | 11 | 12 => usize::from(icmp.rest[1]) * 4,
        // Source quench, redirect.
        4 | 5 => 0,
        _ => return Ok(icmp),
    };
    icmp.quoted = quoted(frame, icmp.payload, quoted_len).map(Box::new);
    if let (4 | 5, Some(quoted)) = (icmp.kind, &mut icmp.quoted) {
        quoted.undelivered = false;
    }
    Ok(icmp)
}

/// RFC 4443; RFC 4884's length counts 64-bit words.
pub fn decode_v6(frame: &[u8], network: Network) -> Result<Icmp, Fault> {
    let mut icmp = header(frame, network, Layer::Icmpv6)?;
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

fn header(frame: &[u8], network: Network, layer: Layer) -> Result<Icmp, Fault> {
    let bytes = network.payload.of(frame);
    let Some([kind, code, sum_high, sum_low, rest @ ..]) = bytes.first_chunk::<HEADER>() else {
        return Err(Fault::short(layer, HEADER, bytes.len()));
    };
    Ok(Icmp {
        kind: *kind,
        code: *code,
        checksum: u16::from_be_bytes([*sum_high, *sum_low]),
        rest: *rest,
        payload: Span {
            start: network.payload.start + HEADER as u32,
            len: network.payload.len - HEADER as u32,
        },
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
    let mut net = None;
    let network = network::decode(frame, &carried, 0, &mut net, &mut First::default())?;
    let bytes = network.payload.of(frame);
    let mut quoted = Quoted {
        undelivered: true,
        net: net?,
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
        let start = network.payload.start as usize;
        quoted.payload = span(start + 8..start + end);
    }
    Some(quoted)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{
        self, ICMP_PORT_UNREACHABLE, ICMPV6_QUOTES_EXTENSION, QINQ_ICMP_ECHO, frame,
    };
    use crate::decode::{Icmp, Net, Packet, decode};

    fn icmp(packet: &Packet) -> &Icmp {
        packet.icmp().unwrap()
    }

    #[test]
    fn an_echo_quotes_nothing() {
        let data = samples::bytes(QINQ_ICMP_ECHO.1);
        let packet = decode(&frame(QINQ_ICMP_ECHO.0, &data));
        let icmp = icmp(&packet);
        assert_eq!((icmp.kind, icmp.code, icmp.checksum), (8, 0, 0xF7FF));
        assert_eq!((icmp.rest, icmp.quoted.as_ref()), ([0; 4], None));
    }

    #[test]
    fn an_error_quotes_the_datagram() {
        let data = samples::bytes(ICMP_PORT_UNREACHABLE.1);
        let packet = decode(&frame(ICMP_PORT_UNREACHABLE.0, &data));
        let icmp = icmp(&packet);
        assert_eq!((icmp.kind, icmp.code), (3, 3));
        let quoted = icmp.quoted.as_deref().unwrap();
        let Net::V4(ip) = quoted.net else {
            panic!("{quoted:?}");
        };
        assert_eq!(
            (ip.src, ip.dst),
            ([192, 168, 1, 1].into(), [192, 168, 1, 102].into())
        );
        assert_eq!((ip.total_len, ip.ttl, ip.id), (163, 64, 0x3711));
        assert_eq!((quoted.src_port, quoted.dst_port), (Some(53), Some(59207)));
        assert_eq!((quoted.udp_length, quoted.seq), (Some(143), None));
        let payload = quoted.payload.of(&data);
        assert_eq!(payload.len(), 120);
        assert_eq!(payload[..2], [0x98, 0xA4]);
    }

    #[test]
    fn a_redirect_reports_nothing_as_undelivered() {
        for (kind, undelivered) in [(3, true), (11, true), (12, true), (4, false), (5, false)] {
            let mut data = samples::bytes(ICMP_PORT_UNREACHABLE.1);
            data[34] = kind;
            let packet = decode(&frame(1, &data));
            let quoted = icmp(&packet).quoted.as_deref().unwrap();
            assert_eq!(quoted.undelivered, undelivered, "{kind}");
        }
    }

    #[test]
    fn eight_bytes_of_a_segment_have_ports_and_sequence_number() {
        let mut data = samples::bytes(ICMP_PORT_UNREACHABLE.1);
        data[51] = 6; // the quoted packet's protocol
        data[17] = 56; // the packet's own length
        data[16] = 0;
        data.truncate(70);
        let packet = decode(&frame(1, &data));
        let quoted = icmp(&packet).quoted.as_deref().unwrap();
        assert_eq!(quoted.src_port, Some(53));
        assert_eq!(quoted.seq, Some(0x008F_76D2));
        assert!(quoted.payload.is_empty());
        assert_eq!(packet.trouble, None);
    }

    #[test]
    fn extensions_behind_the_quoted_part_are_no_part_of_it() {
        let mut data = samples::bytes(ICMP_PORT_UNREACHABLE.1);
        data[39] = 8; // 32 bytes, by RFC 4884
        let packet = decode(&frame(1, &data));
        let quoted = icmp(&packet).quoted.as_deref().unwrap();
        assert_eq!((quoted.udp_length, quoted.payload.len), (Some(143), 4));
    }

    #[test]
    fn a_later_fragment_is_quoted_without_ports() {
        let mut data = samples::bytes(ICMP_PORT_UNREACHABLE.1);
        data[49] = 5;
        let packet = decode(&frame(1, &data));
        let quoted = icmp(&packet).quoted.as_deref().unwrap();
        assert_eq!((quoted.protocol, quoted.src_port), (17, None));
    }

    #[test]
    fn icmpv6_quotes_behind_extension_headers() {
        let data = samples::bytes(ICMPV6_QUOTES_EXTENSION.1);
        let packet = decode(&frame(ICMPV6_QUOTES_EXTENSION.0, &data));
        let icmp = icmp(&packet);
        assert_eq!((icmp.kind, icmp.code), (1, 0));
        let quoted = icmp.quoted.as_deref().unwrap();
        assert_eq!(quoted.protocol, 17);
        assert_eq!(
            (quoted.src_port, quoted.dst_port),
            (Some(30000), Some(13000))
        );
        assert_eq!(quoted.payload.of(&data), b"XXXX");
    }
}
