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

fn told(mut packets: Vec<Made>) -> Vec<(Option<usize>, String)> {
    number(&mut packets);
    let mut tracker = Tracker::<Listener>::new(Limits::default(), ());
    let mut told = Told::default();
    for (index, made) in packets.iter().enumerate() {
        told.0 = Some(index);
        tracker.packet(index, &made.packet, &made.frame, &mut told);
    }
    told.0 = None;
    tracker.close_all(&mut told);
    told.1
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
