//! Display filters over captures of the truth set: the same frames as
//! `tshark -Y` shows.

use std::collections::BTreeMap;
use std::fs::File;

use netlab_capture::expect::ast::{Filter, Statement, StepOrFilter};
use netlab_capture::expect::fields::{Reading, View};
use netlab_capture::expect::filter;
use netlab_capture::expect::parse;
use netlab_capture::trace::{self, Trace};

use crate::corpus;
use crate::tshark;

/// Filters, each over the captures where it can say something.
const FILTERS: &[(&str, &[&str])] = &[
    // Existence, logic.
    ("tcp and not http", WEB),
    ("tcp.flags.reset", TCP),
    ("!(tcp.flags.syn == 1 || tcp.flags.fin == 1)", TCP),
    (
        "tcp && (tcp.flags.fin == 1 or tcp.flags.reset == 1) && ip",
        TCP,
    ),
    ("not not not udp", MIXED),
    ("icmp or icmpv6", ICMP),
    ("arp || vlan", MIXED),
    // Numbers.
    ("tcp.flags.syn == 1 and tcp.flags.ack == 0", TCP),
    ("tcp.flags == 0x012", TCP),
    ("tcp.flags & 0x01", TCP),
    ("tcp.flags & 0x12 == 0x10 and tcp.len > 0", WEB),
    ("tcp.len >= 1000", WEB),
    ("tcp.len ge 0x200 and tcp.len lt 02000", WEB),
    ("frame.len <= 60 && frame.cap_len le 60", MIXED),
    ("frame.number in {1, 3..5, 9}", MIXED),
    ("not frame.number in {2..1000}", MIXED),
    ("tcp.port not in {80, 443}", MIXED),
    ("udp.length > 100", MIXED),
    ("ip.ttl < 64 or ipv6.hlim < 64", MIXED),
    ("ip.proto == 6 and ip.flags.df == 1", MIXED),
    ("ip.dsfield != 0", MIXED),
    // Several values.
    ("tcp.port == 80", MIXED),
    ("tcp.port != 80", MIXED),
    ("tcp.port !== 80", MIXED),
    ("tcp.port === 80", MIXED),
    ("tcp.port ~= 80", MIXED),
    ("tcp.port any_ne 80 and tcp.port all_ne 443", MIXED),
    ("!(tcp.port == 80)", MIXED),
    ("tcp.port eq 80 and tcp.port ne 81", MIXED),
    ("tcp.port > 1024", MIXED),
    ("tcp.srcport == tcp.dstport", MIXED),
    ("tcp.srcport < tcp.dstport", TCP),
    ("tcp.option_kind == 8", TCP),
    ("tcp.options.mss_val in {1300..1500}", TCP),
    ("tcp.options.wscale.shift and !tcp.options.sack_perm", TCP),
    ("tcp.options.sack_le > 1", WEB),
    // Addresses.
    ("ip.addr == 10.0.0.1", MIXED),
    ("ip.addr != 10.0.0.1", MIXED),
    ("ip.src == 10.0.0.0/8", MIXED),
    ("ip.dst in {10.0.0.0/8, 192.168.0.0/16}", MIXED),
    ("ip.src == ip.dst", MIXED),
    ("ip.src > ip.dst", MIXED),
    ("ip.src > 192.168.0.0", MIXED),
    ("ipv6.addr == fe80::/10 or ipv6.dst == ff00::/8", MIXED),
    (
        "eth.dst == ff:ff:ff:ff:ff:ff or eth.addr == 00-00-00-00-00-00",
        MIXED,
    ),
    ("eth.type == 0x86dd", MIXED),
    // What an ICMP error quotes.
    ("udp.port == 53", ICMP),
    ("icmp.type == 3 and icmp.code == 3 and udp.dstport", ICMP),
    ("icmp and ip.src == 192.168.0.0/16", ICMP),
    ("icmp && udp.length > 8", ICMP),
    ("icmp.seq and icmp.type > 12", ICMP),
    // Text and bytes.
    ("http.request.method == \"GET\"", WEB),
    ("http.request.method == GET && http.host", WEB),
    ("http.response.code == 200", WEB),
    ("http.response.code in {300..599}", WEB),
    ("http.content_length > 1000", WEB),
    ("http.user_agent contains \"Mozilla\"", WEB),
    ("http.user_agent matches \"mozilla\"", WEB),
    ("http.host matches r\"\\.(com|org)$\"", WEB),
    ("http.request.uri matches \"^/[a-f]\"", WEB),
    ("http.server contains Apache", WEB),
    ("tcp and (http.request or http.response)", WEB),
    ("tcp contains \"HTTP/1\"", WEB),
    ("tcp.payload contains \"GET\"", WEB),
    ("tcp.payload contains 47:45:54:20", WEB),
    ("frame contains \"host\" && !(frame contains \"Host\")", WEB),
    ("frame matches \"(?-i)host:\"", WEB),
    ("udp contains 00:00", MIXED),
    ("ip contains 7f:00:00:01", MIXED),
    ("icmp contains \"abc\"", ICMP),
    ("tcp.flags.str contains \"S\"", TCP),
    // Time.
    ("frame.time_relative > 0.5", MIXED),
    ("frame.time_delta < 0.0001", MIXED),
    ("tcp.time_relative >= 0.01 and tcp.time_relative < 1", TCP),
    ("frame.time_epoch < 1300000000.5", MIXED),
    // Sequence numbers.
    ("tcp.seq == 0 and tcp.nxtseq == 1", TCP),
    ("tcp.seq == tcp.nxtseq", TCP),
    ("tcp.stream == 1 && tcp.ack > 1", WEB),
    ("udp.stream == 0", MIXED),
];

const TCP: &[&str] = &[
    "webserver.pcap",
    "tcp_refuseconnection.pcapng",
    "tcp_teardown.pcapng",
    "one_tcp_stream_fin_rst_close_packet.pcap",
];
const WEB: &[&str] = &[
    "http-100-continue.pcap",
    "http-500-head.pcap",
    "http-wireshark-trace5-2.pcapng",
    "four_ipv6_http_streams.pcap",
];
const MIXED: &[&str] = &["3.pcapng", "VlanPackets.pcap", "raw_ip.pcap"];
const ICMP: &[&str] = &["IcmpPackets.pcap", "icmp-destunreach-udp.pcap"];

#[test]
fn filters_show_tsharks_frames() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    if !tshark::available() {
        return;
    }
    let mut traces: BTreeMap<&str, Trace> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut shown = 0;
    for (text, files) in FILTERS {
        let filter = parsed(text);
        for file in *files {
            let entry = entries.iter().find(|e| e.file == *file).unwrap();
            let trace = traces.entry(file).or_insert_with(|| {
                trace::read(File::open(&entry.path).unwrap(), file, None).unwrap()
            });
            let ours = ours(&filter, trace);
            let theirs = tsharks(text, entry);
            shown += theirs.len();
            if ours != theirs {
                wrong.push(format!(
                    "{text} in {file}: {ours:?}, tshark shows {theirs:?}"
                ));
            }
        }
    }
    eprintln!("{} filters showed {shown} frames", FILTERS.len());
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Brackets make it a filter also where it begins like a step.
fn parsed(text: &str) -> Filter {
    let expectation = parse("filter", &format!("no ({text})"), &[]);
    let mut statements = expectation
        .unwrap_or_else(|e| panic!("{text}: {e:#?}"))
        .statements;
    match statements.remove(0).value {
        Statement::No(StepOrFilter::Filter(filter)) => filter.value,
        other => panic!("{text}: {other:?}"),
    }
}

fn ours(filter: &Filter, trace: &Trace) -> Vec<u64> {
    let shows = |index: &usize| {
        let view = View::new(trace, *index, Reading::Filter).unwrap();
        filter::matches(filter, &view)
    };
    (0..trace.packets.len())
        .filter(shows)
        .map(|index| index as u64 + 1)
        .collect()
}

fn tsharks(filter: &str, entry: &corpus::Entry) -> Vec<u64> {
    let path = entry.path.display().to_string();
    let arguments = [
        "-r",
        &path,
        "-Y",
        filter,
        "-T",
        "fields",
        "-e",
        "frame.number",
    ];
    let output = tshark::tshark(arguments);
    assert_eq!(output.code, Some(0), "{filter}: {}", output.stderr);
    output
        .stdout
        .lines()
        .map(|line| line.parse().unwrap())
        .collect()
}
