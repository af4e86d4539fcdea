//! What blocks, names and windows mean, on wires made by hand.

use super::outcome::Verdict::{self, Fail, Inconclusive, Pass};
use super::testing::lab::{fails, outcomes, upper, verdict, web};
use super::testing::{CLIENT, NOBODY, SERVER, ToClient, ToServer, Wire};
use crate::conversation::Marks;
use crate::decode::{Net, Outer, Transport};
use crate::savefile::Timestamp;

/// A connection with two exchanges, closed by both.
fn talk() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    for (question, answer) in [(b"one", b"ONE"), (b"two", b"TWO")] {
        wire.data(c, ToServer, question);
        wire.data(c, ToClient, answer);
    }
    wire.fin(c, ToClient);
    wire.fin(c, ToServer);
    wire
}

fn check(wire: &Wire, verdicts: &[(Verdict, &str)]) {
    for (expected, text) in verdicts {
        assert_eq!(verdict(wire, text), *expected, "{text}");
    }
}

fn message(wire: &Wire, text: &str) -> String {
    let outcome = outcomes(wire, text, &[]).pop().unwrap();
    let failure = outcome.failure.expect("no pass");
    [Some(failure.message), failure.expected, failure.difference]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" / ")
}

#[test]
fn groups_repeat_and_branch() {
    let exchange = "( client > server data; server > client data )";
    let around = |inside: &str| {
        format!(
            "exactly {{ client > server SYN; server > client SYN,ACK; client > server ACK; {inside}; any <> any FIN x2 }}"
        )
    };
    check(
        &talk(),
        &[
            (Pass, &around(&format!("{exchange} x2"))),
            (Pass, &around(&format!("{exchange} x1.."))),
            (Pass, &around(&format!("{exchange} x0..5"))),
            (Fail, &around(&format!("{exchange} x3"))),
            (Fail, &around(&format!("{exchange} x0..1"))),
            (Fail, &around(&format!("maybe {exchange}"))),
            (
                Pass,
                &around("( client > server data | server > client data ) x4"),
            ),
            (
                Fail,
                &around("( client > server data | server > client udp ) x4"),
            ),
            (
                Pass,
                &around("( maybe ( any > any RST ) | any > any data ) x0.."),
            ),
            (
                Pass,
                "in order { any > any SYN; ( any > any RST | any > any FIN; any > any FIN ) }",
            ),
        ],
    );
}

/// The first branch fits first, and only the second leads on.
#[test]
fn a_branch_that_leads_nowhere_is_left() {
    let text = "exactly {
        client > server SYN; server > client SYN,ACK; client > server ACK
        ( any > any data x0.. | any > any data x3 )
        server > client data \"TWO\"
        any > any FIN x2
    }";
    check(&talk(), &[(Pass, text)]);
    let either = "in order { any > any SYN; ( server > client RST | server > client udp ) }";
    assert_eq!(
        message(&talk(), either),
        "Step 2 of 3 was not found. Packet 2 comes nearest to it. / \
         server > client  RST  |  server > client  udp / flags: expected RST, got SYN,ACK"
    );
}

#[test]
fn windows_are_parts_of_the_capture() {
    check(
        &talk(),
        &[
            (Pass, "no data before SYN,ACK"),
            (Fail, "no data before FIN"),
            (Fail, "no data before RST"),
            (Pass, "no FIN until data \"TWO\""),
            (Fail, "no data until RST"),
            (Pass, "no data after FIN"),
            (Fail, "no data after SYN"),
            (Fail, "no data after RST"),
            (Pass, "no data after SYN until ACK"),
            (
                Pass,
                "packets(data after client > server data until server > client data) == 0",
            ),
            (Pass, "packets(data between SYN and FIN) == 4"),
            (
                Pass,
                "packets(tcp.len > 0 between data \"one\" and data \"TWO\") == 2",
            ),
            (Fail, "no RST between FIN and SYN"),
            (Pass, "no FIN between (SYN where tcp.len == 0) and data"),
            (Pass, "each data between SYN and FIN has tcp.len == 3"),
            (Fail, "each data between SYN and FIN has tcp.len == 4"),
            (Pass, "nothing for 100us after SYN"),
            (Fail, "nothing for 5ms after SYN"),
            (Pass, "nothing for 5s after client > server FIN"),
            (Pass, "no frame for 5s after client > server FIN"),
        ],
    );
    assert_eq!(message(&talk(), "no data after RST"), "There is no RST.");
}

#[test]
fn a_capture_that_ends_too_soon_does_not_tell() {
    let mut wire = talk();
    wire.trace.recording = None;
    check(
        &wire,
        &[
            (Inconclusive, "no RST for 5s after any > any FIN"),
            (Fail, "nothing for 5s after any > any SYN"),
            (Pass, "nothing for 500us after any > any SYN"),
        ],
    );
}

/// In a simple packet block there is none.
#[test]
fn spans_are_not_told_where_a_packet_has_no_time() {
    let mut wire = talk();
    wire.trace.recording = None;
    if let Some(packet) = wire.trace.packets.get_mut(1) {
        packet.time = Timestamp::NONE;
    }
    let block = "in order { any > any SYN; any > any SYN,ACK within 1ms }";
    check(
        &wire,
        &[
            (Inconclusive, block),
            (Inconclusive, "nothing for 5s after any > any SYN"),
            (Pass, "in order { any > any SYN; any > any SYN,ACK }"),
        ],
    );
    assert!(message(&wire, block).contains("packet 2 has no time"));
}

#[test]
fn names_hold_in_later_statements() {
    let named =
        "in order { any > any SYN as syn; any > any data \"one\" as one; any > any FIN as fin }";
    let wire = talk().reread();
    let with = |rest: &str| verdict(&wire, &format!("{named}\n{rest}"));
    assert_eq!(with("no RST between syn and fin"), Pass);
    assert_eq!(with("no data between syn and fin"), Fail);
    assert_eq!(with("packets(data after one) == 3"), Pass);
    assert_eq!(with("no tcp.ack == syn.tcp.seq + 1 before one"), Fail);
    assert_eq!(with("packets(tcp.ack == one.tcp.seq + 3) >= 1"), Pass);
    assert_eq!(
        with(
            "in order { server > client data within 1ms of one; any > any data \"two\" within 2ms of one }"
        ),
        Pass
    );
    // A block that does not match names nothing, and is the one to mend.
    let text = "in order { any > any SYN as s; any > any RST as r }\nno FIN between s and r";
    assert!(message(&talk(), text).starts_with("Step 2 of 2 was not found"));
    // A step that may be absent bounds nothing.
    let text = "in order { any > any SYN as s; maybe any > any RST as r }\nno FIN after r";
    assert_eq!(message(&talk(), text), "Nothing bears the name r.");
}

#[test]
fn any_order_is_told_in_part() {
    let mut wire = Wire::new();
    for (n, bytes) in [b"a", b"b", b"a"].into_iter().enumerate() {
        let flow = wire.udp(CLIENT, (NOBODY, 1000 + n as u16));
        wire.datagram(flow, ToServer, bytes);
    }
    check(
        &wire,
        &[
            (
                Pass,
                "any order { any > any udp \"b\" as b; any > any udp \"a\" after b }",
            ),
            (
                Pass,
                "any order { any > any udp \"b\" as b; any > any udp \"a\" before b; any > any udp \"a\" after b }",
            ),
            (
                Fail,
                "any order { any > any udp \"b\" as b; any > any udp \"a\" x2 before b }",
            ),
        ],
    );
}

#[test]
fn a_time_has_two_ends() {
    check(
        &talk(),
        &[
            (
                Pass,
                "in order { any > any SYN; any > any SYN,ACK within 1ms..2ms }",
            ),
            (
                Fail,
                "in order { any > any SYN; any > any SYN,ACK within 2ms..3ms }",
            ),
            (
                Pass,
                "any order { any > any SYN as s; any > any FIN within 2ms..1s of s }",
            ),
        ],
    );
    assert_eq!(
        message(
            &talk(),
            "in order { any > any SYN; any > any SYN,ACK within 2ms..3ms }"
        ),
        "Step 2 of 2 came too early, in packet 2. / any > any  SYN,ACK  within 2ms..3ms / \
         time: expected within 2ms..3ms of the step before, took 1ms"
    );
}

#[test]
fn a_retransmission_is_of_what_was_sent() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    wire.data(c, ToServer, b"one");
    wire.data(c, ToClient, b"ONE");
    let two = wire.data(c, ToServer, b"two");
    // The same numbers again.
    let again = wire.ack(c, ToServer);
    let first = wire.trace.packets[two].clone();
    wire.trace.packets[again].transport = first.transport;
    wire.seen(again).marks |= Marks::RETRANSMISSION;
    let block = |rest: &str| {
        format!(
            "in order {{ client > server data \"one\" as one; client > server data \"two\" as two; {rest} }}"
        )
    };
    check(
        &wire,
        &[
            (Pass, &block("any > any retransmission")),
            (Pass, &block("client > server retransmission of two")),
            (Fail, &block("client > server retransmission of one")),
            (Pass, &format!("{}\nno retransmission of one", block(""))),
            (Fail, &format!("{}\nno retransmission of two", block(""))),
        ],
    );
    let text = block("client > server retransmission of one");
    assert!(message(&wire, &text).ends_with("sequence numbers: expected those of one, got others"));
}

#[test]
fn packets_can_be_asked_for_in_any_mode() {
    check(
        &talk(),
        &[
            (
                Pass,
                "in order packets { any > any SYN; client > server ACK; any > any FIN }",
            ),
            (
                Pass,
                "any order packets { any > any FIN x2; client > server ACK; any > any data x4 }",
            ),
            (Fail, "any order packets { client > server ACK x2 }"),
        ],
    );
}

#[test]
fn a_block_can_be_about_one_message() {
    let mut wire = web();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.http(c, ToServer, "GET /b.txt HTTP/1.1", b"");
    wire.http(c, ToClient, "HTTP/1.1 404 Not Found", b"");
    check(
        &wire,
        &[
            (
                Pass,
                "exactly on http[0] { client > server GET /a.txt; server > client HTTP 200 }",
            ),
            (
                Pass,
                "exactly on http[1] { client > server GET /b.txt; server > client HTTP 404 }",
            ),
            (
                Pass,
                "exactly on http[1] { client > server data; server > client data }",
            ),
            (
                Pass,
                "exactly packets on http[1] { client > server data; server > client data }",
            ),
            (Fail, "in order on http[1] { client > server GET /a.txt }"),
            (Fail, "in order on http[2] { client > server GET /a.txt }"),
        ],
    );
}

#[test]
fn of_pipelined_messages_a_block_is_about_one() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.http(c, ToServer, "GET /a.txt HTTP/1.1", b"");
    wire.http(c, ToServer, "GET /b.txt HTTP/1.1", b"");
    wire.http(c, ToClient, "HTTP/1.1 200 OK", b"");
    let first = wire.trace.messages[1].response.take();
    wire.trace.messages[0].response = first;
    wire.http(c, ToClient, "HTTP/1.1 404 Not Found", b"");
    check(
        &wire,
        &[
            (Pass, "exactly on http[0] { GET /a.txt; HTTP 200 }"),
            (Pass, "exactly on http[1] { GET /b.txt; HTTP 404 }"),
            (Pass, "exactly on http[1] { data; HTTP 404 }"),
            (Fail, "exactly on http[0] { GET /a.txt }"),
            (Fail, "exactly on http[1] { HTTP 404 }"),
            (
                Fail,
                "exactly on tcp[0] { SYN; SYN,ACK; ACK; GET /a.txt; HTTP 200 }",
            ),
        ],
    );
}

#[test]
fn values_are_taken_apart() {
    let mut wire = talk();
    wire.recording().programs[0].stdout =
        crate::savefile::Bytes(br#"{"n": 3, "list": ["a", {"b": true}], "s": "3"}"#.to_vec());
    check(
        &wire,
        &[
            (Pass, "json(client.stdout, \"$.n\") == 3"),
            (Pass, "json(client.stdout, \"$.list[0]\") == \"a\""),
            (Pass, "json(client.stdout, \"$['list'][-1].b\") == true"),
            (Pass, "json(client.stdout, \"$.list\") contains \"true\""),
            (Fail, "json(client.stdout, \"$.n\") > 3"),
            (Fail, "json(client.stdout, \"$.s\") == 3"),
            (Fail, "json(client.stdout, \"$.x\") == 3"),
            (Fail, "json(stream(client > server), \"$\") == 3"),
            (Pass, "len(stream(client > server)) < 1KiB"),
            (
                Pass,
                "sha256(\"abc\") == \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
            ),
        ],
    );
    assert_eq!(
        message(&wire, "json(stream(client > server), \"$.a\") == 3"),
        "The text \"onetwo\" is no JSON: expected value at line 1 column 1."
    );
}

/// It took a time that grew with the square of the pairs, and was given up.
#[test]
fn two_steps_are_looked_for_in_any_number_of_pairs() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    for _ in 0..2500 {
        wire.wait(1);
        wire.data(c, ToServer, b"question");
        wire.wait(1);
        wire.data(c, ToClient, b"answer");
    }
    fails(
        &wire,
        &["in order { client > server data; server > client data within 10us }"],
    );
}

/// Regression (fuzzing): of eight sums over a packet in eight tunnels there were 43 million
/// results.
#[test]
fn sums_of_sums_come_to_an_end() {
    let mut wire = upper();
    let packet = &mut wire.trace.packets[3];
    let Some(net) = packet.net else {
        panic!("an IP packet")
    };
    let outer = |id: u16| {
        let mut net = net;
        if let Net::V4(ip) = &mut net {
            ip.id = id;
        }
        Outer {
            net,
            transport: Transport::None,
            encapsulation: None,
            ethernet: None,
        }
    };
    let ids = (0..8).map(|n| 0x1000 + n * 257);
    packet.extra.get_or_insert_default().outer = ids.map(outer).collect();
    let sum = ["ip.id"; 12].join(" + ");
    check(
        &wire,
        &[
            (Pass, &format!("packets({sum} == 0xC000) == 1")),
            (Pass, &format!("packets({sum} == 1) == 0")),
            (Pass, &format!("packets({sum} - {{{sum}}} == 0) > 0")),
        ],
    );
}
