//! Whole judgements: text, wire, outcome. The explanations are pinned word for
//! word: they are what a student reads.

use std::collections::BTreeMap;

use super::testing::{CLIENT, NOBODY, SERVER, ToClient, ToServer, Wire};
use super::{Outcome, Verdict, judge, parse};
use crate::savefile::{Bytes, Damage, Ended, Exit, Protocol, Socket};
use crate::scenario::ProgramSpec;
use crate::trace::{Ends, Owner};

pub fn outcomes(wire: &Wire, text: &str, programs: &[ProgramSpec]) -> Vec<Outcome> {
    let roles = wire.trace.roles.clone();
    let expectation = parse("it", text, &roles).unwrap();
    let files = BTreeMap::from([("a.txt".to_owned(), Bytes(b"body".to_vec()))]);
    judge(&wire.trace, &[expectation], programs, &files)
}

fn verdict(wire: &Wire, text: &str) -> Verdict {
    outcomes(wire, text, &[]).pop().unwrap().verdict
}

fn passes(wire: &Wire, texts: &[&str]) {
    for text in texts {
        assert_eq!(shown(wire, text).lines().next().unwrap(), "Pass", "{text}");
    }
}

fn fails(wire: &Wire, texts: &[&str]) {
    for text in texts {
        assert_eq!(verdict(wire, text), Verdict::Fail, "{text}");
    }
}

/// The outcome as a reader sees it.
pub fn shown(wire: &Wire, text: &str) -> String {
    lines(&outcomes(wire, text, &[]).pop().unwrap())
}

fn lines(outcome: &Outcome) -> String {
    let Some(failure) = outcome.failure.clone() else {
        return format!("{:?}\nevidence {:?}", outcome.verdict, outcome.evidence);
    };
    let mut lines = vec![format!("{:?}: {}", outcome.verdict, failure.message)];
    lines.extend(
        failure
            .span
            .map(|s| format!("at       {}", &outcome.text[s])),
    );
    lines.extend(failure.expected.map(|e| format!("expected {e}")));
    lines.extend(failure.actual.map(|a| format!("actual   {a}")));
    lines.extend(failure.difference.map(|d| format!("differs  {d}")));
    lines.extend(failure.diverges_at.map(|f| format!("frame    {f}")));
    lines.extend(failure.wireshark_filter.map(|f| format!("filter   {f}")));
    lines.extend(failure.notes.iter().map(|n| format!("note     {n}")));
    lines.join("\n")
}

const UPPER: &str = "exactly {
  client > server:12000  SYN
  server > client        SYN,ACK
  client > server        ACK
  client > server        data \"hello\"
  server > client        data \"HELLO\"
  server > client        FIN
  client > server        FIN
}";

fn upper() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    wire.data(c, ToServer, b"hello");
    wire.ack(c, ToClient);
    wire.data(c, ToClient, b"HEL");
    wire.data(c, ToClient, b"LO");
    wire.fin(c, ToClient);
    wire.fin(c, ToServer);
    wire
}

fn refused() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (NOBODY, 12000));
    wire.segment(c, ToServer, 2, b"");
    wire.rst(c, ToClient);
    wire.facts(c).close = crate::conversation::Close::Refused;
    wire.facts(c).state = crate::conversation::ConnState::REJ;
    wire.facts(c).completeness = 37;
    wire
}

fn no_udp_server() -> Wire {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (NOBODY, 12000));
    let sent = wire.datagram(c, ToServer, b"hello");
    wire.unreachable(c, sent, 3);
    wire
}

fn web() -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.http(c, ToServer, "GET /a.txt HTTP/1.1\r\nHost: localhost", b"");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain";
    wire.http(c, ToClient, head, b"body");
    wire.fin(c, ToClient);
    wire.fin(c, ToServer);
    wire
}

/// The server listens on another port than the client tries.
fn wrong_port() -> Wire {
    let mut wire = refused();
    wire.recording().programs[1].sockets.push(Socket {
        protocol: Protocol::Tcp,
        local: "127.0.0.1:12001".parse().unwrap(),
        remote: None,
        opened: 0,
        closed: None,
        listening: true,
    });
    wire
}

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
        "Fail: Step 2 of 2 found its event too late, in frame 3.
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
        "Fail: Step 2 of 2 found no event. Frame 5 comes nearest to it.
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
fn explained_refused() {
    assert_eq!(
        shown(
            &refused(),
            "exactly { client > nobody:12000 SYN; nobody > client SYN,ACK }"
        ),
        "Fail: Step 2 of 2 found no event: frame 2 shows something else.
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
        "Fail: Step 1 of 7 found no event: frame 1 shows something else.
at       client > server:12000  SYN
expected client > server:12000  SYN
actual   client > nobody:12000  SYN
differs  receiver: expected server:12000, got nobody
frame    1
filter   tcp.stream eq 0 && frame.number in {1}
note     No program had a socket on port 12000 when this arrived. Was server running by then, and on that port?
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
        "Fail: Step 2 of 2 found no event: frame 2 shows something else.
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
        "Fail: Step 5 of 7 found no event: frame 6 shows something else.
at       server > client        data \"HELLo\"
expected server > client  data \"HELLo\"
actual   server > client  data \"HELLO\"
differs  content: the 5th byte differs: expected \"o\", got \"O\"
frame    6
filter   tcp.stream eq 0 && frame.number in {4, 6, 7}
note     Both are equal but for upper and lower case."
    );
}

#[test]
fn explained_unnamed_event() {
    assert_eq!(
        shown(&refused(), "exactly { client > nobody:12000 SYN }"),
        "Fail: Frame 2 carries an event that no step names.
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
        "Fail: Step 6 of 7 found no event: nothing of the kind came after frame 5.
at       server > client        FIN
expected server > client  FIN
actual   nothing more
filter   tcp.stream eq 0 && frame.number in {5}
note     server never closed the connection: does it call close()?"
    );
}

#[test]
fn explained_empty_wire() {
    assert_eq!(
        shown(&Wire::new(), UPPER),
        "Fail: Step 1 of 7 found no event: there is no packet at all on the wire.
at       client > server:12000  SYN
expected client > server:12000  SYN
actual   nothing more
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
filter   tcp.stream eq 0 && frame.number in {6, 7}"
    );
    assert_eq!(
        shown(&upper(), "no FIN"),
        "Fail: There are 2 such packets; the first is frame 8.
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

fn spec(role: &str) -> ProgramSpec {
    ProgramSpec {
        role: role.to_owned(),
        run: vec![role.to_owned()],
        stdin: None,
        exit: None,
        stdout: None,
        stderr: None,
        after: None,
        ready: None,
        stop: None,
        ends_waiting: false,
        cwd: None,
        env: BTreeMap::new(),
        timeout: None,
        span: 0..0,
    }
}

#[test]
fn absence_counts_only_when_the_programs_did_their_part() {
    let mut wire = upper();
    let programs = [spec("client"), spec("server")];
    let last = |wire: &Wire, text: &str| outcomes(wire, text, &programs).pop().unwrap();
    for text in [
        "no RST",
        "no udp",
        "packets(udp) == 0",
        "each tcp[] has server.port == 12000",
        "exactly (udp) { }",
        "maybe each udp has udp.length == 13",
    ] {
        assert_eq!(last(&wire, text).verdict, Verdict::Pass, "{text}");
        let program = &mut wire.recording().programs[0];
        program.exit = Some(Exit::Signal(11));
        assert_eq!(last(&wire, text).verdict, Verdict::Fail, "{text}");
        let program = &mut wire.recording().programs[0];
        program.ended = Some(Ended::Interrupted);
        assert_eq!(last(&wire, text).verdict, Verdict::Inconclusive, "{text}");
        let program = &mut wire.recording().programs[0];
        (program.exit, program.ended) = (Some(Exit::Code(0)), Some(Ended::ByItself));
    }
    wire.recording().programs[0].exit = Some(Exit::Code(3));
    assert_eq!(last(&wire, UPPER).verdict, Verdict::Pass);
    assert_eq!(
        lines(&last(&wire, "no RST")),
        "Fail: Nothing was seen that breaks it, but that proves nothing: a program did not do what it had to.
at       no RST
note     First look at \"client runs and ends with exit code 0\".
note     That something is absent counts only when all programs ran as they should: a program that never got to work sends no packets at all."
    );
}

#[test]
fn a_failed_program_is_named_beside_a_failed_sequence() {
    let mut wire = refused();
    let program = &mut wire.recording().programs[1];
    program.exit = Some(Exit::Code(1));
    program.stderr = Bytes(b"Traceback\n  line 3\nNameError: sock\x1b[2J\n".to_vec());
    let outcome = outcomes(&wire, UPPER, &[spec("client"), spec("server")])
        .pop()
        .unwrap();
    let notes = outcome.failure.unwrap().notes;
    assert_eq!(
        notes[1..],
        [
            "First look at server: server ended with exit code 1, not 0.",
            "What server wrote to standard error:",
            "  Traceback",
            "    line 3",
            "  NameError: sock\\u{1b}[2J",
        ]
    );
}

/// Absence, exactness, counts and what was not found depend on every packet;
/// what was seen, and the programs, do not.
const RESTS_ON_ALL: [&str; 7] = [
    UPPER,
    "no RST",
    "packets(tcp.flags.syn == 1) == 2",
    "in order { client > server udp }",
    "any order { client > server udp }",
    "tcp[0].server.port == 12000",
    "stream(client > server) == \"hello\"",
];
const STANDS: [(&str, Verdict); 4] = [
    (
        "in order { client > server SYN; server > client FIN }",
        Verdict::Pass,
    ),
    ("no FIN", Verdict::Fail),
    ("each tcp has tcp.len == 0", Verdict::Fail),
    ("client.exit == 0", Verdict::Pass),
];

fn all_doubtful(wire: &Wire, why: &str) {
    for text in RESTS_ON_ALL {
        assert_eq!(verdict(wire, text), Verdict::Inconclusive, "{why}: {text}");
    }
    for (text, expected) in STANDS {
        assert_eq!(verdict(wire, text), expected, "{why}: {text}");
    }
}

#[test]
fn without_a_complete_proof_nothing_rests_on_missing_packets() {
    let mut wire = upper();
    wire.recording().proof.dropped = 3;
    all_doubtful(&wire, "drops");
    assert_eq!(
        shown(&wire, "no RST"),
        "Inconclusive: Evidence is missing: 3 packets were dropped while capturing.
at       no RST
note     Going by the packets that were captured, it would pass."
    );
    let mut wire = upper();
    wire.recording().proof.opening = false;
    all_doubtful(&wire, "opening canary");
    let mut wire = upper();
    wire.recording().proof.closing = false;
    all_doubtful(&wire, "closing canary");
    let mut wire = upper();
    wire.recording().proof.interface_counter = Some(false);
    all_doubtful(&wire, "counter");
    let mut wire = upper();
    wire.recording().proof.interface_counter = None;
    passes(&wire, &[UPPER, "no RST"]);
    let mut wire = upper();
    wire.recording().fault = Some("the disk is full".to_owned());
    all_doubtful(&wire, "fault");
    let mut wire = upper();
    wire.trace.capture.damage = Some(Damage {
        offset: 100,
        reason: "cut".to_owned(),
    });
    all_doubtful(&wire, "damage");
}

#[test]
fn a_capture_from_elsewhere_is_judged_as_it_is_unless_it_dropped() {
    let mut wire = upper();
    wire.trace.recording = None;
    passes(&wire, &[UPPER, "no RST", "tcp[0].server.port == 12000"]);
    assert_eq!(verdict(&wire, "client.exit == 0"), Verdict::Inconclusive);
    wire.trace.capture.interfaces[0].dropped = Some(1);
    for text in RESTS_ON_ALL {
        assert_eq!(verdict(&wire, text), Verdict::Inconclusive, "{text}");
    }
    let mut empty = Wire::new();
    empty.trace.recording = None;
    assert_eq!(verdict(&empty, "no RST"), Verdict::Inconclusive);
}

#[test]
fn truncation_and_gaps_matter_to_those_who_read_the_bytes() {
    let mut cut = upper();
    cut.trace.packets[5].cap_len -= 1;
    assert_eq!(verdict(&cut, UPPER), Verdict::Inconclusive);
    assert_eq!(
        verdict(&cut, "in order { server > client data \"HELLO\" }"),
        Verdict::Inconclusive
    );
    let headers_only = UPPER.replace(" \"hello\"", "").replace(" \"HELLO\"", "");
    passes(
        &cut,
        &[
            &headers_only,
            "no RST",
            "each server > client data has tcp.len > 1",
        ],
    );

    let mut gap = Wire::new();
    let c = gap.tcp(CLIENT, (SERVER, 1));
    gap.data(c, ToServer, b"he");
    gap.gap(c, ToServer, 2);
    gap.data(c, ToServer, b"o");
    gap.data(c, ToClient, b"HELLO");
    for (text, expected) in [
        ("stream(client > server) == \"heo\"", Verdict::Inconclusive),
        ("stream(server > client) == \"HELLO\"", Verdict::Pass),
        (
            "in order { client > server data \"x\" }",
            Verdict::Inconclusive,
        ),
        ("in order { client > server data }", Verdict::Pass),
        ("tcp[0].server.port == 1", Verdict::Pass),
    ] {
        assert_eq!(verdict(&gap, text), expected, "{text}");
    }
}

#[test]
fn unknown_owners_matter_to_those_who_ask_for_roles() {
    let mut wire = upper();
    wire.trace.ends[5] = Ends {
        from: Owner::Unknown,
        to: CLIENT,
    };
    assert_eq!(
        verdict(&wire, "no server > client RST"),
        Verdict::Inconclusive
    );
    assert_eq!(verdict(&wire, UPPER), Verdict::Inconclusive);
    passes(
        &wire,
        &[
            "no RST",
            "in order { client > server SYN }",
            "packets(tcp) == 9",
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
