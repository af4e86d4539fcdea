//! Our decoding against tshark's, field by field, over the truth set.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use netlab_capture::decode::{
    ChecksumStatus, Defragmenter, Icmp, Link, Net, Packet, Quoted, Tcp, TcpOption, Transport, Udp,
    checksum_status, decode, header_checksum_status,
};
use netlab_capture::savefile::Reader;

use crate::corpus;
use crate::tshark::{self, tshark};

/// What is compared. A frame may have several values of a field: its own, and
/// those of a packet that it quotes.
const FIELDS: &[&str] = &[
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.interface_id",
    "eth.dst",
    "eth.src",
    "ieee8021ad.id",
    "vlan.id",
    "sll.pkttype",
    "null.family",
    "ip.hdr_len",
    "ip.dsfield.dscp",
    "ip.dsfield.ecn",
    "ip.len",
    "ip.id",
    "ip.flags.df",
    "ip.flags.mf",
    "ip.frag_offset",
    "ip.ttl",
    "ip.proto",
    "ip.checksum",
    "ip.checksum.status",
    "ip.src",
    "ip.dst",
    "ip.fragment",
    "ip.fragment.count",
    "ip.reassembled.length",
    "ipv6.fragment",
    "ipv6.fragment.count",
    "ipv6.reassembled.length",
    "ipv6.tclass",
    "ipv6.flow",
    "ipv6.plen",
    "ipv6.nxt",
    "ipv6.hlim",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.fraghdr.nxt",
    "ipv6.fraghdr.ident",
    "ipv6.fraghdr.offset",
    "ipv6.fraghdr.more",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.hdr_len",
    "tcp.flags",
    "tcp.window_size_value",
    "tcp.checksum",
    "tcp.checksum.status",
    "tcp.urgent_pointer",
    "tcp.len",
    "tcp.payload",
    "tcp.option_kind",
    "tcp.options.mss_val",
    "tcp.options.wscale.shift",
    "tcp.options.sack_le",
    "tcp.options.sack_re",
    "tcp.options.timestamp.tsval",
    "tcp.options.timestamp.tsecr",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
    "udp.checksum",
    "udp.checksum.status",
    "udp.payload",
    "icmp.type",
    "icmp.code",
    "icmp.checksum",
    "icmp.checksum.status",
    "icmpv6.type",
    "icmpv6.code",
    "icmpv6.checksum",
    "icmpv6.checksum.status",
];

type Fields = BTreeMap<&'static str, Vec<String>>;

#[test]
fn our_fields_are_tsharks() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut compared = 0;
    let mut frames = 0;
    let mut wrong = Vec::new();
    let mut explained: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for entry in entries
        .iter()
        .filter(|e| e.set == "truth" && !e.file.ends_with(".gz"))
    {
        let theirs = theirs(&entry.path);
        let mut reader = Reader::new(File::open(&entry.path).unwrap(), &entry.file).unwrap();
        let mut rows = theirs.iter();
        let mut defragmenter = Defragmenter::default();
        while let Some(frame) = reader.next_frame().unwrap() {
            let mut packet = decode(&frame);
            defragmenter.packet(&mut packet, &frame);
            let theirs = rows.next().expect("tshark has fewer frames");
            let ours = ours(&packet, frame.data);
            frames += 1;
            for name in FIELDS {
                let none = Vec::new();
                let ours = ours.get(name).unwrap_or(&none);
                let theirs = theirs.get(name).unwrap_or(&none);
                let Some((ours, theirs)) = in_scope(name, &packet, ours, theirs) else {
                    continue;
                };
                compared += theirs.len().max(ours.len());
                if ours == theirs {
                    continue;
                }
                match explain(name, &packet, ours, theirs) {
                    Some(reason) => {
                        *explained.entry((reason, entry.file.clone())).or_default() += 1;
                    }
                    None => wrong.push(format!(
                        "{} {} {name}: ours {ours:?}, tshark's {theirs:?}",
                        entry.file, packet.number
                    )),
                }
            }
        }
        assert!(
            rows.next().is_none(),
            "{}: tshark has more frames",
            entry.file
        );
    }
    eprintln!("{compared} values of {frames} frames compared; explained differences:");
    for ((reason, file), count) in &explained {
        eprintln!("{count:>5} {file}: {reason}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let explained: Vec<(&str, &str, usize)> = explained
        .iter()
        .map(|((reason, file), count)| (*reason, file.as_str(), *count))
        .collect();
    assert_eq!(explained, PINNED);
}

const HARDWARE: &str = "a checksum left to hardware is unverified, not bad";
const PADDING: &str = "what follows the end of the option list is padding, no further option";
const BEHIND_LENGTH: &str = "tshark's udp.payload ends where the packet does, not by udp.length";
const BEFORE_1970: &str = "time stamps from 2^63 up are times before 1970";

/// Every difference there is: why, where, and in how many fields.
const PINNED: &[(&str, &str, usize)] = &[
    (HARDWARE, "3.pcapng", 153),
    (HARDWARE, "first.pcap", 7),
    (HARDWARE, "http-empty-useragent.pcap", 16),
    (HARDWARE, "ip4-udp-bad-chksum.pcap", 1),
    (HARDWARE, "localhost-bad-chksum.pcap", 6),
    (HARDWARE, "nanosecs_big_endian.pcap", 10),
    (HARDWARE, "null_loopback.pcap", 1),
    (HARDWARE, "pcapng-example.pcapng", 66),
    (HARDWARE, "raw_ip.pcap", 45),
    (HARDWARE, "udp-wireshark-trace.pcap", 12),
    (HARDWARE, "webserver.pcap", 5),
    (BEFORE_1970, "pcapng-example.pcapng", 100),
    (BEHIND_LENGTH, "ip6_fragments.pcap", 4),
    (PADDING, "fin_retransmission.pcap", 1),
    (PADDING, "handshake-reorder.pcap", 1),
    (PADDING, "http-100-continue.pcap", 1),
    (PADDING, "http-empty-useragent.pcap", 2),
    (PADDING, "http-wrapped-header.pcap", 1),
    (PADDING, "localhost-bad-chksum.pcap", 1),
    (PADDING, "many_interfaces-1.pcapng", 2),
    (PADDING, "smtp.pcap", 2),
    (PADDING, "traceroute-3500bytes.pcapng", 7),
];

/// Why a difference is no mistake; None where it is one.
fn explain(
    name: &str,
    packet: &Packet,
    ours: &[String],
    theirs: &[String],
) -> Option<&'static str> {
    if name.ends_with("p.checksum.status") && ours == ["2"] && theirs == ["0"] {
        return Some(HARDWARE);
    }
    if name == "tcp.option_kind" && theirs.starts_with(ours) {
        let rest = &theirs[ours.len()..];
        let ended = ours.last().is_some_and(|kind| kind == "0");
        return (ended && rest.iter().all(|kind| kind == "0")).then_some(PADDING);
    }
    if name == "frame.time_epoch" && packet.time.0 < 0 {
        let micros: i128 = theirs[0].replace('.', "").parse::<i128>().unwrap() / 1000;
        let same = micros - (1 << 64) == i128::from(packet.time.0) / 1000;
        return same.then_some(BEFORE_1970);
    }
    if name == "udp.payload" && theirs.len() == ours.len() && theirs.len() == 1 {
        let behind = theirs[0].strip_prefix(&ours[0])?;
        let whole = packet.reassembled()?;
        let length = u32::from(packet.udp()?.length);
        let there = whole.bytes.len() as u32 - whole.start;
        return (behind.len() as u32 == 2 * (there - length)).then_some(BEHIND_LENGTH);
    }
    None
}

/// The values to compare; None where the field is out of scope here.
fn in_scope<'a>(
    name: &str,
    packet: &Packet,
    ours: &'a [String],
    theirs: &'a [String],
) -> Option<(&'a [String], &'a [String])> {
    // A pcap file has no interfaces, says tshark; one, say we.
    if name == "frame.interface_id" && theirs.is_empty() {
        return Some((&[], &[]));
    }
    let quotes = packet.icmp().is_some();
    // tshark also verifies a quoted header, and shows a quoted ICMP message.
    let of_icmp = name.starts_with("icmp.") || name.starts_with("icmpv6.");
    if quotes && (of_icmp || name == "ip.checksum.status") {
        let own = ours.len();
        return Some((ours, theirs.get(..own).unwrap_or(theirs)));
    }
    // We keep less of a quoted header than tshark shows.
    let quoted = ["srcport", "dstport", "seq_raw", "udp.length", "udp.payload"];
    let of_transport = name.starts_with("tcp.") || name.starts_with("udp.");
    if quotes && of_transport && !quoted.iter().any(|field| name.ends_with(field)) {
        return None;
    }
    Some((ours, theirs))
}

/// Frame by frame.
fn theirs(path: &Path) -> Vec<Fields> {
    let mut arguments = vec![
        "-r",
        path.to_str().unwrap(),
        "-n",
        "-T",
        "fields",
        "-E",
        "aggregator=,",
    ];
    for preference in [
        "tcp.relative_sequence_numbers:FALSE",
        "ip.check_checksum:TRUE",
        "tcp.check_checksum:TRUE",
        "udp.check_checksum:TRUE",
    ] {
        arguments.extend(["-o", preference]);
    }
    for name in FIELDS {
        arguments.extend(["-e", name]);
    }
    let output = tshark(arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.stdout.lines().map(row).collect()
}

fn row(line: &str) -> Fields {
    let columns = line.split('\t');
    let fields = FIELDS
        .iter()
        .zip(columns)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, value.split(',').map(normal).collect()))
        .collect();
    raw_numbers(one_name_for_tags(fields))
}

/// tshark has two names for the number of a VLAN, and the outer tag has the other.
fn one_name_for_tags(mut fields: Fields) -> Fields {
    if let Some(mut tags) = fields.remove("ieee8021ad.id") {
        tags.append(&mut fields.remove("vlan.id").unwrap_or_default());
        fields.insert("vlan.id", tags);
    }
    fields
}

/// tshark was told to show sequence numbers as they are. Of a quoted segment it
/// has no `tcp.seq_raw` then.
fn raw_numbers(mut fields: Fields) -> Fields {
    if let Some(numbers) = fields.remove("tcp.seq") {
        fields.entry("tcp.seq_raw").or_insert(numbers);
    }
    fields
}

/// Hexadecimal numbers as decimal ones.
fn normal(value: &str) -> String {
    match value.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
        None => value.to_owned(),
    }
}

/// The fragments of a datagram that the packet completes.
fn reassembled(packet: &Packet, put: &mut impl FnMut(&'static str, String)) {
    let Some(whole) = packet.reassembled() else {
        return;
    };
    let [fragment, count, length] = match packet.net {
        Some(Net::V4(_)) => ["ip.fragment", "ip.fragment.count", "ip.reassembled.length"],
        _ => [
            "ipv6.fragment",
            "ipv6.fragment.count",
            "ipv6.reassembled.length",
        ],
    };
    for number in &whole.frames {
        put(fragment, number.to_string());
    }
    put(count, whole.frames.len().to_string());
    put(length, (whole.bytes.len() as u32 - whole.start).to_string());
}

fn ours(packet: &Packet, frame: &[u8]) -> Fields {
    let mut fields = Fields::new();
    let mut put = |name: &'static str, value: String| {
        fields.entry(name).or_default().push(value);
    };
    put("frame.number", packet.number.to_string());
    let (seconds, nanoseconds) = (
        packet.time.0.div_euclid(1_000_000_000),
        packet.time.0.rem_euclid(1_000_000_000),
    );
    put("frame.time_epoch", format!("{seconds}.{nanoseconds:09}"));
    put("frame.len", packet.len.to_string());
    put("frame.cap_len", packet.cap_len.to_string());
    put("frame.interface_id", packet.interface.to_string());
    link(&packet.link, &mut put);
    let checksums = checksum_status(packet, frame);
    for outer in packet.outer() {
        let data = packet.data(frame);
        network(&outer.net, &mut put);
        if let Some(state) = header_checksum_status(&outer.net, data) {
            put("ip.checksum.status", status(state));
        }
        if let Transport::Udp(datagram) = &outer.transport {
            udp(datagram, data, &mut put);
        }
        if let Some(inner) = outer.ethernet {
            link(&Link::Ethernet(inner), &mut put);
        }
    }
    reassembled(packet, &mut put);
    let frame = packet.data(frame);
    if let Some(net) = &packet.net {
        network(net, &mut put);
    }
    if let Some(state) = checksums.ip {
        put("ip.checksum.status", status(state));
    }
    let transport_status = checksums.transport.map(status).unwrap_or_default();
    match &packet.transport {
        Transport::Tcp(segment) => {
            tcp(segment, frame, &mut put);
            put("tcp.checksum.status", transport_status);
        }
        Transport::Udp(datagram) => {
            udp(datagram, frame, &mut put);
            put("udp.checksum.status", transport_status);
        }
        Transport::Icmp(message) => {
            put("icmp.type", message.kind.to_string());
            put("icmp.code", message.code.to_string());
            put("icmp.checksum", message.checksum.to_string());
            put("icmp.checksum.status", transport_status);
            quoted_of(message, frame, &mut put);
        }
        Transport::Icmpv6(message) => {
            put("icmpv6.type", message.kind.to_string());
            put("icmpv6.code", message.code.to_string());
            put("icmpv6.checksum", message.checksum.to_string());
            put("icmpv6.checksum.status", transport_status);
            quoted_of(message, frame, &mut put);
        }
        _ => {}
    }
    fields
}

fn link(link: &Link, put: &mut impl FnMut(&'static str, String)) {
    match link {
        Link::Ethernet(ethernet) => {
            put("eth.dst", mac(&ethernet.dst));
            put("eth.src", mac(&ethernet.src));
            for id in ethernet.vlan.ids() {
                put("vlan.id", id.to_string());
            }
        }
        Link::LinuxCooked(cooked) => {
            put("sll.pkttype", cooked.packet_type.to_string());
            for id in cooked.vlan.ids() {
                put("vlan.id", id.to_string());
            }
        }
        // An EtherType in this place has another name.
        Link::Null { family } if *family > 1500 => {}
        Link::Null { family } => put("null.family", family.to_string()),
        _ => {}
    }
}

fn network(net: &Net, put: &mut impl FnMut(&'static str, String)) {
    match net {
        Net::V4(ip) => {
            put("ip.hdr_len", ip.header.len.to_string());
            put("ip.dsfield.dscp", ip.dscp.to_string());
            put("ip.dsfield.ecn", ip.ecn.to_string());
            put("ip.len", ip.total_len.to_string());
            put("ip.id", ip.id.to_string());
            put("ip.flags.df", u8::from(ip.dont_fragment).to_string());
            put("ip.flags.mf", u8::from(ip.more_fragments).to_string());
            put("ip.frag_offset", (ip.fragment_offset / 8).to_string());
            put("ip.ttl", ip.ttl.to_string());
            put("ip.proto", ip.protocol.to_string());
            put("ip.checksum", ip.checksum.to_string());
            put("ip.src", ip.src.to_string());
            put("ip.dst", ip.dst.to_string());
        }
        Net::V6(ip) => {
            put("ipv6.tclass", ip.traffic_class.to_string());
            put("ipv6.flow", ip.flow_label.to_string());
            put("ipv6.plen", ip.payload_len.to_string());
            put("ipv6.nxt", ip.next_header.to_string());
            put("ipv6.hlim", ip.hop_limit.to_string());
            put("ipv6.src", ip.src.to_string());
            put("ipv6.dst", ip.dst.to_string());
            if let Some(fragment) = ip.fragment {
                put("ipv6.fraghdr.nxt", fragment.next.to_string());
                put("ipv6.fraghdr.ident", fragment.id.to_string());
                put("ipv6.fraghdr.offset", (fragment.offset / 8).to_string());
                put("ipv6.fraghdr.more", u8::from(fragment.more).to_string());
            }
        }
    }
}

fn tcp(tcp: &Tcp, frame: &[u8], put: &mut impl FnMut(&'static str, String)) {
    put("tcp.srcport", tcp.src_port.to_string());
    put("tcp.dstport", tcp.dst_port.to_string());
    put("tcp.seq_raw", tcp.seq.to_string());
    put("tcp.ack_raw", tcp.ack.to_string());
    put("tcp.hdr_len", tcp.header.len.to_string());
    put("tcp.flags", tcp.flags.0.to_string());
    put("tcp.window_size_value", tcp.window.to_string());
    put("tcp.checksum", tcp.checksum.to_string());
    put("tcp.urgent_pointer", tcp.urgent.to_string());
    put("tcp.len", tcp.len.to_string());
    if !tcp.payload.is_empty() {
        put("tcp.payload", hex(tcp.payload.of(frame)));
    }
    for option in tcp.options(frame) {
        put("tcp.option_kind", option.kind().to_string());
        match option {
            TcpOption::MaximumSegmentSize(size) => put("tcp.options.mss_val", size.to_string()),
            TcpOption::WindowScale(shift) => put("tcp.options.wscale.shift", shift.to_string()),
            TcpOption::Sack(blocks) => {
                for (left, right) in blocks.iter().flatten() {
                    put("tcp.options.sack_le", left.to_string());
                    put("tcp.options.sack_re", right.to_string());
                }
            }
            TcpOption::Timestamps { value, echo_reply } => {
                put("tcp.options.timestamp.tsval", value.to_string());
                put("tcp.options.timestamp.tsecr", echo_reply.to_string());
            }
            _ => {}
        }
    }
}

fn udp(udp: &Udp, frame: &[u8], put: &mut impl FnMut(&'static str, String)) {
    put("udp.srcport", udp.src_port.to_string());
    put("udp.dstport", udp.dst_port.to_string());
    put("udp.length", udp.length.to_string());
    put("udp.checksum", udp.checksum.to_string());
    if !udp.payload.is_empty() {
        put("udp.payload", hex(udp.payload.of(frame)));
    }
}

fn quoted_of(icmp: &Icmp, frame: &[u8], put: &mut impl FnMut(&'static str, String)) {
    let Some(quoted) = icmp.quoted.as_deref() else {
        return;
    };
    network(&quoted.net, put);
    let Quoted {
        undelivered: _,
        src_port: Some(src),
        dst_port: Some(dst),
        ..
    } = quoted
    else {
        return;
    };
    if let Some(length) = quoted.udp_length {
        put("udp.srcport", src.to_string());
        put("udp.dstport", dst.to_string());
        put("udp.length", length.to_string());
        if !quoted.payload.is_empty() {
            put("udp.payload", hex(quoted.payload.of(frame)));
        }
    }
    if let Some(seq) = quoted.seq {
        put("tcp.srcport", src.to_string());
        put("tcp.dstport", dst.to_string());
        put("tcp.seq_raw", seq.to_string());
    }
}

/// Wireshark's numbers for the states of a checksum.
fn status(status: ChecksumStatus) -> String {
    match status {
        ChecksumStatus::Bad => "0",
        ChecksumStatus::Good => "1",
        ChecksumStatus::Unverified => "2",
        ChecksumStatus::Absent => "3",
    }
    .to_owned()
}

fn mac(address: &[u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
