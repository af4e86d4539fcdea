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

/// A protocol as people write it; None for a layer that says no more than what
/// is in it.
pub fn protocol(name: &str) -> Option<&str> {
    Some(match name {
        "frame" | "ethertype" | "wlan_radio" => return None,
        "data" => "not decoded",
        "eth" => "Ethernet",
        "vlan" => "VLAN",
        "ieee8021ad" => "802.1ad",
        "sll" => "Linux cooked",
        "null" => "BSD loopback",
        "raw" => "raw IP",
        "pppoed" => "PPPoE discovery",
        "pppoes" => "PPPoE",
        "chdlc" => "Cisco HDLC",
        "wlan" => "802.11",
        "wlancap" => "AVS",
        "prism" => "Prism",
        "slow" => "slow protocols",
        "ip" => "IPv4",
        "ipv6" => "IPv6",
        "ipv6.hopopts" => "hop-by-hop options",
        "ipv6.routing" => "routing header",
        "ipv6.dstopts" => "destination options",
        "ipv6.fraghdr" => "IPv6 fragments",
        "fragment" => "fragments",
        "icmpv6" => "ICMPv6",
        "udplite" => "UDP-Lite",
        "vxlan" => "VXLAN",
        "geneve" => "Geneve",
        "gtp" => "GTP",
        "erspan" => "ERSPAN",
        "ipcomp" => "IPComp",
        "etherip" => "EtherIP",
        "mipv6" => "Mobile IPv6",
        "shim6" => "Shim6",
        "pn_rt" => "PROFINET",
        "ecatf" => "EtherCAT",
        "ieee1905" => "IEEE 1905",
        "macsec" => "MACsec",
        "netbios" => "NetBIOS",
        "comp_data" => "compressed",
        name => spelled(name),
    })
}

/// Short names that are spelled in capital letters.
fn spelled(name: &str) -> &str {
    const CAPITALS: [&str; 42] = [
        "AARP", "AH", "AOE", "ARP", "CCP", "CDP", "CFM", "CHAP", "DCCP", "DNS", "DTP", "EAPOL",
        "EIGRP", "ESP", "FCOE", "GOOSE", "GRE", "HIP", "HTTP", "ICMP", "IGMP", "IPCP", "IPV6CP",
        "IPX", "L2TP", "LCP", "LLAP", "LLC", "LLDP", "MPLS", "OSI", "OSPF", "PAP", "PIM", "PPP",
        "PTP", "RSVP", "SCTP", "STP", "TCP", "TLS", "UDP",
    ];
    const MORE: [&str; 4] = ["UDLD", "VRRP", "VTP", "WOL"];
    let known = CAPITALS.into_iter().chain(MORE);
    let mut found = known.filter(|capitals| capitals.eq_ignore_ascii_case(name));
    found.next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_written_as_people_do() {
        assert_eq!(protocol("eth"), Some("Ethernet"));
        assert_eq!(protocol("tcp"), Some("TCP"));
        assert_eq!(protocol("ethertype"), None);
        assert_eq!(protocol("IP protocol 200"), Some("IP protocol 200"));
        assert_eq!(link_type(1), "Ethernet");
        assert_eq!(link_type(4242), "link type 4242");
    }
}
