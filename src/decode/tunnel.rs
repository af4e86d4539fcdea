//! Packets inside packets.

/// RFC 7348.
const VXLAN: u16 = 4789;

/// May a datagram between these ports carry a frame?
pub fn is_udp_tunnel(src_port: u16, dst_port: u16) -> bool {
    src_port == VXLAN || dst_port == VXLAN
}
