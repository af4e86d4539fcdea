//! IPv4 and IPv6 with their extension headers.

use etherparse::err::{ipv4, ipv6};
use etherparse::{
    IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, ip_number,
};

use super::carried::Carried;
use super::fault::{Fault, First, part, span};
use super::{Ipv4, Ipv6, Ipv6Fragment, Layer, Net, Numbering, Reason, Span};

/// What a decoded IP header carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// Number of the upper layer, after all extension headers.
    pub protocol: u8,
    /// Where the upper layer's bytes lie, as far as the frame has them.
    pub payload: Span,
    /// How many bytes of upper layer the header claims.
    pub claimed: u32,
    pub fragment: Fragment,
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
/// captured. The header goes to `net`: written once, in its place. None: there
/// is no header to read; also where there is one, not all may be right.
#[inline(always)]
pub fn decode(
    frame: &[u8],
    carried: &Carried,
    missing: usize,
    net: &mut Option<Net>,
    first: &mut First,
) -> Option<Network> {
    let bytes = part(frame, &carried.range);
    let version = match carried.version {
        None => bytes.first().map(|first| first >> 4),
        version => version,
    };
    match version {
        Some(4) => decode_v4(bytes, carried.range.start, missing, net, first),
        Some(6) => decode_v6(bytes, carried.range.start, missing, net, first),
        Some(other) => {
            first.note(Fault::unknown(Numbering::IpVersion, other));
            None
        }
        None => {
            first.note(Fault::short(Layer::Ip, 20, 0));
            None
        }
    }
}

/// `start` is where `bytes` begin in the frame.
#[inline(always)]
fn decode_v4(
    bytes: &[u8],
    start: usize,
    missing: usize,
    net: &mut Option<Net>,
    first: &mut First,
) -> Option<Network> {
    let header = match Ipv4HeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(error) => {
            first.note(no_v4(error));
            return None;
        }
    };
    let header_len = header.slice().len();
    let claimed = match usize::from(header.total_len()) {
        // Left to the network card, which cuts the packet to size.
        0 => bytes.len() + missing,
        total if total < header_len => {
            let reason = Reason::TotalLength {
                claimed: total as u32,
                header: header_len as u32,
            };
            first.note(Fault::wrong(Layer::Ip, reason));
            header_len
        }
        total => total,
    };
    if claimed > bytes.len() {
        first.note(Fault::short(Layer::Ip, claimed, bytes.len()));
    }
    let fragment_offset = header.fragments_offset().byte_offset();
    let more_fragments = header.more_fragments();
    let protocol = header.protocol();
    *net = Some(Net::V4(Ipv4 {
        header: span(start..start + header_len),
        dscp: header.dcp().value(),
        ecn: header.ecn().value(),
        total_len: match header.total_len() {
            0 => u16::try_from(claimed).unwrap_or(u16::MAX),
            total => total,
        },
        id: header.identification(),
        dont_fragment: header.dont_fragment(),
        more_fragments,
        fragment_offset,
        ttl: header.ttl(),
        protocol: protocol.0,
        checksum: header.header_checksum(),
        src: header.source_addr(),
        dst: header.destination_addr(),
    }));
    // Made anew for each way out: one whose address is taken would be in memory.
    let network = || Network {
        protocol: protocol.0,
        payload: span(start + header_len..start + claimed.min(bytes.len())),
        claimed: (claimed - header_len) as u32,
        fragment: Fragment::new(fragment_offset, more_fragments),
    };
    if protocol == ip_number::AUTH {
        let rest = part(bytes, &(header_len..claimed.min(bytes.len())));
        return Some(network().behind_extensions(rest, first).0);
    }
    Some(network())
}

#[cold]
fn no_v4(error: ipv4::HeaderSliceError) -> Fault {
    use ipv4::HeaderError;
    match error {
        ipv4::HeaderSliceError::Len(error) => {
            Fault::short(Layer::Ip, error.required_len, error.len)
        }
        ipv4::HeaderSliceError::Content(error) => {
            let reason = match error {
                HeaderError::UnexpectedVersion { version_number } => Reason::Version {
                    found: version_number,
                },
                HeaderError::HeaderLengthSmallerThanHeader { ihl } => Reason::HeaderLength {
                    claimed: u32::from(ihl) * 4,
                    least: 20,
                },
            };
            Fault::wrong(Layer::Ip, reason)
        }
    }
}

#[cold]
fn no_v6(error: ipv6::HeaderSliceError) -> Fault {
    match error {
        ipv6::HeaderSliceError::Len(error) => {
            Fault::short(Layer::Ipv6, error.required_len, error.len)
        }
        ipv6::HeaderSliceError::Content(ipv6::HeaderError::UnexpectedVersion {
            version_number,
        }) => Fault::wrong(
            Layer::Ipv6,
            Reason::Version {
                found: version_number,
            },
        ),
    }
}

/// `start` is where `bytes` begin in the frame.
#[inline(always)]
fn decode_v6(
    bytes: &[u8],
    start: usize,
    missing: usize,
    net: &mut Option<Net>,
    first: &mut First,
) -> Option<Network> {
    const HEADER: usize = 40;
    let header = match Ipv6HeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(error) => {
            first.note(no_v6(error));
            return None;
        }
    };
    let claimed = match usize::from(header.payload_length()) {
        // A jumbogram, or left to the network card.
        0 => bytes.len() - HEADER + missing,
        length => length,
    };
    let there = (bytes.len() - HEADER).min(claimed);
    if claimed > there {
        first.note(Fault::short(Layer::Ipv6, claimed, there));
    }
    let mut network = Network {
        protocol: header.next_header().0,
        payload: span(start + HEADER..start + HEADER + there),
        claimed: claimed as u32,
        fragment: Fragment::Whole,
    };
    let mut fragment = None;
    if is_extension(network.protocol) {
        let payload = part(bytes, &(HEADER..HEADER + there));
        (network, fragment) = network.behind_extensions(payload, first);
    }
    *net = Some(Net::V6(Ipv6 {
        header: span(start..start + HEADER),
        traffic_class: header.traffic_class(),
        flow_label: header.flow_label().value(),
        payload_len: header.payload_length(),
        next_header: header.next_header().0,
        hop_limit: header.hop_limit(),
        src: header.source_addr(),
        dst: header.destination_addr(),
        extensions_len: network.payload.start - (start + HEADER) as u32,
        protocol: network.protocol,
        fragment,
    }));
    Some(network)
}

impl Network {
    /// The next header is of protocol `next`, and `size` bytes further on.
    fn step_over(&mut self, next: u8, size: usize) {
        let size = size as u32;
        self.protocol = next;
        self.payload.start += size;
        self.payload.len = self.payload.len.saturating_sub(size);
        self.claimed = self.claimed.saturating_sub(size);
    }

    /// Walks the chain of IPv6 extension headers up to the upper layer, or to
    /// what only a whole packet can tell.
    #[inline(never)]
    fn behind_extensions(
        mut self,
        payload: &[u8],
        first: &mut First,
    ) -> (Network, Option<Ipv6Fragment>) {
        let mut fragment = None;
        let mut rest = payload;
        while self.fragment != Fragment::Later {
            let extension = match etherparse::IpNumber(self.protocol) {
                ip_number::IPV6_HOP_BY_HOP
                | ip_number::IPV6_ROUTE
                | ip_number::IPV6_DEST_OPTIONS => options(rest, self.protocol),
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
                    first.note(fault);
                    break;
                }
            };
            self.step_over(next, size);
            rest = rest.get(size..).unwrap_or(&[]);
        }
        (self, fragment)
    }
}

/// One fragment of a datagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FragmentPart {
    pub id: u32,
    /// In bytes.
    pub offset: u32,
    pub more: bool,
    /// Protocol of what begins at offset 0.
    pub next: u8,
    pub payload: Span,
}

/// The part of a datagram that is in `bytes` behind the header `net`; None where
/// it is no fragment, or not all of it is there.
pub fn fragment(net: &Net, bytes: &[u8]) -> Option<FragmentPart> {
    let part = match net {
        Net::V4(ip) => FragmentPart {
            id: u32::from(ip.id),
            offset: u32::from(ip.fragment_offset),
            more: ip.more_fragments,
            next: ip.protocol,
            payload: Span {
                start: ip.header.start + ip.header.len,
                len: u32::from(ip.total_len).checked_sub(ip.header.len)?,
            },
        },
        Net::V6(ip) => {
            let fragment = ip.fragment?;
            let mut start = ip.header.start + ip.header.len;
            let end = start + u32::from(ip.payload_len);
            let (next, before) = extensions(ip, bytes).find_map(|(kind, header)| {
                start += header.len() as u32;
                let is_fragment = kind == ip_number::IPV6_FRAG.0;
                is_fragment.then(|| (header.first().copied(), start))
            })?;
            FragmentPart {
                id: fragment.id,
                offset: u32::from(fragment.offset),
                more: fragment.more,
                next: next?,
                payload: Span {
                    start: before,
                    len: end.checked_sub(before)?,
                },
            }
        }
    };
    let is_whole = part.payload.end() as usize <= bytes.len();
    (is_whole && (part.more || part.offset != 0)).then_some(part)
}

/// Kind and bytes of each extension header.
pub fn extensions<'a>(
    ip: &Ipv6,
    frame: &'a [u8],
) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
    let mut kind = ip.next_header;
    let mut rest = ip.extensions().of(frame);
    std::iter::from_fn(move || {
        let [next, len, ..] = *rest else {
            return None;
        };
        let size = match etherparse::IpNumber(kind) {
            ip_number::IPV6_FRAG => 8,
            ip_number::AUTH => (usize::from(len) + 2) * 4,
            _ => (usize::from(len) + 1) * 8,
        };
        let (header, behind) = rest.split_at_checked(size)?;
        let this = kind;
        kind = next;
        rest = behind;
        Some((this, header))
    })
}

/// The upper layer of a reassembled datagram, behind the extension headers that
/// are part of its payload.
pub fn behind(network: Network, bytes: &[u8], net: &mut Option<Net>, first: &mut First) -> Network {
    if !is_extension(network.protocol) {
        return network;
    }
    let (network, _) = network.behind_extensions(network.payload.of(bytes), first);
    if let Some(Net::V6(ip)) = net {
        ip.protocol = network.protocol;
        ip.extensions_len = network.payload.start - ip.header.start - ip.header.len;
    }
    network
}

fn is_extension(protocol: u8) -> bool {
    matches!(
        etherparse::IpNumber(protocol),
        ip_number::IPV6_HOP_BY_HOP
            | ip_number::IPV6_ROUTE
            | ip_number::IPV6_DEST_OPTIONS
            | ip_number::IPV6_FRAG
            | ip_number::AUTH
    )
}

/// The next header's number and this one's size.
fn options(bytes: &[u8], kind: u8) -> Result<(u8, usize), Fault> {
    let header = Ipv6RawExtHeaderSlice::from_slice(bytes).map_err(|error| {
        let layer = Layer::of_ip_protocol(kind).unwrap_or(Layer::Ipv6);
        Fault::short(layer, error.required_len, error.len)
    })?;
    Ok((header.next_header().0, header.slice().len()))
}

fn fragmentation(bytes: &[u8]) -> Result<(u8, Ipv6Fragment), Fault> {
    let header = Ipv6FragmentHeaderSlice::from_slice(bytes)
        .map_err(|error| Fault::short(Layer::Ipv6Fragment, error.required_len, error.len))?;
    let fragment = Ipv6Fragment {
        next: header.next_header().0,
        id: header.identification(),
        offset: header.fragment_offset().byte_offset(),
        more: header.more_fragments(),
    };
    Ok((fragment.next, fragment))
}

fn authentication(bytes: &[u8]) -> Result<(u8, usize), Fault> {
    use etherparse::err::ip_auth::HeaderSliceError;
    let header = IpAuthHeaderSlice::from_slice(bytes).map_err(|error| match error {
        HeaderSliceError::Len(error) => Fault::short(Layer::Ah, error.required_len, error.len),
        // The only content error: a length field of zero.
        HeaderSliceError::Content(_) => {
            let reason = Reason::HeaderLength {
                claimed: 8,
                least: 12,
            };
            Fault::wrong(Layer::Ah, reason)
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

    fn both(bytes: &[u8], missing: usize) -> (Option<(Network, Net)>, Option<Fault>) {
        let carried = Carried {
            version: None,
            range: 0..bytes.len(),
        };
        let mut net = None;
        let mut first = First::default();
        let network = decode(bytes, &carried, missing, &mut net, &mut first);
        (network.zip(net), first.0)
    }

    fn ip(bytes: &[u8], missing: usize) -> Network {
        both(bytes, missing).0.unwrap().0
    }

    fn fault(bytes: &[u8], missing: usize) -> Option<Fault> {
        both(bytes, missing).1
    }

    fn v4(bytes: &[u8]) -> Ipv4 {
        match both(bytes, 0).0.unwrap().1 {
            Net::V4(ip) => ip,
            Net::V6(_) => panic!("IPv6"),
        }
    }

    #[test]
    fn v4_field_by_field() {
        let network = ip(&V4, 0);
        assert_eq!(
            v4(&V4),
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
            }
        );
        assert_eq!((network.payload, network.claimed), (span(24..30), 6));
        assert_eq!((network.fragment, fault(&V4, 0)), (Fragment::Whole, None));
    }

    #[test]
    fn padding_of_the_link_is_no_payload() {
        let padded = [&V4[..], &[0; 16]].concat();
        assert_eq!(ip(&padded, 0).payload, span(24..30));
    }

    #[test]
    fn more_claimed_than_there_is() {
        let network = ip(&V4[..27], 3);
        assert_eq!((network.payload, network.claimed), (span(24..27), 6));
        assert_eq!(fault(&V4[..27], 3), Some(Fault::short(Layer::Ip, 30, 27)));
    }

    #[test]
    fn a_length_left_to_the_network_card() {
        let mut bytes = V4;
        bytes[2..4].fill(0);
        let network = ip(&bytes, 5);
        assert_eq!((network.payload, network.claimed), (span(24..30), 11));
        // As Wireshark has it.
        assert_eq!(usize::from(v4(&bytes).total_len), bytes.len());
    }

    #[test]
    fn forbidden_lengths_and_versions() {
        let mut bytes = V4;
        bytes[3] = 23;
        let network = ip(&bytes, 0);
        assert_eq!(network.payload, span(24..24));
        assert!(matches!(
            fault(&bytes, 0),
            Some(Fault::Wrong {
                layer: Layer::Ip,
                ..
            })
        ));
        bytes[0] = 0x44;
        assert!(matches!(
            fault(&bytes, 0),
            Some(Fault::Wrong {
                layer: Layer::Ip,
                ..
            })
        ));
        bytes[0] = 0x55;
        assert!(matches!(
            fault(&bytes, 0),
            Some(Fault::Unknown { number: 5, .. })
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
            let network = ip(&packet, 0);
            assert_eq!(network.fragment, fragment);
            assert_eq!(v4(&packet).fragment_offset, offset);
        }
    }

    #[test]
    fn an_authentication_header_over_v4() {
        let mut packet = vec![
            0x45, 0, 0, 36, 0, 0, 0, 0, 64, 51, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
        ];
        packet.extend([6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        packet.extend(*b"data");
        let network = ip(&packet, 0);
        assert_eq!((network.protocol, v4(&packet).protocol), (6, 51));
        assert_eq!((network.payload, network.claimed), (span(32..36), 4));
    }

    /// An IPv6 packet with this first next header and this payload.
    fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x6A, 0xB1, 0x23, 0x45, 0, payload.len() as u8, next, 63];
        packet.extend([1; 16]);
        packet.extend([2; 16]);
        packet.extend(payload);
        packet
    }

    fn v6_of(bytes: &[u8]) -> Ipv6 {
        match both(bytes, 0).0.unwrap().1 {
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
        let network = ip(&v6(0, &payload), 0);
        let ip = v6_of(&v6(0, &payload));
        assert_eq!((ip.traffic_class, ip.flow_label), (0xAB, 0x12345));
        assert_eq!((ip.payload_len, ip.hop_limit), (36, 63));
        assert_eq!((ip.next_header, ip.protocol), (0, 58));
        assert_eq!(ip.extensions(), span(40..72));
        assert_eq!((network.payload, network.claimed), (span(72..76), 4));
    }

    #[test]
    fn a_later_fragment_ends_the_chain_of_v6() {
        // Next header: destination options, which the first fragment has.
        let payload = [60, 0, 0, 17, 0, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1];
        let network = ip(&v6(44, &payload), 0);
        let fragment = Ipv6Fragment {
            next: 60,
            id: 9,
            offset: 16,
            more: true,
        };
        assert_eq!(v6_of(&v6(44, &payload)).fragment, Some(fragment));
        assert_eq!((network.fragment, network.protocol), (Fragment::Later, 60));
        assert_eq!(network.payload, span(48..56));
        // An atomic fragment is whole.
        let payload = [59, 0, 0, 0, 0, 0, 0, 9];
        assert_eq!(ip(&v6(44, &payload), 0).fragment, Fragment::Whole);
    }

    #[test]
    fn an_extension_header_beyond_the_end() {
        let network = ip(&v6(0, &[6, 2, 0, 0, 0, 0, 0, 0]), 0);
        assert_eq!(
            fault(&v6(0, &[6, 2, 0, 0, 0, 0, 0, 0]), 0),
            Some(Fault::short(Layer::Ipv6HopByHop, 24, 8))
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
        let mut net = None;
        decode(&data, &carried, 0, &mut net, &mut First::default()).unwrap();
        let Some(Net::V6(ip)) = net else {
            panic!("{net:?}");
        };
        let fragment = ip.fragment.unwrap();
        assert_eq!((fragment.offset, fragment.more), (440, true));
        assert_eq!(fragment.id, 0xA5D3_3A2D);
    }
}
