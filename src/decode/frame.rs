//! One frame, layer by layer.

use super::carried::{Carried, Inside};
use super::fault::{Fault, First, span};
use super::network::{Fragment, Network};
use super::{Layer, Link, Packet, Span, Transport, Trouble, arp, link, network, transport, tunnel};
use crate::savefile::Frame;

/// Decodes a frame. Nothing is allocated for an ordinary packet: only for what
/// an ICMP error quotes, and for what [`Extra`](super::Extra) holds.
pub fn decode(frame: &Frame<'_>) -> Packet {
    let mut packet = Packet::default();
    decode_into(frame, &mut packet);
    packet
}

/// As [`decode`], in place of another packet: where packets come in batches,
/// none of them is copied.
#[inline]
pub fn decode_into(frame: &Frame<'_>, packet: &mut Packet) {
    let cap_len = frame.data.len() as u32;
    let missing = frame.len.saturating_sub(cap_len);
    packet.number = frame.number;
    packet.time = frame.time;
    packet.len = frame.len;
    packet.cap_len = cap_len;
    packet.interface = frame.interface;
    packet.link = Link::Unknown;
    packet.net = None;
    packet.transport = Transport::None;
    packet.trouble = None;
    packet.extra = None;

    let mut first = First::default();
    match link::decode(frame.link_type, frame.data, &mut packet.link) {
        Ok(Inside::Ip(carried)) => {
            inwards(frame.data, &carried, missing as usize, packet, &mut first);
        }
        Ok(other) => beside_ip(frame.data, other, packet, &mut first),
        Err(fault) => first.note(fault),
    }
    if let Some(fault) = first.0 {
        packet.trouble = Some(fault.into_trouble(missing > 0));
    } else if missing > 0 {
        packet.trouble = Some(Trouble::Truncated {
            layer: Layer::Frame,
        });
    }
}

/// From an IP header on.
#[inline(always)]
fn inwards(
    bytes: &[u8],
    carried: &Carried,
    missing: usize,
    packet: &mut Packet,
    first: &mut First,
) {
    if let Some(network) = network::decode(bytes, carried, missing, &mut packet.net, first) {
        upwards(bytes, network, packet, first);
    }
}

/// From the upper layer of an IP packet on.
#[inline(always)]
pub(super) fn upwards(bytes: &[u8], network: Network, packet: &mut Packet, first: &mut First) {
    transport::decode(bytes, network, &mut packet.transport, first);
    if tunnel::may_be(&packet.transport) && network.fragment == Fragment::Whole {
        tunnel::enter_all(bytes, packet, first);
    }
}

/// What a frame carries that is no IP packet.
#[inline(never)]
pub(super) fn beside_ip(bytes: &[u8], inside: Inside, packet: &mut Packet, first: &mut First) {
    match inside {
        Inside::Arp(at) => match arp::decode(bytes, at) {
            Ok(arp) => packet.transport = Transport::Arp(arp),
            Err(fault) => first.note(fault),
        },
        Inside::Named(layer, range) => {
            packet.transport = Transport::Named {
                layer,
                payload: span(range),
            };
        }
        Inside::Encrypted(layer) => {
            first.note(Fault::Encrypted { layer });
            packet.transport = Transport::Named {
                layer,
                payload: Span::default(),
            };
        }
        Inside::Ip(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::super::samples::{self, ALL, frame};
    use super::*;
    use crate::decode::{ArpParty, Layers, Outline, checksum_status};

    thread_local! {
        /// The layers of each outline.
        static SAME: RefCell<Vec<(Outline, Layers)>> = const { RefCell::new(Vec::new()) };
    }

    /// Decodes the bytes and looks at all that can be looked at. Every span
    /// must lie in the frame.
    fn look(link_type: u32, len: u32, data: &[u8]) -> Packet {
        let mut frame = frame(link_type, data);
        frame.len = len;
        let packet = decode(&frame);
        checksum_status(&packet, data);
        let layers = packet.layers(data);
        if let Some(outline) = packet.outline() {
            // Whatever else differs: a packet of the same outline.
            let same = SAME.with_borrow_mut(|seen| {
                let known = seen.iter().find(|(known, _)| *known == outline);
                known.map(|(_, layers)| *layers).unwrap_or_else(|| {
                    seen.push((outline, layers));
                    layers
                })
            });
            assert_eq!(layers, same, "{packet:?}");
        }
        assert!(!layers.to_string().is_empty());
        assert!(layers.as_slice().len() <= Layers::MOST && packet.top() != Layer::Ethertype);
        packet.outer_datagrams().count();
        let mut spans = vec![packet.payload()];
        for outer in packet.outer() {
            if let Transport::Udp(udp) = &outer.transport {
                spans.push(udp.payload);
            }
        }
        match &packet.transport {
            Transport::Arp(arp) => {
                spans.push(arp.addresses);
                for party in [ArpParty::Sender, ArpParty::Target] {
                    arp.ipv4(party, data);
                    arp.hardware(party, data);
                }
            }
            Transport::Igmp(igmp) => {
                igmp.groups(data).count();
            }
            _ => {}
        }
        if let Some(tcp) = packet.tcp() {
            tcp.options(data).count();
            spans.extend([tcp.header, tcp.options_span()]);
        }
        if let Some(udp) = packet.udp() {
            spans.push(udp.header);
        }
        if let Some(quoted) = packet.icmp().and_then(|icmp| icmp.quoted.as_deref()) {
            spans.push(quoted.payload);
        }
        for Span { start, len } in spans {
            assert!((start + len) as usize <= data.len(), "{packet:?}");
        }
        packet
    }

    #[test]
    fn every_prefix_of_a_frame_decodes() {
        for (link_type, hex) in ALL {
            let data = samples::bytes(hex);
            let whole = look(link_type, data.len() as u32, &data);
            assert_eq!(whole.trouble, None);
            for end in 0..data.len() {
                let cut = look(link_type, data.len() as u32, &data[..end]);
                assert!(
                    matches!(cut.trouble, Some(Trouble::Truncated { .. })),
                    "{end} bytes: {cut:?}"
                );
                // The sender's fault now: the frame claims to be whole.
                let short = look(link_type, end as u32, &data[..end]);
                assert!(
                    matches!(short.trouble, Some(Trouble::Malformed { .. })),
                    "{end} bytes: {short:?}"
                );
            }
        }
    }

    #[test]
    fn every_byte_changed_decodes() {
        for (link_type, hex) in ALL {
            let data = samples::bytes(hex);
            for at in 0..data.len() {
                for byte in 0..=255 {
                    let mut data = data.clone();
                    data[at] = byte;
                    look(link_type, data.len() as u32, &data);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn several_bytes_changed_and_cut_decode(
            sample in 0..ALL.len(),
            changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..6),
            end in any::<prop::sample::Index>(),
            len in any::<u32>(),
        ) {
            let (link_type, hex) = ALL[sample];
            let mut data = samples::bytes(hex);
            for (at, byte) in changes {
                let at = at.index(data.len());
                data[at] = byte;
            }
            let end = end.index(data.len() + 1);
            look(link_type, len, &data[..end]);
        }

        #[test]
        fn noise_decodes(link_type in 0..300u32, data in prop::collection::vec(any::<u8>(), 0..120)) {
            look(link_type, data.len() as u32, &data);
        }
    }
}
