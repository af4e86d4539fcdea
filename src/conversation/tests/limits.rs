//! Bounds on memory, and what they cost.

use super::*;

fn from_port(port: u16, letters: &str, seq: u32, ack: u32) -> Made {
    tcp(&format!("127.0.0.1:{port}"), SERVER, letters, seq, ack, "")
}

fn to_port(port: u16, letters: &str, seq: u32, ack: u32) -> Made {
    tcp(SERVER, &format!("127.0.0.1:{port}"), letters, seq, ack, "")
}

fn run(limits: Limits, mut packets: Vec<Made>) -> (Vec<usize>, Bitten) {
    number(&mut packets);
    let mut tracker = Tracker::<()>::new(limits, ());
    let mut closed = Vec::new();
    for (index, made) in packets.iter().enumerate() {
        tracker.packet(index, &made.packet, &made.frame, &mut ());
        closed.extend(tracker.take_closed().into_iter().map(|c| c.index));
    }
    (closed, tracker.bitten())
}

#[test]
fn what_is_over_makes_room_first_then_the_longest_idle() {
    let limits = Limits {
        conversations: 3,
        ..Limits::default()
    };
    let (closed, bitten) = run(
        limits,
        vec![
            from_port(1, "S", 0, 0),
            from_port(2, "S", 0, 0),
            udp(CLIENT, SERVER, "x"),
            to_port(2, "RA", 0, 1),
            from_port(3, "S", 0, 0),
            // The first one is idle for longer than the datagrams.
            from_port(4, "S", 0, 0),
            from_port(5, "S", 0, 0),
            // Nobody remembers the first one.
            from_port(1, "A", 1, 1),
        ],
    );
    assert_eq!(closed, [1, 0, 2, 3]);
    assert_eq!(bitten.conversations, 3);
}

#[test]
fn segments_that_wait_for_their_ack_are_bounded_over_all_streams() {
    let limits = Limits {
        unacknowledged: 4,
        ..Limits::default()
    };
    let mut packets = handshake();
    packets.extend((0..6).map(|i| c("PA", 1 + i, 1, "x")));
    packets.push(s("A", 1, 7, ""));
    packets.push(c("PA", 7, 1, "x"));
    let (_, bitten) = run(limits, packets);
    // Those beyond the bound: the last one finds room again.
    assert_eq!(bitten.segments, 2);
}

#[test]
fn each_conversation_is_told_once_when_it_begins() {
    let mut packets = vec![
        udp(CLIENT, SERVER, "x"),
        from_port(1, "S", 0, 0),
        udp(SERVER, CLIENT, "y"),
        from_port(1, "S", 77, 0),
    ];
    number(&mut packets);
    let mut tracker = Tracker::<()>::new(Limits::default(), ());
    let mut begun = Vec::new();
    for (index, made) in packets.iter().enumerate() {
        tracker.packet(index, &made.packet, &made.frame, &mut ());
        let new = tracker.take_begun();
        begun.extend(new.iter().map(|b| (b.conversation, b.at.packet)));
    }
    assert_eq!(begun, [(0, 0), (1, 1), (2, 3)]);
}

#[test]
fn what_the_sides_told_and_did() {
    let facts = facts(vec![
        c("S", 0, 0, "").scale(7).at(0),
        s("SA", 0, 1, "").scale(2).at(10),
        c("A", 1, 1, "").window(3).at(20),
        c("PA", 1, 1, "hello").at(30),
        s("PA", 1, 6, "bye").window(5000).at(70),
    ]);
    let (client, server) = (facts.sides.to_server, facts.sides.to_client);
    assert_eq!(client.offered.window_scale, Some(7));
    assert_eq!(server.offered.window_scale, Some(2));
    assert_eq!((client.max_window, server.max_window), (128_000, 20_000));
    assert_eq!(client.first_byte, Some(30_000));
    assert_eq!(server.first_byte, Some(70_000));
    assert!(!facts.started_before);
}
