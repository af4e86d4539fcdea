//! Relative numbers, windows, handshakes, streams.

use super::*;
use crate::decode::{Layer, Reason, Transport, Trouble};

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
    assert_eq!(tracked.bytes[0].to_server, b"hello");
    assert_eq!(tracked.bytes[0].to_client, b"bye");
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

/// tshark reads no further where the header's own length is wrong.
#[test]
fn nothing_is_said_of_a_segment_with_a_wrong_header() {
    let mut again = c("PA", 1, 1, "GET");
    let reason = Reason::HeaderLength {
        claimed: 16,
        least: 20,
    };
    let layer = Layer::Tcp;
    again.packet.trouble = Some(Trouble::Malformed { layer, reason });
    let (seen, tracked) = track(after_handshake(vec![c("PA", 1, 1, "GET"), again]));
    assert_eq!(seen[4].tcp.as_ref().unwrap().marks, Marks::default());
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!(facts.retransmissions, 0);
}

#[test]
fn of_a_repeated_window_scale_the_last_one_counts() {
    let mut syn = c("S", 0, 0, "").scale(3);
    syn.frame.extend([1, 3, 3, 7]);
    if let Transport::Tcp(tcp) = &mut syn.packet.transport {
        tcp.header.len += 4;
    }
    let (seen, _) = track(vec![
        syn,
        s("SA", 0, 1, "").scale(0),
        c("A", 1, 1, "").window(10),
    ]);
    assert_eq!(seen[2].tcp.as_ref().unwrap().window, 10 << 7);
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
    assert_eq!(tracked.bytes[0].to_server, b"abcdefghi");
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
    assert_eq!(tracked.bytes[0].to_client, b"HELLO");
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
    assert!(tracked.bytes[0].to_client.is_empty());
}

#[test]
fn data_in_the_syn_comes_before_the_rest() {
    let (seen, tracked) = track(vec![
        c("S", 0, 0, "fast"),
        s("SA", 0, 5, ""),
        c("A", 5, 1, "open"),
    ]);
    assert_eq!(tracked.bytes[0].to_server, b"fastopen");
    assert!(seen[2].tcp.as_ref().unwrap().handshake_ack);
    assert_eq!(seen[0].tcp.as_ref().unwrap().new_bytes, Some(0..4));
    assert_eq!(
        tracked.conversations[0].tcp.as_ref().unwrap().completeness,
        11
    );
}
