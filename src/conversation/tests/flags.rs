//! Retransmissions, reordering, keep-alives, windows.

use super::*;

#[test]
fn a_repeated_syn_is_a_retransmission_of_the_same_conversation() {
    let (seen, tracked) = track(vec![
        c("S", 0, 0, "").at(0),
        c("S", 0, 0, "").at(1_000_000),
        s("SA", 0, 1, "").at(1_000_100),
        c("A", 1, 1, "").at(1_000_200),
    ]);
    assert_eq!(tracked.conversations.len(), 1);
    assert!(seen[1].tcp.as_ref().unwrap().is(Marks::RETRANSMISSION));
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!(facts.retransmissions, 1);
    assert_eq!(facts.handshake_rtt, Some(200_000));
}

fn flags_of(seen: &Seen) -> Vec<&'static str> {
    let tcp = seen.tcp.as_ref().unwrap();
    Marks::NAMES
        .into_iter()
        .filter_map(|(mark, name)| tcp.is(mark).then_some(name))
        .collect()
}

/// As scapy makes them: the first segment of a side with the numbers 0.
#[test]
fn the_first_segment_with_the_number_0_is_where_wireshark_expects_it() {
    let (seen, _) = track(vec![
        tcp(CLIENT, SERVER, "S", 0, 0, ""),
        tcp(SERVER, CLIENT, "A", 0, 0, ""),
    ]);
    assert_eq!(flags_of(&seen[1]), ["window_update"]);
    // But its window is not known.
    let (seen, _) = track(vec![tcp(CLIENT, SERVER, "PA", 0, 5, "x")]);
    assert_eq!(flags_of(&seen[0]), [""; 0]);
}

/// Captured on two interfaces at once.
#[test]
fn a_segment_that_is_there_twice_did_not_wait() {
    let (seen, _) = track(vec![c("S", 0, 0, "").at(0), c("S", 0, 0, "").at(0)]);
    assert_eq!(flags_of(&seen[1]), ["retransmission"]);
    assert_eq!(seen[1].tcp.as_ref().unwrap().rto, None);
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
    assert_eq!(
        flags_of(&seen[6]),
        ["retransmission", "spurious_retransmission"]
    );
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
    assert_eq!(flags_of(&seen[4]), ["out_of_order"]);
    assert_eq!(seen[4].tcp.as_ref().unwrap().new_bytes, Some(0..4));
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    assert_eq!((facts.out_of_order, facts.missing_bytes), (1, 0));
    assert_eq!(tracked.bytes[0].to_server, b"aaaabbbb");
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
    assert_eq!(flags_of(&seen[6]), ["duplicate_ack"]);
    assert_eq!(flags_of(&seen[7]), ["duplicate_ack"]);
    assert_eq!(
        flags_of(&seen[8]),
        ["retransmission", "fast_retransmission"]
    );
    let duplicate = seen[7].tcp.as_ref().unwrap().duplicate.as_deref();
    assert_eq!(
        duplicate,
        Some(&Duplicate {
            of: Some(4),
            number: 2
        })
    );
}

/// Number 0 is none only where Wireshark looks for what is new.
#[test]
fn duplicate_acks_where_the_number_wraps_to_zero() {
    let from_client = |letters, seq, payload| tcp(CLIENT, SERVER, letters, seq, 501, payload);
    let from_server = |seq, ack, payload| tcp(SERVER, CLIENT, "PA", seq, ack, payload);
    let (seen, _) = track(vec![
        tcp(CLIENT, SERVER, "S", u32::MAX - 4, 0, ""),
        tcp(SERVER, CLIENT, "SA", 500, u32::MAX - 3, ""),
        from_client("A", u32::MAX - 3, ""),
        from_client("PA", u32::MAX - 3, "last"),
        from_server(506, 0, "later"),
        from_client("A", 0, ""),
        from_server(511, 0, "later"),
        from_client("A", 0, ""),
        // A keep-alive: the byte before 0.
        from_client("A", u32::MAX, ""),
    ]);
    assert_eq!(flags_of(&seen[5]), ["duplicate_ack"]);
    let duplicate = seen[7].tcp.as_ref().unwrap().duplicate.as_ref().unwrap();
    assert_eq!((duplicate.of, duplicate.number), (Some(2), 2));
    assert_eq!(flags_of(&seen[8]), ["keep_alive"]);
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
    assert_eq!(flags_of(&seen[4]), ["zero_window"]);
    assert_eq!(flags_of(&seen[5]), ["keep_alive"]);
    assert_eq!(flags_of(&seen[6]), ["zero_window"]);
    assert_eq!(flags_of(&seen[7]), ["zero_window_probe"]);
    assert_eq!(flags_of(&seen[9]), ["window_update"]);
    assert_eq!(flags_of(&seen[10]), ["keep_alive"]);
    assert_eq!(seen[10].tcp.as_ref().unwrap().new_bytes, None);
    assert_eq!(flags_of(&seen[11]), ["keep_alive_ack"]);
    // Still: what the peer sent last is a keep-alive.
    assert_eq!(flags_of(&seen[12]), ["keep_alive_ack"]);
    assert_eq!(flags_of(&seen[13]), none);
    assert_eq!(tracked.bytes[0].to_server, b"abcd");
}

#[test]
fn a_fin_that_is_sent_again_is_not_new() {
    let (seen, _) = track(after_handshake(vec![
        c("FA", 1, 1, "x").at(100_000),
        c("FA", 1, 1, "x").at(900_000),
    ]));
    assert!(seen[3].tcp.as_ref().unwrap().new_fin);
    let again = seen[4].tcp.as_ref().unwrap();
    assert!(!again.new_fin && again.is(Marks::RETRANSMISSION) && again.new_bytes.is_none());
}

#[test]
fn a_fin_before_the_end_of_what_was_sent_is_none_and_one_behind_another_is_new() {
    let (seen, tracked) = track(after_handshake(vec![
        c("PA", 1, 1, "hello"),
        c("FA", 3, 1, ""),
        s("FA", 1, 6, ""),
        s("FA", 2, 6, ""),
    ]));
    let new_fin = |i: usize| seen[i].tcp.as_ref().unwrap().new_fin;
    assert!(!new_fin(4) && new_fin(5) && new_fin(6));
    assert!(!tracked.streams[0].to_server.finished);
    let facts = tracked.conversations[0].tcp.as_ref().unwrap();
    let by = Direction::ToClient;
    assert_eq!(facts.close, Close::HalfClosed { by });
}

/// It is judged by what was known before it, as in Wireshark: nothing, where 3 ms count.
#[test]
fn the_ack_that_tells_the_round_trip_time_is_not_judged_by_it() {
    let (seen, _) = track(vec![
        c("S", 0, 0, "early").at(0),
        s("SA", 0, 1, "").at(1_000),
        c("PA", 1, 1, "early bird").at(2_000),
        c("PA", 1, 1, "early").at(4_500),
    ]);
    let rtt = |n: usize| seen[n].tcp.as_ref().unwrap().initial_rtt;
    assert_eq!(flags_of(&seen[2]), ["out_of_order"]);
    assert_eq!(rtt(2), Some(2_000_000));
    assert_eq!(flags_of(&seen[3]), ["retransmission"]);
}
