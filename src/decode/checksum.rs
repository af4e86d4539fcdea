//! Are the checksums right? Asked only where somebody wants to know.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::checksum::Sum16BitWords;
use etherparse::ip_number;

use super::network::extensions;
use super::{ChecksumStatus, Net, Packet, Span, Transport};

/// The states of a packet's checksums; None where the layer has none, or it
/// cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    /// `ip.checksum.status`: IPv4 only.
    pub ip: Option<ChecksumStatus>,
    /// `tcp.checksum.status`, `udp.checksum.status`, `icmp.checksum.status` or
    /// `icmpv6.checksum.status`.
    pub transport: Option<ChecksumStatus>,
}

/// Verifies the checksums of `packet`, which was decoded from `frame`.
///
/// A TCP or UDP checksum that does not verify is `Unverified`, not `Bad`, where
/// it was plainly left to hardware: it holds the sum of the pseudo-header only,
/// or the packet never left the machine (both addresses loopback, or equal).
pub fn checksum_status(packet: &Packet, frame: &[u8]) -> Checksums {
    let Some(net) = &packet.net else {
        return Checksums::default();
    };
    let bytes = packet.data(frame);
    Checksums {
        ip: ip(net, bytes),
        transport: transport(packet, net, bytes),
    }
}

/// Of an IP header alone, as of one around a tunnelled packet. `bytes` are the
/// packet's ([`Packet::data`]).
pub fn header_checksum_status(net: &Net, bytes: &[u8]) -> Option<ChecksumStatus> {
    ip(net, bytes)
}

fn ip(net: &Net, frame: &[u8]) -> Option<ChecksumStatus> {
    let Net::V4(ip) = net else {
        return None;
    };
    Some(verified(
        Sum16BitWords::new().add_slice(ip.header.of(frame)),
    ))
}

fn transport(packet: &Packet, net: &Net, frame: &[u8]) -> Option<ChecksumStatus> {
    let is_fragment = packet.is_fragment();
    let end = match packet.reassembled() {
        Some(_) if !is_fragment => frame.len() as u32,
        _ => net_end(net, packet.len),
    };
    let icmp_start = packet.payload().start.saturating_sub(8);
    let (protocol, checksum, start, end) = match &packet.transport {
        Transport::Tcp(tcp) => (ip_number::TCP, tcp.checksum, tcp.header.start, end),
        Transport::Udp(udp) => {
            let start = udp.header.start;
            // 0: a jumbogram, which ends where the packet does.
            let end = match udp.length {
                0 => end,
                length => start + u32::from(length),
            };
            (ip_number::UDP, udp.checksum, start, end)
        }
        Transport::Icmp(icmp) => (ip_number::ICMP, icmp.checksum, icmp_start, end),
        Transport::Icmpv6(icmp) => (ip_number::IPV6_ICMP, icmp.checksum, icmp_start, end),
        _ => return None,
    };
    if protocol == ip_number::UDP && checksum == 0 {
        return Some(match net {
            Net::V4(_) => ChecksumStatus::Absent,
            // RFC 8200 forbids it.
            Net::V6(_) => ChecksumStatus::Bad,
        });
    }
    let len = end.saturating_sub(start);
    let bytes = Span { start, len }.of(frame);
    if bytes.is_empty() || is_fragment {
        return Some(ChecksumStatus::Unverified);
    }

    if protocol == ip_number::ICMP {
        return Some(verified(Sum16BitWords::new().add_slice(bytes)));
    }
    let (src, dst) = ends(net, frame);
    let pseudo_header = pseudo_header(src, dst, protocol.0, len);
    let status = verified(pseudo_header.clone().add_slice(bytes));
    if status == ChecksumStatus::Good || protocol == ip_number::IPV6_ICMP {
        return Some(status);
    }
    // Linux leaves the sum of the pseudo-header in the field; where the card
    // also cuts the packet into segments, Windows leaves the length out.
    let without_length = self::pseudo_header(src, dst, protocol.0, 0);
    let left_to_hardware = checksum == folded(&pseudo_header)
        || checksum == folded(&without_length)
        || src == dst
        || (src.is_loopback() && dst.is_loopback());
    Some(if left_to_hardware {
        ChecksumStatus::Unverified
    } else {
        ChecksumStatus::Bad
    })
}

/// Where in the frame the IP packet ends by its own account.
fn net_end(net: &Net, frame_len: u32) -> u32 {
    match net {
        Net::V4(ip) if ip.total_len != 0 => ip.header.start + u32::from(ip.total_len),
        Net::V6(ip) if ip.payload_len != 0 => {
            ip.header.start + ip.header.len + u32::from(ip.payload_len)
        }
        _ => frame_len,
    }
}

/// RFC 9293 §3.1 and RFC 8200 §8.1, which have equal sums.
fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: u32) -> Sum16BitWords {
    let mut sum = Sum16BitWords::new();
    for address in [src, dst] {
        sum = match address {
            IpAddr::V4(address) => sum.add_4bytes(address.octets()),
            IpAddr::V6(address) => sum.add_16bytes(address.octets()),
        };
    }
    sum.add_4bytes(len.to_be_bytes()).add_2bytes([0, protocol])
}

/// The state of a checksum that is part of what was summed up.
fn verified(sum: Sum16BitWords) -> ChecksumStatus {
    match sum.ones_complement() {
        0 => ChecksumStatus::Good,
        _ => ChecksumStatus::Bad,
    }
}

/// The sum itself, as it stands in a header.
fn folded(sum: &Sum16BitWords) -> u16 {
    !sum.ones_complement().to_be()
}

/// The addresses that the pseudo-header has: an option of IPv4, or an extension
/// header of IPv6, may name the last destination, the latter also the true source.
fn ends(net: &Net, frame: &[u8]) -> (IpAddr, IpAddr) {
    let ip = match net {
        Net::V4(ip) => {
            let options = ip.header.behind(20).of(frame);
            let dst = source_route(options).unwrap_or(ip.dst);
            return (ip.src.into(), dst.into());
        }
        Net::V6(ip) => ip,
    };
    let (mut src, mut dst) = (ip.src, ip.dst);
    for (kind, header) in extensions(ip, frame) {
        match etherparse::IpNumber(kind) {
            ip_number::IPV6_DEST_OPTIONS => src = home_address(header).unwrap_or(src),
            ip_number::IPV6_ROUTE => dst = last_destination(header).unwrap_or(dst),
            _ => {}
        }
    }
    (src.into(), dst.into())
}

/// RFC 791, section 3.1: the last address of a source route that is not at its end
/// yet.
fn source_route(options: &[u8]) -> Option<Ipv4Addr> {
    const NO_OPERATION: u8 = 1;
    const LOOSE: u8 = 131;
    const STRICT: u8 = 137;
    let mut rest = options;
    loop {
        rest = match rest {
            [NO_OPERATION, rest @ ..] => rest,
            [LOOSE | STRICT, len, pointer, ..] if pointer < len => {
                let route = rest.get(3..usize::from(*len))?;
                return route.last_chunk::<4>().map(|last| Ipv4Addr::from(*last));
            }
            [kind, len, ..] if *kind != 0 && *len >= 2 => rest.get(usize::from(*len)..)?,
            _ => return None,
        };
    }
}

/// RFC 6275 §6.3: the home address option of a destination options header.
fn home_address(header: &[u8]) -> Option<Ipv6Addr> {
    const PAD1: u8 = 0;
    const HOME_ADDRESS: u8 = 201;
    let mut rest = header.get(2..)?;
    loop {
        rest = match rest {
            [PAD1, rest @ ..] => rest,
            [HOME_ADDRESS, 16, value @ ..] => return address(value),
            [_, len, rest @ ..] => rest.get(usize::from(*len)..)?,
            _ => return None,
        };
    }
}

/// The last hop of a routing header that is not at its end yet.
fn last_destination(header: &[u8]) -> Option<Ipv6Addr> {
    let [_, len, kind, segments_left, _, _, _, _, addresses @ ..] = header else {
        return None;
    };
    if *segments_left == 0 {
        return None;
    }
    match kind {
        // RFC 5095 and RFC 6275: in the order of travel.
        0 | 2 => address(addresses.get((usize::from(*len) / 2).checked_sub(1)? * 16..)?),
        // RFC 8754: the last one first.
        4 => address(addresses),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<Ipv6Addr> {
    bytes
        .first_chunk::<16>()
        .map(|octets| Ipv6Addr::from(*octets))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{
        self, ICMP_PORT_UNREACHABLE, ICMPV6_QUOTES_EXTENSION, IPV6_HOME_ADDRESS_SYN, LOOPBACK_UDP,
        NULL_UDP, QINQ_ICMP_ECHO, SLL_SYN_ACK, SLL2_SYN, VLAN_IPV6_FRAGMENT, frame,
    };
    use super::ChecksumStatus::{Absent, Bad, Good, Unverified};
    use super::*;
    use crate::decode::decode;

    fn status(link_type: u32, data: &[u8]) -> (Option<ChecksumStatus>, Option<ChecksumStatus>) {
        let checksums = checksum_status(&decode(&frame(link_type, data)), data);
        (checksums.ip, checksums.transport)
    }

    fn status_of(sample: (u32, &str)) -> (Option<ChecksumStatus>, Option<ChecksumStatus>) {
        status(sample.0, &samples::bytes(sample.1))
    }

    #[test]
    fn real_frames() {
        for sample in [SLL_SYN_ACK, SLL2_SYN, QINQ_ICMP_ECHO, ICMP_PORT_UNREACHABLE] {
            assert_eq!(status_of(sample), (Some(Good), Some(Good)), "{sample:?}");
        }
        for sample in [IPV6_HOME_ADDRESS_SYN, ICMPV6_QUOTES_EXTENSION] {
            assert_eq!(status_of(sample), (None, Some(Good)), "{sample:?}");
        }
        assert_eq!(status_of(VLAN_IPV6_FRAGMENT), (None, None));
        // 127.0.0.1 to itself: nobody computed it.
        assert_eq!(status_of(LOOPBACK_UDP), (Some(Good), Some(Unverified)));
    }

    #[test]
    fn a_source_route_names_the_last_destination() {
        let route = |pointer| [1, 131, 11, pointer, 10, 0, 0, 8, 10, 0, 0, 9];
        assert_eq!(source_route(&route(4)), Some([10, 0, 0, 9].into()));
        assert_eq!(source_route(&route(12)), None, "at its end");
        assert_eq!(source_route(&[0, 131, 7, 4, 10, 0, 0, 9]), None);
        assert_eq!(source_route(&[137, 7, 4, 10]), None);
        assert_eq!(source_route(&[7, 0]), None);
    }

    #[test]
    fn a_wrong_one_between_two_machines_is_bad() {
        let mut data = samples::bytes(SLL_SYN_ACK.1);
        data[75] ^= 1;
        assert_eq!(status(113, &data), (Some(Good), Some(Bad)));
        data[24] ^= 1; // the time to live
        assert_eq!(status(113, &data), (Some(Bad), Some(Bad)));
    }

    #[test]
    fn the_sum_of_the_pseudo_header_is_unverified() {
        // 172.16.1.117 to 172.16.1.255, protocol 17, with and without length 24.
        for sum in [0x5BBEu16, 0x5BA6] {
            let mut data = samples::bytes(NULL_UDP.1);
            data[30..32].copy_from_slice(&sum.to_be_bytes());
            assert_eq!(status(0, &data), (Some(Good), Some(Unverified)), "{sum:x}");
        }
    }

    #[test]
    fn udp_without_a_checksum() {
        let mut data = samples::bytes(NULL_UDP.1);
        data[30..32].fill(0);
        assert_eq!(status(0, &data), (Some(Good), Some(Absent)));
    }

    #[test]
    fn missing_bytes_are_unverified() {
        let data = samples::bytes(NULL_UDP.1);
        assert_eq!(status(0, &data[..40]), (Some(Good), Some(Unverified)));
    }

    #[test]
    fn a_routing_header_names_the_last_destination() {
        let last = [9; 16];
        let mut header = vec![6, 4, 0, 1, 0, 0, 0, 0];
        header.extend([8; 16]);
        header.extend(last);
        assert_eq!(last_destination(&header), Some(last.into()));
        header[2] = 4; // segment routing has them in reverse
        assert_eq!(last_destination(&header), Some([8; 16].into()));
        header[3] = 0;
        assert_eq!(last_destination(&header), None);
    }
}
