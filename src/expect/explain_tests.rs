//! The explanations, word for word: they are what a student reads.

use super::testing::lab::*;
use super::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};
use crate::conversation::Marks;
use crate::savefile::{Bytes, Exit};

#[test]
fn explained_refused() {
    assert_eq!(
        shown(
            &refused(),
            "exactly { client > nobody:12000 SYN; nobody > client SYN,ACK }"
        ),
        "Fail: Step 2 of 2 was not found: packet 2 shows something else.
at       nobody > client SYN,ACK
expected nobody > client  SYN,ACK
actual   nobody:12000 > client  RST
differs  flags: expected SYN,ACK, got RST,ACK
frame    2
filter   tcp.stream eq 0 && frame.number in {1, 2}
note     Nothing listens on TCP port 12000, so the kernel refuses the connection with RST,ACK. Is the server running, and on that port?"
    );
}

#[test]
fn explained_wrong_port() {
    assert_eq!(
        shown(&wrong_port(), UPPER),
        "Fail: Step 1 of 7 was not found: packet 1 shows something else.
at       client > server:12000  SYN
expected client > server:12000  SYN
actual   client > nobody:12000  SYN
differs  receiver: expected server:12000, got nobody
frame    1
filter   tcp.stream eq 0 && frame.number == 1
note     No program had a socket on port 12000 when this arrived.
note     server listens on port 12001, but client tried port 12000: both must use the same one."
    );
}

#[test]
fn explained_udp_without_server() {
    assert_eq!(
        shown(
            &no_udp_server(),
            "exactly { client > nobody udp \"hello\"; server > client udp \"HELLO\" }"
        ),
        "Fail: Step 2 of 2 was not found: packet 2 shows something else.
at       server > client udp \"HELLO\"
expected server > client  udp \"HELLO\"
actual   nobody:12000 > client  icmp port-unreachable
differs  protocol: expected UDP, got ICMP
frame    2
filter   frame.number in {1, 2}
note     No socket receives on UDP port 12000, so the kernel answers the datagram with an ICMP error and throws it away. Is the server running, and on that port?"
    );
}

#[test]
fn explained_wrong_data() {
    assert_eq!(
        shown(&upper(), &UPPER.replace("HELLO", "HELLo")),
        "Fail: Step 5 of 7 was not found: packet 6 shows something else.
at       server > client        data \"HELLo\"
expected server > client  data \"HELLo\"
actual   server > client  data \"HELLO\"
differs  content: the 5th byte differs: expected \"o\", got \"O\"
frame    6
filter   tcp.stream eq 0 && frame.number in {4, 6, 7}
note     Only upper and lower case differ from what is expected."
    );
}

#[test]
fn explained_unnamed_event() {
    assert_eq!(
        shown(&refused(), "exactly { client > nobody:12000 SYN }"),
        "Fail: Packet 2 carries an event that no step names.
at       client > nobody:12000 SYN
expected nothing more
actual   nobody:12000 > client  RST
frame    2
filter   tcp.stream eq 0 && frame.number in {1, 2}
note     Nothing listens on TCP port 12000, so the kernel refuses the connection with RST,ACK. Is the server running, and on that port?
note     `exactly` allows no event beside the steps. Name it in a step (`maybe …` if it may be absent), or use `in order`."
    );
}

#[test]
fn explained_never_closed() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    wire.data(c, ToServer, b"hello");
    wire.data(c, ToClient, b"HELLO");
    assert_eq!(
        shown(&wire, UPPER),
        "Fail: Step 6 of 7 was not found: nothing of the kind came after packet 5.
at       server > client        FIN
expected server > client  FIN
actual   nothing more
filter   tcp.stream eq 0 && frame.number == 5
note     server never closed the connection: does it call close()?"
    );
}

#[test]
fn explained_empty_wire() {
    assert_eq!(
        shown(&Wire::new(), UPPER),
        "Fail: Step 1 of 7 was not found: there is no packet at all on the wire.
at       client > server:12000  SYN
expected client > server:12000  SYN
actual   nothing
note     client never tried to connect."
    );
}

#[test]
fn explained_claims() {
    assert_eq!(
        shown(&refused(), "tcp[0].completeness == 31"),
        "Fail: tcp[0].completeness is 37, not 31.
at       tcp[0].completeness == 31
expected tcp[0].completeness == 31
actual   tcp[0].completeness is 37
filter   tcp.stream eq 0 && frame.number in {1, 2}
note     completeness 37 = 1 SYN + 4 ACK + 32 RST
note     completeness 31 = 1 SYN + 2 SYN,ACK + 4 ACK + 8 data + 16 FIN"
    );
    assert_eq!(
        shown(&upper(), "stream(server > client) == \"HELLO\\n\""),
        "Fail: stream(server > client) is \"HELLO\", not \"HELLO\\n\".
at       stream(server > client) == \"HELLO\\n\"
expected stream(server > client) == \"HELLO\\n\"
actual   stream(server > client) is \"HELLO\"
differs  content: it ends after 5 bytes, before the expected \"\\n\"
filter   tcp.stream eq 0 && frame.number in {6, 7}
note     Only the end of the line differs: is the newline sent, or stripped, as it should be?"
    );
    assert_eq!(
        shown(&upper(), "no FIN"),
        "Fail: There are 2 such packets; the first is packet 8.
at       no FIN
expected no FIN
actual   server > client  FIN
frame    8
filter   tcp.stream eq 0 && frame.number in {8, 9}"
    );
    assert_eq!(
        shown(&upper(), "each udp has udp.length == 13"),
        "Fail: There is no udp that could have it.
at       udp
note     A statement about each of none proves nothing. Where there may be none, write `maybe each`."
    );
    passes(&upper(), &["maybe each udp has udp.length == 13"]);
}

#[test]
fn an_index_out_of_range_says_how_many_there_are() {
    assert_eq!(
        shown(&upper(), "tcp[3].state == \"SF\""),
        "Fail: There is only 1 TCP conversation, tcp[0], so there is no tcp[3].
at       tcp[3].state"
    );
    let mut two = upper();
    two.tcp(CLIENT, (SERVER, 1));
    assert_eq!(
        shown(&two, "tcp[2].state == \"SF\"").lines().next(),
        Some(
            "Fail: There are only 2 TCP conversations (tcp[0] to tcp[1]), so there is no tcp[2]; the first one is tcp[0]."
        )
    );
    assert_eq!(
        shown(&web(), "http[0].response.headers.server == \"x\"")
            .lines()
            .next(),
        Some("Fail: The response has no header server; it has Content-Type.")
    );
}

#[test]
fn a_failed_program_is_named_beside_a_failed_sequence() {
    let mut wire = Wire::new();
    let program = &mut wire.recording().programs[1];
    program.exit = Some(Exit::Code(1));
    program.stderr = Bytes(b"Traceback\n  line 3\nNameError: sock\x1b[2J\n".to_vec());
    let outcome = outcomes(&wire, UPPER, &[spec("client"), spec("server")])
        .pop()
        .unwrap();
    let notes = outcome.failure.unwrap().notes;
    assert_eq!(
        notes[1..],
        ["First look at server: server ended with exit code 1, not 0.",]
    );
}

#[test]
fn explained_http_by_its_heads() {
    let text = "exactly on tcp[0] { client > server SYN; server > client SYN,ACK; client > server ACK; client > server GET /a.txt; server > client HTTP 404; client <> server FIN x2 }";
    assert_eq!(
        shown(&web(), text),
        "Fail: Step 5 of 6 was not found: packet 5 shows something else.
at       server > client HTTP 404
expected server > client  HTTP 404
actual   server > client  HTTP 200
differs  status: expected 404, got 200
frame    5
filter   tcp.stream eq 0 && frame.number in {4, 5}"
    );
    let data = text.replace("HTTP 404", "data \"x\"");
    assert!(shown(&web(), &data).contains("actual   server > client  data \"HTTP/1.1 200 OK"));
    let other = text.replace("tcp[0]", "tcp[1]");
    assert!(
        shown(&web(), &other)
            .starts_with("Fail: There is only 1 TCP conversation, tcp[0], so there is no tcp[1].")
    );
}

#[test]
fn explained_reset_where_data_was_expected() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    wire.data(c, ToServer, b"hello");
    wire.rst(c, ToClient);
    assert_eq!(
        shown(&wire, UPPER),
        "Fail: Step 5 of 7 was not found: packet 5 shows something else.
at       server > client        data \"HELLO\"
expected server > client  data \"HELLO\"
actual   server > client  RST
differs  event: expected data \"HELLO\", got RST
frame    5
filter   tcp.stream eq 0 && frame.number in {4, 5}
note     With a RST server's kernel cuts a connection at once: server closed its socket while received data was still unread, or data came for a socket that was gone. An orderly end is a FIN from each side."
    );
}

#[test]
fn explained_silence() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 12000));
    wire.datagram(c, ToServer, b"hello");
    assert_eq!(
        shown(
            &wire,
            "exactly { client > server:12000 udp \"hello\"; server > client udp \"HELLO\" }"
        ),
        "Fail: Step 2 of 2 was not found: nothing of the kind came after packet 1.
at       server > client udp \"HELLO\"
expected server > client  udp \"HELLO\"
actual   nothing more
filter   frame.number == 1
note     server sent nothing there. Did it wait for something, or end too early? Its output may tell."
    );
}

#[test]
fn explained_what_differs_in_one_respect() {
    let note = |wire: &Wire, text: &str| {
        let outcome = outcomes(wire, text, &[]).pop().unwrap();
        outcome.failure.unwrap().notes.join("|")
    };
    assert!(
        note(&refused(), "exactly { nobody:12000 > client SYN }")
            .starts_with("Only the direction differs.")
    );
    let case = "in order { server > client data ~ /^hello$/ }";
    assert!(note(&upper(), case).contains("Only upper and lower case differ"));
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 12000));
    wire.datagram(c, ToServer, b"hihi");
    for twice in ["udp \"hi\"", "udp ~ /^hi$/"] {
        let text = format!("exactly {{ client > server {twice} }}");
        assert!(note(&wire, &text).contains("twice"), "{twice}");
    }
}

#[test]
fn explained_a_server_that_came_too_late_and_a_head_without_an_end() {
    let notes_of = |wire: &Wire, text: &str| {
        let outcome = outcomes(wire, text, &[]).pop().unwrap();
        outcome.failure.unwrap().notes.join("|")
    };
    let mut wire = wrong_port();
    let socket = &mut wire.recording().programs[1].sockets[0];
    socket.local.set_port(12000);
    socket.opened = i64::MAX;
    assert!(notes_of(&wire, UPPER).contains("opened port 12000 only later"));
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.data(c, ToServer, b"GET / HTTP/1.1\nHost: a\n");
    let text = "in order { client > server GET / }";
    let notes = notes_of(&wire, text);
    assert!(notes.contains("no end") && notes.contains("\\n"), "{notes}");
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.data(c, ToServer, b"404 Not found\n");
    assert!(notes_of(&wire, text).contains("This is no HTTP: a request"));
}

#[test]
fn explained_a_datagram_that_comes_again() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 12000));
    wire.datagram(c, ToServer, b"hello");
    wire.datagram(c, ToServer, b"hello");
    let shown = shown(&wire, "exactly { client > server udp \"hello\" }");
    assert!(shown.ends_with("note     It is the same as packet 1: is it sent twice?"));
}

/// The lines of an explanation that begin so.
fn told(wire: &Wire, text: &str, what: &str) -> Vec<String> {
    let lines = shown(wire, text);
    let lines = lines.lines().filter_map(|line| line.strip_prefix(what));
    lines.map(|line| line.trim_start().to_owned()).collect()
}

#[test]
fn a_condition_shows_the_field_of_the_named_step_by_its_name() {
    let text = "in order { client > any SYN as syn; any > client SYN,ACK where tcp.ack == syn.tcp.seq + 2 }";
    let differs = told(&upper(), text, "differs");
    assert!(differs[0].ends_with("; syn.tcp.seq is 0"), "{differs:?}");
}

#[test]
fn a_regular_expression_is_shown_as_it_was_written() {
    let text = "in order { client > server data where tcp.payload matches \"^HALLO$\" }";
    assert_eq!(
        told(&upper(), text, "expected"),
        ["client > server  data  where tcp.payload matches \"^HALLO$\""]
    );
}

#[test]
fn brackets_behind_not_are_shown() {
    let text = "not (len(stream(client > server)) == 5 or client.exit == 9)";
    assert_eq!(told(&upper(), text, "expected"), [text]);
}

#[test]
fn a_scope_without_events_is_blamed_and_not_the_program() {
    let text = "in order (tcp.port == 12001) { client > server SYN }";
    assert_eq!(
        told(&upper(), text, "note"),
        ["`(tcp.port == 12001)` leaves none of the 7 events to this block."]
    );
}

#[test]
fn a_content_that_fits_is_not_called_different_in_case() {
    let text = "in order { server > client data ~ /^HELLO/; client > server data ~ /^hello/ }";
    assert_eq!(
        told(&upper(), text, "note"),
        ["If the order does not matter, use `any order`."]
    );
}

#[test]
fn what_must_come_is_named_before_what_may_be_repeated() {
    for group in [
        "( client > server data ) x0..",
        "( ( client > server data x0.. ) x0.. ) x0..",
    ] {
        let text = format!("in order {{ {group}; client > server RST }}");
        assert_eq!(
            told(&upper(), &text, "at"),
            ["client > server RST"],
            "{text}"
        );
    }
}

#[test]
fn branches_of_unequal_length_are_all_named() {
    let text =
        "exactly { client > any SYN; ( any > client RST | any > client FIN; any > any RST ) }";
    assert_eq!(
        told(&upper(), text, "expected"),
        ["any > client  RST  |  any > client  FIN"]
    );
}

#[test]
fn two_writes_are_told_to_be_one_run() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    wire.data(c, ToServer, b"hello ");
    wire.data(c, ToServer, b"world");
    for text in [
        "in order { client > server data x2 }",
        "in order { client > server data \"hello \" }",
        "in order { client > server data; client > server data }",
    ] {
        let notes = told(&wire, text, "note");
        assert!(
            notes
                .iter()
                .any(|n| n.contains("in several writes is one event")),
            "{text}: {notes:?}"
        );
        assert!(
            !notes.iter().any(|n| n.contains("sent nothing")),
            "{text}: {notes:?}"
        );
    }
}

#[test]
fn who_closes_first_is_told_to_be_open() {
    let text = "exactly { client > server SYN; server > client SYN,ACK; client > server ACK; client > server data; server > client data; client > server FIN; server > client FIN }";
    let notes = told(&upper(), text, "note");
    assert!(notes[0].contains("`client <> server  FIN x2`"), "{notes:?}");
}

#[test]
fn a_filter_that_sees_quoted_headers_says_so() {
    for text in [
        "packets(udp.port == 12000) == 1",
        "no udp.srcport == 12000",
        "each udp.length == 13 has frame.len < 60",
    ] {
        let notes = told(&no_udp_server(), text, "note");
        let quoted = notes
            .iter()
            .any(|n| n.starts_with("Packet 2 is an ICMP error"));
        let fails = shown(&no_udp_server(), text).starts_with("Fail");
        assert_eq!(quoted, fails, "{text}: {notes:?}");
    }
    assert!(!told(&no_udp_server(), "packets(udp.port == 12000) == 1", "note").is_empty());
}

#[test]
fn claims_tell_what_is_only_case_or_the_line_end() {
    let only_case = "Only upper and lower case differ from what is expected.";
    for text in [
        "stream(server > client) == stream(client > server)",
        "stream(server > client) contains \"hell\"",
    ] {
        assert_eq!(told(&upper(), text, "note"), [only_case], "{text}");
    }
}

/// Regression: the first of the kind was taken for the nearest.
#[test]
fn what_is_most_alike_comes_nearest() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 25));
    wire.handshake(c);
    for (asked, answered) in [
        ("EHLO me\r\n", "250\r\n"),
        ("NOOP\r\n", "250\r\n"),
        ("QUIT\r\n", "221\r\n"),
    ] {
        wire.data(c, ToServer, asked.as_bytes());
        wire.data(c, ToClient, answered.as_bytes());
    }
    for (wanted, nearest) in [
        ("QUIT", "QUIT\\r\\n"),
        ("noop\\r\\n", "NOOP\\r\\n"),
        ("EHLO you\\r\\n", "EHLO me\\r\\n"),
    ] {
        let told = shown(
            &wire,
            &format!("in order {{ client > server data \"{wanted}\" }}"),
        );
        assert!(
            told.contains(&format!("data \"{nearest}\"")),
            "{wanted}: {told}"
        );
    }
}

/// Regression: a UDP datagram was shown, which came first.
#[test]
fn an_icmp_error_of_another_kind_is_near() {
    let told = shown(
        &no_udp_server(),
        "in order { any > any icmp host-unreachable }",
    );
    assert!(
        told.contains("actual   nobody:12000 > client  icmp port-unreachable"),
        "{told}"
    );
    let told = shown(
        &no_udp_server(),
        "in order { client > nobody icmp port-unreachable }",
    );
    assert!(told.contains("Only the direction differs"), "{told}");
}

/// Regression: packet 4 "goes straight on to what a later step names".
#[test]
fn a_later_step_that_takes_any_data_does_not_hide_the_content() {
    let told = shown(
        &upper(),
        "exactly { SYN; SYN,ACK; ACK; data \"hullo\"; data; FIN x2 }",
    );
    assert!(told.contains("shows something else"), "{told}");
    assert!(told.contains("differs  content"), "{told}");
}

#[test]
fn notes_are_of_this_capture() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.data(c, ToServer, b"abc");
    let again = wire.ack(c, ToServer);
    wire.seen(again).marks |= Marks::RETRANSMISSION;
    wire.fin(c, ToServer);
    wire.data(c, ToClient, b"late");
    wire.fin(c, ToClient);
    let told = shown(&wire, "in order { retransmission; retransmission }");
    assert!(!told.contains("nothing was lost"), "{told}");
    let told = shown(
        &wire,
        "exactly { SYN; SYN,ACK; ACK; data; client > server FIN; data; client > server FIN }",
    );
    assert!(!told.contains("closed first"), "{told}");
}

/// Regression: it ended without a word.
#[test]
fn a_wireshark_filter_that_leaves_packets_out_says_so() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    for _ in 0..30 {
        wire.data(c, ToServer, b"x");
        wire.ack(c, ToClient);
    }
    let told = shown(&wire, "no client > server data");
    assert!(told.contains("the first 20 of the 30 packets"), "{told}");
    assert!(
        !shown(&upper(), "no data").contains("Wireshark filter shows"),
        "{told}"
    );
}
