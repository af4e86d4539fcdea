//! One frame, layer by layer.

use super::{Link, Packet, Transport, Trouble, link, network, transport};
use crate::savefile::Frame;

/// Decodes a frame. Nothing is allocated for an ordinary packet: only an ICMP
/// error's quoted packet and the words about a malformed one are.
pub fn decode(frame: &Frame<'_>) -> Packet {
    let cap_len = frame.data.len() as u32;
    let missing = frame.len.saturating_sub(cap_len);
    let mut packet = Packet {
        number: frame.number,
        time: frame.time,
        len: frame.len,
        cap_len,
        interface: frame.interface,
        link: Link::Unknown,
        net: None,
        transport: Transport::None,
        trouble: None,
    };

    let (link, carried) = link::decode(frame.link_type, frame.data);
    packet.link = link;
    let fault = match carried {
        Err(fault) => Some(fault),
        Ok(carried) => match network::decode(frame.data, &carried, missing as usize) {
            Err(fault) => Some(fault),
            Ok(network) => {
                packet.net = Some(network.net);
                let (transport, fault) = transport::decode(frame.data, &network);
                packet.transport = transport;
                // The outer layer's fault explains the inner one's.
                network.fault.or(fault)
            }
        },
    };
    packet.trouble = match fault {
        Some(fault) => Some(fault.into_trouble(missing > 0)),
        None if missing > 0 => Some(Trouble::Truncated { layer: "frame" }),
        None => None,
    };
    packet
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{self, ALL, frame};
    use super::*;
    use crate::decode::{Span, checksum_status};

    /// Decodes the bytes and looks at all that can be looked at. Every span
    /// must lie in the frame.
    fn look(link_type: u32, len: u32, data: &[u8]) -> Packet {
        let mut frame = frame(link_type, data);
        frame.len = len;
        let packet = decode(&frame);
        checksum_status(&packet, data);
        let mut spans = vec![packet.payload()];
        if let Some(tcp) = packet.tcp() {
            tcp.options(data).count();
            spans.extend([tcp.header, tcp.options]);
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
