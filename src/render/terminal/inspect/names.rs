//! Names for numbers that a capture file has, and for Wireshark's short names.

/// A link type (<https://www.tcpdump.org/linktypes.html>) in words.
pub fn link_type(number: u32) -> String {
    let name = match number {
        0 => "BSD loopback",
        1 => "Ethernet",
        9 => "PPP",
        12 | 14 | 101 => "raw IP",
        50 => "PPP over serial",
        51 => "PPP over Ethernet",
        105 => "802.11",
        108 => "OpenBSD loopback",
        113 => "Linux cooked v1",
        127 => "802.11 with radiotap",
        189 | 220 => "USB",
        192 => "per-packet information",
        195 | 230 => "802.15.4",
        228 => "raw IPv4",
        229 => "raw IPv6",
        253 => "netlink",
        276 => "Linux cooked v2",
        number => return format!("link type {number}"),
    };
    name.to_owned()
}

/// A protocol as people write it.
pub fn protocol(name: &str) -> &str {
    match name {
        "eth" => "Ethernet",
        "sll" => "Linux cooked",
        "null" => "BSD loopback",
        "raw" => "raw IP",
        "vlan" => "VLAN",
        "wlan" => "802.11",
        "radiotap" => "radiotap",
        "ppp" => "PPP",
        "llc" => "LLC",
        "ip" => "IPv4",
        "ipv6" => "IPv6",
        "gre" => "GRE",
        "vxlan" => "VXLAN",
        "arp" => "ARP",
        "lldp" => "LLDP",
        "tcp" => "TCP",
        "udp" => "UDP",
        "icmp" => "ICMP",
        "icmpv6" => "ICMPv6",
        "igmp" => "IGMP",
        "sctp" => "SCTP",
        "http" => "HTTP",
        "dns" => "DNS",
        "tls" => "TLS",
        "fragment" => "fragments",
        "malformed" => "malformed",
        other => other,
    }
}
