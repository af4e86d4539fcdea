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
