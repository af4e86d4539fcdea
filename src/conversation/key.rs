//! What tells conversations apart: protocol and both ends, whichever of them
//! sent.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

use crate::savefile::Protocol;

/// Protocol and both ends, the lower one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Of IPv4 the lower 32 bits.
    low: u128,
    high: u128,
    low_port: u16,
    high_port: u16,
    ipv6: bool,
    protocol: Protocol,
}

/// Is the sender the lower end?
pub(super) type FromLow = bool;

impl Key {
    pub(super) fn new(protocol: Protocol, src: SocketAddr, dst: SocketAddr) -> (Key, FromLow) {
        let (from, to) = (number(src.ip()), number(dst.ip()));
        let from_low = (from, src.port()) <= (to, dst.port());
        let ((low, low_port), (high, high_port)) = if from_low {
            ((from, src.port()), (to, dst.port()))
        } else {
            ((to, dst.port()), (from, src.port()))
        };
        let key = Key {
            low,
            high,
            low_port,
            high_port,
            ipv6: src.is_ipv6(),
            protocol,
        };
        (key, from_low)
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The lower end, or the higher one.
    pub(super) fn end(&self, low: bool) -> SocketAddr {
        let (address, port) = if low {
            (self.low, self.low_port)
        } else {
            (self.high, self.high_port)
        };
        let address = if self.ipv6 {
            IpAddr::V6(address.into())
        } else {
            IpAddr::V4((address as u32).into())
        };
        SocketAddr::new(address, port)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// Hashes keys with a secret of its own, so that nobody can choose addresses
/// and ports whose hashes collide. What is found does not depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash([u64; 3]);

impl Hash {
    pub(super) fn new() -> Hash {
        let random = RandomState::new();
        Hash([0u8, 1, 2].map(|n| random.hash_one(n)))
    }

    pub(super) fn of(&self, key: &Key) -> u64 {
        let [a, b, c] = self.0;
        let ports = u64::from(key.low_port) << 16 | u64::from(key.high_port);
        let kind = (key.protocol as u64) << 33 | u64::from(key.ipv6) << 32;
        let mixed = if key.ipv6 {
            let low = folded(key.low as u64 ^ a, (key.low >> 64) as u64 ^ b);
            let high = folded(key.high as u64 ^ b, (key.high >> 64) as u64 ^ a);
            folded(low ^ c, high.rotate_left(32) ^ a)
        } else {
            folded(((key.low as u64) << 32 | key.high as u64) ^ a, b)
        };
        folded(mixed ^ ports ^ kind ^ c, b | 1)
    }
}

/// Both halves of the product.
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_have_one_key() {
        for (a, b) in [
            ("127.0.0.1:40000", "127.0.0.1:80"),
            ("10.0.0.1:1", "9.0.0.1:2"),
            ("[fe80::1]:5", "[::1]:5"),
            ("[::ffff:1.2.3.4]:5", "[::1]:5"),
        ] {
            let (a, b): (SocketAddr, SocketAddr) = (a.parse().unwrap(), b.parse().unwrap());
            let (there, low_there) = Key::new(Protocol::Tcp, a, b);
            let (back, low_back) = Key::new(Protocol::Tcp, b, a);
            assert_eq!(there, back);
            assert_ne!(low_there, low_back);
            assert_eq!((there.end(low_there), there.end(!low_there)), (a, b));
            let hash = Hash::new();
            assert_eq!(hash.of(&there), hash.of(&back));
            assert_ne!(there, Key::new(Protocol::Udp, a, b).0);
        }
    }

    #[test]
    fn an_address_within_ipv6_is_another_one() {
        let key = |a: &str, b: &str| {
            let (a, b) = (a.parse().unwrap(), b.parse().unwrap());
            Key::new(Protocol::Udp, a, b).0
        };
        assert_ne!(key("0.0.0.1:1", "0.0.0.2:2"), key("[::1]:1", "[::2]:2"));
    }
}
