//! What `inspect` shows on the terminal, of reports made by hand: long
//! addresses, hostile names, more of everything than fits.

use std::net::Ipv6Addr;

use netlab_capture::render::terminal::TerminalOptions;
use netlab_capture::render::terminal::inspect::{
    Extent, conversations, packet, packet_headings, summary, transactions,
};
use netlab_capture::report::*;
use netlab_capture::savefile::{Compression, Format, Protocol};

use crate::samples::{self, capture, conversation, empty};

const HOSTILE: &str = "evil\u{1b}[31m\u{202e}\u{9b}2J\r\nx";

fn options(width: usize) -> TerminalOptions {
    TerminalOptions {
        color: false,
        width,
        unicode: true,
    }
}

const GLANCE: Extent = Extent {
    rows: Some(5),
    wide: false,
};

fn protocols(names: &[&str], packets: u64) -> ProtocolCount {
    ProtocolCount {
        protocols: names.iter().map(|name| (*name).to_owned()).collect(),
        packets,
        bytes: packets * 700,
    }
}

fn tcp(id: u32, close: Close, closed_by: Option<Side>, completeness: u8) -> Conversation {
    let state = netlab_capture::conversation::ConnState::SF;
    let mut conversation = conversation(Protocol::Tcp, "server", (74, 1_234_567));
    conversation.id = id;
    conversation.start_ms = Some(f64::from(id) * 1234.5);
    conversation.tcp = Some(TcpConversation {
        completeness,
        state,
        history: "ShADadFf".to_owned(),
        handshake_rtt_ms: Some(21.0),
        started_before: false,
        sides: None,
        close,
        closed_by,
        analysis: [("zero_window", 1 + id)].into(),
        retransmissions: id,
        out_of_order: 0,
        missing_bytes: u64::from(id % 2) * 1460,
        icmp_errors: 0,
    });
    conversation
}

fn lookup(answer: Option<(&str, u16)>, data: &[&str]) -> Lookup {
    Lookup {
        conversation: 8,
        protocol: Protocol::Udp,
        stream: 0,
        start_ms: Some(1.0),
        dns: Dns {
            id: 7,
            name: Some(format!("{HOSTILE}.example")),
            kind: Some("AAAA".to_owned()),
            query_frame: Some(3),
            rcode: answer.map(|(name, _)| name.to_owned()),
            rcode_number: answer.map(|(_, number)| number),
            answers: data
                .iter()
                .map(|data| DnsRecord {
                    data: (*data).to_owned(),
                    ..DnsRecord::default()
                })
                .collect(),
            time_ms: answer.map(|_| 12.0),
            ..Dns::default()
        },
    }
}

/// A capture of everything that can be told.
fn crowded() -> Report {
    let mut report = empty("crowded");
    report.scenario = None;
    report.verdict = None;
    report.error = None;
    let mut capture = capture("crowded", 123_456);
    capture.file = format!("captures/{HOSTILE}.pcapng.gz");
    capture.format = Some(Format::Pcapng);
    capture.compression = Some(Compression::Gzip);
    capture.interfaces = vec![Interface {
        name: Some(HOSTILE.to_owned()),
        link_type: 127,
        snaplen: 96,
        received: None,
        dropped: Some(7),
        comments: vec!["A comment of the interface".to_owned()],
    }];
    capture.comments = vec![format!("First line\n{HOSTILE}")];
    capture.dropped = Some(7);
    capture.displayed = 23_456;
    capture.proof = None;
    capture.snaplen = Some(96);
    report.capture = Some(capture);
    report.conversations = (0..8)
        .map(|id| match id % 4 {
            0 => tcp(id, Close::Fin, Some(Side::Client), 31),
            1 => tcp(id, Close::Reset, Some(Side::Server), 63),
            2 => tcp(id, Close::Open, None, 8),
            _ => tcp(id, Close::Open, None, 1),
        })
        .collect();
    let long: Ipv6Addr = "2001:618:1:8000:0202:b3ff:feee:5dc2".parse().unwrap();
    for conversation in &mut report.conversations[3..5] {
        conversation.client.address = long.into();
        conversation.server.address = long.into();
    }
    let mut lost = conversation(Protocol::Udp, "nobody", (5, 0));
    lost.udp = Some(UdpConversation {
        datagrams: EachWay {
            to_server: 1,
            to_client: 0,
        },
        group: None,
        lost: 1,
    });
    report.conversations.push(lost);
    let page = samples::http_ok().messages.remove(0);
    report.messages = (0..8u32)
        .map(|number| {
            let mut message = page.clone();
            message.start_ms = Some(f64::from(number) * 1000.0);
            if let Some(request) = &mut message.http.request {
                request.uri = format!("/{HOSTILE}/{}", "long/".repeat(number as usize * 20)).into();
            }
            if number % 3 == 1 {
                message.http.response = None;
            } else if let Some(response) = &mut message.http.response {
                response.code = 200 + 100 * u16::try_from(number % 4).unwrap();
            }
            message
        })
        .collect();
    report.conversations[2].tls = Some(Tls {
        server_name: Some(HOSTILE.to_owned()),
        ..Tls::default()
    });
    report.lookups = vec![lookup(Some(("NXDOMAIN", 3)), &[]), lookup(None, &[])];
    report
        .lookups
        .push(lookup(Some(("NOERROR", 0)), &["192.0.2.1", HOSTILE]));
    let mut findings = Findings::default();
    for lookup in &report.lookups {
        findings.lookup(lookup);
    }
    for conversation in &report.conversations {
        findings.conversation(conversation);
    }
    for message in &report.messages {
        findings.message(message);
    }
    findings.frames(FindingKind::Malformed, Some(format!("tcp: {HOSTILE}")), 3);
    findings.frames(FindingKind::Truncated, None, 1_000_000);
    report.summary = Some(Summary {
        bytes: 86_419_200,
        time_epoch: Some(Seconds(1_700_000_000_250_000_000)),
        duration_ms: Some(86_400_000.0 * 3.0),
        protocols: vec![
            protocols(&["eth", "ip", "tcp"], 100_000),
            protocols(&["eth", "ip", "udp"], 20_000),
            protocols(&["eth", "ipv6", "tcp"], 3_000),
            protocols(&["eth", "arp"], 400),
            protocols(&["eth", HOSTILE], 56),
        ],
        conversations: ConversationCount { tcp: 9_999, udp: 1 },
        transactions: 8,
        lookups: 3,
        findings: findings.finish(),
        limits: vec![Limit {
            name: "limit-conversations".to_owned(),
            option: true,
            limit: 65_536,
            reached: 12,
            effect: "the longest idle ones were closed".to_owned(),
        }],
    });
    report
}

#[test]
fn at_a_glance() {
    for width in [40, 80, 120, 200] {
        let text = summary(&crowded(), &GLANCE, &options(width));
        insta::assert_snapshot!(format!("inspect_{width}"), text);
    }
}

fn every(options: &TerminalOptions) -> String {
    let report = crowded();
    let mut text = summary(&report, &GLANCE, options);
    text += &conversations(&report, &GLANCE, options);
    text += &transactions(&report, &GLANCE, options);
    let mut lines = packet_headings(options.width, options).into_bytes();
    for shown in samples::crowded().packets.unwrap().iter() {
        packet(&shown, options.width, options, &mut lines);
    }
    text + std::str::from_utf8(&lines).unwrap()
}

#[test]
fn no_line_is_too_wide_and_nothing_acts_on_the_terminal() {
    for width in 40..=200 {
        let text = every(&options(width));
        for line in text.lines() {
            let columns = netlab_capture::render::text::width(line);
            assert!(columns <= width, "{width}: {columns}: {line}");
        }
        let acts = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(acts, None);
    }
}

#[test]
fn colours_say_the_same_and_ascii_is_ascii() {
    let plain = every(&options(100));
    let colored = every(&TerminalOptions {
        color: true,
        ..options(100)
    });
    assert!(colored.contains("\x1b["));
    let mut stripped = String::new();
    for (index, part) in colored.split("\x1b[").enumerate() {
        stripped += match index {
            0 => part,
            _ => part.split_once('m').unwrap().1,
        };
    }
    assert_eq!(stripped, plain);
    let ascii = every(&TerminalOptions {
        unicode: false,
        ..options(100)
    });
    assert!(ascii.is_ascii());
}

#[test]
fn the_document_fulfils_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let document = serde_json::to_value(crowded()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn findings_do_not_depend_on_the_order_of_conversations() {
    let found = |order: &mut dyn Iterator<Item = &Conversation>| {
        let mut findings = Findings::default();
        for conversation in order {
            findings.conversation(conversation);
        }
        findings.finish()
    };
    let conversations: Vec<Conversation> = (0..200)
        .map(|id| {
            tcp(
                id % 100 + 100 * (id / 100),
                Close::Reset,
                Some(Side::Client),
                63,
            )
        })
        .collect();
    let forward = found(&mut conversations.iter());
    assert_eq!(forward, found(&mut conversations.iter().rev()));
    let retransmissions = forward
        .iter()
        .find(|f| f.kind == FindingKind::Retransmission)
        .unwrap();
    assert_eq!(retransmissions.count, (0..200).sum::<u64>());
    assert_eq!(retransmissions.conversations, 199);
    let worst: Vec<u32> = retransmissions.worst.iter().map(|s| s.stream).collect();
    assert_eq!(worst, [199, 198, 197]);
}
