//! TCP's numbers and analysis, frame by frame, against tshark's in one pass.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use netlab_capture::conversation::{Marks, SeenTcp, WindowScaling};
use netlab_capture::decode::{Net, Packet, decode};
use netlab_capture::savefile::{InterfaceDescription, Protocol, Reader, Timestamp, pcap};
use netlab_capture::trace::{self, Trace};

use crate::corpus;
use crate::simulated;
use crate::traffic::{self, Chance};
use crate::tshark::{self, tshark};

/// What is compared of each frame.
const FIELDS: &[&str] = &[
    "udp.stream",
    "tcp.stream",
    "tcp.seq",
    "tcp.ack",
    "tcp.nxtseq",
    "tcp.window_size",
    "tcp.window_size_scalefactor",
    "tcp.completeness",
    "tcp.time_relative",
    "tcp.time_delta",
    "tcp.analysis.retransmission",
    "tcp.analysis.fast_retransmission",
    "tcp.analysis.spurious_retransmission",
    "tcp.analysis.out_of_order",
    "tcp.analysis.duplicate_ack",
    "tcp.analysis.duplicate_ack_num",
    "tcp.analysis.duplicate_ack_frame",
    "tcp.analysis.lost_segment",
    "tcp.analysis.ack_lost_segment",
    "tcp.analysis.zero_window",
    "tcp.analysis.window_full",
    "tcp.analysis.window_update",
    "tcp.analysis.zero_window_probe",
    "tcp.analysis.zero_window_probe_ack",
    "tcp.analysis.keep_alive",
    "tcp.analysis.keep_alive_ack",
    "tcp.analysis.reused_ports",
    "tcp.analysis.acks_frame",
    "tcp.analysis.ack_rtt",
    "tcp.analysis.initial_rtt",
    "tcp.analysis.bytes_in_flight",
    "tcp.analysis.push_bytes_sent",
    "tcp.analysis.rto",
    "tcp.analysis.rto_frame",
];

type Fields = BTreeMap<&'static str, String>;

/// One frame as tshark sees it.
struct Row {
    protocols: String,
    fields: Fields,
}

#[test]
fn the_analysis_of_real_captures_is_tsharks() {
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
    comparison.result();
}

#[test]
fn the_analysis_of_invented_traffic_is_tsharks() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut comparison = Comparison::default();
    for seed in traffic::seeds(12) {
        let name = format!("seed {seed}");
        let path = folder.path().join(&name);
        fs::write(&path, traffic::capture(seed)).unwrap();
        comparison.compare(&name, &path);
    }
    comparison.result();
}

#[test]
fn the_analysis_of_simulated_transfers_is_tsharks() {
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut comparison = Comparison::default();
    for seed in traffic::seeds(12) {
        let name = format!("transfer {seed}");
        let path = folder.path().join(&name);
        fs::write(&path, simulated::capture(seed)).unwrap();
        comparison.compare(&name, &path);
    }
    comparison.result();
}

/// Captures of real traffic, in which segments are missing, doubled, late, or
/// have no window.
#[test]
fn the_analysis_of_spoilt_captures_is_tsharks() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut comparison = Comparison::default();
    let mut chance = Chance::new(7);
    let mut number = 0;
    for entry in entries.iter().filter(|e| e.set == "truth") {
        for percent in [3, 10, 25] {
            let file = File::open(&entry.path).unwrap();
            let Some(spoilt) = spoilt(file, percent, &mut chance) else {
                break;
            };
            number += 1;
            let path = folder.path().join(number.to_string());
            fs::write(&path, spoilt).unwrap();
            let name = format!("{} at {percent} %", entry.file);
            comparison.compare(&name, &path);
        }
    }
    comparison.result();
}

/// None where there is no whole TCP segment.
fn spoilt(file: File, percent: u64, chance: &mut Chance) -> Option<Vec<u8>> {
    let mut reader = Reader::new(file, "x").ok()?;
    let mut frames: Vec<(i64, u32, Vec<u8>)> = Vec::new();
    while let Ok(Some(frame)) = reader.next_frame() {
        let packet = decode(&frame);
        let whole = frame.len as usize == frame.data.len();
        let Some(tcp) = packet.tcp().filter(|_| whole && !is_fragment(&packet)) else {
            continue;
        };
        let mut data = frame.data.to_vec();
        if chance.percent(percent / 3) {
            let window = tcp.header.start as usize + 14;
            data[window..window + 2].fill(0);
        }
        let doubled = usize::from(chance.percent(percent / 2));
        for copy in 0..=doubled {
            let late = if chance.percent(percent) {
                chance.one_of(&[50_000, 1_000_000, 4_000_000, 300_000_000])
            } else {
                0
            };
            let time = frame.time.0 + late + copy as i64 * 1000;
            if !chance.percent(percent) {
                frames.push((time, frame.link_type, data.clone()));
            }
        }
    }
    let link_type = frames.first()?.1;
    frames.retain(|frame| frame.1 == link_type);
    frames.sort_by_key(|frame| frame.0);
    let interface = InterfaceDescription {
        name: String::new(),
        link_type: link_type.try_into().unwrap(),
        snaplen: 0,
    };
    let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
    for (time, _, data) in &frames {
        let time = Timestamp(time / 1000 * 1000);
        writer.write_frame(time, data.len() as u32, data).unwrap();
    }
    Some(writer.into_inner())
}

fn is_fragment(packet: &Packet) -> bool {
    match packet.net {
        Some(Net::V4(ip)) => ip.more_fragments,
        Some(Net::V6(ip)) => ip.fragment.is_some_and(|fragment| fragment.more),
        None => false,
    }
}

#[derive(Default)]
struct Comparison {
    compared: BTreeMap<&'static str, usize>,
    wrong: BTreeMap<&'static str, Vec<String>>,
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
                let theirs = row.fields.get(field);
                let ours = ours.get(field);
                *self.compared.entry(field).or_default() += usize::from(theirs.is_some());
                if ours != theirs {
                    let place = format!("{name} {}: ours {ours:?}, tshark's {theirs:?}", index + 1);
                    self.wrong.entry(field).or_default().push(place);
                }
            }
        }
    }

    fn result(self) {
        for (field, count) in &self.compared {
            let wrong = self.wrong.get(field).map_or(0, Vec::len);
            eprintln!("{field}: {count} compared, {wrong} differ");
        }
        for (field, wrong) in &self.wrong {
            eprintln!("--- {field}");
            for line in wrong.iter().take(20) {
                eprintln!("{line}");
            }
        }
        assert!(self.wrong.is_empty());
    }
}

/// Quoted and tunnelled packets.
fn out_of_scope(trace: &Trace, index: usize, row: &Row) -> bool {
    let layers = row.protocols.split(':');
    let ip = layers.filter(|l| ["ip", "ipv6", "gre"].contains(l)).count();
    trace.packets[index].icmp().is_some() || ip > 1
}

fn theirs(path: &Path) -> Vec<Row> {
    let mut arguments = vec![
        "-r",
        path.to_str().unwrap(),
        "-n",
        "-T",
        "fields",
        "-E",
        "occurrence=f",
        "-o",
        "tcp.analyze_sequence_numbers:TRUE",
        "-e",
        "frame.protocols",
    ];
    for name in FIELDS {
        arguments.extend(["-e", name]);
    }
    let output = tshark(arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.stdout.lines().map(row).collect()
}

fn row(line: &str) -> Row {
    let mut columns = line.split('\t');
    let protocols = columns.next().unwrap().to_owned();
    let fields = FIELDS
        .iter()
        .zip(columns)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, value.to_owned()))
        .collect();
    Row { protocols, fields }
}

fn seconds(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let positive = nanoseconds.unsigned_abs();
    format!(
        "{sign}{}.{:09}",
        positive / 1_000_000_000,
        positive % 1_000_000_000
    )
}

fn of_packet(trace: &Trace, index: usize) -> Fields {
    let mut fields = Fields::new();
    let seen = &trace.seen[index];
    let Some(conversation) = seen.conversation else {
        return fields;
    };
    let conversation = &trace.conversations[conversation];
    match (conversation.protocol, &seen.tcp) {
        (Protocol::Udp, _) => {
            fields.insert("udp.stream", conversation.id.to_string());
        }
        (Protocol::Tcp, Some(segment)) => {
            fields.insert("tcp.stream", conversation.id.to_string());
            of_segment(segment, &mut fields);
            if trace.packets[index].tcp().unwrap().flags.syn() {
                fields.remove("tcp.window_size_scalefactor");
            }
        }
        (Protocol::Tcp, None) => {}
    }
    fields
}

fn of_segment(tcp: &SeenTcp, fields: &mut Fields) {
    let mut put = |name, value: String| {
        fields.insert(name, value);
    };
    put("tcp.seq", tcp.seq.to_string());
    put("tcp.ack", tcp.ack.to_string());
    put("tcp.nxtseq", tcp.next_seq.to_string());
    put("tcp.window_size", tcp.window.to_string());
    put("tcp.completeness", tcp.completeness.to_string());
    put("tcp.time_relative", seconds(tcp.time_relative));
    put("tcp.time_delta", seconds(tcp.time_delta));
    let factor = match tcp.scaling {
        WindowScaling::Unknown => "-1".to_owned(),
        WindowScaling::NotUsed => "-2".to_owned(),
        WindowScaling::Shift(shift) => (1u32 << shift).to_string(),
    };
    put("tcp.window_size_scalefactor", factor);
    if let Some(acks) = tcp.acks {
        put("tcp.analysis.acks_frame", (acks.packet + 1).to_string());
        if let Some(rtt) = acks.rtt {
            put("tcp.analysis.ack_rtt", seconds(rtt));
        }
    }
    if let Some(rtt) = tcp.initial_rtt {
        put("tcp.analysis.initial_rtt", seconds(rtt));
    }
    for (name, bytes) in [
        ("tcp.analysis.bytes_in_flight", tcp.bytes_in_flight),
        ("tcp.analysis.push_bytes_sent", tcp.push_bytes_sent),
    ] {
        if bytes > 0 {
            put(name, bytes.to_string());
        }
    }
    if let Some(duplicate) = &tcp.duplicate {
        put(
            "tcp.analysis.duplicate_ack_num",
            duplicate.number.to_string(),
        );
        put(
            "tcp.analysis.duplicate_ack_frame",
            duplicate.of.map_or(0, |of| of + 1).to_string(),
        );
    }
    if let Some(rto) = &tcp.rto {
        put("tcp.analysis.rto", seconds(rto.time));
        put("tcp.analysis.rto_frame", (rto.packet + 1).to_string());
    }
    for (mark, name) in Marks::NAMES {
        let field = FIELDS
            .iter()
            .find(|field| field.strip_prefix("tcp.analysis.") == Some(name));
        if tcp.is(mark) {
            put(field.unwrap(), "1".to_owned());
        }
    }
}
