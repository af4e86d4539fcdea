//! Evidence that may be missing makes a statement that rests on it inconclusive.

use super::Verdict;
use super::testing::lab::*;
use super::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};
use crate::decode::{Net, Transport};
use crate::savefile::{Damage, Ended, Exit, Timestamp};
use crate::trace::{Ends, Owner};

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
        "Fail: No packet breaks it, but that proves nothing: a program did not do what it had to.
at       no RST
note     First look at \"client runs and ends with exit code 0\": a program that fails may not send what it would have sent, wanted or not."
    );
}

/// Absence, exactness, counts and what was not found depend on every packet;
/// what was seen, and the programs, do not.
const RESTS_ON_ALL: [&str; 8] = [
    UPPER,
    // A SYN that is sent again is no event beside the first.
    "in order { client > server SYN; server > client FIN }",
    "no RST",
    "packets(tcp.flags.syn == 1) == 2",
    "in order { client > server udp }",
    "any order { client > server udp }",
    "tcp[0].server.port == 12000",
    "stream(client > server) == \"hello\"",
];

const STANDS: [(&str, Verdict); 4] = [
    ("in order { client > server SYN }", Verdict::Pass),
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

/// What stands in a head, and which message it is, was decided when it came.
#[test]
fn a_head_stands_whatever_is_missing_behind_it() {
    let exchange = |gap: u64| {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 80));
        wire.handshake(c);
        wire.data(c, ToServer, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        let len = 10 + gap;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\nbegin");
        wire.data(c, ToClient, head.as_bytes());
        if gap > 0 {
            wire.gap(c, ToClient, gap);
        }
        wire.data(c, ToClient, b"end..");
        wire.data(c, ToServer, b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
        wire.data(c, ToClient, b"HTTP/1.1 204 No Content\r\n\r\n");
        let mut wire = wire.reread();
        wire.trace.recording = None;
        wire
    };
    let heads = [
        ("http[0].response.code == 200", Verdict::Pass),
        ("http[0].response.code == 404", Verdict::Fail),
        ("http[0].response.headers.server == \"x\"", Verdict::Fail),
        (
            "http[0].request.uri == \"/a\" and not http[0].response.phrase == \"Oh\"",
            Verdict::Pass,
        ),
        ("lower(http[0].request.method) == \"get\"", Verdict::Pass),
    ];
    let bodies = [
        "http[0].response.body contains \"begin\"",
        "http[0].response.body_complete == true",
        "http[0].response.code == 200 and http[0].response.body contains \"b\"",
        "http[1].response.code == 204",
        "http[2].response.code == 204",
        "each http[] has response.code < 300",
    ];
    let gap = exchange(5);
    let mut cut = exchange(0);
    cut.trace.packets[5].cap_len -= 1;
    for (wire, name) in [(&gap, "gap"), (&cut, "cut")] {
        for (text, expected) in heads {
            assert_eq!(verdict(wire, text), expected, "{name}: {text}");
        }
        for text in bodies {
            assert_eq!(verdict(wire, text), Verdict::Inconclusive, "{name}: {text}");
        }
    }
    let counted = "http[0].response.code == 200 and packets(tcp) == 9";
    assert_eq!(verdict(&gap, counted), Verdict::Inconclusive);
    let mut damaged = exchange(0);
    damaged.trace.capture.damage = Some(Damage {
        offset: 1000,
        reason: "cut".to_owned(),
    });
    for (text, expected) in heads.into_iter().chain([
        ("http[1].response.code == 204", Verdict::Pass),
        ("http[2].response.code == 204", Verdict::Inconclusive),
        ("http[1].response.body == \"\"", Verdict::Inconclusive),
    ]) {
        assert_eq!(verdict(&damaged, text), expected, "damaged: {text}");
    }
    // Before them, what is missing could be another message.
    let mut early = exchange(0);
    early.trace.packets[3].cap_len -= 1;
    for (text, _) in heads {
        assert_eq!(verdict(&early, text), Verdict::Inconclusive, "{text}");
    }
}

/// A capture from elsewhere: nothing else tells that a segment was not captured.
#[test]
fn a_gap_tells_that_a_segment_is_missing() {
    let mut gap = Wire::new();
    let c = gap.tcp(CLIENT, (SERVER, 1));
    gap.handshake(c);
    gap.gap(c, ToServer, 5);
    gap.data(c, ToClient, b"HELLO");
    let other = gap.tcp(CLIENT, (SERVER, 2));
    gap.data(other, ToServer, b"hello");
    // The wire itself has the gap where the capture is proven complete.
    assert_eq!(verdict(&gap, "no client > server:1 data"), Verdict::Pass);
    gap.trace.recording = None;
    for (text, expected) in [
        ("no client > server:1 data", Verdict::Inconclusive),
        ("no tcp.dstport == 1 and tcp.len > 0", Verdict::Inconclusive),
        ("packets(tcp.len > 0) == 2", Verdict::Inconclusive),
        ("each data has tcp.len < 10", Verdict::Inconclusive),
        ("tcp[0].bytes == 5", Verdict::Inconclusive),
        ("nothing after ACK", Verdict::Inconclusive),
        (
            "exactly on tcp[0] { any > any SYN; any > any SYN,ACK; any > any ACK; any > any data }",
            Verdict::Inconclusive,
        ),
        ("in order { client > server:1 data }", Verdict::Inconclusive),
        (
            "packets(tcp.port == 1 and tcp.len > 0) == 1",
            Verdict::Inconclusive,
        ),
        ("tcp[0].bytes.to_server == 0", Verdict::Inconclusive),
        // It went to that server, on that port.
        ("in order { client > server:3 data }", Verdict::Fail),
        (
            "no client > server:2 data where tcp.len == 9",
            Verdict::Pass,
        ),
        ("packets(server > client data) == 1", Verdict::Pass),
        (
            "packets(tcp.dstport == 2 and tcp.len > 0) == 1",
            Verdict::Pass,
        ),
        ("no tcp.stream == 1 and tcp.len == 9", Verdict::Pass),
        // A missing segment with data changes none of these.
        ("no udp", Verdict::Pass),
        ("no RST", Verdict::Pass),
        ("packets(tcp.flags.syn == 1) == 2", Verdict::Pass),
        ("tcp[1].retransmissions == 0", Verdict::Pass),
        (
            "exactly on tcp[1] { client > server data \"hello\" }",
            Verdict::Pass,
        ),
        ("no server > client data", Verdict::Fail),
    ] {
        assert_eq!(verdict(&gap, text), expected, "{text}");
    }
}

/// A capture from elsewhere without these packets of a whole connection.
fn without(lost: &[usize]) -> Wire {
    lacking(upper, lost)
}

#[test]
fn a_syn_that_is_acknowledged_is_missing_where_its_partner_is_there() {
    let (pass, fail, neither) = (Verdict::Pass, Verdict::Fail, Verdict::Inconclusive);
    let no_syn_ack = without(&[1]);
    assert_eq!(
        shown(&no_syn_ack, "no SYN,ACK").lines().next(),
        Some(
            "Inconclusive: Evidence is missing: the SYN,ACK of tcp[0] is not in the capture: packet 2 acknowledges it."
        )
    );
    for (text, expected) in [
        ("packets(SYN,ACK) == 0", neither),
        ("packets(tcp.flags.syn == 1) == 1", neither),
        ("in order { SYN; SYN,ACK }", neither),
        ("in order { SYN; ACK }", neither),
        ("exactly { SYN; data; data; FIN x2 }", neither),
        ("no data after SYN,ACK", neither),
        ("tcp[0].completeness == 29", neither),
        ("tcp[0].handshake_rtt < 1s", neither),
        // It is none of these.
        ("packets(SYN) == 1", pass),
        ("packets(data) == 3", pass),
        ("packets(ACK) == 2", pass),
        ("in order { SYN; data; data; FIN }", pass),
        ("in order { RST }", fail),
        ("tcp[0].close == \"fin\"", pass),
        ("tcp[0].bytes == 10", pass),
    ] {
        assert_eq!(verdict(&no_syn_ack, text), expected, "{text}");
    }
    let no_syn = without(&[0]);
    for (text, expected) in [
        ("no SYN", neither),
        ("in order { SYN; SYN,ACK }", neither),
        ("tcp[0].completeness == 30", neither),
        ("packets(SYN,ACK) == 1", pass),
        ("no tcp.flags.ack == 0", neither),
        ("no udp", pass),
    ] {
        assert_eq!(verdict(&no_syn, text), expected, "{text}");
    }
    // Of a connection that began before the capture neither is a part of it.
    let middle = without(&[0, 1]);
    passes(
        &middle,
        &["no SYN", "no SYN,ACK", "tcp[0].completeness == 28"],
    );
}

#[test]
fn a_datagram_of_which_a_fragment_is_missing_could_be_what_is_asked_for() {
    let mut wire = upper();
    let c = wire.udp(CLIENT, (SERVER, 53000));
    wire.datagram(c, ToServer, b"one");
    let first = wire.datagram(c, ToServer, b"the first fragment");
    let Some(Net::V4(ip)) = &mut wire.trace.packets[first].net else {
        panic!("an IPv4 packet");
    };
    (ip.id, ip.more_fragments) = (77, true);
    wire.trace.packets[first].transport = Transport::None;
    let mut wire = wire.reread();
    // The wire itself has a part only, where the capture is proven complete.
    passes(&wire, &["packets(udp) == 1"]);
    wire.trace.recording = None;
    for (text, expected) in [
        ("no udp ~ /z/", Verdict::Inconclusive),
        ("packets(udp) == 1", Verdict::Inconclusive),
        (
            "exactly (udp) { any > any udp \"one\" }",
            Verdict::Inconclusive,
        ),
        ("udp[0].datagrams == 1", Verdict::Inconclusive),
        ("in order { udp \"two\" }", Verdict::Inconclusive),
        ("in order { udp \"one\" }", Verdict::Pass),
        // It is UDP.
        ("no icmp", Verdict::Pass),
        ("packets(tcp.flags.syn == 1) == 2", Verdict::Pass),
        ("tcp[0].close == \"fin\"", Verdict::Pass),
        (UPPER, Verdict::Inconclusive),
        (
            &UPPER.replace("exactly", "exactly on tcp[0]"),
            Verdict::Pass,
        ),
    ] {
        assert_eq!(verdict(&wire, text), expected, "{text}");
    }
}

/// One question, which the server may have been the first to ask.
#[test]
fn who_spoke_first_is_not_sure_where_packets_were_dropped() {
    let hello = "in order { client:40000 > server:53000 udp \"hello\" }";
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 53000));
    wire.datagram(c, ToServer, b"hello");
    let t = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(t);
    wire.trace.recording = None;
    passes(&wire, &[hello]);
    wire.trace.capture.interfaces[0].dropped = Some(1);
    for (text, expected) in [
        (hello, Verdict::Inconclusive),
        ("no client > server udp", Verdict::Inconclusive),
        ("in order { any > any udp \"hello\" }", Verdict::Pass),
        ("in order { client > server:12000 SYN }", Verdict::Pass),
    ] {
        assert_eq!(verdict(&wire, text), expected, "{text}");
    }
    let roles = ["client=:40000", "server=:53000"].map(|role| role.parse().unwrap());
    wire.trace = wire.trace.with_roles(&roles);
    passes(&wire, &[hello]);
}

#[test]
fn how_many_were_seen_stays_where_more_would_not_change_it() {
    let mut wire = upper();
    wire.trace.recording = None;
    wire.trace.capture.interfaces[0].dropped = Some(1);
    for (text, expected) in [
        ("packets(SYN) >= 1", Verdict::Pass),
        ("packets(SYN) > 0 and packets(FIN) != 0", Verdict::Pass),
        ("packets(SYN) < 1", Verdict::Fail),
        ("packets(FIN) == 1", Verdict::Fail),
        ("packets(SYN) == 1", Verdict::Inconclusive),
        ("packets(SYN) >= 2", Verdict::Inconclusive),
        ("packets(SYN) <= 1", Verdict::Inconclusive),
        // What an event is depends on others.
        ("packets(data \"hello\") >= 1", Verdict::Inconclusive),
        (
            "packets(tcp.analysis.retransmission) >= 1",
            Verdict::Inconclusive,
        ),
    ] {
        assert_eq!(verdict(&wire, text), expected, "{text}");
    }
}

/// A capture from elsewhere ends when someone ended it.
#[test]
fn what_lies_in_a_window_is_there_though_the_capture_ends_before_it() {
    let mut wire = upper();
    wire.trace.recording = None;
    for (text, expected) in [
        ("nothing for 10s after data", Verdict::Fail),
        ("no FIN for 10s after data", Verdict::Fail),
        ("packets(FIN for 10s after SYN) > 0", Verdict::Pass),
        ("packets(FIN for 10s after SYN) == 1", Verdict::Fail),
        ("each FIN for 10s after SYN has tcp.len > 0", Verdict::Fail),
        ("packets(FIN for 10s after SYN) == 2", Verdict::Inconclusive),
        (
            "each FIN for 10s after SYN has tcp.len == 0",
            Verdict::Inconclusive,
        ),
        (
            "maybe each RST for 10s after SYN has tcp.len == 0",
            Verdict::Inconclusive,
        ),
        ("no RST for 10s after SYN", Verdict::Inconclusive),
        (
            "nothing for 10s after client > server FIN",
            Verdict::Inconclusive,
        ),
        ("no RST for 2ms after SYN", Verdict::Pass),
    ] {
        assert_eq!(verdict(&wire, text), expected, "{text}");
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

/// `dns.*` of a query that was cut was judged as though it were not there.
#[test]
fn a_cut_message_may_be_any() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (SERVER, 53));
    let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01";
    wire.datagram(c, ToServer, query);
    let mut wire = wire.reread();
    wire.trace.recording = None;
    let statements = [
        "no dns.qry.name == \"b\"",
        "packets(dns.qry.name) == 1",
        "each udp has dns.id == 1",
        "no udp where dns.qry.name == \"b\"",
    ];
    passes(&wire, &statements);
    wire.trace.packets[0].cap_len -= 1;
    for text in statements
        .into_iter()
        .chain(["no tls", "packets(mdns) == 0"])
    {
        assert_eq!(verdict(&wire, text), Verdict::Inconclusive, "{text}");
    }
    passes(
        &wire,
        &["each udp has udp.dstport == 53", "packets(udp) == 1"],
    );
}

/// Which response answers which depends on what others brought.
#[test]
fn each_message_depends_on_the_payload_of_all() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    for target in ["/1", "/2"] {
        wire.data(
            c,
            ToServer,
            format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes(),
        );
        wire.data(c, ToClient, b"HTTP/1.1 204 No Content\r\n\r\n");
    }
    let mut wire = wire.reread();
    wire.trace.recording = None;
    let statement = "each http.response has http.request_in";
    passes(&wire, &[statement]);
    wire.trace.packets[5].cap_len -= 1;
    assert_eq!(verdict(&wire, statement), Verdict::Inconclusive);
}

/// The scale of windows is told in the SYN: without it they are other numbers.
#[test]
fn what_a_missing_syn_agreed_on_is_not_known() {
    let whole = without(&[]);
    let lost = without(&[0]);
    for text in [
        "each data has tcp.window_size > 0",
        "each data has tcp.analysis.initial_rtt >= 0",
        "packets(data where tcp.completeness == 31) == 2",
        "in order { client > server data where tcp.window_size_scalefactor == -2 }",
    ] {
        assert_ne!(verdict(&whole, text), Verdict::Inconclusive, "{text}");
        assert_eq!(verdict(&lost, text), Verdict::Inconclusive, "{text}");
    }
    passes(&lost, &["each data has tcp.window_size_value >= 0"]);
}

#[test]
fn bytes_of_the_other_way_are_counted_all_the_same() {
    let lost = without(&[3]);
    passes(&lost, &["tcp[0].bytes.to_client == 5"]);
    for text in ["tcp[0].bytes.to_server == 0", "tcp[0].bytes == 5"] {
        assert_eq!(verdict(&lost, text), Verdict::Inconclusive, "{text}");
    }
}

/// Segments that were captured in another order have the numbers of their bytes.
#[test]
fn messages_are_numbered_by_their_streams() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    let a = wire.data(c, ToServer, b"GET /a HTTP/1.1\r\n\r\n");
    let b = wire.data(c, ToServer, b"GET /b HTTP/1.1\r\n\r\n");
    let trace = &mut wire.trace;
    trace.packets.swap(a, b);
    let (first, second) = (trace.frame(a).to_vec(), trace.frame(b).to_vec());
    let frames = (0..trace.packets.len()).map(|index| match index {
        index if index == a => second.clone(),
        index if index == b => first.clone(),
        index => trace.frame(index).to_vec(),
    });
    let mut swapped = crate::trace::Frames::default();
    frames.for_each(|frame| swapped.push(&frame, None));
    trace.frames = swapped;
    let mut wire = wire.reread();
    wire.trace.recording = None;
    passes(
        &wire,
        &[
            "http[0].request.uri == \"/a\"",
            "http[1].request.uri == \"/b\"",
        ],
    );
}

/// Bytes that came after they were given up count where a program was stopped, too.
#[test]
fn what_comes_late_counts_before_a_stop() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    let number = |wire: &mut Wire, packet: usize, seq: u32, ack: u32| {
        let Transport::Tcp(tcp) = &mut wire.trace.packets[packet].transport else {
            panic!("a segment");
        };
        (tcp.seq, tcp.ack) = (seq, ack);
    };
    let ack = wire.trace.packets[2].tcp().unwrap();
    let (client, server) = (ack.seq, ack.ack);
    let world = wire.data(c, ToServer, b"world");
    number(&mut wire, world, client + 5, server);
    for _ in 0..3 {
        wire.wait(10);
        let ack = wire.ack(c, ToClient);
        number(&mut wire, ack, server, client + 10);
    }
    let hello = wire.data(c, ToServer, b"hello");
    number(&mut wire, hello, client, server);
    let stop = wire.trace.packets.len() as u64;
    let fin = wire.fin(c, ToClient);
    number(&mut wire, fin, server, client + 10);
    let mut wire = wire.reread();
    wire.recording().programs[1].stopped_after = Some(stop);
    passes(&wire, &["stream(client > server) == \"helloworld\""]);
}

/// Regression: a packet cut, or bytes missing, in any connection made each `no … "x"`
/// inconclusive.
#[test]
fn what_headers_rule_out_is_not_asked_for_its_payload() {
    let whole = || {
        let mut wire = Wire::new();
        let first = wire.tcp(CLIENT, (SERVER, 80));
        let other = wire.tcp(CLIENT, (SERVER, 81));
        for c in [first, other] {
            wire.handshake(c);
            wire.data(c, ToServer, b"GET / HTTP/1.1\r\n\r\n");
            wire.data(c, ToClient, b"HTTP/1.1 204 No Content\r\n\r\n");
        }
        let mut wire = wire.reread();
        wire.trace.recording = None;
        wire
    };
    // The first connection's request was cut.
    let mut cut = whole();
    cut.trace.packets[3].cap_len -= 1;
    let decided = [
        "no client > server:81 data ~ /PUT/",
        "no server > client data ~ /404/",
        "no tcp.port == 81 and tcp.payload contains \"PUT\"",
        "no not (tcp.port == 80 or not tcp.payload contains \"PUT\")",
        "no tcp.stream == 1 and http.response.code == 404",
        "no server:81 > client HTTP 404",
        "no client > server:81 PUT",
        "packets(client > server:81 data ~ /GET/) == 1",
        "packets(tcp.dstport == 81 and http) == 1",
        "each tcp.stream == 1 and http.request has http.request.method == \"GET\"",
        "each server:81 > client HTTP has http.request_in",
    ];
    passes(&cut, &decided);
    let undecided = [
        "no client > server data ~ /PUT/",
        "no data ~ /PUT/",
        "no tcp.port == 99 or tcp.payload contains \"PUT\"",
        "no tcp.port == 99 xor tcp.payload contains \"PUT\"",
        // An answer's end depends on its request.
        "no server:80 > client HTTP 404",
        "no tcp.srcport == 80 and http.response.code == 404",
        "no server > client HTTP 404",
        "packets(http) == 4",
        "each http.request has http.request.method == \"GET\"",
        "no client > server:81 data ~ /PUT/ before data ~ /204/",
    ];
    for text in undecided {
        assert_eq!(verdict(&cut, text), Verdict::Inconclusive, "{text}");
    }
    for text in undecided {
        assert_ne!(verdict(&whole(), text), Verdict::Inconclusive, "{text}");
    }
    // What was found stays, whatever another brings.
    assert_eq!(verdict(&cut, "no data ~ /204/"), Verdict::Fail);
    assert_eq!(
        verdict(&cut, "no server:81 > client HTTP 204"),
        Verdict::Fail
    );
}

/// One part of an `or` that holds, or of an `and` that does not, tells the result.
#[test]
fn a_part_that_is_enough_is_not_asked_for_the_rest() {
    let mut wire = upper();
    wire.recording().proof.dropped = 3;
    let (sure, unsure) = ("client.exit == 0", "packets(RST) == 0");
    let (wrong, unsure_wrong) = ("client.exit == 3", "packets(RST) == 1");
    for (text, expected) in [
        (format!("{sure} or {unsure}"), Verdict::Pass),
        (format!("{unsure} or {sure}"), Verdict::Pass),
        (format!("{unsure_wrong} or {sure}"), Verdict::Pass),
        (format!("{sure} or tcp[7].state == \"SF\""), Verdict::Pass),
        (format!("{wrong} and {unsure}"), Verdict::Fail),
        (format!("{unsure_wrong} and {wrong}"), Verdict::Fail),
        (format!("not ({unsure} and {wrong})"), Verdict::Pass),
        (
            format!("{unsure} and ({sure} or {unsure})"),
            Verdict::Inconclusive,
        ),
        (format!("{sure} and ({sure} or {unsure})"), Verdict::Pass),
        (format!("{wrong} or {unsure}"), Verdict::Inconclusive),
        (format!("{unsure} or {unsure}"), Verdict::Inconclusive),
        (format!("{sure} and {unsure}"), Verdict::Inconclusive),
        (format!("not ({wrong} or {unsure})"), Verdict::Inconclusive),
    ] {
        assert_eq!(verdict(&wire, &text), expected, "{text}");
    }
    assert_eq!(
        shown(&wire, &format!("{unsure_wrong} and {wrong}")),
        shown(&wire, &format!("{wrong} and {sure}")),
    );
}

/// Regression: the fields of a message whose head and body came in two packets were not
/// those of the packet that the subject shows.
#[test]
fn each_packet_shown_has_the_fields_that_it_is_shown_for() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.handshake(c);
    wire.data(
        c,
        ToServer,
        b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n",
    );
    wire.data(c, ToServer, b"abc");
    wire.data(c, ToClient, b"HTTP/1.1 204 No Content\r\n\r\n");
    let wire = wire.reread();
    passes(
        &wire,
        &[
            "each http.request.uri == \"/a\" has http.host == \"h\"",
            "each http has http",
            "each client > server POST has http.host == \"h\"",
        ],
    );
    fails(
        &wire,
        &[
            "each http.request.uri has not http",
            "each http.request has not http.file_data",
        ],
    );
}

/// Regression: a handshake of which the file has no times "was never completed".
#[test]
fn what_has_no_times_is_not_asked_for_them() {
    let mut wire = upper();
    for packet in &mut wire.trace.packets {
        packet.time = Timestamp::NONE;
    }
    assert!(!wire.trace.packets[0].time.is_known());
    let mut wire = wire.reread();
    wire.trace.recording = None;
    for text in [
        "tcp[0].handshake_rtt < 1s",
        "no frame.time_epoch > 5",
        "packets(frame.time_delta < 1) >= 1",
        "each data has frame.time_relative < 3",
        "in order { data where tcp.time_delta < 1 }",
    ] {
        assert_eq!(verdict(&wire, text), Verdict::Inconclusive, "{text}");
    }
    passes(&wire, &["no RST", "in order { SYN; data }"]);
}
