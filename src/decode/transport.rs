//! TCP and UDP, and the way to ICMP.

use std::ops::Range;

use etherparse::{IpNumber, TcpHeaderSlice, UdpHeaderSlice, ip_number};

use super::fault::{Fault, First, span};
use super::network::{Fragment, Network};
use super::{Layer, Reason, Tcp, TcpFlags, Transport, Udp, icmp, igmp, tunnel};

const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

/// Decodes what the IP packet carries into `transport`: written once, in its
/// place.
#[inline(always)]
pub fn decode(frame: &[u8], network: Network, transport: &mut Transport, first: &mut First) {
    if network.fragment == Fragment::Whole {
        let bytes = network.payload.of(frame);
        match IpNumber(network.protocol) {
            ip_number::TCP => tcp(bytes, network, transport, first),
            ip_number::UDP => udp(bytes, network, transport, first),
            _ => others(frame, network, transport, first),
        }
    } else {
        fragment(frame, network, transport);
    }
}

/// What a first fragment's header claims of the whole is not there: no fault.
#[inline(never)]
fn fragment(frame: &[u8], network: Network, transport: &mut Transport) {
    if network.fragment == Fragment::First {
        let bytes = network.payload.of(frame);
        let mut expected = First::default();
        match IpNumber(network.protocol) {
            ip_number::TCP => tcp(bytes, network, transport, &mut expected),
            ip_number::UDP => udp(bytes, network, transport, &mut expected),
            _ => others(frame, network, transport, &mut expected),
        }
    }
    if *transport == Transport::None {
        *transport = Transport::Fragment;
    }
}

#[inline(never)]
fn others(frame: &[u8], network: Network, transport: &mut Transport, first: &mut First) {
    let decoded = match IpNumber(network.protocol) {
        ip_number::ICMP => icmp::decode_v4(frame, network).map(Transport::Icmp),
        ip_number::IPV6_ICMP => icmp::decode_v6(frame, network).map(Transport::Icmpv6),
        ip_number::IGMP => igmp::decode(frame, network).map(Transport::Igmp),
        ip_number::SCTP => igmp::decode_sctp(frame, network).map(Transport::Sctp),
        ip_number::GRE => tunnel::decode_gre(frame, network).map(Transport::Gre),
        _ => Ok(Transport::Other {
            protocol: network.protocol,
            payload: network.payload,
        }),
    };
    match decoded {
        Ok(decoded) => *transport = decoded,
        Err(fault) => first.note(fault),
    }
}

#[inline(always)]
fn tcp(bytes: &[u8], network: Network, transport: &mut Transport, first: &mut First) {
    let start = network.payload.start as usize;
    match TcpHeaderSlice::from_slice(bytes) {
        Ok(header) => {
            let header_len = header.slice().len();
            let payload = start + header_len..start + bytes.len();
            *transport = Transport::Tcp(segment(&header, network, header_len, payload));
        }
        Err(_) => match tcp_with_wrong_length(bytes) {
            Ok((header, header_len, fault)) => {
                first.note(fault);
                if let Ok(sound) = TcpHeaderSlice::from_slice(&header) {
                    let payload = start + header_len..start + header_len;
                    let claimed = usize::from(bytes.get(12).map_or(0, |b| b >> 4)) * 4;
                    *transport = Transport::Tcp(Tcp {
                        len: network.claimed.saturating_sub(claimed as u32),
                        ..segment(&sound, network, header_len, payload)
                    });
                }
            }
            Err(fault) => first.note(fault),
        },
    }
}

/// The fixed fields are good even where the header length is not: the header as
/// if it had no options, the length to go by, and what is wrong.
#[cold]
fn tcp_with_wrong_length(bytes: &[u8]) -> Result<([u8; TCP_HEADER], usize, Fault), Fault> {
    let Some(fixed) = bytes.first_chunk::<TCP_HEADER>() else {
        return Err(Fault::short(Layer::Tcp, TCP_HEADER, bytes.len()));
    };
    let claimed = usize::from(fixed[12] >> 4) * 4;
    let mut sound = *fixed;
    sound[12] = 0x50 | (sound[12] & 0x0F);
    if claimed > bytes.len() {
        let fault = Fault::short(Layer::Tcp, claimed, bytes.len());
        return Ok((sound, bytes.len(), fault));
    }
    let reason = Reason::HeaderLength {
        claimed: claimed as u32,
        least: TCP_HEADER as u32,
    };
    Ok((sound, TCP_HEADER, Fault::wrong(Layer::Tcp, reason)))
}

#[inline(always)]
fn segment(
    header: &TcpHeaderSlice<'_>,
    network: Network,
    header_len: usize,
    payload: Range<usize>,
) -> Tcp {
    let [.., high, low, _, _, _, _, _, _] = header
        .slice()
        .first_chunk::<TCP_HEADER>()
        .copied()
        .unwrap_or_default();
    let start = network.payload.start as usize;
    Tcp {
        header: span(start..start + header_len),
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: TcpFlags(u16::from_be_bytes([high & 0x0F, low])),
        window: header.window_size(),
        checksum: header.checksum(),
        urgent: header.urgent_pointer(),
        payload: span(payload),
        len: network.claimed.saturating_sub(header_len as u32),
    }
}

#[inline(always)]
fn udp(bytes: &[u8], network: Network, transport: &mut Transport, first: &mut First) {
    let header = match UdpHeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(error) => {
            first.note(Fault::short(Layer::Udp, error.required_len, error.len));
            return;
        }
    };
    let start = network.payload.start as usize;
    let payload = udp_payload(header.length(), bytes.len(), network, first);
    *transport = Transport::Udp(Udp {
        header: span(start..start + UDP_HEADER),
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        length: header.length(),
        checksum: header.checksum(),
        payload: span(start + UDP_HEADER..start + UDP_HEADER + payload),
    });
}

/// How many of the `available` bytes are payload by the header's `length`.
fn udp_payload(length: u16, available: usize, network: Network, first: &mut First) -> usize {
    let length = match usize::from(length) {
        // RFC 2675: longer than the field can say.
        0 if network.claimed > u32::from(u16::MAX) => network.claimed as usize,
        length if length < UDP_HEADER => {
            let reason = Reason::TotalLength {
                claimed: length as u32,
                header: UDP_HEADER as u32,
            };
            first.note(Fault::wrong(Layer::Udp, reason));
            return 0;
        }
        length => length,
    };
    if length > network.claimed as usize {
        let reason = Reason::BeyondPacket {
            claimed: length as u32,
            available: network.claimed,
        };
        first.note(Fault::wrong(Layer::Udp, reason));
    }
    length.min(available) - UDP_HEADER
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, NULL_UDP, SLL_SYN_ACK, VLAN_IPV6_FRAGMENT, frame};
    use super::*;
    use crate::decode::{Packet, TcpOption, Trouble, decode};

    /// Where the transport header of the sample begins.
    const TCP_AT: usize = 36;
    const UDP_AT: usize = 24;

    fn changed(sample: (u32, &str), at: usize, bytes: &[u8]) -> Packet {
        decode(&frame(sample.0, &changed_bytes(sample, at, bytes)))
    }

    fn changed_bytes(sample: (u32, &str), at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut data = samples::bytes(sample.1);
        data[at..at + bytes.len()].copy_from_slice(bytes);
        data
    }

    #[test]
    fn tcp_field_by_field() {
        let data = samples::bytes(SLL_SYN_ACK.1);
        let packet = decode(&frame(SLL_SYN_ACK.0, &data));
        let tcp = packet.tcp().unwrap();
        let expected = Tcp {
            header: span(TCP_AT..76),
            src_port: 80,
            dst_port: 46656,
            seq: 3_078_856_592,
            ack: 797_190_860,
            flags: TcpFlags(TcpFlags::SYN | TcpFlags::ACK),
            window: 8192,
            checksum: 0x8648,
            urgent: 0,
            payload: span(76..76),
            len: 0,
        };
        assert_eq!(*tcp, expected);
        assert_eq!(tcp.options_span(), span(TCP_AT + 20..76));
        let options: Vec<TcpOption> = tcp.options(&data).collect();
        assert_eq!(
            options,
            [
                TcpOption::MaximumSegmentSize(1440),
                TcpOption::NoOperation,
                TcpOption::WindowScale(8),
                TcpOption::SackPermitted,
                TcpOption::Timestamps {
                    value: 234_205_008,
                    echo_reply: 1_131_021_154,
                },
            ]
        );
    }

    #[test]
    fn all_twelve_flags() {
        let packet = changed(SLL_SYN_ACK, TCP_AT + 12, &[0xAF, 0xFF]);
        assert_eq!(packet.tcp().unwrap().flags, TcpFlags(0xFFF));
    }

    #[test]
    fn a_wrong_header_length_leaves_the_fixed_fields() {
        for (offset, layer_len) in [(0x40, 20), (0xF0, 40)] {
            let packet = changed(SLL_SYN_ACK, TCP_AT + 12, &[offset]);
            let tcp = packet.tcp().unwrap();
            assert_eq!((tcp.src_port, tcp.dst_port), (80, 46656));
            assert_eq!((tcp.header.len, tcp.payload.len), (layer_len, 0));
            let data = changed_bytes(SLL_SYN_ACK, TCP_AT + 12, &[offset]);
            let claimed = u32::from(offset >> 4) * 4;
            assert_eq!(tcp.claimed_header_len(&data), claimed, "the header's own");
            assert!(matches!(
                packet.trouble,
                Some(Trouble::Malformed {
                    layer: Layer::Tcp,
                    ..
                })
            ));
        }
    }

    #[test]
    fn a_cut_header_is_no_payload() {
        let data = samples::bytes(SLL_SYN_ACK.1);
        let mut frame = frame(SLL_SYN_ACK.0, &data[..75]);
        frame.len += 1;
        let packet = decode(&frame);
        let tcp = packet.tcp().unwrap();
        assert_eq!((tcp.len, tcp.payload.len, tcp.header.len), (0, 0, 39));
    }

    #[test]
    fn tcp_len_is_the_ip_headers_account() {
        let mut data = samples::bytes(SLL_SYN_ACK.1);
        data[18..20].copy_from_slice(&100u16.to_be_bytes());
        let mut frame = frame(SLL_SYN_ACK.0, &data);
        frame.len += 40;
        let packet = decode(&frame);
        let tcp = packet.tcp().unwrap();
        assert_eq!((tcp.len, tcp.payload.len), (40, 0));
        assert!(matches!(packet.trouble, Some(Trouble::Truncated { .. })));
    }

    #[test]
    fn udp_field_by_field() {
        let data = samples::bytes(NULL_UDP.1);
        let packet = decode(&frame(NULL_UDP.0, &data));
        let expected = Udp {
            header: span(UDP_AT..UDP_AT + 8),
            src_port: 55369,
            dst_port: 8612,
            length: 24,
            checksum: 0x17AE,
            payload: span(UDP_AT + 8..48),
        };
        assert_eq!((packet.udp(), &packet.trouble), (Some(&expected), &None));
    }

    #[test]
    fn a_udp_length_is_kept_as_the_header_claims_it() {
        for (length, payload, sound) in [
            (23, 15, true),
            (25, 16, false),
            (7, 0, false),
            (0, 0, false),
        ] {
            let packet = changed(NULL_UDP, UDP_AT + 4, &u16::to_be_bytes(length));
            let udp = packet.udp().unwrap();
            assert_eq!((udp.length, udp.payload.len), (length, payload));
            assert_eq!(packet.trouble.is_none(), sound, "{length}");
        }
    }

    #[test]
    fn fragments() {
        let data = samples::bytes(VLAN_IPV6_FRAGMENT.1);
        let packet = decode(&frame(VLAN_IPV6_FRAGMENT.0, &data));
        assert_eq!(
            (packet.transport, packet.trouble),
            (Transport::Fragment, None)
        );
        // The first fragment has the header, and what it claims of the whole is no fault.
        let mut data = samples::bytes(NULL_UDP.1);
        data[10] = 0x20;
        data[28..30].copy_from_slice(&3000u16.to_be_bytes());
        let packet = decode(&frame(NULL_UDP.0, &data));
        assert_eq!(packet.udp().unwrap().length, 3000);
        assert_eq!(packet.trouble, None);
    }

    #[test]
    fn another_protocol_is_named() {
        let packet = changed(NULL_UDP, 13, &[89]);
        let payload = span(UDP_AT..48);
        let protocol = 89;
        assert_eq!(packet.transport, Transport::Other { protocol, payload });
    }
}
