//! ARP and its relatives (RFC 826, RFC 903).

use std::net::Ipv4Addr;

use super::fault::{Fault, span};
use super::{Layer, Span};

/// One ARP message. Field names as Wireshark's `arp.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arp {
    /// `arp.hw.type`: 1 is Ethernet.
    pub hw_type: u16,
    /// `arp.proto.type`: an EtherType.
    pub proto_type: u16,
    /// Bytes of a hardware address.
    pub hw_size: u8,
    /// Bytes of a protocol address.
    pub proto_size: u8,
    /// `arp.opcode`: 1 request, 2 reply.
    pub opcode: u16,
    /// The four addresses: hardware and protocol of the sender, then of the target.
    pub addresses: Span,
}

/// Which of an ARP message's two parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpParty {
    Sender,
    Target,
}

const HEADER: usize = 8;

/// Decodes the message at `at` in the frame.
pub fn decode(frame: &[u8], at: usize) -> Result<Arp, Fault> {
    let bytes = frame.get(at..).unwrap_or(&[]);
    let Some([h1, h0, p1, p0, hw_size, proto_size, o1, o0]) = bytes.first_chunk::<HEADER>() else {
        return Err(Fault::short(Layer::Arp, HEADER, bytes.len()));
    };
    let size = 2 * (usize::from(*hw_size) + usize::from(*proto_size));
    if bytes.len() < HEADER + size {
        return Err(Fault::short(Layer::Arp, HEADER + size, bytes.len()));
    }
    Ok(Arp {
        hw_type: u16::from_be_bytes([*h1, *h0]),
        proto_type: u16::from_be_bytes([*p1, *p0]),
        hw_size: *hw_size,
        proto_size: *proto_size,
        opcode: u16::from_be_bytes([*o1, *o0]),
        addresses: span(at + HEADER..at + HEADER + size),
    })
}

impl Arp {
    fn part<'a>(&self, party: ArpParty, hardware: bool, frame: &'a [u8]) -> &'a [u8] {
        let (hw, proto) = (u32::from(self.hw_size), u32::from(self.proto_size));
        let mut start = self.addresses.start;
        if party == ArpParty::Target {
            start += hw + proto;
        }
        let len = if hardware {
            hw
        } else {
            start += hw;
            proto
        };
        Span { start, len }.of(frame)
    }

    /// `arp.src.hw_mac` or `arp.dst.hw_mac`; None where it is no Ethernet address.
    pub fn hardware(&self, party: ArpParty, frame: &[u8]) -> Option<[u8; 6]> {
        let ethernet = self.hw_size == 6;
        let bytes = self.part(party, true, frame);
        ethernet.then(|| bytes.first_chunk().copied()).flatten()
    }

    /// `arp.src.proto_ipv4` or `arp.dst.proto_ipv4`; None where it is none.
    pub fn ipv4(&self, party: ArpParty, frame: &[u8]) -> Option<Ipv4Addr> {
        let ip = self.proto_type == 0x0800 && self.proto_size == 4;
        let bytes: &[u8; 4] = self.part(party, false, frame).first_chunk()?;
        ip.then(|| Ipv4Addr::from(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, ARP_REQUEST, frame};
    use super::*;
    use crate::decode::{Transport, Trouble, decode};

    #[test]
    fn a_request() {
        let data = samples::bytes(ARP_REQUEST.1);
        let packet = decode(&frame(ARP_REQUEST.0, &data));
        let Transport::Arp(arp) = &packet.transport else {
            panic!("{packet:?}");
        };
        assert_eq!((arp.hw_type, arp.proto_type, arp.opcode), (1, 0x0800, 1));
        let (sender, target) = (ArpParty::Sender, ArpParty::Target);
        assert_eq!(arp.hardware(sender, &data), Some([2, 0, 0, 0, 0, 1]));
        assert_eq!(arp.ipv4(sender, &data), Some([10, 0, 0, 1].into()));
        assert_eq!(arp.hardware(target, &data), Some([0; 6]));
        assert_eq!(arp.ipv4(target, &data), Some([10, 0, 0, 2].into()));
        assert_eq!((packet.net, packet.trouble), (None, None));
    }

    #[test]
    fn addresses_beyond_the_end() {
        let mut data = samples::bytes(ARP_REQUEST.1);
        data[18] = 200;
        let packet = decode(&frame(ARP_REQUEST.0, &data));
        let layer = Layer::Arp;
        assert!(matches!(packet.trouble, Some(Trouble::Malformed { layer: l, .. }) if l == layer));
    }
}
