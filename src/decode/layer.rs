//! The protocols that a frame can be made of, by Wireshark's short names.

/// A layer of a frame. The name is Wireshark's (`frame.protocols`), which is
/// also what a display filter calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Layer {
    Frame,
    Eth,
    Vlan,
    Sll,
    Null,
    Ip,
    Ipv6,
    /// An IPv6 extension header with options: hop by hop, routing, destination.
    Ipv6Extension,
    Ipv6Fragment,
    Ah,
    Tcp,
    Udp,
    Icmp,
    Icmpv6,
}

impl Layer {
    pub fn name(self) -> &'static str {
        match self {
            Layer::Frame => "frame",
            Layer::Eth => "eth",
            Layer::Vlan => "vlan",
            Layer::Sll => "sll",
            Layer::Null => "null",
            Layer::Ip => "ip",
            Layer::Ipv6 => "ipv6",
            Layer::Ipv6Extension => "ipv6 extension header",
            Layer::Ipv6Fragment => "ipv6.fraghdr",
            Layer::Ah => "ah",
            Layer::Tcp => "tcp",
            Layer::Udp => "udp",
            Layer::Icmp => "icmp",
            Layer::Icmpv6 => "icmpv6",
        }
    }
}
