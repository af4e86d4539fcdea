//! When bytes that were never captured are given up, and what is told then.

use super::*;

/// What was told, each with the packet that made it known; at the end, `None`.
#[derive(Debug, Default, PartialEq)]
struct Told(Option<usize>, Vec<(Option<usize>, String)>);

impl Told {
    fn tell(&mut self, way: Direction, what: String) {
        let sender = match way {
            Direction::ToServer => "client",
            Direction::ToClient => "server",
        };
        self.1.push((self.0, format!("{sender}: {what}")));
    }
}

struct Listener;

impl Receiver for Listener {
    type Settings = ();
    type Found = Told;

    fn begin((): &(), _: &Beginning) -> Listener {
        Listener
    }

    fn bytes(&mut self, way: Direction, bytes: &[u8], _: At, _: u32, told: &mut Told) {
        told.tell(way, String::from_utf8_lossy(bytes).into_owned());
    }

    fn gap(&mut self, way: Direction, missing: Missing, told: &mut Told) {
        told.tell(way, format!("[{} missing]", missing.bytes));
    }

    fn restart(&mut self, way: Direction, told: &mut Told) {
        told.tell(way, "[another connection]".to_owned());
    }

    fn end(&mut self, way: Direction, _: At, told: &mut Told) {
        told.tell(way, "[end]".to_owned());
    }

    fn datagram(&mut self, _: Direction, _: &[u8], _: At, _: &mut Told) {}

    fn close(&mut self, _: &mut Told) {}
}

fn told(packets: Vec<Made>) -> Vec<(Option<usize>, String)> {
    told_awaiting(packets, Late::default()).0
}

/// What is told when it is read again, as it is where that changes something; and what
/// then is told to have come late.
fn told_again(packets: &[Made]) -> (Vec<(Option<usize>, String)>, Late) {
    let (_, late) = told_awaiting(packets.to_vec(), Late::default());
    assert!(!late.is_empty());
    told_awaiting(packets.to_vec(), late)
}

fn told_awaiting(mut packets: Vec<Made>, late: Late) -> (Vec<(Option<usize>, String)>, Late) {
    number(&mut packets);
    let limits = Limits {
        notes_late: true,
        ..Limits::default()
    };
    let mut tracker = Tracker::<Listener>::new(limits, ()).awaiting(late);
    let mut told = Told::default();
    for (index, made) in packets.iter().enumerate() {
        told.0 = Some(index);
        tracker.packet(index, &made.packet, &made.frame, &mut told);
    }
    told.0 = None;
    tracker.close_all(&mut told);
    (told.1, tracker.take_late())
}

fn list(expected: &[(Option<usize>, &str)]) -> Vec<(Option<usize>, String)> {
    let owned = expected.iter().map(|(at, text)| (*at, (*text).to_owned()));
    owned.collect()
}

#[test]
fn what_the_receiver_acknowledged_is_given_up() {
    let packets = after_handshake(vec![
        c("PA", 1, 1, "ab"),
        c("PA", 5, 1, "ef"),
        s("A", 1, 7, ""),
        c("PA", 7, 1, "gh"),
    ]);
    assert_eq!(
        told(packets),
        list(&[
            (Some(3), "client: ab"),
            (Some(6), "client: [2 missing]"),
            (Some(6), "client: ef"),
            (Some(6), "client: gh"),
        ])
    );
}

#[test]
fn a_hole_that_the_receiver_has_too_is_filled_later() {
    let packets = after_handshake(vec![
        c("PA", 1, 1, "ab"),
        c("PA", 5, 1, "ef"),
        s("A", 1, 3, ""),
        s("A", 1, 3, ""),
        c("PA", 3, 1, "cd"),
    ]);
    assert_eq!(
        told(packets),
        list(&[
            (Some(3), "client: ab"),
            (Some(7), "client: cd"),
            (Some(7), "client: ef"),
        ])
    );
}

/// A capture on several queues has packets in another order than the wire.
#[test]
fn an_ack_captured_too_early_gives_nothing_up() {
    let packets = after_handshake(vec![
        c("PA", 5, 1, "ef").at(100_000),
        s("A", 1, 7, "").at(100_050),
        c("PA", 1, 1, "abcd").at(100_100),
    ]);
    assert_eq!(
        told(packets),
        list(&[(Some(5), "client: abcd"), (Some(5), "client: ef")])
    );
}

/// The corpus has such a capture: `unidirectional_tcp_stream_with_missing_packet`.
#[test]
fn a_sender_that_goes_on_where_the_receiver_is_not_captured_had_its_ack() {
    let one_way = |later: i64| {
        vec![
            c("S", 0, 0, "").at(0),
            c("A", 1, 1, "").at(10),
            c("PA", 1, 1, "ab").at(20),
            c("PA", 5, 1, "ef").at(30),
            c("PA", 7, 1, "gh").at(later),
        ]
    };
    let given_up = told(one_way(4_000_000));
    assert_eq!(given_up[1], (Some(4), "client: [2 missing]".to_owned()));
    assert_eq!(given_up.last(), Some(&(Some(4), "client: gh".to_owned())));
    // It may yet send it again.
    let waits = told(one_way(1_000_000));
    assert_eq!(waits[1], (None, "client: [2 missing]".to_owned()));
}

#[test]
fn bytes_before_a_fin_that_was_acknowledged_are_given_up() {
    let packets = after_handshake(vec![
        c("PA", 1, 1, "ab"),
        c("FA", 5, 1, ""),
        s("A", 1, 6, ""),
        s("FA", 1, 6, ""),
    ]);
    assert_eq!(
        told(packets)[1..3],
        list(&[(Some(6), "client: [2 missing]"), (Some(6), "client: [end]")])
    );
}

#[test]
fn a_contradicting_syn_ack_begins_another_stream_and_tells() {
    let packets = after_handshake(vec![
        s("PA", 1, 1, "old"),
        s("PA", 10, 1, "waits"),
        s("SA", 70_000, 1, ""),
        s("PA", 70_001, 1, "new"),
    ]);
    assert_eq!(
        told(packets),
        list(&[
            (Some(3), "server: old"),
            (Some(5), "server: [6 missing]"),
            (Some(5), "server: waits"),
            (Some(5), "server: [another connection]"),
            (Some(6), "server: new"),
        ])
    );
}

#[test]
fn a_syn_ack_before_all_bytes_begins_no_other_stream() {
    let packets = vec![
        c("S", 0, 0, ""),
        s("SA", 0, 1, ""),
        s("SA", 500, 1, ""),
        s("PA", 501, 1, "hello"),
    ];
    assert_eq!(told(packets), list(&[(Some(3), "server: hello")]));
}

/// Regression: bytes that came 3 ms behind their ACK were missing, for a verdict, too.
/// A hole that is never filled is given up as ever.
#[test]
fn who_reads_again_misses_no_bytes_that_came_behind_their_ack() {
    let packets = after_handshake(vec![
        c("PA", 5, 1, "ef").at(100_000),
        s("A", 1, 7, "").at(100_050),
        c("PA", 9, 1, "ij").at(105_000),
        s("A", 1, 11, "").at(105_050),
        s("A", 1, 11, "").at(110_000),
        c("PA", 1, 1, "abcd").at(120_000),
        c("A", 11, 1, "").at(130_000),
    ]);
    let ways = |text: &str| text.replace("client: ", "");
    let (again, late) = told_again(&packets);
    let again: Vec<_> = again.iter().map(|(at, text)| (*at, ways(text))).collect();
    let expected = [
        (Some(8), "abcd"),
        (Some(8), "ef"),
        (Some(9), "[2 missing]"),
        (Some(9), "ij"),
    ];
    assert_eq!(again, list(&expected));
    assert!(late.is_empty());
}

/// The same where no ACK was captured, and the sender went on.
#[test]
fn who_reads_again_misses_no_bytes_that_were_sent_again_late() {
    let packets = vec![
        c("PA", 1, 1, "ab").at(20),
        c("PA", 5, 1, "ef").at(30),
        c("PA", 7, 1, "gh").at(4_000_000),
        c("PA", 3, 1, "cd").at(5_000_000),
    ];
    let (again, late) = told_again(&packets);
    let text: Vec<&str> = again.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(
        text,
        ["client: ab", "client: cd", "client: ef", "client: gh"]
    );
    assert!(late.is_empty());
}

/// Each byte once, whatever part of which hole it fills.
#[test]
fn what_came_late_is_noted_once() {
    let packets = after_handshake(vec![
        c("PA", 11, 1, "k").at(100_000),
        s("A", 1, 12, "").at(100_050),
        s("A", 1, 12, "").at(110_000),
        c("PA", 3, 1, "cd").at(120_000),
        c("PA", 2, 1, "bcde").at(130_000),
        c("PA", 8, 1, "hijk").at(140_000),
    ]);
    let (_, late) = told_awaiting(packets.clone(), Late::default());
    let text = format!("{late:?}");
    assert!(text.contains("[1..2, 2..4, 4..5, 7..10]"), "{text}");
    let (again, late) = told_again(&packets);
    assert!(late.is_empty());
    let missing = again.iter().filter(|(_, text)| text.contains("missing"));
    assert_eq!(missing.count(), 2);
}

/// By whom it was had is known at the end, too.
#[test]
fn a_hole_is_told_with_its_ack_also_at_the_end() {
    struct Acks;
    impl Receiver for Acks {
        type Settings = ();
        type Found = Vec<Missing>;
        fn begin((): &(), _: &Beginning) -> Acks {
            Acks
        }
        fn bytes(&mut self, _: Direction, _: &[u8], _: At, _: u32, _: &mut Vec<Missing>) {}
        fn gap(&mut self, _: Direction, missing: Missing, found: &mut Vec<Missing>) {
            found.push(missing);
        }
        fn restart(&mut self, _: Direction, _: &mut Vec<Missing>) {}
        fn end(&mut self, _: Direction, _: At, _: &mut Vec<Missing>) {}
        fn datagram(&mut self, _: Direction, _: &[u8], _: At, _: &mut Vec<Missing>) {}
        fn close(&mut self, _: &mut Vec<Missing>) {}
    }
    let mut packets = after_handshake(vec![
        c("PA", 3, 1, "cd").at(100_000),
        s("A", 1, 5, "").at(100_050),
    ]);
    number(&mut packets);
    let mut tracker = Tracker::<Acks>::new(Limits::default(), ());
    let mut found = Vec::new();
    for (index, made) in packets.iter().enumerate() {
        tracker.packet(index, &made.packet, &made.frame, &mut found);
    }
    tracker.close_all(&mut found);
    let expected = Missing {
        bytes: 2,
        acknowledged: Some(4),
    };
    assert_eq!(found, [expected]);
}
