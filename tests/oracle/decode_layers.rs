//! The layers of a frame against tshark's: over the truth set, and over frames
//! made here, one for each link type, each tunnel and each protocol that we know
//! by name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use netlab_capture::decode::{
    ArpParty, Defragmenter, Encapsulation, Ethernet, Layer, Link, Net, Packet, Transport, decode,
};
use netlab_capture::savefile::{InterfaceDescription, Reader, Timestamp, pcap};

use crate::corpus;
use crate::tshark::{self, tshark};

const FIELDS: &[&str] = &[
    "eth.dst",
    "eth.src",
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "ipv6.src",
    "ipv6.dst",
    "udp.srcport",
    "udp.dstport",
    "tcp.srcport",
    "arp.opcode",
    "arp.src.hw_mac",
    "arp.src.proto_ipv4",
    "arp.dst.hw_mac",
    "arp.dst.proto_ipv4",
    "igmp.type",
    "igmp.maddr",
    "sctp.srcport",
    "sctp.dstport",
    "gre.proto",
    "vxlan.vni",
    "geneve.vni",
    "gtp.teid",
    "erspan.spanid",
    "wlan.fc.type_subtype",
    "wlan.sa",
    "wlan.da",
    "wlan.bssid",
];

/// One frame as either of us sees it.
struct Seen {
    layers: String,
    fields: BTreeMap<&'static str, Vec<String>>,
}

#[test]
fn the_truth_sets_layers_are_tsharks() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut frames = 0;
    let mut wrong = Vec::new();
    for entry in entries.iter().filter(|e| e.set == "truth") {
        frames += compare(&entry.path, &entry.file, &mut wrong);
    }
    eprintln!("{frames} frames compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn made_frames_layers_are_tsharks() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (link_type, frames) in made() {
        let name = format!("link type {link_type}");
        let path = folder.path().join(&name);
        fs::write(&path, savefile(link_type, &frames)).unwrap();
        let compared = compare(&path, &name, &mut wrong);
        assert_eq!(compared, frames.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares each frame, and returns how many there are.
fn compare(path: &Path, name: &str, wrong: &mut Vec<String>) -> usize {
    let theirs = theirs(path);
    let mut reader = Reader::new(File::open(path).unwrap(), name).unwrap();
    let mut defragmenter = Defragmenter::default();
    let mut frames = 0;
    while let Some(frame) = reader.next_frame().unwrap() {
        let mut packet = decode(&frame);
        defragmenter.packet(&mut packet, &frame);
        let ours = ours(&packet, frame.data, frame.link_type);
        let theirs = &theirs[frames];
        frames += 1;
        let place = format!("{name} {frames}");
        // Above the transport layer it goes on.
        let goes_on = |rest: &str| rest.is_empty() || rest.starts_with(':');
        if !theirs
            .layers
            .strip_prefix(&ours.layers)
            .is_some_and(goes_on)
        {
            wrong.push(format!(
                "{place}: ours {}, tshark's {}, {:?}",
                ours.layers, theirs.layers, packet.trouble
            ));
        }
        // What an error quotes is compared with the fields.
        if packet.icmp().is_some() {
            continue;
        }
        for field in FIELDS {
            let (ours, theirs) = (ours.fields.get(field), theirs.fields.get(field));
            if ours != theirs {
                wrong.push(format!(
                    "{place} {field}: ours {ours:?}, tshark's {theirs:?}"
                ));
            }
        }
    }
    assert_eq!(frames, theirs.len(), "{name}");
    frames
}

fn theirs(path: &Path) -> Vec<Seen> {
    let mut arguments = vec!["-r", path.to_str().unwrap(), "-n", "-T", "fields"];
    arguments.extend(["-E", "aggregator=,", "-e", "frame.protocols"]);
    for field in FIELDS {
        arguments.extend(["-e", field]);
    }
    let output = tshark(arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let row = |line: &str| {
        let mut columns = line.split('\t');
        Seen {
            layers: columns.next().unwrap().to_owned(),
            fields: FIELDS
                .iter()
                .zip(columns)
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (*name, value.split(',').map(normal).collect()))
                .collect(),
        }
    };
    output.stdout.lines().map(row).collect()
}

/// Hexadecimal numbers as decimal ones.
fn normal(value: &str) -> String {
    match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
        None => value.to_owned(),
    }
}

fn ours(packet: &Packet, frame: &[u8], link_type: u32) -> Seen {
    let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut put = |name: &'static str, value: String| fields.entry(name).or_default().push(value);
    let data = packet.data(frame);
    match &packet.link {
        Link::Ethernet(eth) => ethernet(eth, &mut put),
        Link::Wlan(wlan) => {
            put("wlan.fc.type_subtype", wlan.type_subtype().to_string());
            // A control frame has other names for its addresses.
            if wlan.kind() != 1 {
                put("wlan.da", mac(wlan.dst));
                put("wlan.sa", mac(wlan.src));
                if wlan.bssid != [0; 6] {
                    put("wlan.bssid", mac(wlan.bssid));
                }
            }
        }
        _ => {}
    }
    for outer in packet.outer() {
        net(&outer.net, &mut put);
        transport(&outer.transport, data, &mut put);
        encapsulation(outer.encapsulation, &mut put);
        if let Some(inner) = &outer.ethernet {
            ethernet(inner, &mut put);
        }
    }
    if let Some(inner) = &packet.net {
        net(inner, &mut put);
    }
    transport(&packet.transport, data, &mut put);
    encapsulation(packet.unentered(), &mut put);
    let layers = packet.layers(frame).to_string();
    // Where the link type names IP's version, tshark has no layer raw.
    let layers = match link_type {
        228 | 229 => layers.strip_prefix("raw:").unwrap_or(&layers).to_owned(),
        // Cisco's framing on a line for PPP is inside PPP to tshark.
        9 | 50 if layers.starts_with("chdlc") => format!("ppp:{layers}"),
        _ => layers,
    };
    Seen { layers, fields }
}

fn encapsulation(tunnel: Option<Encapsulation>, put: &mut impl FnMut(&'static str, String)) {
    if let Some(tunnel) = tunnel.filter(|tunnel| !tunnel.header.is_empty()) {
        let name = match tunnel.layer {
            Layer::Vxlan => "vxlan.vni",
            Layer::Geneve => "geneve.vni",
            Layer::Gtp => "gtp.teid",
            _ => "erspan.spanid",
        };
        put(name, tunnel.number.to_string());
    }
}

fn ethernet(eth: &Ethernet, put: &mut impl FnMut(&'static str, String)) {
    put("eth.dst", mac(eth.dst));
    put("eth.src", mac(eth.src));
}

fn net(net: &Net, put: &mut impl FnMut(&'static str, String)) {
    match net {
        Net::V4(ip) => {
            put("ip.src", ip.src.to_string());
            put("ip.dst", ip.dst.to_string());
            put("ip.ttl", ip.ttl.to_string());
        }
        Net::V6(ip) => {
            put("ipv6.src", ip.src.to_string());
            put("ipv6.dst", ip.dst.to_string());
        }
    }
}

fn transport(transport: &Transport, data: &[u8], put: &mut impl FnMut(&'static str, String)) {
    match transport {
        Transport::Tcp(tcp) => put("tcp.srcport", tcp.src_port.to_string()),
        Transport::Udp(udp) => {
            put("udp.srcport", udp.src_port.to_string());
            put("udp.dstport", udp.dst_port.to_string());
        }
        Transport::Sctp(sctp) => {
            put("sctp.srcport", sctp.src_port.to_string());
            put("sctp.dstport", sctp.dst_port.to_string());
        }
        Transport::Gre(gre) => put("gre.proto", gre.protocol.to_string()),
        Transport::Igmp(igmp) => {
            put("igmp.type", igmp.kind.to_string());
            for group in igmp.groups(data) {
                put("igmp.maddr", group.to_string());
            }
        }
        Transport::Arp(arp) => {
            put("arp.opcode", arp.opcode.to_string());
            for (party, [hardware, ip]) in [
                (ArpParty::Sender, ["arp.src.hw_mac", "arp.src.proto_ipv4"]),
                (ArpParty::Target, ["arp.dst.hw_mac", "arp.dst.proto_ipv4"]),
            ] {
                if let Some(address) = arp.hardware(party, data) {
                    put(hardware, mac(address));
                }
                if let Some(address) = arp.ipv4(party, data) {
                    put(ip, address.to_string());
                }
            }
        }
        _ => {}
    }
}

fn mac(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

fn savefile(link_type: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let interface = InterfaceDescription {
        name: String::new(),
        link_type,
        snaplen: 0,
    };
    let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
    for (place, frame) in frames.iter().enumerate() {
        let time = Timestamp(1_700_000_000_000_000_000 + place as i64 * 1000);
        writer.write_frame(time, frame.len() as u32, frame).unwrap();
    }
    writer.into_inner()
}

/// Frames for each link type.
fn made() -> Vec<(u16, Vec<Vec<u8>>)> {
    let (udp4, udp6) = (v4(17, &udp(b"data")), v6(17, &udp(b"data")));
    let snap = |ethertype: u16, inner: &[u8]| {
        let mut bytes = vec![0xAA, 0xAA, 3, 0, 0, 0];
        bytes.extend(ethertype.to_be_bytes());
        [&bytes[..], inner].concat()
    };

    let mut ethernet = vec![
        eth(0x0800, &udp4),
        eth(0x86DD, &udp6),
        eth(0x8100, &[&[0, 5, 8, 0], &udp4[..]].concat()),
        eth(0x88A8, &[&[0, 6, 0x81, 0, 0, 5, 8, 0], &udp4[..]].concat()),
        eth(
            0x88A8,
            &[&[0, 7, 0x81, 0, 0, 6, 0x81, 0, 0, 5, 8, 0], &udp4[..]].concat(),
        ),
        eth(0x9100, &[&[0, 6, 0x81, 0, 0, 5, 8, 0], &udp4[..]].concat()),
        eth(0x0806, &ARP_REPLY),
        eth(0x8035, &ARP_REPLY),
        eth(
            0x8847,
            &[&[0, 1, 0, 0x40, 0, 1, 0x11, 0x40], &udp4[..]].concat(),
        ),
        eth(0x8847, &[&[0, 1, 0x11, 0x40], &udp6[..]].concat()),
        eth(0x8864, &pppoe(0x0021, &udp4)),
        eth(0x8864, &pppoe(0x0057, &udp6)),
        eth(0x8864, &pppoe(0xC021, &[1, 1, 0, 4])),
        eth_length(&snap(0x0800, &udp4)),
        eth_length(&snap(0x86DD, &udp6)),
        eth_length(&snap(0x0806, &ARP_REPLY)),
        eth_length(&[0x42, 0x42, 3, 0, 0, 0, 0, 0]),
        eth_length(&[&[0x06, 0x06, 3], &udp4[..]].concat()),
        eth(0x0800, &v4(2, &[0x16, 0, 0, 0, 239, 1, 1, 1])),
        eth(0x0800, &v4(2, &IGMP_V3)),
        eth(0x0800, &v4(132, &SCTP)),
        // Tunnels.
        eth(0x0800, &v4(4, &udp4)),
        eth(0x0800, &v4(41, &udp6)),
        eth(0x86DD, &v6(4, &udp4)),
        eth(0x86DD, &v6(41, &udp6)),
        eth(0x0800, &v4(41, &v6(4, &v4(4, &udp4)))),
        eth(0x0800, &v4(47, &gre(0, 0x0800, &udp4))),
        eth(0x0800, &v4(47, &gre(0, 0x86DD, &udp6))),
        eth(
            0x0800,
            &v4(47, &gre(0x8000, 0x0800, &[&[0; 4], &udp4[..]].concat())),
        ),
        eth(
            0x0800,
            &v4(47, &gre(0x3000, 0x0800, &[&[0; 8], &udp4[..]].concat())),
        ),
        eth(
            0x0800,
            &v4(47, &gre(0xB000, 0x86DD, &[&[0; 12], &udp6[..]].concat())),
        ),
        eth(0x0800, &v4(47, &gre(0, 0x6558, &eth(0x0800, &udp4)))),
        eth(0x0800, &v4(47, &gre(0, 0x6558, &eth(0x0806, &ARP_REPLY)))),
        eth(
            0x0800,
            &v4(
                47,
                &gre(0x3001, 0x880B, &[&[0; 8], &[0, 0x21][..], &udp4].concat()),
            ),
        ),
        eth(0x0800, &v4(17, &vxlan(&eth(0x0800, &udp4)))),
        eth(0x86DD, &v6(17, &vxlan(&eth(0x86DD, &udp6)))),
        eth(
            0x0800,
            &v4(
                17,
                &vxlan(&eth(0x8100, &[&[0, 5, 8, 0], &udp4[..]].concat())),
            ),
        ),
        eth(0x0800, &v4(17, &vxlan(&eth(0x0806, &ARP_REPLY)))),
        eth(0x0800, &v4(17, &geneve(0, 0x6558, &eth(0x0800, &udp4)))),
        eth(0x86DD, &v6(17, &geneve(2, 0x6558, &eth(0x86DD, &udp6)))),
        eth(0x0800, &v4(17, &geneve(0, 0x0800, &udp4))),
        eth(0x0800, &v4(17, &geneve(1, 0x86DD, &udp6))),
        eth(0x0800, &v4(17, &gtp(0x30, &[], &udp4))),
        eth(0x86DD, &v6(17, &gtp(0x32, &[0, 1, 0, 0], &udp6))),
        // The extension with the container of a PDU session.
        eth(
            0x0800,
            &v4(17, &gtp(0x34, &[0, 0, 0, 0x85, 1, 0, 9, 0], &udp4)),
        ),
        eth(0x0800, &v4(47, &gre(0, 0x88BE, &eth(0x0800, &udp4)))),
        eth(
            0x0800,
            &v4(
                47,
                &gre(
                    0x1000,
                    0x88BE,
                    &[
                        &[0, 0, 0, 1, 0x10, 5, 8, 42, 0, 0, 0, 7],
                        &eth(0x0800, &udp4)[..],
                    ]
                    .concat(),
                ),
            ),
        ),
        eth(
            0x0800,
            &v4(
                47,
                &gre(
                    0x1000,
                    0x22EB,
                    &[
                        &[0, 0, 0, 1, 0x20, 5, 8, 42, 0, 0, 0, 7, 0, 0, 0, 0],
                        &eth(0x0800, &udp4)[..],
                    ]
                    .concat(),
                ),
            ),
        ),
        eth(
            0x0800,
            &v4(97, &[&[0x30, 0], &eth(0x0800, &udp4)[..]].concat()),
        ),
        // Behind extension headers.
        eth(
            0x86DD,
            &v6(0, &[&[17, 0, 1, 4, 0, 0, 0, 0], &udp(b"data")[..]].concat()),
        ),
        eth(
            0x86DD,
            &v6(
                60,
                &[&[17, 0, 1, 4, 0, 0, 0, 0], &udp(b"data")[..]].concat(),
            ),
        ),
        eth(
            0x0800,
            &v4(
                51,
                &[
                    &[17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1],
                    &[0; 12][..],
                    &udp(b"data"),
                ]
                .concat(),
            ),
        ),
    ];
    // Between a header and IP: labels, tags, and both.
    let tagged = [&[0, 5, 8, 0], &udp4[..]].concat();
    let labelled = [&[0, 1, 0, 0x40, 0, 1, 0x11, 0x40], &udp4[..]].concat();
    ethernet.extend([
        eth(0x9100, &tagged),
        eth(0x8100, &[&[0, 5, 0x88, 0x47], &labelled[..]].concat()),
        eth(0x8864, &pppoe(0x0281, &labelled)),
        eth_length(&snap(0x8100, &tagged)),
        eth_length(&snap(0x8847, &labelled)),
        eth(0x0800, &v4(47, &gre(0, 0x8847, &labelled))),
        eth(0x0800, &v4(17, &geneve(0, 0x8847, &labelled))),
        eth(0x0800, &v4(17, &geneve(0, 0x8100, &tagged))),
        eth(0x0800, &v4(17, &vxlan(&eth(0x8864, &pppoe(0x0021, &udp4))))),
        // Nothing in a tunnel that is known, or nothing at all.
        eth(0x0800, &v4(17, &geneve(1, 0x88B5, b"abcd"))),
        eth(0x0800, &v4(17, &geneve(0, 0x0800, &[]))),
        eth(0x0800, &v4(17, &vxlan(&[]))),
        eth(
            0x0800,
            &v4(
                17,
                &datagram(2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0]),
            ),
        ),
        eth(
            0x0800,
            &v4(17, &datagram(2152, &[0x30, 0xFE, 0, 0, 0, 0, 0, 5])),
        ),
    ]);
    for ethertype in NAMED_ETHERTYPES {
        ethernet.push(eth(*ethertype, &[0; 64]));
    }
    for protocol in NAMED_PROTOCOLS {
        ethernet.push(eth(0x0800, &v4(*protocol, &[0; 64])));
        ethernet.push(eth(0x86DD, &v6(*protocol, &[0; 64])));
    }

    let sll = |ethertype: u16, inner: &[u8]| {
        let mut bytes = vec![0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        bytes.extend(ethertype.to_be_bytes());
        [&bytes[..], inner].concat()
    };
    let sll2 = |ethertype: u16, inner: &[u8]| {
        let mut bytes = ethertype.to_be_bytes().to_vec();
        bytes.extend([0, 0, 0, 0, 0, 1, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
        [&bytes[..], inner].concat()
    };
    let cooked = |header: &dyn Fn(u16, &[u8]) -> Vec<u8>| {
        vec![
            header(0x0800, &udp4),
            header(0x86DD, &udp6),
            header(0x0806, &ARP_REPLY),
            header(4, &snap(0x0800, &udp4)),
            header(0x8847, &labelled),
            // What is no EtherType, and no length either.
            header(0, b"abcd"),
            header(1, &[0xFF; 30]),
            header(0x0C, &[0, 0, 1, 0x23, 2, 0, 0, 0, 0xAB, 0xCD]),
            header(0x0D, &[0, 0, 1, 0x23, 2, 4, 0, 0, 0xAB, 0xCD]),
        ]
    };
    let ppp = vec![
        [&[0xFF, 3, 0, 0x21], &udp4[..]].concat(),
        [&[0xFF, 3, 0, 0x57], &udp6[..]].concat(),
        [&[0, 0x21], &udp4[..]].concat(),
        [&[0x21], &udp4[..]].concat(),
        vec![0xFF, 3, 0xC0, 0x21, 1, 1, 0, 4],
        vec![0xFF, 3, 0x80, 0x21, 1, 1, 0, 4],
        vec![0xFF, 3, 0xC0, 0x23, 1, 1, 0, 6, 0, 0],
        vec![0xFF, 3, 0xC2, 0x23, 3, 1, 0, 4],
        [&[0x0F, 0, 8, 0], &udp4[..]].concat(),
        [&[0xFF, 3, 2, 0x81], &labelled[..]].concat(),
    ];
    vec![
        (1, ethernet),
        (
            0,
            vec![
                [&[2, 0, 0, 0], &udp4[..]].concat(),
                [&[30, 0, 0, 0], &udp6[..]].concat(),
            ],
        ),
        (
            108,
            vec![
                [&[0, 0, 0, 2], &udp4[..]].concat(),
                [&[0, 0, 0, 24], &udp6[..]].concat(),
            ],
        ),
        (9, ppp.clone()),
        (50, ppp),
        (51, vec![pppoe(0x0021, &udp4), pppoe(0x0057, &udp6)]),
        (
            104,
            vec![
                [&[0x0F, 0, 8, 0], &udp4[..]].concat(),
                [&[0x0F, 0, 0x86, 0xDD], &udp6[..]].concat(),
                [&[0x0F, 0, 0x88, 0x47], &labelled[..]].concat(),
                [&[0x8F, 0, 0x80, 0x35], &[0; 18][..]].concat(),
                [&[0x8F, 0, 0x20, 0], &[2, 180, 0, 0][..]].concat(),
                [&[0x8F, 0, 0xFE, 0xFE], &[3, 0x83, 0, 0][..]].concat(),
            ],
        ),
        (101, vec![udp4.clone(), udp6.clone(), v4(4, &udp4)]),
        (12, vec![udp4.clone(), udp6.clone()]),
        (228, vec![udp4.clone()]),
        (229, vec![udp6.clone()]),
        (113, cooked(&sll)),
        (276, cooked(&sll2)),
        (105, air(&udp4, &udp6)),
        (
            127,
            air(&udp4, &udp6)
                .iter()
                .map(|frame| radiotap(frame))
                .collect(),
        ),
    ]
}

/// Those that [`Layer`] knows by name only; but for Wake on LAN, which tshark
/// takes for data where it wakes nobody.
const NAMED_ETHERTYPES: &[u16] = &[
    0x809B, 0x80F3, 0x8137, 0x8809, 0x8863, 0x888E, 0x8892, 0x88A2, 0x88A4, 0x88B8, 0x88CC, 0x88E5,
    0x88F7, 0x8902, 0x8906, 0x893A, 0x9000,
];

/// But for UDP-Lite, whose ports tshark shows as UDP's.
const NAMED_PROTOCOLS: &[u8] = &[33, 46, 50, 88, 89, 103, 108, 112, 115, 139, 140];

/// Data frames in each layout of addresses, with and without QoS, protected,
/// without data; a beacon and an acknowledgement.
fn air(udp4: &[u8], udp6: &[u8]) -> Vec<Vec<u8>> {
    let data = |first: u8, second: u8, ethertype: u16, inner: &[u8]| {
        let mut bytes = vec![first, second, 0, 0];
        for last in 1..=3 {
            bytes.extend([2, 0, 0, 0, 0, last]);
        }
        bytes.extend([0x10, 0]);
        if second & 3 == 3 {
            bytes.extend([2, 0, 0, 0, 0, 4]);
        }
        if first & 0x80 != 0 {
            bytes.extend([0, 0]);
        }
        if first & 0x40 == 0 {
            bytes.extend([0xAA, 0xAA, 3, 0, 0, 0]);
            bytes.extend(ethertype.to_be_bytes());
            bytes.extend(inner);
        }
        bytes
    };
    let mut frames = Vec::new();
    for ways in 0..4 {
        frames.push(data(0x08, ways, 0x0800, udp4));
        frames.push(data(0x88, ways, 0x86DD, udp6));
    }
    frames.push(data(0x08, 0x02, 0x0806, &ARP_REPLY));
    frames.push(data(0x48, 0x01, 0, &[]));
    frames.push(data(0xC8, 0x01, 0, &[]));
    frames.push(vec![0xD4, 0, 0, 0, 2, 0, 0, 0, 0, 1]);
    frames
}

/// With flags that say: four bytes of check sequence at the end.
fn radiotap(frame: &[u8]) -> Vec<u8> {
    let header = [0, 0, 9, 0, 2, 0, 0, 0, 0x10];
    let sum = crc32(frame).to_le_bytes();
    [&header, frame, &sum[..]].concat()
}

/// The frame check sequence.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

const ARP_REPLY: [u8; 28] = [
    0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2,
];

/// A report of two groups, the first with a source.
const IGMP_V3: [u8; 28] = [
    0x22, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 1, 239, 1, 1, 1, 10, 0, 0, 1, 4, 0, 0, 0, 239, 1, 1, 2,
];

const SCTP: [u8; 32] = [
    0x80, 0x44, 0x0B, 0x59, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 10, 0,
    10, 0, 0, 0, 1,
];

fn eth(ethertype: u16, inner: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    bytes.extend(ethertype.to_be_bytes());
    [&bytes[..], inner].concat()
}

fn eth_length(inner: &[u8]) -> Vec<u8> {
    eth(inner.len() as u16, inner)
}

fn v4(protocol: u8, inner: &[u8]) -> Vec<u8> {
    let total = (20 + inner.len() as u16).to_be_bytes();
    let mut bytes = vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0];
    bytes.extend([10, 0, 0, inner.len() as u8, 10, 0, 0, 2]);
    bytes.extend(inner);
    bytes
}

fn v6(next: u8, inner: &[u8]) -> Vec<u8> {
    let len = (inner.len() as u16).to_be_bytes();
    let mut bytes = vec![0x60, 0, 0, 0, len[0], len[1], next, 64, 0xFE, 0x80];
    bytes.extend([0; 13]);
    bytes.extend([inner.len() as u8, 0xFE, 0x80]);
    bytes.extend([0; 13]);
    bytes.push(2);
    bytes.extend(inner);
    bytes
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let mut bytes = [5000, 12001, length, 0].map(u16::to_be_bytes).concat();
    bytes.extend(payload);
    bytes
}

/// A datagram of Geneve, with so many words of options of no meaning.
fn geneve(options: u8, ethertype: u16, inner: &[u8]) -> Vec<u8> {
    let mut header = vec![options, 0];
    header.extend(ethertype.to_be_bytes());
    header.extend([0, 0, 42, 0]);
    for _ in 0..options {
        // A class of its own, and no data.
        header.extend([0xFF, 0xF0, 1, 0]);
    }
    datagram(6081, &[&header[..], inner].concat())
}

/// A datagram of GTP-U with a user's packet, behind what the flags stand for.
fn gtp(flags: u8, options: &[u8], inner: &[u8]) -> Vec<u8> {
    let mut header = vec![flags, 0xFF];
    header.extend(((options.len() + inner.len()) as u16).to_be_bytes());
    header.extend([0, 0, 1, 7]);
    datagram(2152, &[&header[..], options, inner].concat())
}

fn vxlan(inner: &[u8]) -> Vec<u8> {
    datagram(4789, &[&[8, 0, 0, 0, 0, 0x13, 0x88, 0], inner].concat())
}

/// A datagram of a tunnel to this port.
fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let mut bytes = [49152, port, length, 0].map(u16::to_be_bytes).concat();
    bytes.extend(payload);
    bytes
}

fn gre(flags: u16, protocol: u16, rest: &[u8]) -> Vec<u8> {
    let mut bytes = [flags, protocol].map(u16::to_be_bytes).concat();
    bytes.extend(rest);
    if flags & 7 == 1 {
        // The payload's length, then the call.
        let len = (rest.len() as u16 - 8).to_be_bytes();
        bytes[4..6].copy_from_slice(&len);
    }
    bytes
}

fn pppoe(protocol: u16, inner: &[u8]) -> Vec<u8> {
    let length = (2 + inner.len() as u16).to_be_bytes();
    let mut bytes = vec![0x11, 0, 0, 0x2A, length[0], length[1]];
    bytes.extend(protocol.to_be_bytes());
    bytes.extend(inner);
    bytes
}

/// The names are in the order of their discriminants, as a table of counters
/// needs them.
#[test]
fn layers_are_the_indices_of_their_list() {
    for (index, layer) in Layer::ALL.iter().enumerate() {
        assert_eq!(*layer as usize, index);
    }
}
