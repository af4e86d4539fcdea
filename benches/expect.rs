//! How long expectations take: 10,000 statements are parsed, and 100 are judged
//! on captures of up to a million packets.
//!
//! `cargo bench --bench expect`. The figures: docs/performance.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use netlab_capture::cli::side_by_side;
use netlab_capture::diagnostic::Source;
use netlab_capture::expect::ast::Expectation;
use netlab_capture::expect::{Outcome, Verdict, judge_each, read_file};
use netlab_capture::savefile::{InterfaceDescription, Timestamp, pcap};
use netlab_capture::trace::{self, Trace};

/// Frames of one conversation.
const FRAMES: usize = 50;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PSH: u8 = 0x08;
const FIN: u8 = 0x01;

/// A capture in the making: IPv4 packets without a link layer.
struct Wire {
    file: pcap::Writer<Vec<u8>>,
    now: i64,
}

/// A TCP connection from a port of the client to port 8080 of the server.
struct Connection {
    port: u16,
    /// The next sequence number of each side.
    next: [u32; 2],
}

impl Wire {
    fn segment(&mut self, connection: &mut Connection, from: usize, flags: u8, payload: &[u8]) {
        let (own, other) = match from {
            0 => (connection.next[0], connection.next[1]),
            _ => (connection.next[1], connection.next[0]),
        };
        let ports = match from {
            0 => [connection.port, 8080],
            _ => [8080, connection.port],
        };
        let len = u16::try_from(40 + payload.len()).expect("a small packet");
        let mut frame = vec![0x45, 0];
        frame.extend(len.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend([127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend(ports.into_iter().flat_map(u16::to_be_bytes));
        frame.extend(own.to_be_bytes());
        let ack = if flags & ACK == 0 { 0 } else { other };
        frame.extend(ack.to_be_bytes());
        frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(payload);
        let taken = payload.len() + usize::from(flags & (SYN | FIN) != 0);
        connection.next[from] = own.wrapping_add(u32::try_from(taken).expect("a small packet"));
        self.now += 10_000;
        let len = u32::try_from(frame.len()).expect("a small packet");
        self.file
            .write_frame(Timestamp(self.now), len, &frame)
            .expect("memory takes it");
    }

    /// Six requests of HTTP, each answered in three segments: `FRAMES` frames.
    fn conversation(&mut self, number: usize) {
        let port = 10_000 + u16::try_from(number % 50_000).expect("a port");
        let start = u32::try_from(number).expect("a number") * 7;
        let c = &mut Connection {
            port,
            next: [start, start + 1_000_000],
        };
        self.segment(c, 0, SYN, b"");
        self.segment(c, 1, SYN | ACK, b"");
        self.segment(c, 0, ACK, b"");
        for request in 0..6 {
            let head = format!("GET /{number}/{request} HTTP/1.1\r\nHost: server\r\n\r\n");
            self.segment(c, 0, ACK | PSH, head.as_bytes());
            self.segment(c, 1, ACK, b"");
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n";
            self.segment(c, 1, ACK | PSH, head);
            self.segment(c, 0, ACK, b"");
            self.segment(c, 1, ACK | PSH, b"01234567890123456789");
            self.segment(c, 1, ACK | PSH, b"01234567890123456789");
            self.segment(c, 0, ACK, b"");
        }
        self.segment(c, 0, ACK, b"");
        self.segment(c, 0, FIN | ACK, b"");
        self.segment(c, 1, ACK, b"");
        self.segment(c, 1, FIN | ACK, b"");
        self.segment(c, 0, ACK, b"");
    }
}

/// A capture of so many packets.
fn capture(packets: usize) -> Trace {
    let raw_ip = InterfaceDescription {
        name: String::new(),
        link_type: 101,
        snaplen: 0,
    };
    let mut wire = Wire {
        file: pcap::Writer::new(Vec::new(), &raw_ip).expect("memory takes it"),
        now: 0,
    };
    for number in 0..packets / FRAMES {
        wire.conversation(number);
    }
    let file = wire.file.into_inner();
    let trace = trace::read(file.as_slice(), "bench.pcap", None).expect("a capture");
    assert_eq!(trace.packets.len(), packets);
    trace
}

/// The statement of this number: ten kinds, each asking for something else.
fn statement(number: usize) -> String {
    let n = number / 10;
    match number % 10 {
        0 => format!("no any:{} > any RST", 10_000 + n),
        1 => format!(
            "packets(tcp.port == {} and tcp.flags.syn == 1) <= 2",
            10_000 + n
        ),
        2 => format!(
            "in order on tcp[{n}] {{\n  client > server SYN\n  server > client SYN,ACK\n  client > server GET /{n}/5\n  server > client HTTP 200 within 1s\n  client <> server FIN\n}}"
        ),
        3 => format!("tcp[{n}].state == \"SF\" and tcp[{n}].retransmissions == 0"),
        4 => format!("no http.response.code >= {}", 400 + n),
        5 => format!("in order {{\n  any > any GET /{n}/0\n  any > any HTTP 200\n}}"),
        6 => format!("each http[] has response.code != {}", 500 + n),
        7 => format!(
            "no tcp.analysis.retransmission and tcp.srcport == {}",
            8080 + n
        ),
        8 => format!("no client > server:{} udp", 5000 + n),
        _ => format!("no tcp.window_size == {n} or ip.ttl < {}", n % 60 + 1),
    }
}

fn statements(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let _ = writeln!(text, "{}", statement(number));
    }
    text
}

fn parsed(text: String) -> Vec<Expectation> {
    let source = Source {
        name: "bench.expect".to_owned(),
        text,
    };
    let roles = ["client".to_owned(), "server".to_owned()];
    let (_, expectations) = read_file(source, &roles).expect("sound statements");
    expectations
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    group.sample_size(10);
    for count in [2_500, 5_000, 10_000] {
        let text = statements(count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("statements", count), &text, |b, text| {
            b.iter(|| black_box(parsed(text.clone())));
        });
    }
    group.finish();
}

/// As `check` does it.
fn judge(trace: &Trace, expectations: &[Expectation]) -> Vec<Outcome> {
    let files = BTreeMap::new();
    judge_each(trace, expectations, &[], &files, |all, outcome| {
        side_by_side::map(all, trace.packets.len(), outcome)
    })
}

fn judging(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    for (packets, statements_) in [
        (250_000, 100),
        (500_000, 100),
        (1_000_000, 25),
        (1_000_000, 50),
        (1_000_000, 100),
    ] {
        let trace = capture(packets);
        let expectations = parsed(statements(statements_));
        let outcomes = judge(&trace, &expectations);
        for outcome in &outcomes {
            assert_eq!(outcome.verdict, Verdict::Pass, "{outcome:?}");
        }
        let name = format!("{statements_} statements, {packets} packets");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(judge(&trace, &expectations)));
        });
    }
    group.finish();
}

criterion_group!(benches, parse, judging);
criterion_main!(benches);
