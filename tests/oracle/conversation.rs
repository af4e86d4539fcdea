//! Our conversations and messages against tshark's, over the truth set.
//!
//! Out of scope by rule, because a later issue adds it: what is inside a tunnel,
//! and HTTP over UDP.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use netlab_capture::decode::Net;
use netlab_capture::savefile::Protocol;
use netlab_capture::trace::{self, Trace};

use crate::corpus;
use crate::simulated;
use crate::traffic;
use crate::tshark::{self, tshark};

/// What is compared of each frame. Completeness is that of the whole
/// conversation in tshark's second pass; the rest, and completeness so far, is
/// compared in one pass by [`crate::analysis`].
const FIELDS: &[&str] = &["tcp.stream", "udp.stream", COMPLETENESS];

const COMPLETENESS: &str = "tcp.completeness";

/// What is compared of each stream, in order.
const OF_STREAM: &[&str] = &[
    "http.request.method",
    "http.request.uri",
    "http.response.code",
];

const SEVERAL: char = '\u{1f}';

type Fields = BTreeMap<&'static str, Vec<String>>;

/// One frame as tshark sees it.
struct Row {
    protocols: String,
    fields: Fields,
}

impl Row {
    fn first(&self, name: &str) -> Option<&str> {
        self.fields
            .get(name)
            .and_then(|values| values.first())
            .map(String::as_str)
    }
}

/// Every difference there is: why, where, and how often.
const PINNED: &[(&str, &str, usize)] = &[
    (NO_VERSION, "methods.pcap", 5),
    (NO_TARGET, "methods.pcap", 1),
    (
        HOLE,
        "unidirectional_tcp_stream_with_missing_packet.pcap",
        2,
    ),
    (CUT_HEAD, "pcapng-example.pcapng", 1),
    (HTTP_09, "http_09.pcap", 2),
    (UNFINISHED, "raw_ip.pcap", 1),
];

const NO_VERSION: &str = "a request line without a version at its end is no HTTP/1.x";
const NO_TARGET: &str = "of a request line without a target, tshark takes the version for it";
const HTTP_09: &str = "tshark reads no HTTP/0.9";
const CUT_HEAD: &str = "tshark reads a head whose end was not captured";
const HOLE: &str = "tshark does not read on behind a hole";
const UNFINISHED: &str = "tshark shows a message only when its body is complete";

#[test]
fn our_conversations_are_tsharks() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut comparison = Comparison::default();
    for entry in entries
        .iter()
        .filter(|e| e.set == "truth" && !e.file.ends_with(".gz"))
    {
        comparison.compare(&entry.file, &entry.path);
    }
    let explained = comparison.result();
    let explained: Vec<(&str, &str, usize)> = explained
        .iter()
        .map(|((reason, file), count)| (*reason, file.as_str(), *count))
        .collect();
    assert_eq!(explained, PINNED);
}

#[test]
fn invented_conversations_are_tsharks() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut comparison = Comparison::default();
    for seed in traffic::seeds(6) {
        for (kind, capture) in [
            ("", traffic::capture(seed)),
            ("m", simulated::capture(seed)),
        ] {
            let name = format!("{seed}{kind}");
            let path = folder.path().join(&name);
            fs::write(&path, capture).unwrap();
            comparison.compare(&name, &path);
        }
    }
    assert!(comparison.result().is_empty());
}

/// The quoted packet is the one with the quoted IP id, ports and length.
#[test]
fn icmp_errors_find_the_packet_that_they_quote() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    let mut found = 0;
    for entry in entries.iter().filter(|e| e.set == "truth") {
        let file = File::open(&entry.path).unwrap();
        let Ok(trace) = trace::read(file, &entry.file, None) else {
            continue;
        };
        for (index, packet) in trace.packets.iter().enumerate() {
            let Some(quoted) = packet.icmp().and_then(|icmp| icmp.quoted.as_ref()) else {
                continue;
            };
            let Net::V4(inner) = quoted.net else {
                continue;
            };
            let is_quoted = |i: &usize| match (&trace.packets[*i].net, trace.packets[*i].ports()) {
                (Some(Net::V4(ip)), Some((src, dst))) => {
                    (ip.id, ip.src, ip.dst) == (inner.id, inner.src, inner.dst)
                        && (Some(src), Some(dst)) == (quoted.src_port, quoted.dst_port)
                }
                _ => false,
            };
            let captured = (0..index).find(is_quoted);
            let place = format!("{} {}", entry.file, index + 1);
            assert_eq!(trace.seen[index].quotes, captured, "{place}");
            found += usize::from(captured.is_some());
        }
    }
    eprintln!("{found} quoted packets found");
    assert!(found > 0);
}

#[test]
fn every_corpus_file_becomes_a_trace() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    for entry in entries.iter().filter(|e| !e.file.ends_with(".gz")) {
        let file = File::open(&entry.path).unwrap();
        let Ok(trace) = trace::read(file, &entry.file, None) else {
            continue;
        };
        let packets = trace.packets.len();
        assert_eq!(trace.seen.len(), packets, "{}", entry.file);
        assert_eq!(trace.ends.len(), packets, "{}", entry.file);
        assert_eq!(trace.streams.len(), trace.conversations.len());
        let counted: u64 = trace
            .conversations
            .iter()
            .map(|c| c.packets.to_server + c.packets.to_client)
            .sum();
        let of_conversations = (0..packets)
            .filter(|i| trace.packets[*i].ports().is_some())
            .count();
        assert_eq!(counted, of_conversations as u64, "{}", entry.file);
    }
}

#[derive(Default)]
struct Comparison {
    compared: usize,
    wrong: Vec<String>,
    explained: BTreeMap<(&'static str, String), usize>,
}

impl Comparison {
    fn compare(&mut self, name: &str, path: &Path) {
        let rows = theirs(path);
        let trace = trace::read(File::open(path).unwrap(), name, None).unwrap();
        assert_eq!(trace.packets.len(), rows.len(), "{name}");
        for (index, row) in rows.iter().enumerate() {
            if out_of_scope(&trace, index, row) {
                continue;
            }
            let ours = of_packet(&trace, index);
            for field in FIELDS {
                if *field == COMPLETENESS && !is_last_of_several(&trace, index) {
                    continue;
                }
                let theirs = row.first(field);
                let ours = ours.get(field).map(String::as_str);
                self.compared += usize::from(theirs.is_some());
                if ours != theirs {
                    let place = format!("{}: ours {ours:?}, tshark's {theirs:?}", index + 1);
                    self.differs(name, &format!("{field} {place}"), None);
                }
            }
        }
        let ours = of_streams(&trace);
        let theirs = theirs_of_streams(&rows);
        for key in ours
            .keys()
            .chain(theirs.keys().filter(|k| !ours.contains_key(k)))
        {
            let none = Vec::new();
            let ours = ours.get(key).unwrap_or(&none);
            let theirs = theirs.get(key).unwrap_or(&none);
            self.compared += theirs.len();
            if ours != theirs {
                let place = format!("{key:?}: ours {ours:?}, tshark's {theirs:?}");
                let reason = explain_stream(&trace, *key, ours, theirs);
                self.differs(name, &place, reason);
            }
        }
    }

    fn differs(&mut self, name: &str, place: &str, reason: Option<&'static str>) {
        match reason {
            Some(reason) => *self.explained.entry((reason, name.to_owned())).or_default() += 1,
            None => self.wrong.push(format!("{name} {place}")),
        }
    }

    /// The explained differences; fails where there is another one.
    fn result(self) -> BTreeMap<(&'static str, String), usize> {
        eprintln!("{} values compared; explained differences:", self.compared);
        for ((reason, file), count) in &self.explained {
            eprintln!("{count:>5} {file}: {reason}");
        }
        assert!(self.compared > 0);
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        self.explained
    }
}

/// Quoted and tunnelled packets.
fn out_of_scope(trace: &Trace, index: usize, row: &Row) -> bool {
    let layers = row.protocols.split(':');
    let ip = layers.filter(|l| ["ip", "ipv6", "gre"].contains(l)).count();
    trace.packets[index].icmp().is_some() || ip > 1
}

/// The last packet of a conversation that has others: tshark shows the first
/// one's completeness without the packet itself, also in its second pass.
fn is_last_of_several(trace: &Trace, index: usize) -> bool {
    let of = |i: usize| {
        trace.seen[i]
            .conversation
            .filter(|_| trace.seen[i].tcp.is_some())
    };
    let Some(conversation) = of(index) else {
        return false;
    };
    let later = (index + 1..trace.packets.len()).any(|i| of(i) == Some(conversation));
    !later && trace.conversations[conversation].first_packet < index
}

/// The values of one field in one stream.
type Streams = BTreeMap<(u32, &'static str), Vec<String>>;

fn explain_stream(
    trace: &Trace,
    (stream, name): (u32, &str),
    ours: &[String],
    theirs: &[String],
) -> Option<&'static str> {
    let index = trace
        .conversations
        .iter()
        .position(|c| c.protocol == Protocol::Tcp && c.id == stream)?;
    let ways = &trace.streams[index];
    let of_requests = name.starts_with("http.request");
    let way = if of_requests {
        &ways.to_server
    } else {
        &ways.to_client
    };
    if !way.gaps.is_empty() {
        return Some(if ours.is_empty() { CUT_HEAD } else { HOLE });
    }
    let unfinished = trace
        .messages
        .iter()
        .filter(|m| m.conversation == index)
        .filter_map(|m| m.response.as_ref())
        .filter(|r| !r.body.complete)
        .count();
    if ours.starts_with(theirs) && ours.len() - theirs.len() == unfinished {
        return Some(UNFINISHED);
    }
    let requests = trace.messages.iter().filter(|m| m.conversation == index);
    let mut requests = requests.filter_map(|m| m.request.as_ref());
    if theirs.is_empty() && requests.clone().any(|r| r.head.version == "HTTP/0.9") {
        return Some(HTTP_09);
    }
    if name == "http.request.uri" && requests.any(|r| r.target.is_empty()) {
        return Some(NO_TARGET);
    }
    let bytes = trace.stream_bytes(way, 0..way.len());
    let start = bytes.split(|b| *b == b'\n').next()?.trim_ascii_end();
    let version = start.rsplit(|b| *b == b' ').next()?;
    let words = start.split(|b| *b == b' ').count();
    let odd = words < 3 || ![&b"HTTP/1.0"[..], b"HTTP/1.1"].contains(&version);
    (of_requests && ours.is_empty() && odd).then_some(NO_VERSION)
}

fn theirs(path: &Path) -> Vec<Row> {
    let aggregator = format!("aggregator={SEVERAL}");
    let mut arguments = vec![
        "-2",
        "-r",
        path.to_str().unwrap(),
        "-n",
        "-T",
        "fields",
        "-E",
        &aggregator,
        "-e",
        "frame.protocols",
    ];
    for name in FIELDS.iter().chain(OF_STREAM) {
        arguments.extend(["-e", name]);
    }
    let output = tshark(arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.stdout.lines().map(row).collect()
}

fn row(line: &str) -> Row {
    let mut columns = line.split('\t');
    let protocols = columns.next().unwrap().to_owned();
    let values = |value: &str| value.split(SEVERAL).map(str::to_owned).collect();
    let fields = FIELDS
        .iter()
        .chain(OF_STREAM)
        .zip(columns)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, values(value)))
        .collect();
    Row { protocols, fields }
}

fn theirs_of_streams(rows: &[Row]) -> Streams {
    let mut streams = Streams::new();
    for row in rows {
        let Some(stream) = row.first("tcp.stream").and_then(|id| id.parse().ok()) else {
            continue;
        };
        for name in OF_STREAM {
            let values = row.fields.get(name).cloned().unwrap_or_default();
            if !values.is_empty() {
                streams.entry((stream, name)).or_default().extend(values);
            }
        }
    }
    streams
}

fn of_streams(trace: &Trace) -> Streams {
    let mut streams = Streams::new();
    for message in &trace.messages {
        let stream = trace.conversations[message.conversation].id;
        let mut put = |name, value: &str| {
            let values = streams.entry((stream, name)).or_default();
            values.push(value.to_owned());
        };
        if let Some(request) = &message.request {
            put("http.request.method", &request.method);
            put("http.request.uri", &request.target);
        }
        for response in message.interim.iter().chain(&message.response) {
            if response.code > 0 {
                put("http.response.code", &response.code.to_string());
            }
        }
    }
    streams
}

fn of_packet(trace: &Trace, index: usize) -> BTreeMap<&'static str, String> {
    let mut fields = BTreeMap::new();
    let seen = &trace.seen[index];
    let Some(conversation) = seen.conversation else {
        return fields;
    };
    let conversation = &trace.conversations[conversation];
    let id = conversation.id.to_string();
    match (conversation.protocol, &seen.tcp) {
        (Protocol::Udp, _) => {
            fields.insert("udp.stream", id);
        }
        (Protocol::Tcp, Some(_)) => {
            let facts = conversation.tcp.as_ref().unwrap();
            fields.insert("tcp.stream", id);
            fields.insert(COMPLETENESS, facts.completeness.to_string());
        }
        (Protocol::Tcp, None) => {}
    }
    fields
}
