//! Traces made by hand, and what the report says of them.

use super::*;
use crate::conversation::testing::{self, Made, port_unreachable, tcp, udp};
use crate::conversation::{Limits, Tracker};
use crate::expect::{self, Failure, Outcome};
use crate::savefile::{CaptureInfo, Ended, Exit, Format, Interface, Proof, Protocol, Recording};
use crate::scenario;
use crate::trace::{Ends, KEEP, Keeper, Owner, Trace};

const SERVER: &str = "127.0.0.1:12000";

/// A trace of packets that the roles `client` and `server` sent to each other;
/// `server` owns port 12000 if it is there.
fn trace(mut packets: Vec<Made>, with_server: bool) -> Trace {
    testing::number(&mut packets);
    let mut tracker = Tracker::<Keeper>::new(Limits::default(), KEEP);
    let mut found = Default::default();
    let mut seen = Vec::new();
    let mut ends = Vec::new();
    let server = if with_server {
        Owner::Role(1)
    } else {
        Owner::Nobody
    };
    for (index, made) in packets.iter().enumerate() {
        seen.push(tracker.packet(index, &made.packet, &made.frame, &mut found));
        // An ICMP error has no ports: it comes from the server's side.
        let to_server = made.packet.ports().is_some_and(|(_, dst)| dst == 12000);
        ends.push(match to_server {
            true => Ends {
                from: Owner::Role(0),
                to: server,
            },
            false => Ends {
                from: server,
                to: Owner::Role(0),
            },
        });
    }
    tracker.close_all(&mut found);
    let (mut conversations, mut streams) = (Vec::new(), Vec::new());
    for closed in tracker.take_closed() {
        conversations.push(closed.conversation);
        streams.push(closed.receiver.0);
    }
    Trace {
        frames: packets.iter().map(|made| made.frame.clone()).collect(),
        seen,
        ends,
        conversations,
        streams,
        messages: found.1.messages,
        http: Default::default(),
        carried: Vec::new(),
        roles: vec!["client".to_owned(), "server".to_owned()],
        named: Vec::new(),
        capture: CaptureInfo {
            file: "captures/sample.pcapng".to_owned(),
            format: Format::Pcapng,
            interfaces: vec![Interface {
                name: Some("lo".to_owned()),
                link_type: 1,
                snaplen: 0,
                received: None,
                dropped: Some(0),
                comments: Vec::new(),
            }],
            compression: None,
            comments: Vec::new(),
            packets: packets.len() as u64,
            damage: None,
        },
        recording: Some(recording()),
        packets: packets.into_iter().map(|made| made.packet).collect(),
    }
}

fn recording() -> Recording {
    Recording {
        programs: vec![crate::savefile::Program {
            role: "client".to_owned(),
            argv: vec!["/opt/bin/client".to_owned(), "12000".to_owned()],
            pid: Some(42),
            exit: Some(Exit::Code(1)),
            ended: Some(Ended::ByItself),
            sockets: vec![crate::savefile::Socket {
                protocol: Protocol::Tcp,
                local: "0.0.0.0:40000".parse().unwrap(),
                remote: Some(SERVER.parse().unwrap()),
                opened: 5,
                closed: Some(6),
                listening: false,
            }],
            duration: Some(1_500_000),
            ..crate::savefile::Program::default()
        }],
        proof: Proof {
            opening: true,
            closing: true,
            interface_counter: Some(true),
            interface_packets: Some(2),
            captured: 2,
            dropped: 0,
            owners: true,
        },
        duration: 2_000_000,
        ..Recording::default()
    }
}

fn client(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn refused(port: u16, seq: u32) -> Vec<Made> {
    vec![
        tcp(&client(port), SERVER, "S", seq, 0, ""),
        tcp(SERVER, &client(port), "RA", 0, seq + 1, "").at(21),
    ]
}

/// A web page fetched, the connection closed by the server.
fn page(port: u16, seq: u32, date: &str) -> Vec<Made> {
    let client = client(port);
    let request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    let response = format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\n\r\nhi");
    let asked = seq + 1 + request.len() as u32;
    let told = 901 + response.len() as u32;
    vec![
        tcp(&client, SERVER, "S", seq, 0, ""),
        tcp(SERVER, &client, "SA", 900, seq + 1, ""),
        tcp(&client, SERVER, "A", seq + 1, 901, ""),
        tcp(&client, SERVER, "PA", seq + 1, 901, request),
        tcp(SERVER, &client, "PA", 901, asked, &response),
        tcp(SERVER, &client, "FA", told, asked, ""),
        tcp(&client, SERVER, "FA", asked, told + 1, ""),
        tcp(SERVER, &client, "A", told + 1, asked + 1, ""),
    ]
}

fn outcome(name: &str, verdict: expect::Verdict, evidence: &[u64]) -> Outcome {
    Outcome {
        name: name.to_owned(),
        text: "no RST".to_owned(),
        implied: false,
        verdict,
        evidence: evidence.to_vec(),
        failure: None,
        hint: None,
        points: None,
    }
}

fn with_packets(trace: Trace, outcomes: &[Outcome], options: &Options) -> Report {
    Report::with_packets(trace, None, outcomes, options)
}

/// The report as JSON, after it was found to fulfil the schema.
fn json(report: &Report) -> serde_json::Value {
    let document = serde_json::to_value(report).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document
}

#[test]
fn a_refused_connection_in_wiresharks_names() {
    let trace = trace(refused(40000, 7000), false);
    let outcomes = [outcome("it is refused", expect::Verdict::Pass, &[1, 2])];
    let json = json(&with_packets(trace, &outcomes, &Options::default()));
    let at = |path: &str| {
        json.pointer(path)
            .unwrap_or(&serde_json::Value::Null)
            .clone()
    };
    assert_eq!(at("/schema"), "netlab-capture/report/v1");
    assert_eq!(at("/verdict"), "pass");
    assert_eq!(at("/packets/1/tcp/flags/reset"), true);
    assert_eq!(at("/packets/1/tcp/flags/str"), "AR");
    assert_eq!(at("/packets/0/tcp/flags/value"), 2);
    assert_eq!(at("/packets/0/tcp/seq"), 0);
    assert_eq!(at("/packets/0/tcp/seq_raw"), 7000);
    assert_eq!(at("/packets/0/tcp/ack"), serde_json::Value::Null);
    assert_eq!(at("/packets/1/frame/time_relative"), 0.000_021);
    assert_eq!(at("/packets/0/tcp/srcport"), 40000);
    assert_eq!(at("/packets/0/ip/src"), "127.0.0.1");
    assert_eq!(at("/packets/0/from"), "client");
    assert_eq!(at("/packets/0/to"), "nobody");
    assert_eq!(at("/conversations/0/tcp/completeness"), 37);
    assert_eq!(at("/conversations/0/tcp/state"), "REJ");
    assert_eq!(at("/conversations/0/tcp/close"), "refused");
    assert_eq!(at("/conversations/0/server/role"), "nobody");
    assert_eq!(at("/capture/dropped"), 0);
    assert_eq!(at("/capture/proof/claimed"), false);
    assert_eq!(at("/programs/0/exit/code"), 1);
    assert_eq!(at("/programs/0/ended"), "by itself");
    assert_eq!(
        at("/packets/0/comment"),
        serde_json::json!(["role: client (client 12000)", "Assert: it is refused ✓"])
    );
}

#[test]
fn a_quoted_packet_stays_apart() {
    let sent = udp(&client(40000), SERVER, "hello");
    let error = port_unreachable(&sent);
    let report = with_packets(trace(vec![sent, error], false), &[], &Options::default());
    let json = json(&report);
    let error = &json["packets"][1];
    assert_eq!(error["icmp"]["name"], "port-unreachable");
    assert_eq!(error["icmp"]["quoted"]["frame"], 1);
    assert_eq!(error["icmp"]["quoted"]["udp"]["dstport"], 12000);
    assert_eq!(error["icmp"]["quoted"]["udp"]["payload"]["text"], "hello");
    assert!(error.get("udp").is_none());
    assert_eq!(json["packets"][0]["udp"]["length"], 13);
    assert_eq!(json["conversations"][0]["udp"]["lost"], 1);
    assert!(json.get("verdict").is_none(), "nothing was judged");
}

#[test]
fn a_head_stands_on_the_packet_that_completes_it() {
    let trace = trace(page(40000, 5, "today"), true);
    let json = json(&with_packets(trace, &[], &Options::default()));
    assert_eq!(json["packets"][3]["http"]["request"]["uri"], "/x");
    assert_eq!(json["packets"][4]["http"]["response"]["code"], 200);
    assert!(json["packets"][4].get("comment").is_none());
    let message = &json["messages"][0];
    assert_eq!(message["frames"], serde_json::json!([4, 5]));
    assert_eq!(message["http"]["response"]["body"]["len"], 2);
    assert_eq!(json["conversations"][0]["tcp"]["close"], "fin");
    assert_eq!(json["conversations"][0]["tcp"]["closed_by"], "server");
}

#[test]
fn the_worst_verdict_wins() {
    use expect::Verdict::{Fail, Inconclusive, Pass};
    let build = |verdicts: &[expect::Verdict], change: &dyn Fn(&mut Trace)| {
        let mut trace = trace(refused(40000, 1), false);
        change(&mut trace);
        let outcomes: Vec<Outcome> = verdicts.iter().map(|v| outcome("x", *v, &[])).collect();
        Report::build(&trace, None, &outcomes, &Options::default())
    };
    let verdict = |verdicts: &[expect::Verdict]| build(verdicts, &|_| ()).verdict;
    assert_eq!(verdict(&[Pass, Pass]), Some(Verdict::Pass));
    assert_eq!(verdict(&[Inconclusive, Pass]), Some(Verdict::Inconclusive));
    assert_eq!(verdict(&[Inconclusive, Fail, Pass]), Some(Verdict::Fail));

    let damaged = build(&[Fail], &|trace| {
        trace.capture.damage = Some(crate::savefile::Damage {
            offset: 99,
            reason: "a block ends too early".to_owned(),
        });
    });
    assert_eq!(damaged.verdict, Some(Verdict::Error));
    assert_eq!(damaged.error.unwrap().code, ErrorCode::DamagedCapture);

    let interrupted = build(&[Pass], &|trace| {
        trace.recording.as_mut().unwrap().interrupted = true;
    });
    assert_eq!(interrupted.verdict, Some(Verdict::Inconclusive));

    let fault = build(&[Pass], &|trace| {
        trace.recording.as_mut().unwrap().fault = Some("the recorder died".to_owned());
    });
    assert_eq!(fault.error.unwrap().code, ErrorCode::Internal);
}

#[test]
fn an_error_before_anything_ran_is_a_report_too() {
    let json = json(&Report::error("x", ErrorCode::Environment, "no namespace"));
    assert_eq!(json["verdict"], "error");
    assert_eq!(json["error"]["code"], "environment");
    assert_eq!(json["scenario"]["name"], "x");
}

#[test]
fn the_source_is_where_the_failing_step_stands() {
    let text = "[program.client]\nrun = \"x\"\n\n[expect]\n\"é\" = \"a\\tno RST\"\n";
    let start = text.find("a\\tno").unwrap();
    // `a`, a tab written with two bytes, `no RST`.
    let offsets = (start..=start + 1).chain(start + 3..=start + 9).collect();
    let scenario = scenario::Scenario {
        expectations: vec![scenario::ExpectationText {
            name: "é".to_owned(),
            text: "a\tno RST".to_owned(),
            hint: None,
            points: None,
            visibility: Some("visible".to_owned()),
            offsets,
        }],
        ..scenario::parse(crate::diagnostic::Source {
            name: "x.toml".to_owned(),
            text: "[program.client]\nrun = \"x\"\n".to_owned(),
        })
        .unwrap()
    };
    let scenario = scenario::Scenario {
        source: crate::diagnostic::Source {
            name: "x.toml".to_owned(),
            text: text.to_owned(),
        },
        ..scenario
    };
    let failed = Outcome {
        failure: Some(Failure {
            span: Some(2..8),
            ..Failure::new("F003", "")
        }),
        ..outcome("é", expect::Verdict::Fail, &[])
    };
    let report = Report::build(
        &trace(refused(40000, 1), false),
        Some(&scenario),
        &[failed],
        &Options::default(),
    );
    let expectation = &report.expectations[0];
    assert_eq!(
        expectation.source,
        Some(Place {
            file: "x.toml".to_owned(),
            line: 5,
            // In characters: `"é" = "a\t` are ten.
            column: 11,
        })
    );
    assert_eq!(expectation.visibility.as_deref(), Some("visible"));
}

/// The stable form of a page fetched from the given ephemeral ports.
fn stable(ports: [u16; 2], seq: u32, date: &str) -> String {
    let mut packets = page(ports[0], seq, date);
    packets.extend(page(ports[1], seq.wrapping_add(500), date));
    let sent = udp(&client(ports[1]), SERVER, "hello");
    let error = port_unreachable(&sent);
    packets.extend([sent, error]);
    let mut packets: Vec<Made> = packets
        .into_iter()
        .enumerate()
        .map(|(index, made)| {
            made.at(i64::from(seq) * 1000 + index as i64)
                .ip_id(seq as u16)
        })
        .collect();
    testing::number(&mut packets);
    let mut trace = trace(packets, true);
    let program = &mut trace.recording.as_mut().unwrap().programs[0];
    program.pid = Some(seq);
    program.sockets[0].local.set_port(ports[0]);
    program.sockets[0].opened = seq.into();
    program.duration = Some(seq.into());
    let options = Options {
        stable: true,
        ..Options::default()
    };
    let report = with_packets(trace, &[], &options);
    json(&report);
    serde_json::to_string_pretty(&report).unwrap()
}

#[test]
fn the_stable_form_is_equal_for_two_runs() {
    let one = stable([40312, 51000], 77, "Mon, 01 Jan 2024 00:00:00 GMT");
    let two = stable([60100, 33000], 4_000, "Tue, 02 Jan 2024 11:11:11 GMT");
    assert_eq!(one, two);
    assert!(one.contains(r#""srcport": "client""#), "{one}");
    assert!(one.contains(r#""srcport": "client.2""#), "{one}");
    assert!(one.contains(r#""port": "client""#), "{one}");
    assert!(one.contains("12000"));
    for varying in ["_raw", "time_", "checksum", "\"pid\"", "/opt", "40312"] {
        assert!(!one.contains(varying), "{varying}");
    }
}
