//! Conversations around conversations.

use super::*;
use crate::decode::samples;

#[test]
fn a_tunnels_datagrams_are_a_conversation_of_their_own() {
    let (link_type, hex) = samples::VXLAN_UDP;
    let bytes = samples::bytes(hex);
    let frame = samples::frame(link_type, &bytes);
    let mut packet = crate::decode::Packet::default();
    crate::decode::decode_into(&frame, &mut packet);
    let mut tracker = Tracker::<()>::new(Limits::default(), ());
    let seen = tracker.packet(0, &packet, &bytes, &mut ());
    // As Wireshark numbers them: the outer one first.
    assert_eq!((seen.tunnel, seen.conversation), (Some(0), Some(1)));
    tracker.close_all(&mut ());
    let told: Vec<_> = tracker
        .take_closed()
        .iter()
        .map(|closed| {
            let c = &closed.conversation;
            (
                c.id,
                c.server.port(),
                c.packets.to_server,
                c.bytes.to_server,
            )
        })
        .collect();
    assert_eq!(told, [(0, 4789, 1, 54), (1, 12000, 1, 4)]);
}
