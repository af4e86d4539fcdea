//! Which conversation a frame belongs to, as a number: what packets are dealt
//! out to threads by.
//!
//! The number is the same for both directions, in every run and on every
//! machine, so that nothing that is dealt out by it depends on chance. Its low
//! and its high bits are both good.
//!
//! It has no secret. Who writes a capture on purpose can put all conversations
//! on one thread, which then does the work of all: slower by the number of
//! threads, no more. A table of conversations must not be indexed by it alone,
//! or such a capture makes each look-up a search.

use std::net::IpAddr;

use etherparse::{ether_type, ip_number};

use super::link::{family, link_type, version_of};
use super::{Packet, Transport, tunnel};

/// The conversation of an ordinary frame, read from a handful of its bytes: TCP
/// or UDP over IPv4 or IPv6 over a link of one kind, neither fragmented nor in a
/// tunnel. None: [`decode`](super::decode) it and ask [`Packet::flow_hash`],
/// which says the same.
#[inline]
pub fn flow_hash(link_type: u32, frame: &[u8]) -> Option<u64> {
    let (start, version) = match link_type {
        link_type::ETHERNET => (14, by_ethertype(frame, 12)?),
        link_type::LINUX_SLL => (16, by_ethertype(frame, 14)?),
        link_type::LINUX_SLL2 => (20, by_ethertype(frame, 0)?),
        link_type::NULL | link_type::LOOP => (4, version_of(family(*frame.first_chunk()?))?),
        link_type::RAW | link_type::RAW_DLT | link_type::RAW_DLT_OPENBSD => {
            (0, frame.first()? >> 4)
        }
        link_type::IPV4 => (0, 4),
        link_type::IPV6 => (0, 6),
        _ => return None,
    };
    let ip = frame.get(start..)?;
    match version {
        4 => v4(ip),
        6 => v6(ip),
        _ => None,
    }
}

fn by_ethertype(frame: &[u8], at: usize) -> Option<u8> {
    let number = u16::from_be_bytes(*frame.get(at..)?.first_chunk()?);
    match number {
        t if t == ether_type::IPV4.0 => Some(4),
        t if t == ether_type::IPV6.0 => Some(6),
        _ => None,
    }
}

/// Only a header without options: with the ports after it, 24 bytes.
#[inline]
fn v4(ip: &[u8]) -> Option<u64> {
    const NO_OPTIONS: u8 = 0x45;
    let head = ip.first_chunk::<24>()?;
    let [version, _, l1, l0, .., protocol, _, _] = head.first_chunk::<12>()?;
    // More fragments, or an offset. A length that leaves no room for the upper
    // header is not ordinary.
    let fragment = (head[6] & 0x3F) | head[7];
    let total = u16::from_be_bytes([*l1, *l0]);
    if *version != NO_OPTIONS || fragment != 0 {
        return None;
    }
    let size = upper_header(*protocol, ip, 20)?;
    if total != 0 && total < 20 + size {
        return None;
    }
    let word = |at: usize| {
        let bytes = head.get(at..).and_then(|rest| rest.first_chunk());
        u64::from(u32::from_be_bytes(bytes.copied().unwrap_or_default()))
    };
    let ports = word(20);
    hash(
        *protocol,
        end_v4(word(12), ports >> 16),
        end_v4(word(16), ports & 0xFFFF),
        ports,
    )
}

/// Only without extension headers: with the ports after it, 44 bytes.
#[inline]
fn v6(ip: &[u8]) -> Option<u64> {
    let head = ip.first_chunk::<44>()?;
    if head[0] >> 4 != 6 {
        return None;
    }
    let protocol = head[6];
    let length = u16::from_be_bytes([head[4], head[5]]);
    let size = upper_header(protocol, ip, 40)?;
    if length != 0 && length < size {
        return None;
    }
    let address = |at: usize| {
        let bytes = head.get(at..).and_then(|rest| rest.first_chunk());
        u128::from_be_bytes(bytes.copied().unwrap_or_default())
    };
    let src_port = u64::from(u16::from_be_bytes([head[40], head[41]]));
    let dst_port = u64::from(u16::from_be_bytes([head[42], head[43]]));
    hash(
        protocol,
        end_v6(address(8), src_port),
        end_v6(address(24), dst_port),
        src_port << 16 | dst_port,
    )
}

/// The least size of the upper layer's header, where there is one of its kind
/// and all of it was captured.
fn upper_header(protocol: u8, ip: &[u8], at: usize) -> Option<u16> {
    let size = match etherparse::IpNumber(protocol) {
        ip_number::TCP => 20,
        ip_number::UDP => 8,
        _ => return None,
    };
    (ip.len() >= at + usize::from(size)).then_some(size)
}

/// The hash of a conversation between two ends, whichever comes first.
#[inline]
fn hash(protocol: u8, a: u64, b: u64, ports: u64) -> Option<u64> {
    let (src, dst) = ((ports >> 16) as u16, ports as u16);
    if protocol == ip_number::UDP.0 && tunnel::is_udp_tunnel(src, dst) {
        return None;
    }
    Some(mix(protocol, a, b))
}

fn mix(protocol: u8, a: u64, b: u64) -> u64 {
    let (low, high) = (a.min(b), a.max(b));
    fold(low ^ K0 ^ u64::from(protocol), high ^ K1)
}

#[inline]
fn end_v4(address: u64, port: u64) -> u64 {
    address << 16 | port
}

#[inline]
fn end_v6(address: u128, port: u64) -> u64 {
    fold((address >> 64) as u64 ^ K2, address as u64 ^ K3) ^ port.wrapping_mul(K0)
}

/// Both halves of a product of 128 bits: each bit of the result depends on all
/// of both numbers.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// The fractional parts of the square roots of 2, 3, 5 and 7 (FIPS 180-4's
/// numbers): odd ones, with nothing up the sleeve.
const K0: u64 = 0x6a09_e667_f3bc_c909;
const K1: u64 = 0xbb67_ae85_84ca_a73b;
const K2: u64 = 0x3c6e_f372_fe94_f82b;
const K3: u64 = 0xa54f_f53a_5f1d_36f1;

impl Packet {
    /// The conversation that the packet belongs to, or that an ICMP error is
    /// about, as a number: equal for both directions, in every run, on every
    /// machine. The packet inside a tunnel counts. None: to no conversation.
    pub fn flow_hash(&self) -> Option<u64> {
        let (net, protocol, src_port, dst_port) = match &self.transport {
            Transport::Tcp(tcp) => (self.net?, ip_number::TCP, tcp.src_port, tcp.dst_port),
            Transport::Udp(udp) => (self.net?, ip_number::UDP, udp.src_port, udp.dst_port),
            Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => {
                let quoted = icmp.quoted.as_ref()?;
                let protocol = etherparse::IpNumber(quoted.protocol);
                (quoted.net, protocol, quoted.src_port?, quoted.dst_port?)
            }
            _ => return None,
        };
        let src = end(net.src(), src_port);
        let dst = end(net.dst(), dst_port);
        Some(mix(protocol.0, src, dst))
    }
}

fn end(address: IpAddr, port: u16) -> u64 {
    match address {
        IpAddr::V4(address) => end_v4(u64::from(address.to_bits()), u64::from(port)),
        IpAddr::V6(address) => end_v6(address.to_bits(), u64::from(port)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{self, ALL, frame};
    use super::*;
    use crate::decode::decode;

    /// An Ethernet frame with a segment or datagram of 4 bytes.
    fn ethernet(v6: bool, tcp: bool, src: (u128, u16), dst: (u128, u16)) -> Vec<u8> {
        let mut upper = [src.1.to_be_bytes(), dst.1.to_be_bytes()].concat();
        if tcp {
            upper.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 1, 0, 0, 0, 0]);
        } else {
            upper.extend([0, 12, 0, 0]);
        }
        upper.extend(*b"data");
        let protocol = if tcp { 6 } else { 17 };
        let len = upper.len() as u8;
        let mut frame = vec![0; 12];
        if v6 {
            frame.extend([0x86, 0xDD, 0x60, 0, 0, 0, 0, len, protocol, 64]);
            frame.extend(src.0.to_be_bytes());
            frame.extend(dst.0.to_be_bytes());
        } else {
            frame.extend([8, 0, 0x45, 0, 0, 20 + len, 0, 0, 0, 0, 64, protocol, 0, 0]);
            frame.extend((src.0 as u32).to_be_bytes());
            frame.extend((dst.0 as u32).to_be_bytes());
        }
        frame.extend(upper);
        frame
    }

    fn agrees(link_type: u32, data: &[u8], len: u32) -> Result<(), TestCaseError> {
        if let Some(hash) = flow_hash(link_type, data) {
            let mut frame = frame(link_type, data);
            frame.len = len;
            prop_assert_eq!(decode(&frame).flow_hash(), Some(hash));
        }
        Ok(())
    }

    #[test]
    fn an_errors_conversation_is_that_of_what_it_quotes() {
        let (link_type, hex) = samples::ICMP_PORT_UNREACHABLE;
        let data = samples::bytes(hex);
        assert_eq!(flow_hash(link_type, &data), None);
        let error = decode(&frame(link_type, &data)).flow_hash();
        let datagram = ethernet(false, false, (0xC0A8_0166, 59207), (0xC0A8_0101, 53));
        assert_eq!(error, flow_hash(1, &datagram));
        assert!(error.is_some());
    }

    #[test]
    fn what_may_be_a_tunnel_is_to_be_decoded() {
        let datagram = ethernet(false, false, (1, 40000), (2, 4789));
        assert_eq!(flow_hash(1, &datagram), None);
        let segment = ethernet(false, true, (1, 40000), (2, 4789));
        assert!(flow_hash(1, &segment).is_some());
    }

    /// Conversations that differ in one port or address by one are spread over
    /// any small number of threads, and over the slots of a table, by either
    /// end of the number.
    #[test]
    fn low_and_high_bits_are_good() {
        for v6 in [false, true] {
            let hashes: Vec<u64> = (0..4096u16)
                .map(|i| {
                    let address = 0x0A00_0000 + u128::from(i >> 6);
                    let frame = ethernet(v6, true, (address, 40000 + (i & 63)), (0x7F00_0001, 80));
                    flow_hash(1, &frame).unwrap()
                })
                .collect();
            for shift in [0, 16, 32, 48, 60] {
                let mut counts = [0usize; 16];
                for hash in &hashes {
                    counts[(hash >> shift & 15) as usize] += 1;
                }
                // 256 expected in each, with a deviation of 16.
                let worst = counts.iter().map(|c| c.abs_diff(256)).max().unwrap();
                assert!(worst < 80, "{v6} {shift}: {counts:?}");
            }
        }
    }

    /// What is dealt out by the number depends on it: it must not change.
    #[test]
    fn the_number_is_the_same_everywhere() {
        let frame = ethernet(false, true, (0x7F00_0001, 40000), (0x7F00_0001, 80));
        assert_eq!(flow_hash(1, &frame), Some(2_949_006_155_448_828_008));
    }

    proptest! {
        #[test]
        fn both_directions_are_one(
            v6: bool, tcp: bool, a: (u128, u16), b: (u128, u16), c: (u128, u16),
        ) {
            prop_assume!(tcp || (a.1 != 4789 && b.1 != 4789));
            let there = ethernet(v6, tcp, a, b);
            let back = ethernet(v6, tcp, b, a);
            let hash = flow_hash(1, &there);
            prop_assert!(hash.is_some());
            prop_assert_eq!(hash, flow_hash(1, &back));
            agrees(1, &there, there.len() as u32)?;
            prop_assert_ne!(hash, flow_hash(1, &ethernet(v6, tcp, a, c)));
            prop_assert_ne!(hash, flow_hash(1, &ethernet(v6, !tcp, a, b)));
        }

        #[test]
        fn mutated_samples_agree(
            sample in 0..ALL.len(),
            changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..6),
            end in any::<prop::sample::Index>(),
            len: u32,
        ) {
            let (link_type, hex) = ALL[sample];
            let mut data = samples::bytes(hex);
            for (at, byte) in changes {
                let at = at.index(data.len());
                data[at] = byte;
            }
            agrees(link_type, &data, data.len() as u32)?;
            let end = end.index(data.len() + 1);
            agrees(link_type, &data[..end], len)?;
        }

        #[test]
        fn mutated_frames_agree(
            v6: bool, tcp: bool, a: (u128, u16), b: (u128, u16),
            changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..4),
            end in any::<prop::sample::Index>(),
        ) {
            let mut data = ethernet(v6, tcp, a, b);
            for (at, byte) in changes {
                let at = at.index(data.len());
                data[at] = byte;
            }
            let end = end.index(data.len() + 1);
            agrees(1, &data[..end], data.len() as u32)?;
            for link_type in [12, 101, 228, 229] {
                agrees(link_type, &data[14..], data.len() as u32)?;
            }
        }

        #[test]
        fn noise_agrees(link_type in 0..300u32, data in prop::collection::vec(any::<u8>(), 0..120)) {
            agrees(link_type, &data, data.len() as u32)?;
        }
    }
}
