//! What is known to be missing makes what could change by it inconclusive. Regressions:
//! each of these passed or failed.

use super::Verdict;
use super::testing::lab::*;
use crate::decode::{Net, Transport};

use super::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};

/// Decided on the whole, inconclusive where these packets are missing.
fn doubtful(make: impl Fn() -> Wire + Copy, lost: &[usize], texts: &[&str]) {
    let (whole, cut) = (lacking(make, &[]), lacking(make, lost));
    for text in texts {
        assert_ne!(
            verdict(&whole, text),
            Verdict::Inconclusive,
            "whole: {text}"
        );
        assert_eq!(verdict(&cut, text), Verdict::Inconclusive, "{text}");
    }
}

/// The same on the whole and where these packets are missing.
fn decided(make: impl Fn() -> Wire + Copy, lost: &[usize], texts: &[&str]) {
    let (whole, cut) = (lacking(make, &[]), lacking(make, lost));
    for text in texts {
        let expected = verdict(&whole, text);
        assert_ne!(expected, Verdict::Inconclusive, "whole: {text}");
        assert_eq!(verdict(&cut, text), expected, "{text}");
    }
}

/// Handshake (0 to 2), the client's `A1` (3), the server's `P` (4), the client's `A2` (5),
/// the server's ACK (6), and a datagram beside it (7).
fn turns() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.data(c, ToServer, b"A1");
    wire.data(c, ToClient, b"P");
    wire.data(c, ToServer, b"A2");
    wire.ack(c, ToClient);
    let other = wire.udp(CLIENT, (SERVER, 9));
    wire.datagram(other, ToServer, b"ping");
    wire
}

#[test]
fn a_run_of_data_lasts_until_the_other_side_sends() {
    doubtful(
        turns,
        &[4],
        &[
            "in order { client > server data x2 }",
            "in order { client > server data \"A1A2\" }",
            "in order (tcp.dstport == 80) { data \"A1A2\" }",
            "packets(client > server data \"A1A2\") >= 1",
            "in order { client > server data as d }\nno udp before d",
            "in order { client > server data as d }\npackets(udp after d) == 1",
        ],
    );
    // A handshake's ACK needs what it acknowledges.
    doubtful(turns, &[1], &["in order (tcp.dstport == 80) { ACK }"]);
    decided(
        turns,
        &[4],
        &[
            "in order { SYN; SYN,ACK; ACK }",
            "in order { client > server data }",
            "packets(client > server data) == 2",
            "in order { SYN as s }\npackets(udp after s) == 1",
            "no udp \"pong\"",
            "packets(udp.payload contains \"ping\") == 1",
        ],
    );
}

#[test]
fn the_first_data_may_end_the_handshake() {
    let quick = || {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 80));
        wire.handshake(c);
        wire.data(c, ToServer, b"x");
        wire.data(c, ToServer, b"y");
        wire.ack(c, ToClient);
        wire.fin(c, ToServer);
        wire.fin(c, ToClient);
        wire.ack(c, ToServer);
        wire
    };
    // Its own ACK and the first segment: what comes then is no longer the handshake's.
    let asked = [
        "tcp[0].handshake_rtt < 50ms",
        "in order { SYN; ACK within 50ms }",
        "in order { any > any ACK }",
    ];
    for text in asked {
        assert_ne!(
            verdict(&lacking(quick, &[2, 3, 4]), text),
            Verdict::Fail,
            "{text}"
        );
    }
    doubtful(quick, &[3, 4], &["tcp[0].completeness == 31"]);
    decided(
        quick,
        &[3],
        &["tcp[0].handshake_rtt < 50ms", "in order { SYN; ACK }"],
    );
}

/// A handshake from before the capture is no doubt where a segment is missing later.
#[test]
fn a_handshake_before_the_capture_does_not_come_later() {
    let make = || {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 80));
        wire.handshake(c);
        for text in [b"x", b"y", b"z"] {
            wire.data(c, ToServer, text);
        }
        wire.ack(c, ToClient);
        wire
    };
    let (begun, holed) = (lacking(make, &[0, 1, 2]), lacking(make, &[0, 1, 2, 4]));
    for text in ["in order { ACK }", "tcp[0].handshake_rtt < 50ms"] {
        assert_eq!(verdict(&begun, text), Verdict::Fail, "{text}");
        assert_eq!(verdict(&holed, text), Verdict::Fail, "{text}");
    }
    assert_eq!(
        verdict(&holed, "packets(client > server data) == 2"),
        Verdict::Inconclusive
    );
}

/// What a message has is no other for what is missing of later connections.
#[test]
fn a_message_is_told_by_what_came_until_it_began() {
    let make = || {
        let mut wire = Wire::new();
        for port in [80, 81] {
            let c = wire.tcp(CLIENT, (SERVER, port));
            wire.handshake(c);
            wire.data(c, ToServer, b"GET / HTTP/1.1\r\n\r\n");
            wire.data(c, ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
            wire.data(c, ToClient, b"abc");
            wire.data(c, ToServer, b"GET /two HTTP/1.1\r\n\r\n");
            wire.ack(c, ToClient);
            wire.fin(c, ToServer);
        }
        wire
    };
    let first = [
        "http[0].response.body == \"abc\"",
        "http[0].response.body == \"xyz\"",
        "http[1].request.body == \"\"",
    ];
    // In the second connection: its request, and the body of the answer.
    decided(make, &[12], &first);
    decided(make, &[14], &first);
    doubtful(
        make,
        &[12],
        &[
            "http[3].request.body == \"\"",
            "http[2].response.code == 200",
        ],
    );
    // In the first one.
    doubtful(make, &[5], &["http[0].response.body == \"abc\""]);
    doubtful(make, &[3], &["http[2].response.body == \"abc\""]);
}

#[test]
fn a_window_may_begin_elsewhere() {
    doubtful(
        turns,
        &[3],
        &[
            "packets(udp after (client > server data \"A1\")) >= 1",
            "no udp after (client > server data \"A2\")",
            "packets(udp after (SYN where frame.number > 1)) >= 0",
            "in order (frame.number == 8) { udp }",
            "in order packets (frame.time_delta > 10) { udp }",
        ],
    );
    decided(
        turns,
        &[3],
        &["packets(udp after SYN) >= 1", "no RST after SYN"],
    );
}

#[test]
fn a_part_of_a_datagram_may_have_been_of_any_connection() {
    let whole = |protocol: u8| {
        move || {
            let mut wire = turns();
            let datagram = wire.udp(CLIENT, (SERVER, 9));
            let part = wire.datagram(datagram, ToServer, b"a fragment");
            let packet = &mut wire.trace.packets[part];
            let Some(Net::V4(ip)) = &mut packet.net else {
                panic!("an IPv4 packet");
            };
            (ip.id, ip.more_fragments, ip.protocol) = (77, true, protocol);
            packet.transport = Transport::None;
            wire
        }
    };
    let cut = |protocol| lacking(whole(protocol), &[]);
    for text in [
        "tcp[0].close == \"open\"",
        "stream(server > client) == \"P\"",
        "exactly on tcp[0] { SYN; SYN,ACK; ACK; client > server data; server > client data; client > server data }",
        "each tcp[] has missing_bytes == 0",
    ] {
        assert_eq!(verdict(&cut(6), text), Verdict::Inconclusive, "{text}");
        assert_ne!(verdict(&cut(17), text), Verdict::Inconclusive, "{text}");
    }
    for text in ["udp[0].lost == 0", "each udp[] has lost == 0"] {
        assert_eq!(verdict(&cut(1), text), Verdict::Inconclusive, "{text}");
    }
}

#[test]
fn a_connection_without_its_syn_may_be_an_earlier_one() {
    let two = || {
        let mut wire = Wire::new();
        let first = wire.tcp(CLIENT, (SERVER, 80));
        let other = wire.tcp(CLIENT, (SERVER, 81));
        // Both SYNs before the answers.
        wire.segment(first, ToServer, 0x02, b"");
        wire.segment(other, ToServer, 0x02, b"");
        for c in [first, other] {
            wire.segment(c, ToClient, 0x12, b"");
            wire.ack(c, ToServer);
        }
        wire.data(other, ToServer, b"x");
        wire
    };
    doubtful(
        two,
        &[0],
        &[
            "tcp[0].server.port == 80",
            "tcp[1].bytes == 1",
            "in order on tcp[1] { data }",
            "no tcp.stream == 1 and tcp.dstport == 80",
        ],
    );
    decided(
        two,
        &[0],
        &[
            "no RST",
            "packets(data) == 1",
            "no tcp.port == 81 and tcp.flags.fin == 1",
        ],
    );
}

#[test]
fn a_syn_of_ports_that_are_used_again_is_missing() {
    let make = || {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 80));
        wire.handshake(c);
        wire.fin(c, ToServer);
        wire.fin(c, ToClient);
        wire.ack(c, ToServer);
        // The same ports with other numbers: SYN, SYN,ACK, ACK.
        let first = wire.trace.packets.len();
        wire.handshake(c);
        for packet in &mut wire.trace.packets[first..] {
            let Transport::Tcp(tcp) = &mut packet.transport else {
                panic!("a segment");
            };
            let base = 1_000_000;
            (tcp.seq, tcp.ack) = match (tcp.flags.syn(), tcp.flags.ack()) {
                (true, false) => (base, 0),
                (true, true) => (2 * base, base + 1),
                _ => (base + 1, 2 * base + 1),
            };
        }
        wire
    };
    doubtful(
        make,
        &[6],
        &[
            "packets(SYN) == 2",
            "no SYN after FIN",
            "in order { SYN x2 }",
        ],
    );
    decided(make, &[6], &["no RST", "packets(FIN) == 2"]);
}

/// Found by fuzzing: the frames behind a missing one have other numbers, also where
/// they are told by another frame.
#[test]
fn frames_behind_a_missing_one_have_other_numbers() {
    let two = || {
        let mut wire = turns();
        let other = wire.tcp(CLIENT, (SERVER, 81));
        wire.handshake(other);
        wire
    };
    doubtful(
        two,
        &[4],
        &[
            "no tcp.port == 81 and frame.number == 9 and tcp.flags.ack == 1",
            "no tcp.port == 81 and tcp.analysis.acks_frame == 8",
        ],
    );
    decided(two, &[4], &["no tcp.port == 81 and tcp.analysis.rto_frame"]);
}
