//! Events are what the programs did, not what the kernels made of it.

use super::event::EventIndex;
use super::events::Events;
use super::notation;
use super::testing::{CLIENT, NOBODY, SERVER, ToClient, ToServer, Wire};
use crate::conversation::Marks;

/// All events that are not silent, in notation.
fn shown(wire: &Wire) -> Vec<String> {
    notation::events(&wire.trace)
}

/// A conversation whose data is cut into segments of `size`, with an ACK
/// for every `acks`th one, and the last bytes with or without the FIN.
fn upper(size: usize, acks: usize, fin_with_data: bool) -> Wire {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.handshake(c);
    for (way, text) in [(ToServer, b"hello"), (ToClient, b"HELLO")] {
        let last = text.chunks(size).count() - 1;
        for (i, part) in text.chunks(size).enumerate() {
            if way == ToClient && i == last && fin_with_data {
                wire.segment(c, way, 0x11, part);
            } else {
                wire.data(c, way, part);
            }
            if i % acks == 0 {
                wire.ack(c, way.opposite());
            }
        }
    }
    if !fin_with_data {
        wire.fin(c, ToClient);
    }
    wire.fin(c, ToServer);
    wire
}

#[test]
fn segmentation_and_acks_never_change_the_events() {
    let expected = [
        "client > server  SYN",
        "server > client  SYN,ACK",
        "client > server  ACK",
        "client > server  data \"hello\"",
        "server > client  data \"HELLO\"",
        "server > client  FIN",
        "client > server  FIN",
    ];
    for size in 1..=5 {
        for acks in 1..=5 {
            for fin_with_data in [false, true] {
                assert_eq!(shown(&upper(size, acks, fin_with_data)), expected);
            }
        }
    }
}

#[test]
fn a_run_ends_at_the_peers_fin_and_where_the_stop_signal_was_sent() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.data(c, ToClient, b"a");
    wire.fin(c, ToServer);
    wire.data(c, ToClient, b"b");
    let last = wire.data(c, ToClient, b"c");
    wire.recording().programs[1].stopped_after = Some(last as u64);
    assert_eq!(
        shown(&wire),
        [
            "server > client  data \"a\"",
            "client > server  FIN",
            "server > client  data \"b\"",
            "server > client  data \"c\"  after_stop",
        ]
    );
}

#[test]
fn retransmissions_and_keep_alives_are_silent() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.segment(c, ToServer, 2, b"");
    let again = wire.segment(c, ToServer, 2, b"");
    wire.seen(again).marks |= Marks::RETRANSMISSION;
    let alive = wire.ack(c, ToServer);
    wire.seen(alive).marks |= Marks::KEEP_ALIVE;
    assert_eq!(shown(&wire), ["client > server  SYN"]);
    assert_eq!(Events::of(&wire.trace).len(), 3);
}

#[test]
fn the_first_syn_ack_is_an_event_where_both_sides_open() {
    // RFC 9293, figure 7.
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 12000));
    wire.segment(c, ToServer, 2, b"");
    wire.segment(c, ToClient, 2, b"");
    for _ in 0..2 {
        for way in [ToServer, ToClient] {
            let again = wire.segment(c, way, 0x12, b"");
            wire.seen(again).marks |= Marks::RETRANSMISSION;
        }
    }
    assert_eq!(
        shown(&wire),
        [
            "client > server  SYN",
            "server > client  SYN",
            "client > server  SYN,ACK",
            "server > client  SYN,ACK",
        ]
    );
}

#[test]
fn an_icmp_error_has_the_ends_of_what_it_quotes() {
    let mut wire = Wire::new();
    let c = wire.udp(CLIENT, (NOBODY, 12000));
    let sent = wire.datagram(c, ToServer, b"hello");
    wire.unreachable(c, sent, 3);
    assert_eq!(
        shown(&wire),
        [
            "client > nobody:12000  udp \"hello\"",
            "nobody:12000 > client  icmp port-unreachable",
        ]
    );
}

#[test]
fn http_heads_and_runs_account_for_each_other() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.http(c, ToServer, "GET / HTTP/1.1\r\nHost: x", b"");
    wire.http(c, ToClient, "HTTP/1.1 200 OK", b"body");
    wire.data(c, ToServer, b"no message");
    let events = Events::of(&wire.trace);
    let covered_by = |index| events.covered_by(index);
    let covered: Vec<&[EventIndex]> = (0..events.len()).map(covered_by).collect();
    assert_eq!(covered, [&[1][..], &[0], &[3], &[2], &[]]);
}

#[test]
fn bytes_out_of_order_make_one_run() {
    let mut wire = Wire::new();
    let c = wire.tcp(CLIENT, (SERVER, 80));
    wire.data(c, ToServer, b"def");
    wire.data(c, ToServer, b"abc");
    // The first packet carried the later bytes.
    let stream = &mut wire.trace.streams[c].to_server;
    stream.pieces[0].packet = 1;
    stream.pieces[1].packet = 0;
    assert_eq!(shown(&wire), ["client > server  data \"abcdef\""]);
}
