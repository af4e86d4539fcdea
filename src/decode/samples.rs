//! Real frames for the tests: link type and bytes, named after what they show.

/// Ethernet and VLAN tags outer 1525 (802.1ad) and inner 30; an ICMP echo request.
pub const QINQ_ICMP_ECHO: (u32, &str) = (
    1,
    "408f9d6ec7d888d98f5fc54888a805f58100001e08004500001c000100004001e1e62ff59f9c5c686d000800f7ff\
     00000000",
);

/// Linux cooked v1; a SYN,ACK with every option of an ordinary one.
pub const SLL_SYN_ACK: (u32, &str) = (
    113,
    "000002000000000000000000000008004500003c1c4440007506b3c48974515e839bd7450050b640b7839f902f84\
     2acca012200086480000020405a0010303080402080a0df5af50436a0362",
);

/// Linux cooked v2; a SYN.
pub const SLL2_SYN: (u32, &str) = (
    276,
    "080000000000000200010406aa763071b0e700004500003c45a94000400670b0c0a801fdc0a80115dc9e00508b0b\
     439300000000a002faf0d70c0000020405b40402080ac5be80530000000001030307",
);

/// Ethernet (its frame check sequence left out); ICMP port unreachable that
/// quotes a UDP datagram of 143 bytes.
pub const ICMP_PORT_UNREACHABLE: (u32, &str) = (
    1,
    "0019e3e75d23000bdb6358a60800450000b0281e000080018e77c0a80166c0a80101030303bb00000000450000a3\
     371100004011bf81c0a80101c0a801660035e747008f76d298a48180000100010004000006736563757265036564\
     34036e65740000010001c00c000100010000012c0004d05e140ec013000200010000012c000f05646e7330320665\
     786f647573c017c013000200010000012c000805646e733031c042c013000200010000012c000805646e733034c0\
     42c013000200",
);

/// Ethernet; ICMPv6 unreachable that quotes a UDP datagram behind a hop-by-hop header.
pub const ICMPV6_QUOTES_EXTENSION: (u32, &str) = (
    1,
    "ffffffffffff00000000000086dd6000000000443a40fe80000000000000000000000000deadfe80000000000000\
     000000000000beef0100f1a6000000006000000000140040fe80000000000000000000000000beeffe8000000000\
     0000000000000000dead1100010400000000753032c8000c0c8e58585858",
);

/// Ethernet; a SYN behind an IPv6 home address option, which its checksum covers.
pub const IPV6_HOME_ADDRESS_SYN: (u32, &str) = (
    1,
    "ffffffffffff00000000000086dd60000000002c3c40200104f80004000702e081fffe52ffff200104f800040007\
     02e081fffe529a6b060201020000c910200100780001003200000000000000017530005000000000000000005002\
     2000b7130000",
);

/// BSD null; UDP from 55369 to 8612 with 16 bytes.
pub const NULL_UDP: (u32, &str) = (
    0,
    "020000004500002cc169000040115dc3ac100175ac1001ffd84921a4001817ae424a4e4202010000000000000000\
     0000",
);

/// Ethernet with VLAN 6; the middle one of three fragments of a TCP segment, cut short here.
pub const VLAN_IPV6_FRAGMENT: (u32, &str) = (
    1,
    "0504030201000001020304058100000686dd6000000000182c40000000000000000000000000000000010000000000\
     0000000000000000000001060001b9a5d33a2d41414141414141414141414141414141",
);

/// Ethernet; an acknowledgement with time stamps and one SACK block.
pub const SACK: (u32, &str) = (
    1,
    "3897d6b061d618870e2748df080045040040d48640003006f89adf48270ec0a8b69309f100505a7afe622594d4c3\
     b01001f63fb400000101080ae2a44a5def570afd0101050a2594d5e92594db89",
);

/// Ethernet; UDP from 127.0.0.1 to itself with a wrong checksum.
pub const LOOPBACK_UDP: (u32, &str) = (
    1,
    "ffffffffffff0000000000000800450000200001000040117cca7f0000017f000001753032c8000c000158585858",
);

/// Ethernet; an ARP request of 10.0.0.1 for 10.0.0.2.
pub const ARP_REQUEST: (u32, &str) = (
    1,
    "ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002",
);

/// Raw IP; an IGMPv3 report of two groups, the first with a source.
pub const IGMP_V3_REPORT: (u32, &str) = (
    101,
    "450000300000000001020000c0a80001e000001622000000000000020300 0001ef0101010a000001\
     04000000ef010102",
);

/// Raw IP; SCTP INIT from 32836 to 2905.
pub const SCTP_INIT: (u32, &str) = (
    101,
    "45000034000000004084 0000c0a80001c0a8000280440b590000000012345678\
     010000140000000100010000000a000a00000001",
);

/// Radiotap with time and flags (frame check sequence at the end); a QoS data
/// frame from the distribution system; UDP from 5000 to 12000.
pub const RADIOTAP_QOS_UDP: (u32, &str) = (
    127,
    "00001a002f48000000000000000000001000000000000000d000\
     8802000002000000000102000000000202000000000310000000\
     aaaa030000000800\
     450000200000000040110000 0a0000010a00000213882ee0000c0000 61697221\
     deadbeef",
);

/// PPP with address and control; UDP from 5000 to 12000.
pub const PPP_UDP: (u32, &str) = (
    9,
    "ff030021450000200000000040110000 0a0000010a00000213882ee0000c0000 61697221",
);

/// The same, sent (RFC 1661 lets the protocol be told in one byte).
pub const PPP_SENT_UDP: (u32, &str) = (
    204,
    "0121450000200000000040110000 0a0000010a00000213882ee0000c0000 61697221",
);

/// Ethernet; VXLAN network 5000; Ethernet; UDP from 5000 to 12000.
pub const VXLAN_UDP: (u32, &str) = (
    1,
    "0200000000020200000000010800\
     450000520000000040110000 0a0000010a000002c00012b5003e0000\
     0800000000138800\
     0200000000040200000000030800\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

/// Ethernet; Geneve network 42 with an option; Ethernet; UDP from 5000 to 12000.
pub const GENEVE_UDP: (u32, &str) = (
    1,
    "0200000000020200000000010800\
     450000560000000040110000 0a0000010a000002c00017c100420000\
     0100655800002a00 fff00100\
     0200000000040200000000030800\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

/// Ethernet; GTP-U tunnel 263 with an extension; UDP from 5000 to 12000.
pub const GTP_UDP: (u32, &str) = (
    1,
    "0200000000020200000000010800\
     4500004c0000000040110000 0a0000010a000002c000086800380000\
     34ff002800000107 00000085 01000900\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

/// Ethernet; GRE; ERSPAN's type II, session 42; Ethernet; UDP from 5000 to 12000.
pub const ERSPAN_UDP: (u32, &str) = (
    1,
    "0200000000020200000000010800\
     4500005200000000402f0000 0a0000010a000002\
     100088be00000001 1005082a00000007\
     0200000000040200000000030800\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

/// Ethernet; GRE with a key and a sequence number; IPv6; UDP from 5000 to 12000.
pub const GRE_IPV6_UDP: (u32, &str) = (
    1,
    "0200000000020200000000010800\
     45000054000000004 02f0000 0a0000010a000002\
     300086dd0000002a00000001\
     60000000000c1140 fe800000000000000000000000000001 fe800000000000000000000000000002\
     13882ee0000c0000 61697221",
);

/// Ethernet; IPv6 in IPv4; IPv4 in IPv6; UDP from 5000 to 12000.
pub const IP_IN_IP_IN_IP: (u32, &str) = (
    1,
    "0200000000020200000000010800\
     4500005c0000000040290000 0a0000010a000002\
     6000000000200440 fe800000000000000000000000000001 fe800000000000000000000000000002\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

/// Ethernet; two MPLS labels; PPPoE is in another. UDP from 5000 to 12000.
pub const MPLS_UDP: (u32, &str) = (
    1,
    "0200000000020200000000018847 00010040 00011140\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

/// Ethernet; a PPPoE session; UDP from 5000 to 12000.
pub const PPPOE_UDP: (u32, &str) = (
    1,
    "0200000000020200000000018864 1100002a0022 0021\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

/// Ethernet with a length, LLC and SNAP; UDP from 5000 to 12000.
pub const SNAP_UDP: (u32, &str) = (
    1,
    "0200000000020200000000010028 aaaa030000000800\
     450000200000000040110000 ac100001ac10000213882ee0000c0000 61697221",
);

pub const ALL: [(u32, &str); 25] = [
    ARP_REQUEST,
    IGMP_V3_REPORT,
    SCTP_INIT,
    RADIOTAP_QOS_UDP,
    PPP_UDP,
    PPP_SENT_UDP,
    VXLAN_UDP,
    GENEVE_UDP,
    GTP_UDP,
    ERSPAN_UDP,
    GRE_IPV6_UDP,
    IP_IN_IP_IN_IP,
    MPLS_UDP,
    PPPOE_UDP,
    SNAP_UDP,
    QINQ_ICMP_ECHO,
    SLL_SYN_ACK,
    SLL2_SYN,
    ICMP_PORT_UNREACHABLE,
    ICMPV6_QUOTES_EXTENSION,
    IPV6_HOME_ADDRESS_SYN,
    NULL_UDP,
    VLAN_IPV6_FRAGMENT,
    SACK,
    LOOPBACK_UDP,
];

/// The bytes of a sample, in which spaces mean nothing.
pub fn bytes(hex: &str) -> Vec<u8> {
    let hex = hex.replace(' ', "");
    (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// A frame of a sample, or of bytes made from one.
pub fn frame(link_type: u32, data: &[u8]) -> crate::savefile::Frame<'_> {
    crate::savefile::Frame {
        number: 1,
        time: crate::savefile::Timestamp(0),
        len: data.len() as u32,
        interface: 0,
        link_type,
        data,
    }
}

/// A capture file with these frames, each a second after the last.
pub fn pcap(link_type: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([0, 0, 4, 0]);
    file.extend(link_type.to_le_bytes());
    for (second, frame) in (1u32..).zip(frames) {
        let len = (frame.len() as u32).to_le_bytes();
        file.extend(second.to_le_bytes());
        file.extend([[0; 4], len, len].concat());
        file.extend(frame);
    }
    file
}
