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
