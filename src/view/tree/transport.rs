//! TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792, RFC 4443) and the rest over IP.

use super::{Node, flag, hex16, link, network};
use crate::conversation::{Marks, SeenTcp};
use crate::decode::{
    ChecksumStatus, Encapsulation, Gre, Icmp, Layer, Outer, Packet, Quoted, Span, Tcp, TcpFlags,
    TcpOption, Transport, Udp, checksum_status,
};
use crate::expect::icmp;
use crate::trace::Trace;

/// The layers between an outer IP header and what its tunnel carries.
pub fn outer(outer: &Outer, data: &[u8]) -> Vec<Node> {
    let mut layers = Vec::new();
    match &outer.transport {
        Transport::Udp(udp) => layers.push(self::udp(udp, None)),
        Transport::Gre(gre) => layers.push(gre_node(gre)),
        _ => {}
    }
    layers.extend(outer.encapsulation.as_ref().and_then(encapsulation));
    if let (Some(ethernet), Some(start)) = (&outer.ethernet, outer.inner_frame())
        && (start as usize) < data.len()
    {
        layers.push(link::ethernet(ethernet, start));
    }
    layers
}

/// The header of a tunnel, and where in it its number stands.
pub fn encapsulation(outer: &Encapsulation) -> Option<Node> {
    let (name, label, what, (at, len)) = match outer.layer {
        Layer::Vxlan => ("vxlan.vni", "VXLAN", "Network", (4, 3)),
        Layer::Geneve => ("geneve.vni", "Geneve", "Network", (4, 3)),
        Layer::Gtp => ("gtp.teid", "GTP", "Tunnel", (4, 4)),
        // Type I has no header.
        Layer::Erspan if outer.header.is_empty() => return None,
        Layer::Erspan => ("erspan.spanid", "ERSPAN", "Session", (2, 2)),
        _ => return None,
    };
    let number = Node::field(name, what, outer.number, (outer.header.start + at, len));
    let group = Node::group(Some(outer.layer.name()), label, outer.header);
    Some(group.with([number]))
}

fn gre_node(gre: &Gre) -> Node {
    Node::group(Some("gre"), "Generic Routing Encapsulation", gre.header).with([Node::field(
        "gre.proto",
        "Protocol",
        hex16(gre.protocol),
        (gre.header.start + 2, 2),
    )])
}

pub fn layers(trace: &Trace, index: usize, packet: &Packet, data: &[u8]) -> Option<Node> {
    let status = checksum_status(packet, trace.frame(index)).transport;
    let seen = trace.seen.get(index);
    let stream = seen
        .and_then(|seen| trace.conversations.get(seen.conversation?))
        .map(|conversation| conversation.id);
    Some(match &packet.transport {
        Transport::Tcp(segment) => {
            let seen = seen.and_then(|seen| seen.tcp.as_ref());
            tcp(trace, segment, seen, data, status)
                .with(stream.map(|id| Node::field("tcp.stream", "Conversation", id, (0, 0))))
        }
        Transport::Udp(datagram) => udp(datagram, status)
            .with(stream.map(|id| Node::field("udp.stream", "Conversation", id, (0, 0)))),
        Transport::Icmp(message) => icmp_node(message, false, status),
        Transport::Icmpv6(message) => icmp_node(message, true, status),
        Transport::Gre(gre) => gre_node(gre),
        Transport::Sctp(sctp) => {
            let at = sctp.payload.start.saturating_sub(12);
            Node::group(
                Some("sctp"),
                "Stream Control Transmission Protocol",
                Span { start: at, len: 12 },
            )
            .with([
                Node::field("sctp.srcport", "Source port", sctp.src_port, (at, 2)),
                Node::field(
                    "sctp.dstport",
                    "Destination port",
                    sctp.dst_port,
                    (at + 2, 2),
                ),
            ])
        }
        Transport::Igmp(igmp) => Node::group(
            Some("igmp"),
            "Internet Group Management Protocol",
            igmp.message,
        )
        .with([Node::field(
            "igmp.type",
            "Type",
            format!("0x{:02x}", igmp.kind),
            (igmp.message.start, 1),
        )]),
        Transport::Named { layer, payload } => {
            Node::group(Some(layer.name()), layer.name(), *payload)
        }
        Transport::Other { protocol, payload } => {
            let mut node = Node::group(None, "Another protocol over IP", *payload);
            node.value = protocol.to_string();
            node.says(network::protocol(*protocol))
        }
        Transport::Fragment => {
            let mut node = Node::group(None, "A part of a datagram", Span::default());
            node.value = "the packet that completes it shows the whole".to_owned();
            node
        }
        // ARP is told with the link layer.
        Transport::Arp(_) | Transport::None => return None,
    })
}

pub fn checksum_words(status: Option<ChecksumStatus>) -> &'static str {
    match status {
        Some(ChecksumStatus::Good) => "right",
        Some(ChecksumStatus::Bad) => "wrong",
        Some(ChecksumStatus::Absent) => "none was sent",
        Some(ChecksumStatus::Unverified) => "not verified: left to hardware that is not there",
        None => "",
    }
}

fn udp(udp: &Udp, status: Option<ChecksumStatus>) -> Node {
    let at = udp.header.start;
    let mut node = Node::group(Some("udp"), "User Datagram Protocol", udp.header);
    node.value = format!("port {} to port {}", udp.src_port, udp.dst_port);
    let length = match udp.length.checked_sub(8) {
        Some(payload) => format!("8 bytes of header and {payload} of payload"),
        None => "less than the header's 8 bytes".to_owned(),
    };
    node.children = vec![
        Node::field("udp.srcport", "Source port", udp.src_port, (at, 2)),
        Node::field("udp.dstport", "Destination port", udp.dst_port, (at + 2, 2)),
        Node::field("udp.length", "Length", udp.length, (at + 4, 2)).says(length),
        Node::field("udp.checksum", "Checksum", hex16(udp.checksum), (at + 6, 2))
            .says(checksum_words(status)),
    ];
    if !udp.payload.is_empty() {
        node.children.push(payload("udp.payload", udp.payload));
    }
    node
}

fn payload(field: &'static str, span: Span) -> Node {
    let bytes = match span.len {
        1 => "1 byte".to_owned(),
        n => format!("{n} bytes"),
    };
    Node {
        filter: Some(field.to_owned()),
        ..Node::field(field, "Payload", bytes, (span.start, span.len))
    }
}

/// The flags, the highest bit first, with the byte that each is in.
const FLAGS: [(&str, &str, u16, u32, &str); 9] = [
    (
        "tcp.flags.ae",
        "AE",
        TcpFlags::AE,
        12,
        "accurate congestion notification",
    ),
    (
        "tcp.flags.cwr",
        "CWR",
        TcpFlags::CWR,
        13,
        "the congestion window was reduced",
    ),
    (
        "tcp.flags.ece",
        "ECE",
        TcpFlags::ECE,
        13,
        "congestion is reported back",
    ),
    (
        "tcp.flags.urg",
        "URG",
        TcpFlags::URG,
        13,
        "the urgent pointer is valid",
    ),
    (
        "tcp.flags.ack",
        "ACK",
        TcpFlags::ACK,
        13,
        "the acknowledgement number is valid",
    ),
    (
        "tcp.flags.push",
        "PSH",
        TcpFlags::PSH,
        13,
        "hand the bytes over at once",
    ),
    (
        "tcp.flags.reset",
        "RST",
        TcpFlags::RST,
        13,
        "the connection is refused or cut off",
    ),
    (
        "tcp.flags.syn",
        "SYN",
        TcpFlags::SYN,
        13,
        "a connection is opened",
    ),
    (
        "tcp.flags.fin",
        "FIN",
        TcpFlags::FIN,
        13,
        "the sender has no more bytes",
    ),
];

fn tcp(
    trace: &Trace,
    tcp: &Tcp,
    seen: Option<&SeenTcp>,
    data: &[u8],
    status: Option<ChecksumStatus>,
) -> Node {
    let at = tcp.header.start;
    let mut node = Node::group(Some("tcp"), "Transmission Control Protocol", tcp.header);
    node.value = format!("port {} to port {}", tcp.src_port, tcp.dst_port);
    let relative = |field, label, value: Option<u32>, at| {
        value.map(|value| Node::field(field, label, value, at).says("relative"))
    };
    node.children = vec![
        Node::field("tcp.srcport", "Source port", tcp.src_port, (at, 2)),
        Node::field("tcp.dstport", "Destination port", tcp.dst_port, (at + 2, 2)),
    ];
    let children = &mut node.children;
    children.extend(relative(
        "tcp.seq",
        "Sequence number",
        seen.map(|s| s.seq),
        (at + 4, 4),
    ));
    children.push(Node::field(
        "tcp.seq_raw",
        "Sequence number, raw",
        tcp.seq,
        (at + 4, 4),
    ));
    children.extend(relative(
        "tcp.nxtseq",
        "Next sequence number",
        seen.map(|s| s.next_seq),
        (0, 0),
    ));
    if tcp.flags.ack() {
        children.extend(relative(
            "tcp.ack",
            "Acknowledgement number",
            seen.map(|s| s.ack),
            (at + 8, 4),
        ));
        children.push(Node::field(
            "tcp.ack_raw",
            "Acknowledgement number, raw",
            tcp.ack,
            (at + 8, 4),
        ));
    }
    let claimed = tcp.claimed_header_len(data);
    children.push(Node::field("tcp.hdr_len", "Header length", claimed, (at + 12, 1)).says("bytes"));
    children.push(flags(tcp, at));
    children.push(Node::field(
        "tcp.window_size_value",
        "Window",
        tcp.window,
        (at + 14, 2),
    ));
    if let Some(seen) = seen {
        children.push(
            Node::field("tcp.window_size", "Window, scaled", seen.window, (0, 0)).says("bytes"),
        );
    }
    children.push(
        Node::field(
            "tcp.checksum",
            "Checksum",
            hex16(tcp.checksum),
            (at + 16, 2),
        )
        .says(checksum_words(status)),
    );
    children.push(Node::field(
        "tcp.urgent_pointer",
        "Urgent pointer",
        tcp.urgent,
        (at + 18, 2),
    ));
    children.extend(options(tcp, data));
    children.extend(seen.and_then(|seen| analysis(trace, seen)));
    if tcp.len > 0 {
        children.push(Node::field("tcp.len", "Payload length", tcp.len, (0, 0)).says("bytes"));
    }
    if !tcp.payload.is_empty() {
        children.push(payload("tcp.payload", tcp.payload));
    }
    node
}

fn flags(tcp: &Tcp, at: u32) -> Node {
    let set = FLAGS.iter().filter(|(_, _, bit, _, _)| tcp.flags.has(*bit));
    let names: Vec<&str> = set.rev().map(|(_, name, ..)| *name).collect();
    let value = format!("0x{:03x}", tcp.flags.0);
    Node::field("tcp.flags", "Flags", value, (at + 12, 2))
        .says(names.join(", "))
        .with(FLAGS.iter().map(|(field, name, bit, byte, meaning)| {
            flag(field, name, tcp.flags.has(*bit), (at + byte, 1)).means(*meaning)
        }))
}

fn options(tcp: &Tcp, data: &[u8]) -> Option<Node> {
    let span = tcp.options_span();
    if span.is_empty() {
        return None;
    }
    let mut node = Node::group(Some("tcp.options"), "Options", span);
    node.value = format!("{} bytes", span.len);
    let mut at = span.start;
    for option in tcp.options(data) {
        let len = match option {
            TcpOption::EndOfList | TcpOption::NoOperation => 1,
            // The second byte is the option's own length.
            _ => data
                .get(at as usize + 1)
                .map_or(1, |len| u32::from(*len))
                .max(1),
        };
        let len = len.min(span.end().saturating_sub(at));
        node.children.extend(self::option(&option, (at, len)));
        at = at.saturating_add(len);
    }
    Some(node)
}

fn option(option: &TcpOption, at: (u32, u32)) -> Vec<Node> {
    match option {
        TcpOption::EndOfList => vec![Node::text("End of options", "", at)],
        TcpOption::NoOperation => vec![Node::text("No operation", "", at).means("padding")],
        TcpOption::MaximumSegmentSize(mss) => {
            vec![Node::field("tcp.options.mss_val", "Maximum segment size", mss, at).says("bytes")]
        }
        TcpOption::WindowScale(shift) => {
            let node = Node::field("tcp.options.wscale.shift", "Window scale", shift, at);
            vec![node.says(format_args!("times {}", 1u64 << shift.min(&14)))]
        }
        TcpOption::SackPermitted => {
            let mut node = Node::group(
                Some("tcp.options.sack_perm"),
                "SACK permitted",
                Span {
                    start: at.0,
                    len: at.1,
                },
            );
            node.meaning = Some("selective acknowledgements are understood".to_owned());
            vec![node]
        }
        TcpOption::Sack(blocks) => {
            let blocks = blocks.iter().flatten().enumerate();
            blocks
                .map(|(place, (left, right))| {
                    let start = at.0 + 2 + 8 * place as u32;
                    Node::text("SACK", format!("{left} to {right}"), (start, 8))
                        .means("bytes that arrived although earlier ones are missing")
                })
                .collect()
        }
        TcpOption::Timestamps { value, echo_reply } => vec![
            Node::field(
                "tcp.options.timestamp.tsval",
                "Time stamp",
                value,
                (at.0 + 2, 4),
            ),
            Node::field(
                "tcp.options.timestamp.tsecr",
                "Time stamp echoed",
                echo_reply,
                (at.0 + 6, 4),
            ),
        ],
        TcpOption::Unknown { kind, .. } => vec![Node::text("Option", format!("kind {kind}"), at)],
        TcpOption::Malformed { kind } => {
            vec![Node::text("Malformed option", format!("kind {kind}"), at)]
        }
    }
}

fn analysis(trace: &Trace, seen: &SeenTcp) -> Option<Node> {
    let mut node = Node::group(
        Some("tcp.analysis"),
        "What the conversation shows",
        Span::default(),
    );
    node.meaning = Some("found by following the conversation; no byte says it".to_owned());
    let marks = Marks::NAMES.iter().filter(|(mark, _)| seen.is(*mark));
    node.children.extend(marks.map(|(_, name)| {
        let mut mark = Node::text(&name.replace('_', " "), "", (0, 0));
        mark.filter = Some(format!("tcp.analysis.{name}"));
        mark
    }));
    if let Some(acks) = seen.acks
        && let Some(packet) = trace.packets.get(acks.packet)
    {
        node.children.push(Node::field(
            "tcp.analysis.acks_frame",
            "Acknowledges packet",
            packet.number,
            (0, 0),
        ));
        if let Some(rtt) = acks.rtt {
            let seconds = super::seconds(rtt);
            node.children.push(
                Node::field("tcp.analysis.ack_rtt", "Time until then", seconds, (0, 0))
                    .says("seconds"),
            );
        }
    }
    if seen.bytes_in_flight > 0 {
        let label = "Bytes not yet acknowledged";
        let field = "tcp.analysis.bytes_in_flight";
        node.children
            .push(Node::field(field, label, seen.bytes_in_flight, (0, 0)));
    }
    (!node.children.is_empty()).then_some(node)
}

fn icmp_node(message: &Icmp, v6: bool, status: Option<ChecksumStatus>) -> Node {
    const HEADER: u32 = 8;
    let at = message.payload.start.saturating_sub(HEADER);
    let span = Span {
        start: at,
        len: HEADER,
    };
    let (layer, label) = match v6 {
        false => ("icmp", "Internet Control Message Protocol"),
        true => ("icmpv6", "Internet Control Message Protocol version 6"),
    };
    let field = |v4, six| if v6 { six } else { v4 };
    let mut node = Node::group(Some(layer), label, span);
    node.value = icmp::name_of(v6, message.kind, message.code).into_owned();
    node.children = vec![
        Node::field(
            field("icmp.type", "icmpv6.type"),
            "Type",
            message.kind,
            (at, 1),
        ),
        Node::field(
            field("icmp.code", "icmpv6.code"),
            "Code",
            message.code,
            (at + 1, 1),
        ),
        Node::field(
            field("icmp.checksum", "icmpv6.checksum"),
            "Checksum",
            hex16(message.checksum),
            (at + 2, 2),
        )
        .says(checksum_words(status)),
    ];
    node.children.extend(message.quoted.as_deref().map(quoted));
    node
}

/// The packet inside an error, as far as it was quoted.
fn quoted(quoted: &Quoted) -> Node {
    let mut node = Node::group(None, "The packet that this answers", Span::default());
    node.meaning = Some("an ICMP error quotes the packet that caused it".to_owned());
    node.value = format!("{} to {}", quoted.net.src(), quoted.net.dst());
    let protocol = Node::text("Protocol", quoted.protocol, (0, 0));
    node.children = vec![protocol.says(network::protocol(quoted.protocol))];
    let numbers = [
        ("Source port", quoted.src_port.map(u32::from)),
        ("Destination port", quoted.dst_port.map(u32::from)),
        ("Sequence number, raw", quoted.seq),
        ("UDP length", quoted.udp_length.map(u32::from)),
    ];
    let there = numbers.into_iter().filter_map(|(l, n)| Some((l, n?)));
    node.children
        .extend(there.map(|(label, number)| Node::text(label, number, (0, 0))));
    if !quoted.payload.is_empty() {
        let Span { start, len } = quoted.payload;
        node.children.push(Node::text(
            "Quoted payload",
            format!("{len} bytes"),
            (start, len),
        ));
    }
    node
}
