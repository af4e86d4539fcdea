//! Evidence that may be missing makes a statement that rests on it inconclusive.

use super::Verdict;
use super::testing::lab::*;
use super::testing::{CLIENT, SERVER, ToClient, ToServer, Wire};
use crate::savefile::{Damage, Ended, Exit};
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
        ("in order { client > server:3 data }", Verdict::Inconclusive),
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
