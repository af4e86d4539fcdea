//! HTTP messages, each at the packet that completes it, against tshark's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use netlab_capture::conversation::At;
use netlab_capture::message::{Head, Message};
use netlab_capture::trace::{self, Trace};

use crate::corpus;
use crate::tshark;

const FIELDS: &[&str] = &[
    "http.request.method",
    "http.request.uri",
    "http.request.version",
    "http.response.version",
    "http.response.code",
    "http.response.phrase",
    "http.content_length",
    "http.time",
    "http.response_in",
    "http.request_in",
];

/// Stands between several values of a field in a packet.
const SEVERAL: &str = "\u{1f}";

type Values = BTreeMap<(u64, &'static str), Vec<String>>;

/// Every difference there is: file, frames, fields (all that begin so), why.
const PINNED: &[(&str, &[u64], &str, &str)] = &[
    (
        "3.pcapng",
        &[83, 84, 124, 184, 206, 237, 290, 291, 298],
        "http.request",
        UDP,
    ),
    (
        "http-wireshark-trace5-2.pcapng",
        &[209, 231],
        "http.request",
        UDP,
    ),
    (
        "http-protocol-nodup-input.pcap",
        &[4, 8, 11, 12, 13],
        "http.response_in",
        PIPELINED,
    ),
    (
        "http-protocol-nodup-input.pcap",
        PIPELINED_ANSWERS,
        "http.request_in",
        PIPELINED,
    ),
    (
        "http-protocol-nodup-input.pcap",
        PIPELINED_ANSWERS,
        "http.time",
        PIPELINED,
    ),
    (PIPELINE, &[4], "http.response_in", PIPELINED),
    (PIPELINE, &[8], "http.request_in", PIPELINED),
    (PIPELINE, &[8], "http.time", PIPELINED),
    ("http_09.pcap", &[4, 8], "http.", HTTP_09),
    ("methods.pcap", &[172], "http.request.version", HTTP_09),
    ("methods.pcap", &[14], "http.request.uri", NO_TARGET),
    ("methods.pcap", &[14], "http.request.version", NO_TARGET),
    (
        "methods.pcap",
        &[108, 369, 419, 469, 519, 569, 619],
        "http.request.version",
        VERSION,
    ),
    ("methods.pcap", &[34, 319, 329], "http.re", NO_REQUEST),
    (
        "methods.pcap",
        &[36, 321, 331],
        "http.request_in",
        NO_REQUEST,
    ),
    ("methods.pcap", &[36, 321, 331], "http.time", NO_REQUEST),
    ("pcapng-example.pcapng", &[139], "http.response.", CUT_HEAD),
    ("raw_ip.pcap", &[48, 49], "http.", INCOMPLETE),
    (
        "unidirectional_tcp_stream_with_missing_packet.pcap",
        &[4],
        "http.",
        INCOMPLETE,
    ),
];

const PIPELINE: &str = "ruletype-firewall-88-default-accept-tx-pipeline-input.pcap";
const PIPELINED_ANSWERS: &[u64] = &[7, 9, 10, 15, 16, 17, 18, 19];

// The reasons, which docs/wireshark-differences.md gives in full.
const UDP: &str = "HTTP over UDP (SSDP) is not read";
const PIPELINED: &str = "tshark pairs packets, not pipelined messages (RFC 9112, section 9.3.2)";
const HTTP_09: &str = "tshark reads no HTTP/0.9 (RFC 1945, section 4.1)";
const NO_TARGET: &str = "tshark takes the version for the target that is not there";
const VERSION: &str = "what stands in the version's place is none (RFC 9112, section 2.3)";
const NO_REQUEST: &str = "tshark goes by the port where neither method nor version is known";
const CUT_HEAD: &str = "the head's end was not captured";
const INCOMPLETE: &str = "tshark shows a message only when its body is complete";

#[test]
fn messages_are_tsharks() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut compared = 0;
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for entry in entries.iter().filter(|e| e.set == "truth") {
        let trace = read(&entry.path, &entry.file);
        let (ours, theirs) = (ours(&trace), theirs(&entry.path));
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        compared += keys.len();
        for key in keys {
            let (a, b) = (ours.get(key), theirs.get(key));
            if a == b {
                continue;
            }
            let (frame, field) = key;
            let pin = PINNED.iter().position(|(file, frames, fields, _)| {
                *file == entry.file && frames.contains(frame) && field.starts_with(fields)
            });
            match pin {
                Some(pin) => {
                    used.insert(pin);
                }
                None => wrong.push(format!(
                    "{} frame {frame} {field}: {a:?}, tshark has {b:?}",
                    entry.file
                )),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 900, "only {compared} values were compared");
    let unused = (0..PINNED.len()).filter(|pin| !used.contains(pin));
    let unused: Vec<_> = unused.map(|pin| PINNED[pin]).collect();
    assert!(unused.is_empty(), "no differences any more: {unused:?}");
}

fn read(path: &Path, name: &str) -> Trace {
    let input: Box<dyn Read> = Box::new(BufReader::new(File::open(path).unwrap()));
    trace::read(input, name, None).unwrap()
}

fn ours(trace: &Trace) -> Values {
    let mut values = Values::new();
    for message in &trace.messages {
        of_message(message, &mut values);
    }
    values
}

fn of_message(message: &Message, values: &mut Values) {
    let frame = |at: At| at.packet as u64 + 1;
    let mut put = |at: At, field, value: String| {
        values.entry((frame(at), field)).or_default().push(value);
    };
    let (request, response) = (message.request.as_ref(), message.response.as_ref());
    if let Some(request) = request {
        put(request.end, "http.request.method", request.method.clone());
        put(request.end, "http.request.uri", request.target.clone());
        if !request.head.version.is_empty() {
            let version = request.head.version.to_owned();
            put(request.end, "http.request.version", version);
        }
        length(&request.head, |len| {
            put(request.end, "http.content_length", len)
        });
        if let Some(response) = response {
            put(
                request.end,
                "http.response_in",
                frame(response.end).to_string(),
            );
        }
    }
    for answer in message.interim.iter().chain(response) {
        put(
            answer.end,
            "http.response.version",
            answer.head.version.to_owned(),
        );
        put(answer.end, "http.response.code", answer.code.to_string());
        if !answer.phrase.is_empty() {
            put(answer.end, "http.response.phrase", answer.phrase.clone());
        }
        length(&answer.head, |len| {
            put(answer.end, "http.content_length", len)
        });
    }
    if let (Some(request), Some(response)) = (request, response) {
        let time = response.end.time.since(request.end.time);
        let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000);
        put(response.end, "http.time", format!("{seconds}.{rest:09}"));
        put(
            response.end,
            "http.request_in",
            frame(request.end).to_string(),
        );
    }
}

fn length(head: &Head, mut put: impl FnMut(String)) {
    for value in head.headers.named("content-length") {
        put(value.to_owned());
    }
}

fn theirs(path: &Path) -> Values {
    let aggregator = format!("aggregator={SEVERAL}");
    let mut arguments = vec!["-2", "-n", "-r", path.to_str().unwrap(), "-T", "fields"];
    arguments.extend(["-E", &aggregator, "-e", "frame.number"]);
    for field in FIELDS {
        arguments.extend(["-e", field]);
    }
    let output = tshark::tshark(arguments);
    let mut values = Values::new();
    for line in output.stdout.lines() {
        let mut columns = line.split('\t');
        let frame: u64 = columns.next().unwrap().parse().unwrap();
        for (field, value) in FIELDS.iter().zip(columns) {
            if !value.is_empty() {
                let list = value.split(SEVERAL).map(str::to_owned).collect();
                values.insert((frame, *field), list);
            }
        }
    }
    values
}
