//! The protocols that a frame can be made of, by Wireshark's short names, and
//! the stack of them that a packet is.

use std::fmt;

use etherparse::{IpNumber, ip_number};

use super::{Link, Net, Outer, Packet, Transport, link, network, tunnel};

macro_rules! layers {
    ($($name:ident $text:literal,)*) => {
        /// A layer of a frame. The name is Wireshark's (`frame.protocols`),
        /// which is also what a display filter calls it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Layer {
            $($name,)*
        }

        impl Layer {
            /// All of them: `ALL[layer as usize] == layer`.
            pub const ALL: &'static [Layer] = &[$(Layer::$name,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Layer::$name => $text,)*
                }
            }
        }
    };
}

layers! {
    Frame "frame",
    // Link layers.
    Eth "eth",
    Ethertype "ethertype",
    Vlan "vlan",
    Ieee8021ad "ieee8021ad",
    Llc "llc",
    Sll "sll",
    Null "null",
    Raw "raw",
    Ppp "ppp",
    Pppoed "pppoed",
    Pppoes "pppoes",
    Chdlc "chdlc",
    Prism "prism",
    Wlancap "wlancap",
    Radiotap "radiotap",
    WlanRadio "wlan_radio",
    Wlan "wlan",
    Mpls "mpls",
    // On a link layer, beside IP.
    Arp "arp",
    Stp "stp",
    Cdp "cdp",
    Dtp "dtp",
    Vtp "vtp",
    Udld "udld",
    Osi "osi",
    Netbios "netbios",
    Ipx "ipx",
    Lldp "lldp",
    Eapol "eapol",
    Slow "slow",
    Loop "loop",
    Netlink "netlink",
    Can "can",
    CanFd "canfd",
    Slarp "slarp",
    Ptp "ptp",
    Macsec "macsec",
    Cfm "cfm",
    Wol "wol",
    Aoe "aoe",
    Fcoe "fcoe",
    ProfinetRt "pn_rt",
    Ethercat "ecatf",
    Goose "goose",
    Ieee1905 "ieee1905",
    Llap "llap",
    Aarp "aarp",
    Lcp "lcp",
    Ipcp "ipcp",
    Ipv6cp "ipv6cp",
    Ccp "ccp",
    Pap "pap",
    Chap "chap",
    PppCompressed "comp_data",
    // IP and what is over it.
    Ip "ip",
    Ipv6 "ipv6",
    Ipv6HopByHop "ipv6.hopopts",
    Ipv6Routing "ipv6.routing",
    Ipv6Destination "ipv6.dstopts",
    Ipv6Fragment "ipv6.fraghdr",
    Ah "ah",
    Esp "esp",
    Icmp "icmp",
    Icmpv6 "icmpv6",
    Igmp "igmp",
    Tcp "tcp",
    Udp "udp",
    UdpLite "udplite",
    Sctp "sctp",
    Dccp "dccp",
    Gre "gre",
    Vxlan "vxlan",
    Geneve "geneve",
    Gtp "gtp",
    Erspan "erspan",
    Rsvp "rsvp",
    Eigrp "eigrp",
    Ospf "ospf",
    Etherip "etherip",
    Pim "pim",
    Ipcomp "ipcomp",
    Vrrp "vrrp",
    L2tp "l2tp",
    Mipv6 "mipv6",
    Hip "hip",
    Shim6 "shim6",
    // Bytes without a name.
    Data "data",
}

impl Layer {
    /// By the number of an IP protocol (<https://www.iana.org/assignments/protocol-numbers>).
    pub fn of_ip_protocol(number: u8) -> Option<Layer> {
        Some(match number {
            0 => Layer::Ipv6HopByHop,
            1 => Layer::Icmp,
            2 => Layer::Igmp,
            4 => Layer::Ip,
            6 => Layer::Tcp,
            17 => Layer::Udp,
            33 => Layer::Dccp,
            41 => Layer::Ipv6,
            43 => Layer::Ipv6Routing,
            44 => Layer::Ipv6Fragment,
            46 => Layer::Rsvp,
            47 => Layer::Gre,
            50 => Layer::Esp,
            51 => Layer::Ah,
            58 => Layer::Icmpv6,
            60 => Layer::Ipv6Destination,
            88 => Layer::Eigrp,
            89 => Layer::Ospf,
            97 => Layer::Etherip,
            103 => Layer::Pim,
            108 => Layer::Ipcomp,
            112 => Layer::Vrrp,
            115 => Layer::L2tp,
            132 => Layer::Sctp,
            135 => Layer::Mipv6,
            136 => Layer::UdpLite,
            139 => Layer::Hip,
            140 => Layer::Shim6,
            _ => return None,
        })
    }

    /// By EtherType (<https://www.iana.org/assignments/ieee-802-numbers>): what is
    /// known by name only.
    pub(super) fn of_ethertype(number: u16) -> Option<Layer> {
        Some(match number {
            0x0842 => Layer::Wol,
            0x809B => Layer::Llap,
            0x80F3 => Layer::Aarp,
            0x8137 => Layer::Ipx,
            0x8809 => Layer::Slow,
            0x8863 => Layer::Pppoed,
            0x888E => Layer::Eapol,
            0x8892 => Layer::ProfinetRt,
            0x88A2 => Layer::Aoe,
            0x88A4 => Layer::Ethercat,
            0x88B8 => Layer::Goose,
            0x88CC => Layer::Lldp,
            0x88E5 => Layer::Macsec,
            0x88F7 => Layer::Ptp,
            0x8902 => Layer::Cfm,
            0x8906 => Layer::Fcoe,
            0x893A => Layer::Ieee1905,
            0x9000 => Layer::Loop,
            _ => return None,
        })
    }

    /// By the number of a PPP protocol (<https://www.iana.org/assignments/ppp-numbers>):
    /// what is known by name only.
    pub(super) fn of_ppp(number: u16) -> Option<Layer> {
        Some(match number {
            0x002B => Layer::Ipx,
            0x00FD => Layer::PppCompressed,
            0x8021 => Layer::Ipcp,
            0x8057 => Layer::Ipv6cp,
            0x80FD => Layer::Ccp,
            0xC021 => Layer::Lcp,
            0xC023 => Layer::Pap,
            0xC223 => Layer::Chap,
            _ => return None,
        })
    }
}

/// The protocols of a packet from the frame inwards, as far as they are known:
/// a plain value, good as the key of a table of counters. Written as Wireshark
/// writes `frame.protocols`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layers {
    stack: [Layer; Layers::MOST],
    len: u8,
}

impl Layers {
    /// What is deeper is left out.
    pub const MOST: usize = 31;

    fn push(&mut self, layer: Layer) {
        if let Some(place) = self.stack.get_mut(usize::from(self.len)) {
            *place = layer;
            self.len += 1;
        }
    }

    pub fn as_slice(&self) -> &[Layer] {
        self.stack
            .get(..usize::from(self.len))
            .unwrap_or(&self.stack)
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, layer) in self.as_slice().iter().enumerate() {
            if place > 0 {
                f.write_str(":")?;
            }
            f.write_str(layer.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the layers of a packet with nothing rare about it follow from: where it
/// is equal, so are they. Cheaper to make and to compare than they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    link: u8,
    ethertype: u16,
    ip: u8,
    tcp: bool,
}

impl Packet {
    /// Of TCP and UDP over plain IP; None: something is rare about the packet,
    /// [`Packet::layers`] tells what it is.
    #[inline]
    pub fn outline(&self) -> Option<Outline> {
        if self.extra.is_some() || self.trouble.is_some() {
            return None;
        }
        // What is behind other types is not the same in all frames.
        let plain = |ethertype| matches!(ethertype, 0x0800 | 0x86DD | 0x8847 | 0x8848);
        let (link, ethertype) = match &self.link {
            Link::Ethernet(e) if e.vlan.ids().is_empty() && plain(e.ethertype) => (1, e.ethertype),
            Link::LinuxCooked(c) if c.vlan.ids().is_empty() && plain(c.ethertype) => {
                (2, c.ethertype)
            }
            Link::Null { .. } => (3, 0),
            Link::Raw => (4, 0),
            _ => return None,
        };
        let (ip, protocol) = match self.net.as_ref()? {
            Net::V4(ip) => (4, ip.protocol),
            Net::V6(ip) if ip.extensions_len == 0 => (6, ip.protocol),
            Net::V6(_) => return None,
        };
        let tcp = match (&self.transport, IpNumber(protocol)) {
            (Transport::Tcp(_), ip_number::TCP) => true,
            (Transport::Udp(_), ip_number::UDP) => false,
            _ => return None,
        };
        Some(Outline {
            link,
            ethertype,
            ip,
            tcp,
        })
    }

    /// The highest protocol that was recognised: what a frame is counted under.
    /// `Data`: there are bytes that nothing is known of. `Frame`: not even the
    /// link layer is known.
    pub fn top(&self) -> Layer {
        let of_net = || match (&self.net, &self.link) {
            (Some(Net::V4(_)), _) => Layer::Ip,
            (Some(Net::V6(_)), _) => Layer::Ipv6,
            (None, Link::Unknown) => Layer::Frame,
            (None, _) => Layer::Data,
        };
        match &self.transport {
            Transport::Other { .. } => of_transport(&self.transport).unwrap_or_else(of_net),
            transport => of_transport(transport).unwrap_or_else(of_net),
        }
    }

    /// Tells of each layer of the packet's frame up to what the link layer carries, and
    /// where it begins.
    pub fn link_layers(&self, frame: &[u8], each: &mut impl FnMut(Layer, usize)) {
        link::layers(&self.link, frame, each);
    }

    /// The packet's protocols, outermost first (`frame.protocols`, up to the
    /// transport layer). `frame` is what the packet was decoded from.
    pub fn layers(&self, frame: &[u8]) -> Layers {
        let mut layers = Layers {
            stack: [Layer::Frame; Layers::MOST],
            len: 0,
        };
        let data = self.data(frame);
        self.link_layers(frame, &mut |layer, _| layers.push(layer));
        for outer in self.outer() {
            layers.net(&outer.net, data);
            layers.tunnel(outer, data);
        }
        if let Some(net) = &self.net {
            layers.net(net, data);
        }
        match of_transport(&self.transport) {
            Some(layer) if layers.as_slice().last() == Some(&layer) => {}
            Some(layer) => layers.push(layer),
            // An IP header with nothing to read behind it.
            None if self.net.is_some() => {}
            None if self.link == Link::Unknown => {}
            None => layers.push(Layer::Data),
        }
        if let Some(tunnel) = self.unentered() {
            layers.push(tunnel.layer);
        }
        layers
    }
}

impl Outer {
    /// Tells of each layer between the tunnel's header and the IP packet in it, and where
    /// it begins. `data` are the packet's bytes.
    pub fn inner_layers(&self, data: &[u8], each: &mut impl FnMut(Layer, usize)) {
        tunnel::layers(&self.transport, data, each);
    }
}

impl Layers {
    fn net(&mut self, net: &Net, data: &[u8]) {
        match net {
            Net::V4(ip) => {
                self.push(Layer::Ip);
                if ip.protocol == 51 {
                    self.push(Layer::Ah);
                }
            }
            Net::V6(ip) => {
                self.push(Layer::Ipv6);
                for (kind, _) in network::extensions(ip, data) {
                    self.push(Layer::of_ip_protocol(kind).unwrap_or(Layer::Data));
                }
            }
        }
    }

    fn tunnel(&mut self, outer: &Outer, data: &[u8]) {
        match &outer.transport {
            Transport::Udp(_) => self.push(Layer::Udp),
            Transport::Other { protocol: 97, .. } => self.push(Layer::Etherip),
            Transport::Gre(_) => self.push(Layer::Gre),
            _ => {}
        }
        if let Some(encapsulation) = &outer.encapsulation {
            self.push(encapsulation.layer);
        }
        outer.inner_layers(data, &mut |layer, _| self.push(layer));
    }
}

/// None where there is nothing, or nothing known.
fn of_transport(transport: &Transport) -> Option<Layer> {
    Some(match transport {
        Transport::Tcp(_) => Layer::Tcp,
        Transport::Udp(_) => Layer::Udp,
        Transport::Icmp(_) => Layer::Icmp,
        Transport::Icmpv6(_) => Layer::Icmpv6,
        Transport::Igmp(_) => Layer::Igmp,
        Transport::Sctp(_) => Layer::Sctp,
        Transport::Gre(_) => Layer::Gre,
        Transport::Arp(_) => Layer::Arp,
        Transport::Named { layer, .. } => *layer,
        Transport::Other { protocol, .. } => {
            return Some(Layer::of_ip_protocol(*protocol).unwrap_or(Layer::Data));
        }
        Transport::Fragment => Layer::Data,
        Transport::None => return None,
    })
}
