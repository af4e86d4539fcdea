//! Reports made by hand: what a run of the lab's scenarios comes to, and
//! things that no lab shows.

use netlab_capture::conversation::ConnState;
use netlab_capture::decode::ChecksumStatus;
use netlab_capture::report::*;
use netlab_capture::savefile::{Ended, Exit, Protocol};

pub const CLIENT: u16 = 40312;
pub const SERVER: u16 = 12000;

/// A report with nothing in it.
pub fn empty(name: &str) -> Report {
    let mut report = Report::error(name, ErrorCode::Internal, "");
    report.verdict = None;
    report.error = None;
    report
}

pub fn packet(number: u64, ms: f64, from: &str, to: &str) -> Packet<'static> {
    let lo = "127.0.0.1".parse().unwrap();
    Packet {
        frame: Frame {
            number,
            time_relative: Some(Seconds((ms * 1e6) as i64)),
            time_epoch: Some(Seconds(1_700_000_000_000_000_000 + (ms * 1e6) as i64)),
            len: 74,
            cap_len: 74,
        },
        ip: Some(Ip {
            src: lo,
            dst: lo,
            hdr_len: 20,
            dsfield: DsField {
                value: 0,
                dscp: 0,
                ecn: 0,
            },
            len: 60,
            id: Some(0x1234),
            flags: IpFlags {
                df: true,
                mf: false,
            },
            frag_offset: 0,
            fragments: Vec::new(),
            reassembled: None,
            ttl: 64,
            proto: 6,
            checksum: Some(unverified(0x1111)),
        }),
        conversation: Some(0),
        from: Some(from.to_owned().into()),
        to: Some(to.to_owned().into()),
        ..Packet::default()
    }
}

fn unverified(value: u16) -> Checksum {
    Checksum {
        value,
        status: ChecksumStatus::Unverified,
    }
}

pub fn text(text: &str) -> Option<Payload<'static>> {
    (!text.is_empty()).then(|| Payload {
        text: Some(text.to_owned().into()),
        ..Payload::default()
    })
}

/// A segment; flags by letter, `to_server` or back.
pub fn segment(
    mut packet: Packet<'static>,
    to_server: bool,
    letters: &str,
    (seq, ack): (u32, u32),
    payload: &str,
) -> Packet<'static> {
    let (srcport, dstport) = if to_server {
        (CLIENT, SERVER)
    } else {
        (SERVER, CLIENT)
    };
    let has = |letter: char| letters.contains(letter);
    packet.tcp = Some(Tcp {
        srcport: srcport.into(),
        dstport: dstport.into(),
        stream: Some(0),
        flags: Flags {
            value: 0,
            letters: flag_letters(letters),
            syn: has('S'),
            ack: has('A'),
            fin: has('F'),
            reset: has('R'),
            push: has('P'),
            ..Flags::default()
        },
        seq: Some(seq),
        seq_raw: Some(seq.wrapping_add(3_000_000_000)),
        nxtseq: Some(seq + payload.len() as u32),
        ack: has('A').then_some(ack),
        ack_raw: has('A').then_some(ack.wrapping_add(1_000_000_000)),
        hdr_len: 40,
        len: payload.len() as u32,
        window_size_value: Some(65495),
        window_size: Some(65495),
        checksum: Some(unverified(0xfe30)),
        urgent_pointer: None,
        options: Some(TcpOptions {
            timestamp: Some(TcpTimestamp {
                tsval: Some(77),
                tsecr: Some(0),
            }),
            ..TcpOptions::default()
        }),
        analysis: None,
        payload: text(payload),
    });
    packet
}

fn flag_letters(letters: &str) -> FlagLetters {
    let bit = |letter| match letter {
        'F' => 1,
        'S' => 2,
        'R' => 4,
        'P' => 8,
        'A' => 16,
        _ => 0,
    };
    FlagLetters(letters.chars().map(bit).sum())
}

pub fn datagram(
    mut packet: Packet<'static>,
    srcport: u16,
    dstport: u16,
    payload: &str,
) -> Packet<'static> {
    packet.udp = Some(Udp {
        srcport: srcport.into(),
        dstport: dstport.into(),
        stream: Some(0),
        length: 8 + payload.len() as u16,
        checksum: Some(unverified(0xfe18)),
        payload: text(payload),
    });
    packet
}

pub fn endpoint(port: u16, role: &str) -> Endpoint {
    Endpoint {
        address: "127.0.0.1".parse().unwrap(),
        port: port.into(),
        role: Some(role.to_owned()),
    }
}

pub fn conversation(protocol: Protocol, server: &str, bytes: (u64, u64)) -> Conversation {
    Conversation {
        index: None,
        id: 0,
        protocol,
        client: endpoint(CLIENT, "client"),
        server: endpoint(SERVER, server),
        packets: EachWay {
            to_server: 1,
            to_client: 1,
        },
        bytes: EachWay {
            to_server: bytes.0,
            to_client: bytes.1,
        },
        wire_bytes: None,
        bits_per_second: None,
        start_ms: Some(0.0),
        duration_ms: Some(0.021),
        tcp: None,
        tls: None,
        udp: None,
    }
}

pub fn program(role: &str, command: &str, exit: Exit, stdout: &str, stderr: &str) -> Program {
    Program {
        role: role.to_owned(),
        argv: command.split(' ').map(str::to_owned).collect(),
        pid: Some(4711),
        exit: Some(exit),
        ended: Some(Ended::ByItself),
        stdout: stdout.to_owned(),
        stderr: stderr.to_owned(),
        duration_ms: Some(2.5),
        sockets: vec![Socket {
            protocol: Protocol::Tcp,
            local: endpoint(CLIENT, role),
            remote: Some(Endpoint {
                role: None,
                ..endpoint(SERVER, role)
            }),
            listening: false,
            opened_ns: Some(1),
            closed_ns: Some(2),
        }],
        ..Program::default()
    }
}

pub fn capture(name: &str, packets: u64) -> Capture {
    Capture {
        file: format!("captures/{name}.pcapng"),
        format: None,
        compression: None,
        interfaces: Vec::new(),
        comments: Vec::new(),
        link_type: Some(1),
        snaplen: Some(262_144),
        packets,
        displayed: packets,
        dropped: Some(0),
        proof: Some(Proof {
            complete: true,
            opening: true,
            closing: true,
            interface_counter: Some(true),
            interface_packets: Some(packets),
            owners: true,
            claimed: false,
        }),
        damage: None,
    }
}

pub fn passed(name: &str, statement: &str, evidence: &[u64]) -> Expectation {
    Expectation {
        name: name.to_owned(),
        text: statement.to_owned(),
        source: Some(Place {
            file: "builtin:sample".to_owned(),
            line: 14,
            column: 1,
        }),
        implied: false,
        verdict: Verdict::Pass,
        evidence: evidence.to_vec(),
        detail: None,
        hint: None,
        points: None,
        visibility: None,
    }
}

pub fn implied(name: &str) -> Expectation {
    Expectation {
        implied: true,
        source: None,
        ..passed(
            name,
            "starts, does not crash or hang, and exits with 1",
            &[],
        )
    }
}

const REFUSED: &str =
    "exactly {\n  client > nobody:12000  SYN\n  nobody > client        RST   within 1s\n}\n";

pub fn tcp_refused() -> Report {
    let syn = packet(1, 0.0, "client", "nobody");
    let rst = packet(2, 0.021, "nobody", "client");
    Report {
        scenario: Some(Scenario {
            name: "tcp-refused".to_owned(),
            title: Some("TCP client before server".to_owned()),
            question: Some(
                "Suppose you run TCPClient before you run TCPServer. What happens? Why?".to_owned(),
            ),
            answer: Some(
                "Nothing listens on port 12000, so the kernel answers the SYN with RST,ACK and the client's connect fails with \"Connection refused\"."
                    .to_owned(),
            ),
            hint: None,
            source: Some("builtin:tcp-refused".to_owned()),
        }),
        verdict: Some(Verdict::Pass),
        duration_ms: Some(2.9),
        programs: vec![program(
            "client",
            "netlab-capture tcp-client 127.0.0.1 12000",
            Exit::Code(1),
            "",
            "netlab-capture: cannot connect to 127.0.0.1:12000: Connection refused\n",
        )],
        capture: Some(capture("tcp-refused", 2)),
        packets: Some(
            vec![
            segment(syn, true, "S", (0, 0), ""),
            segment(rst, false, "AR", (1, 1), ""),
            ]
            .into(),
        ),
        conversations: vec![Conversation {
            tcp: Some(TcpConversation {
                completeness: 37,
                state: ConnState::REJ,
                history: "Sr".to_owned(),
                handshake_rtt_ms: None,
                started_before: false,
                sides: None,
                close: Close::Refused,
                closed_by: Some(Side::Server),
                analysis: Default::default(),
                retransmissions: 0,
                out_of_order: 0,
                missing_bytes: 0,
                icmp_errors: 0,
            }),
            ..conversation(Protocol::Tcp, "nobody", (0, 0))
        }],
        expectations: vec![
            implied("client exits with 1"),
            passed("the kernel refuses at once", REFUSED, &[1, 2]),
            passed("no other protocol is tried", "no udp", &[]),
        ],
        ..empty("tcp-refused")
    }
}

/// The same run, judged by a scenario that expects the handshake.
pub fn tcp_refused_wrongly_expected() -> Report {
    let mut report = tcp_refused();
    report.verdict = Some(Verdict::Fail);
    let statement = REFUSED.replace("RST ", "SYN,ACK ");
    let start = statement.find("nobody > client").unwrap();
    let end = statement.find("\n}").unwrap();
    report.expectations[1] = Expectation {
        verdict: Verdict::Fail,
        evidence: vec![1],
        source: Some(Place {
            file: "scenarios/tcp-refused.toml".to_owned(),
            line: 16,
            column: 3,
        }),
        detail: Some(Detail {
            code: "F003",
            message: "the second step found no event: the answer to the SYN is no SYN,ACK"
                .to_owned(),
            span: Some(TextSpan { start, end }),
            expected: Some("nobody > client        SYN,ACK   within 1s".to_owned()),
            actual: Some("nobody > client        RST,ACK".to_owned()),
            difference: Some("flags: expected SYN,ACK, got RST,ACK".to_owned()),
            diverges_at: Some(2),
            wireshark_filter: Some("tcp.stream == 0".to_owned()),
            notes: vec![
                "A RST in answer to a SYN means that no program listens on that port.".to_owned(),
            ],
        }),
        ..passed("the kernel refuses at once", &statement, &[])
    };
    report.expectations[2].verdict = Verdict::Inconclusive;
    report.expectations[2].detail = Some(Detail {
        message: "absence proves nothing here: the capture may lack packets".to_owned(),
        ..Detail::default()
    });
    report.expectations[2].hint = Some("Run it again on a quiet machine.".to_owned());
    report
}

pub fn udp_no_server() -> Report {
    let sent = datagram(packet(1, 0.0, "client", "nobody"), CLIENT, SERVER, "hello");
    let mut error = packet(2, 0.018, "nobody", "client");
    let lo = "127.0.0.1".parse().unwrap();
    error.icmp = Some(Icmp {
        kind: 3,
        code: 3,
        name: "port-unreachable".into(),
        checksum: Some(unverified(0x9b1a)),
        ident: None,
        seq: None,
        mtu: None,
        quoted: Some(Quoted {
            frame: Some(1),
            ip: Some(QuotedIp {
                src: lo,
                dst: lo,
                proto: 17,
            }),
            ipv6: None,
            udp: Some(QuotedUdp {
                srcport: CLIENT.into(),
                dstport: SERVER.into(),
                length: Some(13),
                payload: text("hello"),
            }),
            tcp: None,
        }),
    });
    let mut client = program(
        "client",
        "netlab-capture udp-client 127.0.0.1 12000",
        Exit::Signal(9),
        "Input lowercase sentence: ",
        "",
    );
    client.ended = Some(Ended::Waiting);
    Report {
        scenario: Some(Scenario {
            name: "udp-no-server".to_owned(),
            title: Some("UDP client before server".to_owned()),
            ..Scenario::default()
        }),
        verdict: Some(Verdict::Pass),
        duration_ms: Some(14.2),
        programs: vec![client],
        capture: Some(capture("udp-no-server", 2)),
        packets: Some(vec![sent, error].into()),
        conversations: vec![Conversation {
            udp: Some(UdpConversation {
                datagrams: EachWay {
                    to_server: 1,
                    to_client: 0,
                },
                group: None,
                lost: 1,
            }),
            ..conversation(Protocol::Udp, "nobody", (5, 0))
        }],
        expectations: vec![passed(
            "one datagram, one error",
            "exactly {\n  client > nobody:12000  udp \"hello\"\n  nobody > client  icmp port-unreachable\n}",
            &[1, 2],
        )],
        ..empty("udp-no-server")
    }
}

pub fn http_ok() -> Report {
    let request = "GET /HelloWorld.html HTTP/1.1\r\nHost: 127.0.0.1:12000\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<h1>Hello</h1>";
    let c = |n, ms| packet(n, ms, "client", "server");
    let s = |n, ms| packet(n, ms, "server", "client");
    let request_end = 1 + request.len() as u32;
    let response_end = 1 + response.len() as u32;
    let body = |len| Body {
        cut: false,
        len,
        complete: true,
        sha256: None,
        trailers: vec![],
        trouble: None,
    };
    let mut server = program(
        "server",
        "netlab-capture web-server 127.0.0.1 12000",
        Exit::Signal(15),
        "Ready to serve...\n",
        "",
    );
    server.ended = Some(Ended::Stopped);
    Report {
        scenario: Some(Scenario {
            name: "http-ok".to_owned(),
            title: Some("A web page that exists".to_owned()),
            ..Scenario::default()
        }),
        verdict: Some(Verdict::Pass),
        duration_ms: Some(21.0),
        programs: vec![
            server,
            program(
                "client",
                "netlab-capture web-client 127.0.0.1 12000 /HelloWorld.html",
                Exit::Code(0),
                "HTTP/1.1 200 OK\n<h1>Hello</h1>\n",
                "",
            ),
        ],
        capture: Some(capture("http-ok", 9)),
        packets: Some(
            vec![
                segment(c(1, 0.0), true, "S", (0, 0), ""),
                segment(s(2, 0.011), false, "AS", (0, 1), ""),
                segment(c(3, 0.02), true, "A", (1, 1), ""),
                segment(c(4, 0.094), true, "AP", (1, 1), request),
                segment(s(5, 0.101), false, "A", (1, request_end), ""),
                segment(s(6, 0.367), false, "AP", (1, request_end), response),
                segment(s(7, 0.371), false, "AF", (response_end, request_end), ""),
                segment(c(8, 0.48), true, "AF", (request_end, response_end + 1), ""),
                segment(
                    s(9, 0.49),
                    false,
                    "A",
                    (response_end + 1, request_end + 1),
                    "",
                ),
            ]
            .into(),
        ),
        conversations: vec![conversation(
            Protocol::Tcp,
            "server",
            (request.len() as u64, response.len() as u64),
        )],
        messages: vec![Message {
            conversation: 0,
            stream: 0,
            start_ms: Some(0.031),
            frames: vec![4, 6],
            frames_more: 0,
            http: HttpTransaction {
                request: Some(HttpRequest {
                    method: "GET".into(),
                    uri: "/HelloWorld.html".into(),
                    version: "HTTP/1.1".into(),
                    frame: 4,
                    headers: vec![],
                    body: body(0),
                    trouble: vec![],
                }),
                response: Some(HttpResponse {
                    code: 200,
                    phrase: "OK".into(),
                    version: "HTTP/1.1".into(),
                    frame: 6,
                    headers: vec![Header {
                        name: "Date".into(),
                        value: "Mon, 01 Jan 2024 00:00:00 GMT".into(),
                    }],
                    body: body(14),
                    trouble: vec![],
                }),
                interim: vec![],
                time_ms: Some(0.273),
                first_byte_ms: Some(0.273),
                transfer_ms: Some(0.0),
                switches_to: None,
                response_lost: false,
                unread: None,
                given_up: false,
            },
        }],
        expectations: vec![passed(
            "the page arrives",
            "http[0].response.code == 200",
            &[6],
        )],
        ..empty("http-ok")
    }
}

/// A server that listens on another port than the client asks.
pub fn tcp_wrong_port() -> Report {
    let mut report = tcp_refused();
    let scenario = report.scenario.as_mut().unwrap();
    scenario.name = "tcp-wrong-port".to_owned();
    scenario.title = Some("TCP client and server with different ports".to_owned());
    let mut server = program(
        "server",
        "netlab-capture tcp-server 127.0.0.1 12001",
        Exit::Signal(15),
        "The server is ready to receive\n",
        "",
    );
    server.ended = Some(Ended::Stopped);
    server.sockets = vec![Socket {
        local: endpoint(12001, "server"),
        remote: None,
        listening: true,
        ..server.sockets[0].clone()
    }];
    report.programs.insert(0, server);
    report
}

/// Three roles, several conversations, trouble of many kinds, hostile and wide
/// text.
pub fn crowded() -> Report {
    let mut report = http_ok();
    let mut packets = Vec::new();
    for (index, client) in ["alice", "bob"].into_iter().enumerate() {
        let number = |n: u64| n + 4 * index as u64;
        let ms = index as f64;
        let there = |n, t: f64| packet(number(n), ms + t, client, "server");
        let back = |n, t: f64| packet(number(n), ms + t, "server", client);
        let mut again = segment(
            there(3, 0.3),
            true,
            "AP",
            (1, 1),
            "日本語テキスト\x1b[31m\u{202e}",
        );
        again.tcp.as_mut().unwrap().analysis = Some(Analysis {
            retransmission: true,
            ..Analysis::default()
        });
        packets.extend([
            segment(there(1, 0.0), true, "S", (0, 0), ""),
            segment(back(2, 0.1), false, "AS", (0, 1), ""),
            again,
            segment(back(4, 1500.0), false, "AR", (1, 20), ""),
        ]);
    }
    for (index, packet) in packets.iter_mut().enumerate() {
        let second = usize::from(index >= 4);
        packet.conversation = Some(second);
        let tcp = packet.tcp.as_mut().unwrap();
        for port in [&mut tcp.srcport, &mut tcp.dstport] {
            if *port == Port::Number(CLIENT) {
                *port = Port::Number(CLIENT + 2 * second as u16);
            }
        }
    }
    let mut arp = packet(9, 1600.0, "", "");
    arp.from = None;
    arp.to = None;
    arp.ip = None;
    arp.conversation = None;
    arp.eth = Some(Eth {
        dst: Mac([0xff; 6]),
        src: Mac([0; 6]),
        kind: Some(0x0806),
        len: None,
    });
    packets.push(arp);
    packets.last_mut().unwrap().trouble = Some(Trouble::Malformed {
        layer: "arp".into(),
        reason: "too short".into(),
    });
    packets[7].after_stop = true;
    report.packets = Some(packets.into());
    let mut second = report.conversations[0].clone();
    second.id = 1;
    second.client.port = (CLIENT + 2).into();
    second.client.role = Some("bob".to_owned());
    report.conversations[0].client.role = Some("alice".to_owned());
    report.conversations.push(second);
    report.messages.clear();
    report.programs[1].role = "alice".to_owned();
    report.programs[1].stdout = "\x1b[2J\x1b]0;owned\x07 日本語\tTab\r\nplain\n".to_owned();
    report.programs[0].stdout = (1..=40).map(|i| format!("line {i}\n")).collect();
    report.capture = Some(Capture {
        packets: 9,
        displayed: 9,
        dropped: Some(3),
        ..capture("crowded", 9)
    });
    let proof = report.capture.as_mut().unwrap().proof.as_mut().unwrap();
    proof.complete = false;
    proof.closing = false;
    proof.interface_counter = Some(false);
    proof.interface_packets = Some(12);
    report.verdict = Some(Verdict::Inconclusive);
    report.expectations[0].verdict = Verdict::Inconclusive;
    report.expectations[0].detail = Some(Detail {
        message: "three packets were dropped: what the server sent is not known".to_owned(),
        ..Detail::default()
    });
    report.scenario.as_mut().unwrap().name = "crowded".to_owned();
    report.scenario.as_mut().unwrap().title = Some("Zwei Kunden, ein Bäcker: 日本\x07".to_owned());
    report
}

/// A capture of many packets in which the divergence lies in the middle.
pub fn long() -> Report {
    let mut report = tcp_refused_wrongly_expected();
    let packets = (1..=5000).map(|n| {
        let to_server = n % 3 != 0;
        let (from, to) = if to_server {
            ("client", "server")
        } else {
            ("server", "client")
        };
        let seq = 1 + 4 * n as u32;
        segment(
            packet(n, n as f64 * 0.05, from, to),
            to_server,
            "AP",
            (seq, 1),
            "data",
        )
    });
    report.packets = Some(packets.collect::<Vec<_>>().into());
    let detail = report.expectations[1].detail.as_mut().unwrap();
    detail.diverges_at = Some(2500);
    report.capture = Some(capture("long", 5000));
    report
}
