//! Whole conversations: states, completeness, numbers, flags.

use super::testing::*;
use super::*;

const C: u32 = 1000;
const S: u32 = 5000;

fn c(letters: &str, seq: u32, ack: u32, payload: &str) -> Made {
    let ack = if letters.contains('A') { S + ack } else { 0 };
    tcp(CLIENT, SERVER, letters, C.wrapping_add(seq), ack, payload)
}

fn s(letters: &str, seq: u32, ack: u32, payload: &str) -> Made {
    let ack = if letters.contains('A') { C + ack } else { 0 };
    tcp(SERVER, CLIENT, letters, S.wrapping_add(seq), ack, payload)
}

fn handshake() -> Vec<Made> {
    vec![c("S", 0, 0, ""), s("SA", 0, 1, ""), c("A", 1, 1, "")]
}

fn after_handshake(rest: Vec<Made>) -> Vec<Made> {
    let mut packets = handshake();
    packets.extend(rest);
    packets
}

fn facts(packets: Vec<Made>) -> TcpFacts {
    let (_, tracked) = track(packets);
    assert_eq!(tracked.conversations.len(), 1);
    tracked.conversations[0].tcp.clone().expect("TCP")
}

type Situation = (&'static str, Vec<Made>, u8, ConnState, &'static str, Close);

/// One name for each situation: packets, completeness, conn_state, history, close.
fn situations() -> Vec<Situation> {
    use Close::*;
    use ConnState::*;
    use Direction::*;
    vec![
        (
            "SYN without answer",
            vec![c("S", 0, 0, ""), c("S", 0, 0, "")],
            1,
            S0,
            "S",
            Open,
        ),
        (
            "refused",
            vec![c("S", 0, 0, ""), s("RA", 0, 1, "")],
            37,
            REJ,
            "Sr",
            Refused,
        ),
        (
            "established",
            after_handshake(vec![c("PA", 1, 1, "hi"), s("A", 1, 3, "")]),
            15,
            S1,
            "ShADa",
            Open,
        ),
        (
            "orderly close by the client",
            after_handshake(vec![
                c("PA", 1, 1, "hi"),
                s("A", 1, 3, ""),
                c("FA", 3, 1, ""),
                s("FA", 1, 4, ""),
                c("A", 4, 2, ""),
            ]),
            31,
            SF,
            "ShADaFf",
            Fin { first: ToServer },
        ),
        (
            "close without data by the server",
            after_handshake(vec![s("FA", 1, 1, ""), c("FA", 1, 2, ""), s("A", 2, 2, "")]),
            23,
            SF,
            "ShAfFa",
            Fin { first: ToClient },
        ),
        (
            "half closed by the client",
            after_handshake(vec![c("FA", 1, 1, ""), s("A", 1, 2, "")]),
            23,
            S2,
            "ShAFa",
            HalfClosed { by: ToServer },
        ),
        (
            "half closed by the server",
            after_handshake(vec![s("FA", 1, 1, ""), c("A", 1, 2, "")]),
            23,
            S3,
            "ShAf",
            HalfClosed { by: ToClient },
        ),
        (
            "reset by the client",
            after_handshake(vec![c("RA", 1, 1, "")]),
            39,
            RSTO,
            "ShAR",
            Reset { by: ToServer },
        ),
        (
            "reset by the server",
            after_handshake(vec![c("PA", 1, 1, "x"), s("RA", 1, 2, "")]),
            47,
            RSTR,
            "ShADr",
            Reset { by: ToClient },
        ),
        (
            "SYN, then RST of the client",
            vec![c("S", 0, 0, ""), c("R", 1, 0, "")],
            33,
            RSTOS0,
            "SR",
            Reset { by: ToServer },
        ),
        (
            "SYN scan",
            vec![c("S", 0, 0, ""), s("SA", 0, 1, ""), c("R", 1, 0, "")],
            35,
            RSTO,
            "ShR",
            Reset { by: ToServer },
        ),
        (
            "SYN, then FIN, no SYN,ACK",
            vec![c("S", 0, 0, ""), c("FA", 1, 1, "")],
            21,
            SH,
            "SF",
            HalfClosed { by: ToServer },
        ),
        (
            "data under way, start not captured",
            vec![c("PA", 1, 1, "hi"), s("A", 1, 3, "")],
            12,
            OTH,
            "Da",
            Open,
        ),
        (
            "a RST after both FINs changes nothing",
            after_handshake(vec![c("FA", 1, 1, ""), s("FA", 1, 2, ""), c("R", 2, 0, "")]),
            55,
            SF,
            "ShAFfR",
            Fin { first: ToServer },
        ),
        (
            "FIN, then a RST of the other side",
            after_handshake(vec![c("FA", 1, 1, ""), s("RA", 1, 2, "")]),
            55,
            RSTR,
            "ShAFr",
            Reset { by: ToClient },
        ),
    ]
}

#[test]
fn every_situation_has_its_completeness_state_history_and_close() {
    for (name, packets, completeness, state, history, close) in situations() {
        let facts = facts(packets);
        assert_eq!(facts.completeness, completeness, "{name}");
        assert_eq!(facts.state, state, "{name}");
        assert_eq!(facts.history, history, "{name}");
        assert_eq!(facts.close, close, "{name}");
    }
}

#[test]
fn a_connection_that_starts_with_the_answer() {
    // Zeek takes the sender of a lone SYN,ACK for the originator (stealth
    // scans), so RSTRH and SHR need a server's port to be turned around.
    const WEB: &str = "127.0.0.1:80";
    let answer = tcp(WEB, CLIENT, "SA", S, C + 1, "");
    let reset = tcp(WEB, CLIENT, "R", S + 1, 0, "");
    let fin = tcp(WEB, CLIENT, "FA", S + 1, C + 1, "");
    let facts_of = |last: Made| {
        let (_, tracked) = track(vec![answer.clone(), last]);
        assert_eq!(tracked.conversations[0].server, socket(WEB));
        tracked.conversations[0].tcp.clone().unwrap()
    };
    let facts = facts_of(reset);
    assert_eq!(
        (facts.state, facts.history.as_str()),
        (ConnState::RSTRH, "^hr")
    );
    let facts = facts_of(fin);
    assert_eq!(
        (facts.state, facts.history.as_str()),
        (ConnState::SHR, "^hf")
    );
}

#[test]
fn the_client_is_who_sent_the_syn_or_got_the_syn_ack() {
    let (seen, tracked) = track(vec![s("SA", 0, 1, ""), c("A", 1, 1, "")]);
    assert_eq!(tracked.conversations[0].client, socket(CLIENT));
    assert_eq!(seen[0].direction, Some(Direction::ToClient));
    assert_eq!(seen[1].direction, Some(Direction::ToServer));
    // Under way: who spoke first, unless from a well-known server's port.
    let (_, tracked) = track(vec![s("A", 1, 1, "x")]);
    assert_eq!(tracked.conversations[0].client, socket(SERVER));
    let (_, tracked) = track(vec![tcp("10.0.0.1:443", "10.0.0.2:50000", "A", 1, 1, "x")]);
    assert_eq!(tracked.conversations[0].server, socket("10.0.0.1:443"));
}

#[test]
fn numbers_are_relative_and_windows_scaled() {
    let (seen, tracked) = track(vec![
        c("S", 0, 0, "").scale(7),
        s("SA", 0, 1, "").scale(2),
        c("A", 1, 1, "").at(21_500),
        c("PA", 1, 1, "hello"),
        s("FA", 1, 6, "bye"),
    ]);
    let tcp: Vec<&SeenTcp> = seen.iter().map(|s| s.tcp.as_ref().unwrap()).collect();
    let numbers: Vec<_> = tcp
        .iter()
        .map(|t| (t.seq, t.ack, t.next_seq, t.window))
        .collect();
    assert_eq!(
        numbers,
        [
            (0, 0, 1, 1000),
            (0, 1, 1, 1000),
            (1, 1, 1, 128_000),
            (1, 1, 6, 128_000),
            (1, 6, 5, 4000),
        ]
    );
    assert!(tcp[2].handshake_ack && tcp.iter().filter(|t| t.handshake_ack).count() == 1);
    assert_eq!(tcp[3].new_bytes, Some(0..5));
    assert_eq!(tcp[4].new_bytes, Some(0..3));
    assert!(tcp[4].new_fin);
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!(facts.handshake_rtt, Some(21_500_000));
    assert_eq!(
        tracked.conversations[0].bytes,
        Ways {
            to_server: 5,
            to_client: 3
        }
    );
    assert_eq!(tracked.streams[0].to_server.bytes, b"hello");
    assert_eq!(tracked.streams[0].to_client.bytes, b"bye");
    assert!(tracked.streams[0].to_client.finished);
}

#[test]
fn a_window_is_scaled_only_if_both_sides_offered_it() {
    let (seen, _) = track(vec![
        c("S", 0, 0, "").scale(7),
        s("SA", 0, 1, ""),
        c("A", 1, 1, ""),
    ]);
    assert_eq!(seen[2].tcp.as_ref().unwrap().window, 1000);
    let (seen, _) = track(vec![
        c("S", 0, 0, ""),
        s("SA", 0, 1, "").scale(7),
        s("A", 1, 1, ""),
    ]);
    assert_eq!(seen[2].tcp.as_ref().unwrap().window, 1000);
}

#[test]
fn a_handshake_ack_may_carry_data_but_is_no_reset() {
    let (seen, _) = track(vec![
        c("S", 0, 0, ""),
        s("SA", 0, 1, ""),
        c("PA", 1, 1, "GET"),
        c("PA", 4, 1, " /"),
    ]);
    let acks: Vec<bool> = seen
        .iter()
        .map(|s| s.tcp.as_ref().unwrap().handshake_ack)
        .collect();
    assert_eq!(acks, [false, false, true, false]);
    let (seen, tracked) = track(vec![c("S", 0, 0, ""), s("SA", 0, 1, ""), c("RA", 1, 1, "")]);
    assert!(!seen[2].tcp.as_ref().unwrap().handshake_ack);
    assert_eq!(
        tracked.conversations[0].tcp.as_ref().unwrap().handshake_rtt,
        None
    );
}

#[test]
fn sequence_numbers_wrap_in_mid_stream() {
    let near = u32::MAX - 2;
    let c = |letters, seq: u32, payload: &str| {
        tcp(CLIENT, SERVER, letters, near.wrapping_add(seq), 1, payload)
    };
    let (seen, tracked) = track(vec![
        c("S", 0, ""),
        tcp(SERVER, CLIENT, "SA", 0, near.wrapping_add(1), ""),
        c("PA", 1, "abcdef"),
        c("PA", 7, "ghi"),
        c("FA", 10, ""),
    ]);
    assert_eq!(tracked.streams[0].to_server.bytes, b"abcdefghi");
    assert_eq!(seen[3].tcp.as_ref().unwrap().new_bytes, Some(6..9));
    assert_eq!(seen[3].tcp.as_ref().unwrap().seq, 7);
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!((facts.missing_bytes, facts.retransmissions), (0, 0));
}

#[test]
fn a_connection_under_way_counts_from_its_first_segment() {
    let (seen, tracked) = track(vec![
        c("PA", 100, 200, "hello"),
        s("PA", 200, 105, "HELLO"),
        c("A", 105, 205, ""),
    ]);
    let tcp: Vec<_> = seen.iter().map(|s| s.tcp.clone().unwrap()).collect();
    assert_eq!((tcp[0].seq, tcp[0].ack), (1, 1));
    assert_eq!((tcp[1].seq, tcp[1].ack), (1, 6));
    assert_eq!((tcp[2].seq, tcp[2].ack), (6, 6));
    assert_eq!(tcp[0].new_bytes, Some(0..5));
    assert_eq!(tracked.streams[0].to_client.bytes, b"HELLO");
}

#[test]
fn ports_used_again_make_another_conversation() {
    let mut packets = vec![
        c("S", 0, 0, ""),
        s("RA", 0, 1, ""),
        // Another initial sequence number, same ports.
        c("S", 7777, 0, ""),
        s("SA", 9000, 7778, ""),
        c("A", 7778, 9001, ""),
        udp(CLIENT, SERVER, "x"),
    ];
    packets.push(c("FA", 7778, 9001, "").at(99_000));
    let (seen, tracked) = track(packets);
    let which: Vec<_> = seen.iter().map(|s| s.conversation).collect();
    assert_eq!(
        which,
        [
            Some(0),
            Some(0),
            Some(1),
            Some(1),
            Some(1),
            Some(2),
            Some(1)
        ]
    );
    let ids: Vec<_> = tracked
        .conversations
        .iter()
        .map(|c| (c.protocol, c.id))
        .collect();
    use crate::savefile::Protocol::{Tcp, Udp};
    assert_eq!(ids, [(Tcp, 0), (Tcp, 1), (Udp, 0)]);
    let facts = tracked.conversations[1].tcp.as_ref().unwrap();
    assert_eq!(facts.completeness, 23);
    assert_eq!(seen[4].tcp.as_ref().unwrap().seq, 1);
}

#[test]
fn a_repeated_syn_is_a_retransmission_of_the_same_conversation() {
    let (seen, tracked) = track(vec![
        c("S", 0, 0, "").at(0),
        c("S", 0, 0, "").at(1_000_000),
        s("SA", 0, 1, "").at(1_000_100),
        c("A", 1, 1, "").at(1_000_200),
    ]);
    assert_eq!(tracked.conversations.len(), 1);
    assert!(seen[1].tcp.as_ref().unwrap().retransmission);
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!(facts.retransmissions, 1);
    assert_eq!(facts.handshake_rtt, Some(200_000));
}

fn flags_of(seen: &Seen) -> Vec<&'static str> {
    let tcp = seen.tcp.as_ref().unwrap();
    [
        (tcp.retransmission, "retransmission"),
        (tcp.out_of_order, "out of order"),
        (tcp.duplicate_ack, "duplicate ack"),
        (tcp.keep_alive, "keep-alive"),
        (tcp.keep_alive_ack, "keep-alive ack"),
        (tcp.window_update, "window update"),
        (tcp.zero_window, "zero window"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect()
}

#[test]
fn a_lost_segment_sent_again() {
    let (seen, tracked) = track(after_handshake(vec![
        c("PA", 1, 1, "aaaa").at(100_000),
        c("PA", 1, 1, "aaaa").at(400_000),
        s("A", 1, 5, "").at(400_100),
        // The peer has it: spurious, and not new.
        c("PA", 1, 1, "aaaa").at(800_000),
    ]));
    assert_eq!(flags_of(&seen[3]), [""; 0]);
    assert_eq!(flags_of(&seen[4]), ["retransmission"]);
    assert_eq!(seen[4].tcp.as_ref().unwrap().new_bytes, None);
    assert_eq!(flags_of(&seen[6]), ["retransmission"]);
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!(
        (facts.retransmissions, facts.history.as_str()),
        (2, "ShADTa")
    );
}

#[test]
fn a_reordered_segment_is_no_retransmission() {
    let (seen, tracked) = track(vec![
        c("S", 0, 0, "").at(0),
        s("SA", 0, 1, "").at(5_000),
        c("A", 1, 1, "").at(10_000),
        c("PA", 5, 1, "bbbb").at(11_000),
        c("PA", 1, 1, "aaaa").at(12_000),
    ]);
    assert_eq!(flags_of(&seen[4]), ["out of order"]);
    assert_eq!(seen[4].tcp.as_ref().unwrap().new_bytes, Some(0..4));
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!((facts.out_of_order, facts.missing_bytes), (1, 0));
    assert_eq!(tracked.streams[0].to_server.bytes, b"aaaabbbb");
}

#[test]
fn duplicate_acks_make_the_next_a_fast_retransmission() {
    let (seen, _) = track(vec![
        c("S", 0, 0, "").at(0),
        s("SA", 0, 1, "").at(50_000),
        c("A", 1, 1, "").at(100_000),
        c("PA", 1, 1, "aaaa").at(100_001),
        s("A", 1, 5, "").at(110_000),
        c("PA", 9, 1, "cccc").at(110_001),
        s("A", 1, 5, "").at(110_010),
        s("A", 1, 5, "").at(110_020),
        // Soon enough for mere reordering, but asked for by duplicate ACKs.
        c("PA", 5, 1, "bbbb").at(110_030),
    ]);
    assert_eq!(flags_of(&seen[6]), ["duplicate ack"]);
    assert_eq!(flags_of(&seen[7]), ["duplicate ack"]);
    assert_eq!(flags_of(&seen[8]), ["retransmission"]);
}

#[test]
fn keep_alives_windows_and_probes() {
    let (seen, tracked) = track(after_handshake(vec![
        c("PA", 1, 1, "ab"),
        s("A", 1, 3, "").window(0),
        c("A", 2, 1, ""),
        s("A", 1, 3, "").window(0),
        c("A", 3, 1, "c"),
        s("A", 1, 3, "").window(0),
        s("A", 1, 3, "").window(900),
        c("A", 2, 1, "b"),
        s("A", 1, 3, "").window(900),
        s("A", 1, 3, "").window(900),
        c("PA", 3, 1, "cd"),
    ]));
    let none: [&str; 0] = [];
    assert_eq!(flags_of(&seen[4]), ["zero window"]);
    assert_eq!(flags_of(&seen[5]), ["keep-alive"]);
    assert_eq!(flags_of(&seen[6]), ["zero window"]);
    // A zero-window probe has no flag of its own here, and is no keep-alive.
    assert_eq!(flags_of(&seen[7]), none);
    assert_eq!(flags_of(&seen[9]), ["window update"]);
    assert_eq!(flags_of(&seen[10]), ["keep-alive"]);
    assert_eq!(seen[10].tcp.as_ref().unwrap().new_bytes, None);
    assert_eq!(flags_of(&seen[11]), ["keep-alive ack"]);
    // Still: what the peer sent last is a keep-alive.
    assert_eq!(flags_of(&seen[12]), ["keep-alive ack"]);
    assert_eq!(flags_of(&seen[13]), none);
    assert_eq!(tracked.streams[0].to_server.bytes, b"abcd");
}

#[test]
fn a_fin_that_is_sent_again_is_not_new() {
    let (seen, _) = track(after_handshake(vec![
        c("FA", 1, 1, "x").at(100_000),
        c("FA", 1, 1, "x").at(900_000),
    ]));
    assert!(seen[3].tcp.as_ref().unwrap().new_fin);
    let again = seen[4].tcp.as_ref().unwrap();
    assert!(!again.new_fin && again.retransmission && again.new_bytes.is_none());
}

#[test]
fn bytes_that_were_not_captured_are_missed() {
    let facts = facts(after_handshake(vec![
        c("PA", 1, 1, "aaaa"),
        c("PA", 9, 1, "cccc"),
        s("A", 1, 13, ""),
        c("FA", 13, 1, ""),
    ]));
    assert_eq!(facts.missing_bytes, 4);
    assert_eq!(facts.history, "ShADaGF");
    let (seen, tracked) = track(after_handshake(vec![
        c("PA", 1, 1, "head").wire_len(1000),
        c("PA", 1001, 1, "next"),
    ]));
    assert_eq!(seen[3].tcp.as_ref().unwrap().new_bytes, Some(0..1000));
    assert_eq!(
        tracked.streams[0].to_server.gaps,
        [Gap {
            at: 4,
            missing: 996
        }]
    );
    assert_eq!(tracked.conversations[0].bytes.to_server, 1004);
}

#[test]
fn what_a_reset_carries_is_no_data() {
    let (seen, tracked) = track(after_handshake(vec![s("RA", 1, 1, "go away")]));
    assert_eq!(seen[3].tcp.as_ref().unwrap().new_bytes, None);
    assert!(tracked.streams[0].to_client.bytes.is_empty());
}

#[test]
fn data_in_the_syn_comes_before_the_rest() {
    let (seen, tracked) = track(vec![
        c("S", 0, 0, "fast"),
        s("SA", 0, 5, ""),
        c("A", 5, 1, "open"),
    ]);
    assert_eq!(tracked.streams[0].to_server.bytes, b"fastopen");
    assert!(seen[2].tcp.as_ref().unwrap().handshake_ack);
    assert_eq!(seen[0].tcp.as_ref().unwrap().new_bytes, Some(0..4));
    assert_eq!(
        tracked.conversations[0].tcp.as_ref().unwrap().completeness,
        11
    );
}

#[test]
fn udp_exchanges_count_both_ways() {
    let (seen, tracked) = track(vec![
        udp(CLIENT, SERVER, "hello"),
        udp(SERVER, CLIENT, "HELLO"),
        udp("127.0.0.1:40001", SERVER, "x"),
        udp(CLIENT, SERVER, "again"),
    ]);
    let which: Vec<_> = seen.iter().map(|s| s.conversation.unwrap()).collect();
    assert_eq!(which, [0, 0, 1, 0]);
    let first = &tracked.conversations[0];
    assert_eq!(first.client, socket(CLIENT));
    assert_eq!(
        first.bytes,
        Ways {
            to_server: 10,
            to_client: 5
        }
    );
    let facts = first.udp.as_ref().unwrap();
    assert_eq!(
        facts.datagrams,
        Ways {
            to_server: 2,
            to_client: 1
        }
    );
    assert_eq!(facts.lost, 0);
    assert_eq!(tracked.conversations[1].id, 1);
}

#[test]
fn an_icmp_error_finds_the_datagram_that_it_quotes() {
    let datagram = |payload: &str| udp(CLIENT, SERVER, payload);
    let (seen, tracked) = track(vec![
        datagram("one"),
        datagram("two"),
        datagram("two"),
        port_unreachable(&datagram("two")),
        port_unreachable(&datagram("two")),
        port_unreachable(&datagram("one")),
        // Twice the same error loses no further datagram.
        port_unreachable(&datagram("one")),
    ]);
    let quotes: Vec<_> = seen.iter().map(|s| s.quotes).collect();
    assert_eq!(
        quotes,
        [None, None, None, Some(1), Some(2), Some(0), Some(0)]
    );
    assert_eq!(seen[3].conversation, Some(0));
    assert_eq!(seen[3].direction, Some(Direction::ToClient));
    assert_eq!(tracked.conversations.len(), 1);
    assert_eq!(tracked.conversations[0].udp.as_ref().unwrap().lost, 3);
    assert_eq!(
        tracked.conversations[0].packets,
        Ways {
            to_server: 3,
            to_client: 0
        }
    );
}

#[test]
fn the_ip_id_tells_equal_datagrams_apart() {
    let datagram = |id| udp(CLIENT, SERVER, "same").ip_id(id);
    let (seen, _) = track(vec![
        datagram(1),
        datagram(2),
        port_unreachable(&datagram(2)),
        port_unreachable(&datagram(1)),
    ]);
    assert_eq!(seen[2].quotes, Some(1));
    assert_eq!(seen[3].quotes, Some(0));
}

#[test]
fn an_icmp_error_about_tcp_finds_the_segment_by_its_number() {
    let (seen, _) = track(after_handshake(vec![
        c("PA", 1, 1, "a"),
        c("PA", 2, 1, "b"),
        port_unreachable(&c("PA", 2, 1, "b")),
    ]));
    assert_eq!(seen[5].quotes, Some(4));
    assert_eq!(seen[5].direction, Some(Direction::ToClient));
}

#[test]
fn an_icmp_error_about_strangers_begins_no_conversation() {
    let (seen, tracked) = track(vec![port_unreachable(&udp(CLIENT, SERVER, "x"))]);
    assert_eq!(seen[0], Seen::default());
    assert!(tracked.conversations.is_empty());
}

#[test]
fn closed_conversations_are_handed_out_while_the_capture_goes_on() {
    let limits = Limits {
        linger: Some(1_000_000_000),
        ..Limits::default()
    };
    let mut packets = vec![
        c("S", 0, 0, "").at(0),
        s("RA", 0, 1, "").at(10),
        udp(CLIENT, SERVER, "x").at(20),
        tcp("127.0.0.1:1", SERVER, "S", 1, 0, "").at(30),
        udp(CLIENT, SERVER, "y").at(5_000_000),
    ];
    number(&mut packets);
    let mut tracker = Tracker::new(limits);
    let mut closed = Vec::new();
    for (index, made) in packets.iter().enumerate() {
        tracker.packet(index, &made.packet, &made.frame);
        closed.extend(tracker.take_closed().into_iter().map(|c| c.index));
    }
    // The refused connection and the silent exchange; not the open attempt.
    assert_eq!(closed, [0, 1]);
    let rest = tracker.finish();
    assert_eq!(rest.conversations.len(), 2);
    assert_eq!(rest.conversations[1].id, 1);
}

proptest::proptest! {
    /// Nothing that the wire can carry makes the tracker panic.
    #[test]
    fn any_segments_do_no_harm(
        segments in proptest::collection::vec(
            (proptest::bool::ANY, 0u16..64, proptest::num::u32::ANY, 0u32..70_000, 0usize..40, 0u16..3),
            0..60,
        )
    ) {
        let packets = segments.into_iter().map(|(from_client, bits, seq, ack, len, window)| {
            let (src, dst) = if from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
            // Half of them near each other, half anywhere.
            let seq = if seq % 2 == 0 { seq % 1000 } else { seq };
            let mut made = tcp(src, dst, "", seq, ack, vec![b'x'; len]).window(window);
            if let crate::decode::Transport::Tcp(tcp) = &mut made.packet.transport {
                tcp.flags = crate::decode::TcpFlags(bits);
            }
            made
        });
        track(packets.collect());
    }

    /// One stream in any segmentation, with repeats and reordering of up to
    /// the whole, past the wrap of the numbers: the stream comes back.
    #[test]
    fn a_stream_survives_the_wire(
        isn: u32,
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..600),
        order in proptest::collection::vec((0usize..600, 1usize..80), 0..30),
    ) {
        let mut packets = vec![
            tcp(CLIENT, SERVER, "S", isn, 0, ""),
            tcp(SERVER, CLIENT, "SA", S, isn.wrapping_add(1), ""),
        ];
        let all = (0..bytes.len()).step_by(50).map(|at| (at, 50));
        for (at, len) in order.into_iter().chain(all) {
            let at = at % bytes.len();
            let part = &bytes[at..(at + len).min(bytes.len())];
            let seq = isn.wrapping_add(1 + at as u32);
            packets.push(tcp(CLIENT, SERVER, "PA", seq, S + 1, part));
        }
        let (seen, tracked) = track(packets);
        proptest::prop_assert_eq!(&tracked.streams[0].to_server.bytes, &bytes);
        proptest::prop_assert_eq!(tracked.conversations[0].tcp.as_ref().unwrap().missing_bytes, 0);
        let new: Vec<_> = seen.iter().filter_map(|s| s.tcp.as_ref()?.new_bytes.clone()).collect();
        proptest::prop_assert_eq!(new.iter().map(|r| r.end).max(), Some(bytes.len() as u64));
    }
}
