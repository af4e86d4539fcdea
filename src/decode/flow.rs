//! Which conversation a packet belongs to, as a number: what packets are dealt
//! out by.
//!
//! The number is the same for both directions, in every run and on every
//! machine, so that nothing that is dealt out by it depends on chance. Its low
//! and its high bits are both good.
//!
//! It has no secret. Who writes a capture on purpose can put all conversations
//! into one share, of which only one thread at a time can do something: slower
//! by the number of threads, no more. A table of conversations must not be
//! indexed by it alone, or such a capture makes each look-up a search.

use std::net::{IpAddr, SocketAddr};

use etherparse::ip_number;

use super::{Packet, Transport};

impl Packet {
    /// The conversation that the packet belongs to, or that an ICMP error is
    /// about, as a number: equal for both directions, in every run, on every
    /// machine. The packet inside a tunnel counts. None: to no conversation.
    #[inline]
    pub fn flow_hash(&self) -> Option<u64> {
        let (net, protocol, src_port, dst_port) = match &self.transport {
            Transport::Tcp(tcp) => (
                self.net.as_ref()?,
                ip_number::TCP,
                tcp.src_port,
                tcp.dst_port,
            ),
            Transport::Udp(udp) => (
                self.net.as_ref()?,
                ip_number::UDP,
                udp.src_port,
                udp.dst_port,
            ),
            Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => {
                let quoted = icmp.quoted.as_ref()?;
                let protocol = etherparse::IpNumber(quoted.protocol);
                (&quoted.net, protocol, quoted.src_port?, quoted.dst_port?)
            }
            _ => return None,
        };
        let src = end(net.src(), src_port);
        let dst = end(net.dst(), dst_port);
        Some(mix(protocol.0, src, dst))
    }
}

/// The number of the conversation of a datagram between these ends, as
/// [`Packet::flow_hash`] has it: for one that carries the packet through a tunnel.
pub fn datagram_hash(src: SocketAddr, dst: SocketAddr) -> u64 {
    let (src, dst) = (end(src.ip(), src.port()), end(dst.ip(), dst.port()));
    mix(ip_number::UDP.0, src, dst)
}

/// An end of a conversation.
fn end(address: IpAddr, port: u16) -> u64 {
    match address {
        IpAddr::V4(address) => end_v4(u64::from(address.to_bits()), u64::from(port)),
        IpAddr::V6(address) => end_v6(address.to_bits(), u64::from(port)),
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{self, frame};
    use super::super::tunnel;
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

    fn flow_hash(data: &[u8]) -> Option<u64> {
        decode(&frame(1, data)).flow_hash()
    }

    #[test]
    fn an_errors_conversation_is_that_of_what_it_quotes() {
        let (link_type, hex) = samples::ICMP_PORT_UNREACHABLE;
        let data = samples::bytes(hex);
        let error = decode(&frame(link_type, &data)).flow_hash();
        let datagram = ethernet(false, false, (0xC0A8_0166, 59207), (0xC0A8_0101, 53));
        assert_eq!(error, flow_hash(&datagram));
        assert!(error.is_some());
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
                    flow_hash(&frame).unwrap()
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
        assert_eq!(flow_hash(&frame), Some(2_949_006_155_448_828_008));
    }

    proptest! {
        #[test]
        fn both_directions_are_one(
            v6: bool, tcp: bool, a: (u128, u16), b: (u128, u16), c: (u128, u16),
        ) {
            // What is inside a tunnel would count.
            let is_tunnel = |port: u16| tunnel::is_udp_tunnel(port, port);
            prop_assume!(tcp || ![a.1, b.1, c.1].into_iter().any(is_tunnel));
            prop_assume!(b != c);
            let hash = flow_hash(&ethernet(v6, tcp, a, b));
            prop_assert!(hash.is_some());
            prop_assert_eq!(hash, flow_hash(&ethernet(v6, tcp, b, a)));
            prop_assert_ne!(hash, flow_hash(&ethernet(v6, tcp, a, c)));
            prop_assert_ne!(hash, flow_hash(&ethernet(v6, !tcp, a, b)));
        }
    }
}
