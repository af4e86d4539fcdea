//! Every field of the registry on every packet of the truth set, against
//! tshark's values. Differences that are there are told with their reason; any
//! other one fails the test.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use netlab_capture::conversation::Seen;
use netlab_capture::decode::{Link, Packet};
use netlab_capture::expect::ast::{Filter, Literal, Operand};
use netlab_capture::expect::fields::{self, Field, FieldValue, Kind, Reading, View};
use netlab_capture::expect::parse_filter;
use netlab_capture::trace::{self, Trace};

use crate::corpus;
use crate::tshark;

#[test]
fn fields_have_tsharks_values() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut compared = 0;
    let mut explained: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    let truth = entries.iter().filter(|e| e.set == "truth");
    for entry in truth.filter(|e| !e.file.ends_with(".gz")) {
        let trace = trace::read(File::open(&entry.path).unwrap(), &entry.file, None).unwrap();
        let lines = tsharks_values(&entry.path);
        assert_eq!(lines.len(), trace.packets.len(), "{}", entry.file);
        for (index, line) in lines.iter().enumerate() {
            for (field, theirs) in compared_fields().zip(line.split('\t')) {
                compared += 1;
                let view = View::new(&trace, index, Reading::Filter).unwrap();
                let ours = our_values(&view, field);
                let mut theirs = as_ours(theirs, field);
                if field.name == "frame.protocols" {
                    theirs = theirs.iter().map(|all| as_far_as(all, &ours)).collect();
                }
                if ours == theirs {
                    continue;
                }
                match why(&entry.file, &trace, &view, field.name, &ours) {
                    Some(reason) => *explained.entry(reason).or_default() += 1,
                    None => wrong.push(format!(
                        "{} frame {} {}: {ours:?}, tshark has {theirs:?}",
                        entry.file,
                        index + 1,
                        field.name
                    )),
                }
            }
        }
    }
    eprintln!("{compared} fields of packets compared; explained differences: {explained:#?}");
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What the states of conversations decide is compared by the test of
/// conversations.
fn compared_fields() -> impl Iterator<Item = &'static Field> {
    fields::all().filter(|f| !f.name.starts_with("tcp.analysis.") && f.name != "tcp.completeness")
}

/// A line for each packet, a column for each field.
fn tsharks_values(path: &Path) -> Vec<String> {
    let mut arguments = vec!["-r".to_owned(), path.display().to_string()];
    arguments
        .extend(["-T", "fields", "-E", "aggregator=|", "-E", "occurrence=a"].map(String::from));
    for field in compared_fields() {
        arguments.extend(["-e".to_owned(), field.name.to_owned()]);
    }
    let output = tshark::tshark(arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.stdout.lines().map(str::to_owned).collect()
}

/// The field's values as text; for a protocol, whether it is there at all.
pub fn our_values(view: &View<'_>, field: &Field) -> Vec<String> {
    let values = field.values(view);
    if is_mere_existence(field) {
        return values.iter().take(1).map(|_| "there".to_owned()).collect();
    }
    let mut values: Vec<String> = values.iter().map(|v| as_text(v, field.kind)).collect();
    values.retain(|value| !value.is_empty());
    values
}

fn as_text(value: &FieldValue<'_>, kind: Kind) -> String {
    match (value, kind) {
        (FieldValue::Number(number), _) => number.to_string(),
        (FieldValue::Ip(address), _) => address.to_string(),
        (FieldValue::Text(text), _) => String::from_utf8_lossy(text).into_owned(),
        (FieldValue::Layer { bytes, .. }, _) => as_text(&FieldValue::Bytes((*bytes).into()), kind),
        (FieldValue::Message(said), _) => as_text(&FieldValue::Bytes(said.sent()), kind),
        (FieldValue::Bytes(bytes), _) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
    }
}

/// As many of the protocols as we name: what HTTP carries, tshark names too.
fn as_far_as(theirs: &str, ours: &[String]) -> String {
    let depth = ours.first().map_or(0, |ours| ours.split(':').count());
    theirs.split(':').take(depth).collect::<Vec<_>>().join(":")
}

/// tshark prints content as text that it cuts, and not as bytes.
fn is_mere_existence(field: &Field) -> bool {
    matches!(field.kind, Kind::Protocol | Kind::Label)
        || ["http.file_data", "tls.app_data"].contains(&field.name)
}

fn as_ours(theirs: &str, field: &Field) -> Vec<String> {
    if theirs.is_empty() {
        return Vec::new();
    }
    if is_mere_existence(field) {
        return vec!["there".to_owned()];
    }
    theirs
        .split('|')
        .map(|value| normal(value, field.kind))
        .collect()
}

fn normal(value: &str, kind: Kind) -> String {
    match kind {
        Kind::Unsigned(_) | Kind::Bool => match value.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap().to_string(),
            None => value.to_owned(),
        },
        Kind::Time => {
            let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
            let nanoseconds = format!("{whole}{fraction:0<9}");
            nanoseconds.parse::<i128>().unwrap().to_string()
        }
        Kind::Ether => value.replace(':', ""),
        Kind::Text => value.replace("\\r", "\r").replace("\\n", "\n"),
        Kind::Moment => {
            let (filter, _) = parse_filter(&format!("frame.time == \"{value}\""), &[]);
            match filter {
                Some(Filter::Compare {
                    right: Operand::Literal(Literal::Number(number)),
                    ..
                }) => number.to_string(),
                _ => value.to_owned(),
            }
        }
        _ => value.to_owned(),
    }
}

/// Why a difference is no mistake; None where it is one.
pub fn why(
    file: &str,
    trace: &Trace,
    view: &View<'_>,
    field: &str,
    ours: &[String],
) -> Option<&'static str> {
    let packet = view.packet;
    if field == "frame.protocols" {
        let last = ours.first().and_then(|all| all.rsplit(':').next());
        let raw = Some("`raw` is a layer, of each of its link types");
        let raw = raw.filter(|_| packet.link == Link::Raw);
        let carried = last.filter(|last| ["http", "tls"].contains(last));
        return carried
            .and_then(|layer| why(file, trace, view, layer, ours))
            .or(raw);
    }
    let layer = field.split('.').next().unwrap_or_default();
    let above_ip = ["tcp", "udp", "icmp", "icmpv6", "http", "data"].contains(&layer);
    Some(match field {
        "data.len" | "data.data" if packet.icmp().is_some_and(|icmp| icmp.quoted.is_none()) => {
            "Wireshark takes a time stamp off an echo's data"
        }
        _ if layer == "data" && !ours.is_empty() => "Wireshark decodes the payload by its port",
        _ if layer == "data" && fields::lookup("http").is_some_and(|f| f.is_in(view)) => {
            "what HTTP carries is no data"
        }
        _ if layer == "http" && packet.udp().is_some() => "HTTP over UDP is not read",
        _ if layer == "tls" && packet.udp().is_some() => "TLS within QUIC is not read",
        "_ws.malformed" if ours.is_empty() && packet.tcp().is_some_and(|t| t.len > 0) => {
            "what TCP carries is told with the messages"
        }
        "tls" if ours.is_empty() => "TLS is shown where a record is complete",
        _ if above_ip && quotes(packet, 1) => "a quoted ICMP message is not read",
        _ if layer == "tcp" && quotes(packet, 6) => {
            "of a quoted segment, ports and number are read"
        }
        "dns.time" | "dns.response_to" if packet.ports().is_some_and(|ports| ports.1 == 5353) => {
            "answers of multicast DNS name no query"
        }
        "udp.stream" if packet.icmp().is_some() => "an ICMP error begins no conversation",
        "tcp.time_delta" if follows_an_error(trace, view) => {
            "a segment that an ICMP error quotes is none of the conversation"
        }
        "frame.time"
        | "frame.time_epoch"
        | "frame.time_relative"
        | "frame.time_delta"
        | "frame.time_delta_displayed"
            if is_before_1970(view) =>
        {
            "Wireshark has no times before 1970"
        }
        "frame.interface_name" if ours.is_empty() => "an interface without a name is \"unknown\"",
        "llc" if packet.udp().is_some() || quotes(packet, 17) => {
            "Wireshark takes what comes to a port for LLC"
        }
        "udp.payload" if packet.reassembled().is_some() => {
            "what lies behind the datagram's end is no payload"
        }
        "dns.resp.type" if ours.iter().any(|kind| kind == "47") => {
            "the types that an NSEC record lists are not read"
        }
        "tcp.option_kind" if ours.last().is_some_and(|kind| kind == "0") => {
            "padding behind the end of the options is no option"
        }
        _ => return listed(file, packet.number, layer, field),
    })
}

/// Files and packets that need a closer look.
fn listed(file: &str, frame: u64, layer: &str, field: &str) -> Option<&'static str> {
    Some(match (file, frame, layer) {
        (
            "methods.pcap",
            14 | 34 | 108 | 172 | 319 | 329 | 369 | 419 | 469 | 519 | 569 | 619,
            "http",
        ) => "a request line against RFC 9112 is no HTTP",
        ("methods.pcap", 379 | 429 | 479 | 529 | 579 | 629, "http")
            if field == "http.request.version" =>
        {
            "a request without a version has none"
        }
        ("methods.pcap", 36 | 321 | 331, "http") => "the request that it answers is no HTTP",
        ("handshake-reorder.pcap", 2, _) | ("tcp_handshake_synthetic.pcap", 43, _)
            if field == "tcp.analysis" =>
        {
            "nothing is said of a SYN behind its SYN,ACK"
        }
        ("http-wireshark-trace5-2.pcapng", 86, "tls") => {
            "Wireshark puts no segments together that came out of order"
        }
        ("http-wireshark-trace5-2.pcapng", 106 | 108 | 110 | 112 | 114 | 116, "tls") => {
            "Wireshark takes a keep-alive's byte for the first one of a record"
        }
        ("http_09.pcap", 4 | 8, "http") => "Wireshark reads no HTTP/0.9",
        ("http-wrapped-header.pcap", 8, "http") => "a folded header line is joined by a space",
        (
            "http-protocol-nodup-input.pcap"
            | "ruletype-firewall-88-default-accept-tx-pipeline-input.pcap",
            _,
            "http",
        ) if matches!(field, "http.request_in" | "http.time") => {
            "Wireshark pairs no requests that were sent in a row"
        }
        ("http-protocol-nodup-input.pcap", 4, "http") => {
            "the target has the separator of this test"
        }
        ("raw_ip.pcap", 49, "http")
        | ("unidirectional_tcp_stream_with_missing_packet.pcap", 4, "http") => {
            "Wireshark shows no HTTP of a message that is never complete"
        }
        ("pcapng-example.pcapng", 139, "http") => "the head was cut when it was captured",
        ("null_loopback.pcap", 3, "null") => {
            "Wireshark takes a family that is an EtherType for one"
        }
        ("tcp_dupack.pcapng", 6, "http") => "bytes in the midst of a message are none",
        ("fin_retransmission.pcap", 5, _) if field == "tcp.ack" => {
            "without ACK, its number means nothing"
        }
        _ => return None,
    })
}

/// Between the packet and the one before it in its conversation, an ICMP error
/// quoted a segment of it.
fn follows_an_error(trace: &Trace, view: &View<'_>) -> bool {
    let conversation = |seen: &Seen| seen.conversation;
    let own = view.seen.and_then(conversation);
    let before = trace.seen[..view.index]
        .iter()
        .rposition(|seen| seen.conversation == own);
    before.is_some_and(|i| trace.packets[i].icmp().is_some())
}

fn quotes(packet: &Packet, protocol: u8) -> bool {
    let quoted = packet.icmp().and_then(|icmp| icmp.quoted.as_deref());
    quoted.is_some_and(|quoted| quoted.protocol == protocol)
}

fn is_before_1970(view: &View<'_>) -> bool {
    let before = view.times().captured;
    view.packet.time.0 < 0 || before.is_some_and(|time| time.0 < 0)
}
