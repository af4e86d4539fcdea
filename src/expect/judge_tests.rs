//! What holds and what does not, from text and wire to verdict.

use super::Verdict;
use super::testing::lab::*;
use super::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};

#[test]
fn exactly_names_every_event() {
    passes(&upper(), &[UPPER]);
    passes(
        &refused(),
        &["exactly { client > nobody:12000 SYN; nobody > client RST within 1s }"],
    );
    passes(
        &no_udp_server(),
        &[
            "exactly { client > nobody:12000 udp \"hello\"; nobody > client icmp port-unreachable }",
            "exactly (udp.port == 12000) { client > nobody udp; nobody > client icmp }",
            "exactly (tcp) { }",
        ],
    );
    fails(
        &no_udp_server(),
        &[
            "exactly { client > nobody udp }",
            "exactly { nobody > client icmp port-unreachable }",
            "exactly { client > nobody udp; nobody > client icmp host-unreachable }",
            "exactly { client > nobody udp \"hell\"; nobody > client icmp }",
            "exactly { client > server udp; nobody > client icmp }",
            "exactly { client > nobody udp x2; nobody > client icmp }",
            "exactly { client > nobody udp; nobody > client icmp; maybe client > nobody udp; client > nobody udp }",
        ],
    );
}

#[test]
fn optional_and_repeated_steps() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 53));
    for text in ["a", "b", "b", "c"] {
        wire.datagram(c, ToServer, text.as_bytes());
    }
    passes(
        &wire,
        &[
            "exactly { client > server udp x4 }",
            "exactly { client > server udp x1.. }",
            "exactly { client > server udp x0..; maybe client > server udp \"c\" }",
            "exactly { client > server udp x1..3; client > server udp }",
            "exactly { client > server udp x1..3; client > server udp \"b\" x2; client > server udp \"c\" }",
            "exactly { maybe client > server udp \"x\"; client > server udp x4; maybe client > server udp }",
            "in order { client > server udp \"a\"; client > server udp \"c\" }",
            "in order { maybe client > server udp \"c\"; client > server udp \"b\" x2 }",
            "any order { client > server udp \"c\"; client > server udp \"b\" x2; client > server udp \"a\" }",
            "any order { client > server udp x3; client > server udp \"a\" }",
        ],
    );
    fails(
        &wire,
        &[
            "exactly { client > server udp x3 }",
            "exactly { client > server udp x1..3 }",
            "exactly { client > server udp x5.. }",
            "in order { client > server udp \"b\" x3 }",
            "in order { client > server udp \"c\"; client > server udp \"a\" }",
            "any order { client > server udp x4; client > server udp \"a\" }",
            "any order { client > server udp \"b\" x3 }",
        ],
    );
}

#[test]
fn times_and_names() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 53));
    wire.datagram(c, ToServer, b"a");
    wire.datagram(c, ToServer, b"b");
    wire.wait(100);
    wire.datagram(c, ToClient, b"A");
    passes(
        &wire,
        &[
            "exactly { client > server udp as q; client > server udp within 5ms; server > client udp within 200ms of q }",
            // Only the second question is near enough: the search must go back.
            "in order { client > server udp as q; server > client udp within 101ms of q }",
            "in order { client > server udp as q; server > client udp where frame.time_relative > q.frame.time_relative }",
            "any order { server > client udp as r; client > server udp within 101ms of r }",
        ],
    );
    fails(
        &wire,
        &[
            "exactly { client > server udp as q; client > server udp; server > client udp within 50ms of q }",
            "in order { client > server udp as q; server > client udp within 100ms of q }",
            "any order { server > client udp as r; client > server udp \"a\" within 101ms of r }",
        ],
    );
    assert_eq!(
        shown(
            &wire,
            "in order { client > server udp \"b\"; server > client udp within 50ms }"
        ),
        "Fail: Step 2 of 2 came too late, in packet 3.
at       server > client udp within 50ms
expected server > client  udp  within 50ms
actual   server > client  udp \"A\"
differs  time: expected within 50ms of the step before, took 101ms
frame    3
filter   frame.number in {2, 3}"
    );
}

#[test]
fn http_heads_are_other_names_for_data() {
    let around = |steps: &str| {
        format!(
            "exactly {{ client > server SYN; server > client SYN,ACK; client > server ACK; {steps} client <> server FIN x2 }}"
        )
    };
    let wire = web();
    for steps in [
        "client > server GET /a.txt; server > client HTTP 200;",
        "client > server data; server > client data;",
        "client > server GET ~ /txt$/; server > client data;",
        "client > server GET; client > server data; server > client HTTP;",
    ] {
        passes(&wire, &[&around(steps)]);
    }
    for steps in [
        "client > server GET /a.txt;",
        "server > client HTTP 200;",
        "client > server GET /b.txt; server > client HTTP 200;",
        "client > server POST /a.txt; server > client HTTP 200;",
        "client > server GET /a.txt; server > client HTTP 404;",
        "client > server GET /a.txt; server > client HTTP 200; server > client HTTP 200;",
    ] {
        fails(&wire, &[&around(steps)]);
    }
    // Bytes that belong to no message are left unnamed.
    let mut more = web();
    more.data(0, ToClient, b"more");
    fails(
        &more,
        &[
            "in order { client > server GET }; exactly (tcp.len > 0) { client > server GET; server > client HTTP }",
        ],
    );
}

#[test]
fn what_came_after_a_stop_signal_counts_only_where_it_is_asked_for() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    wire.data(c, ToServer, b"x");
    let fin = wire.fin(c, ToClient);
    wire.recording().programs[1].stopped_after = Some(fin as u64);
    let open = "exactly { client > server SYN; server > client SYN,ACK; client > server ACK; client > server data";
    passes(
        &wire,
        &[
            &format!("{open} }}"),
            &format!("{open}; server > client FIN after_stop }}"),
            "no FIN",
            "no server > client FIN",
        ],
    );
    fails(
        &wire,
        &[
            &format!("{open}; server > client FIN }}"),
            "in order { server > client FIN }",
            "in order { client > server SYN after_stop }",
        ],
    );
    assert_eq!(
        shown(&wire, "in order { client > server data; server > client FIN }"),
        "Fail: Step 2 of 2 was not found. Packet 5 comes nearest to it.
at       server > client FIN
expected server > client  FIN
actual   server > client  FIN  after_stop
differs  time: it was sent after the program had been told to stop
frame    5
filter   tcp.stream eq 0 && frame.number in {4, 5}
note     It came only after the program had been told to stop: then the kernel closes what the program left open. The program itself did not do it; does it ever call close()?"
    );
}

#[test]
fn packets_are_counted_where_the_author_says_so() {
    let wire = upper();
    passes(
        &wire,
        &[
            "exactly packets { client > server SYN; server > client SYN,ACK; client > server ACK; client > server data \"hello\"; server > client ACK; server > client data x2; client <> server FIN x2 }",
            "packets(server > client data) == 2",
            "packets(server > client data \"HELLO\") == 2",
            "packets(ACK) == 2",
            "packets(tcp) == 9",
        ],
    );
    fails(
        &wire,
        &["exactly packets { client > server SYN; server > client SYN,ACK; client > server ACK }"],
    );
}

#[test]
fn claims_over_conversations_streams_and_messages() {
    passes(
        &upper(),
        &[
            "stream(server > client) == upper(stream(client > server))",
            "len(stream(client > server)) == 5",
            "not tcp[0].state == \"SF\"",
            "tcp[0].server.port == 12000 and tcp[0].client.role == \"client\"",
            "tcp[0].retransmissions == 0 or tcp[0].state == \"REJ\"",
            "client.exit == 0; client.ended == \"by itself\"",
            "each tcp[] has server.port == 12000",
            "stream(client > server) ~ /^hel+o$/",
        ],
    );
    passes(
        &web(),
        &[
            "http[0].response.code == 200",
            "http[0].response.body == file(\"a.txt\")",
            "http[0].response.headers.content-type == \"text/plain\"",
            "http[0].request.method == \"GET\" and http[0].request.uri contains \"a.txt\"",
            "each http[] has response.code == 200",
        ],
    );
    passes(
        &refused(),
        &["tcp[0].state == \"REJ\"", "tcp[0].completeness == 37"],
    );
    fails(
        &upper(),
        &[
            "tcp[1].state == \"SF\"",
            "not tcp[1].state == \"SF\"",
            "each udp[] has server.port == 12000",
            "udp[0].datagrams == 1",
            "stream(server > client:1) == \"x\"",
        ],
    );
}

#[test]
fn a_sequence_that_would_take_too_long_is_said_to_be_too_complex() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 53));
    for _ in 0..60 {
        wire.datagram(c, ToServer, b"a");
    }
    // Each choice is tied to the one before, so that no two are alike.
    let steps: Vec<String> = (0..30)
        .map(|i| format!("client > server udp as s{i}"))
        .collect();
    let text = format!(
        "any order {{ {}; client > server udp \"b\" where frame.number > s0.frame.number }}",
        steps.join("; ")
    );
    assert_eq!(verdict(&wire, &text), Verdict::Fail);
    let text = text
        .replace("udp \"b\"", "udp")
        .replace("> s0.frame", "> 100 and frame.number > s0.frame");
    let outcome = shown(&wire, &text);
    assert!(outcome.contains("too complex"), "{outcome}");
}

#[test]
fn of_many_ways_none_leads_past_a_step_that_nothing_fits() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 53));
    for _ in 0..60 {
        wire.datagram(c, ToServer, b"a");
    }
    let steps: Vec<String> = (1..30)
        .map(|i| {
            format!(
                "client > server udp as s{i} where frame.number > s{}.frame.number",
                i - 1
            )
        })
        .collect();
    let text = |last: &str| {
        let steps = steps.join("; ");
        format!("in order {{ client > server udp as s0; {steps}; {last} }}")
    };
    let outcome = shown(
        &wire,
        &text("client > server udp \"b\" where frame.number > s0.frame.number"),
    );
    assert!(
        outcome.starts_with("Fail: Step 31 of 31 was not found"),
        "{outcome}"
    );
    // None can be behind the first and before it.
    let outcome = shown(
        &wire,
        &text("client > server udp where s0.frame.number > frame.number"),
    );
    assert!(
        outcome.starts_with("Fail: Step 31 of 31 was not found"),
        "{outcome}"
    );
}

/// Wireshark has no `http.response.phrase` where none was sent, as in `HTTP/1.1 204`.
#[test]
fn a_response_without_a_phrase_has_none() {
    for (line, with_phrase) in [("HTTP/1.1 200 OK", 1), ("HTTP/1.1 200 ", 0)] {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 80));
        wire.http(c, ToServer, "GET / HTTP/1.1\r\nHost: x", b"");
        wire.http(c, ToClient, line, b"");
        let phrases = format!("packets(http.response.phrase) == {with_phrase}");
        passes(&wire, &["packets(http.response.code) == 1", &phrases]);
    }
}

/// A block that did not match gave no name; the next that gives it does.
#[test]
fn a_name_is_that_of_the_last_block_that_gave_it() {
    let first = "in order { client > server SYN as s }";
    let wrong = "in order { client > server RST as s }";
    let last = "in order { server > client data as s; client <> server FIN within 1s of s }";
    passes(
        &upper(),
        &[&format!("{first}; {last}; no client > server data after s")],
    );
    fails(
        &upper(),
        &[&format!("{last}; {first}; no client > server data after s")],
    );
    fails(
        &upper(),
        &[&format!("{wrong}; {last}; no client > server data after s")],
    );
}
