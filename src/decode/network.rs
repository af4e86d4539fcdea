//! IPv4 and IPv6 with their extension headers.

use std::ops::Range;

use etherparse::err::{ipv4, ipv6};
use etherparse::{
    IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, ip_number,
};

use super::fault::{Fault, part, span};
use super::link::Carried;
use super::{Ipv4, Ipv6, Ipv6Fragment, Net};

/// A decoded IP header, and what it carries.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub net: Net,
    /// Number of the upper layer, after all extension headers.
    pub protocol: u8,
    /// Where the upper layer's bytes lie, as far as the frame has them.
    pub payload: Range<usize>,
    /// How many bytes of upper layer the header claims.
    pub claimed: usize,
    pub fragment: Fragment,
    /// What is wrong, though the header could be read.
    pub fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fragment {
    /// Not fragmented.
    Whole,
    /// The upper layer begins here, but does not end here.
    First,
    Later,
}

impl Fragment {
    fn new(offset: u16, more: bool) -> Self {
        match (offset, more) {
            (0, false) => Fragment::Whole,
            (0, true) => Fragment::First,
            _ => Fragment::Later,
        }
    }
}

/// Decodes the IP packet in `carried`, of whose frame `missing` bytes were not
/// captured.
pub fn decode(frame: &[u8], carried: &Carried, missing: usize) -> Result<Network, Fault> {
    let bytes = part(frame, &carried.range);
    let version = carried
        .version
        .or_else(|| bytes.first().map(|first| first >> 4));
    match version {
        Some(4) => decode_v4(bytes, carried.range.start, missing),
        Some(6) => decode_v6(bytes, carried.range.start, missing),
        Some(other) => Err(Fault::Unknown {
            what: "IP version",
            number: u32::from(other),
        }),
        None => Err(Fault::short("ip", 20, 0)),
    }
}

/// `start` is where `bytes` begin in the frame.
fn decode_v4(bytes: &[u8], start: usize, missing: usize) -> Result<Network, Fault> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|error| match error {
        ipv4::HeaderSliceError::Len(error) => Fault::short("ip", error.required_len, error.len),
        ipv4::HeaderSliceError::Content(error) => Fault::wrong("ip", error.to_string()),
    })?;
    let header_len = header.slice().len();
    let mut fault = None;
    let claimed = match usize::from(header.total_len()) {
        // Left to the network card, which cuts the packet to size.
        0 => bytes.len() + missing,
        total if total < header_len => {
            fault = Some(Fault::wrong(
                "ip",
                format!("the total length {total} is less than the header's {header_len} bytes"),
            ));
            header_len
        }
        total => total,
    };
    if claimed > bytes.len() {
        fault = Some(Fault::short("ip", claimed, bytes.len()));
    }
    let fragment_offset = header.fragments_offset().byte_offset();
    let fragment = Fragment::new(fragment_offset, header.more_fragments());
    let mut network = Network {
        net: Net::V4(Ipv4 {
            header: span(start..start + header_len),
            dscp: header.dcp().value(),
            ecn: header.ecn().value(),
            total_len: header.total_len(),
            id: header.identification(),
            dont_fragment: header.dont_fragment(),
            more_fragments: header.more_fragments(),
            fragment_offset,
            ttl: header.ttl(),
            protocol: header.protocol().0,
            checksum: header.header_checksum(),
            src: header.source_addr(),
            dst: header.destination_addr(),
            options: span(start + 20..start + header_len),
        }),
        protocol: header.protocol().0,
        payload: start + header_len..start + claimed.min(bytes.len()),
        claimed: claimed - header_len,
        fragment,
        fault,
    };
    if fragment != Fragment::Later && header.protocol() == ip_number::AUTH {
        let rest = part(bytes, &(header_len..claimed.min(bytes.len())));
        match authentication(rest) {
            Ok((next, size)) => network.step_over(next, size),
            Err(fault) => network.fault = network.fault.or(Some(fault)),
        }
    }
    Ok(network)
}

/// `start` is where `bytes` begin in the frame.
fn decode_v6(bytes: &[u8], start: usize, missing: usize) -> Result<Network, Fault> {
    const HEADER: usize = 40;
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|error| match error {
        ipv6::HeaderSliceError::Len(error) => Fault::short("ipv6", error.required_len, error.len),
        ipv6::HeaderSliceError::Content(error) => Fault::wrong("ipv6", error.to_string()),
    })?;
    let claimed = match usize::from(header.payload_length()) {
        // A jumbogram, or left to the network card.
        0 => bytes.len() - HEADER + missing,
        length => length,
    };
    let there = (bytes.len() - HEADER).min(claimed);
    let mut network = Network {
        net: Net::V6(Ipv6 {
            header: span(start..start + HEADER),
            traffic_class: header.traffic_class(),
            flow_label: header.flow_label().value(),
            payload_len: header.payload_length(),
            next_header: header.next_header().0,
            hop_limit: header.hop_limit(),
            src: header.source_addr(),
            dst: header.destination_addr(),
            extensions: span(start + HEADER..start + HEADER),
            protocol: header.next_header().0,
            fragment: None,
        }),
        protocol: header.next_header().0,
        payload: start + HEADER..start + HEADER + there,
        claimed,
        fragment: Fragment::Whole,
        fault: (claimed > there).then(|| Fault::short("ipv6", claimed, there)),
    };
    let payload = part(bytes, &(HEADER..HEADER + there));
    let fragment = network.step_over_extensions(payload);
    if let Net::V6(ip) = &mut network.net {
        ip.extensions.len = (network.payload.start - start - HEADER) as u32;
        ip.protocol = network.protocol;
        ip.fragment = fragment;
    }
    Ok(network)
}

impl Network {
    /// The next header is of protocol `next`, and `size` bytes further on.
    fn step_over(&mut self, next: u8, size: usize) {
        self.protocol = next;
        self.payload.start += size;
        self.claimed = self.claimed.saturating_sub(size);
    }

    /// Walks the chain of IPv6 extension headers up to the upper layer, or to
    /// what only a whole packet can tell.
    fn step_over_extensions(&mut self, payload: &[u8]) -> Option<Ipv6Fragment> {
        let mut fragment = None;
        let mut rest = payload;
        while self.fragment != Fragment::Later {
            let extension = match etherparse::IpNumber(self.protocol) {
                ip_number::IPV6_HOP_BY_HOP
                | ip_number::IPV6_ROUTE
                | ip_number::IPV6_DEST_OPTIONS => options(rest),
                ip_number::AUTH => authentication(rest),
                ip_number::IPV6_FRAG => fragmentation(rest).map(|(next, header)| {
                    self.fragment = Fragment::new(header.offset, header.more);
                    fragment = Some(header);
                    (next, 8)
                }),
                _ => break,
            };
            let (next, size) = match extension {
                Ok(extension) => extension,
                Err(fault) => {
                    if self.fault.is_none() {
                        self.fault = Some(fault);
                    }
                    break;
                }
            };
            self.step_over(next, size);
            rest = rest.get(size..).unwrap_or(&[]);
        }
        fragment
    }
}

/// The next header's number and this one's size.
fn options(bytes: &[u8]) -> Result<(u8, usize), Fault> {
    let header = Ipv6RawExtHeaderSlice::from_slice(bytes)
        .map_err(|error| Fault::short("ipv6 extension header", error.required_len, error.len))?;
    Ok((header.next_header().0, header.slice().len()))
}

fn fragmentation(bytes: &[u8]) -> Result<(u8, Ipv6Fragment), Fault> {
    let header = Ipv6FragmentHeaderSlice::from_slice(bytes)
        .map_err(|error| Fault::short("ipv6 fragment header", error.required_len, error.len))?;
    let fragment = Ipv6Fragment {
        id: header.identification(),
        offset: header.fragment_offset().byte_offset(),
        more: header.more_fragments(),
    };
    Ok((header.next_header().0, fragment))
}

fn authentication(bytes: &[u8]) -> Result<(u8, usize), Fault> {
    use etherparse::err::ip_auth::HeaderSliceError;
    let header = IpAuthHeaderSlice::from_slice(bytes).map_err(|error| match error {
        HeaderSliceError::Len(error) => {
            Fault::short("authentication header", error.required_len, error.len)
        }
        HeaderSliceError::Content(error) => {
            Fault::wrong("authentication header", error.to_string())
        }
    })?;
    Ok((header.next_header().0, header.slice().len()))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, VLAN_IPV6_FRAGMENT};
    use super::*;

    /// Type of service 0xB9, id 7, not to be fragmented, TTL 64, UDP, from
    /// 10.0.0.1 to 10.0.0.2; 4 bytes of options, 6 of payload.
    const V4: [u8; 30] = [
        0x46, 0xB9, 0, 30, 0, 7, 0x40, 0, 64, 17, 0xAB, 0xCD, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 0,
        1, 2, 3, 4, 5, 6,
    ];

    fn ip(bytes: &[u8], missing: usize) -> Result<Network, Fault> {
        let carried = Carried {
            version: None,
            range: 0..bytes.len(),
        };
        decode(bytes, &carried, missing)
    }

    fn v4(network: &Network) -> &Ipv4 {
        match &network.net {
            Net::V4(ip) => ip,
            Net::V6(_) => panic!("IPv6"),
        }
    }

    #[test]
    fn v4_field_by_field() {
        let network = ip(&V4, 0).unwrap();
        assert_eq!(
            *v4(&network),
            Ipv4 {
                header: span(0..24),
                dscp: 46,
                ecn: 1,
                total_len: 30,
                id: 7,
                dont_fragment: true,
                more_fragments: false,
                fragment_offset: 0,
                ttl: 64,
                protocol: 17,
                checksum: 0xABCD,
                src: [10, 0, 0, 1].into(),
                dst: [10, 0, 0, 2].into(),
                options: span(20..24),
            }
        );
        assert_eq!((network.payload.clone(), network.claimed), (24..30, 6));
        assert_eq!((network.fragment, network.fault), (Fragment::Whole, None));
    }

    #[test]
    fn padding_of_the_link_is_no_payload() {
        let padded = [&V4[..], &[0; 16]].concat();
        assert_eq!(ip(&padded, 0).unwrap().payload, 24..30);
    }

    #[test]
    fn more_claimed_than_there_is() {
        let network = ip(&V4[..27], 3).unwrap();
        assert_eq!((network.payload.clone(), network.claimed), (24..27, 6));
        assert_eq!(network.fault, Some(Fault::short("ip", 30, 27)));
    }

    #[test]
    fn a_length_left_to_the_network_card() {
        let mut bytes = V4;
        bytes[2..4].fill(0);
        let network = ip(&bytes, 5).unwrap();
        assert_eq!((network.payload.clone(), network.claimed), (24..30, 11));
        assert_eq!(v4(&network).total_len, 0);
    }

    #[test]
    fn forbidden_lengths_and_versions() {
        let mut bytes = V4;
        bytes[3] = 23;
        let network = ip(&bytes, 0).unwrap();
        assert_eq!(network.payload, 24..24);
        assert!(matches!(
            network.fault,
            Some(Fault::Wrong { layer: "ip", .. })
        ));
        bytes[0] = 0x44;
        assert!(matches!(
            ip(&bytes, 0),
            Err(Fault::Wrong { layer: "ip", .. })
        ));
        bytes[0] = 0x55;
        assert!(matches!(
            ip(&bytes, 0),
            Err(Fault::Unknown { number: 5, .. })
        ));
    }

    #[test]
    fn fragments_of_v4() {
        for (bytes, fragment, offset) in [
            ([0x20, 0], Fragment::First, 0),
            ([0x20, 3], Fragment::Later, 24),
            ([0x00, 3], Fragment::Later, 24),
        ] {
            let mut packet = V4;
            packet[6..8].copy_from_slice(&bytes);
            let network = ip(&packet, 0).unwrap();
            assert_eq!(network.fragment, fragment);
            assert_eq!(v4(&network).fragment_offset, offset);
        }
    }

    #[test]
    fn an_authentication_header_over_v4() {
        let mut packet = vec![
            0x45, 0, 0, 36, 0, 0, 0, 0, 64, 51, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
        ];
        packet.extend([6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        packet.extend(*b"data");
        let network = ip(&packet, 0).unwrap();
        assert_eq!((network.protocol, v4(&network).protocol), (6, 51));
        assert_eq!((network.payload, network.claimed), (32..36, 4));
    }

    /// An IPv6 packet with this first next header and this payload.
    fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x6A, 0xB1, 0x23, 0x45, 0, payload.len() as u8, next, 63];
        packet.extend([1; 16]);
        packet.extend([2; 16]);
        packet.extend(payload);
        packet
    }

    fn v6_of(network: &Network) -> &Ipv6 {
        match &network.net {
            Net::V6(ip) => ip,
            Net::V4(_) => panic!("IPv4"),
        }
    }

    #[test]
    fn v6_with_extension_headers() {
        let mut payload = vec![43, 0, 1, 4, 0, 0, 0, 0]; // hop by hop
        payload.extend([60, 0, 0, 0, 0, 0, 0, 0]); // routing
        payload.extend([58, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // destination
        payload.extend(*b"icmp");
        let network = ip(&v6(0, &payload), 0).unwrap();
        let ip = v6_of(&network);
        assert_eq!((ip.traffic_class, ip.flow_label), (0xAB, 0x12345));
        assert_eq!((ip.payload_len, ip.hop_limit), (36, 63));
        assert_eq!((ip.next_header, ip.protocol), (0, 58));
        assert_eq!(ip.extensions, span(40..72));
        assert_eq!((network.payload, network.claimed), (72..76, 4));
    }

    #[test]
    fn a_later_fragment_ends_the_chain_of_v6() {
        // Next header: destination options, which the first fragment has.
        let payload = [60, 0, 0, 17, 0, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1];
        let network = ip(&v6(44, &payload), 0).unwrap();
        let fragment = Ipv6Fragment {
            id: 9,
            offset: 16,
            more: true,
        };
        assert_eq!(v6_of(&network).fragment, Some(fragment));
        assert_eq!((network.fragment, network.protocol), (Fragment::Later, 60));
        assert_eq!(network.payload, 48..56);
        // An atomic fragment is whole.
        let payload = [59, 0, 0, 0, 0, 0, 0, 9];
        assert_eq!(ip(&v6(44, &payload), 0).unwrap().fragment, Fragment::Whole);
    }

    #[test]
    fn an_extension_header_beyond_the_end() {
        let network = ip(&v6(0, &[6, 2, 0, 0, 0, 0, 0, 0]), 0).unwrap();
        assert_eq!(
            network.fault,
            Some(Fault::short("ipv6 extension header", 24, 8))
        );
        assert_eq!(network.protocol, 0);
    }

    #[test]
    fn a_real_fragment() {
        let data = samples::bytes(VLAN_IPV6_FRAGMENT.1);
        let carried = Carried {
            version: Some(6),
            range: 18..data.len(),
        };
        let network = decode(&data, &carried, 0).unwrap();
        let fragment = v6_of(&network).fragment.unwrap();
        assert_eq!((fragment.offset, fragment.more), (440, true));
        assert_eq!(fragment.id, 0xA5D3_3A2D);
    }
}
