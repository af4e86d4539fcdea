//! Completeness, states, history, close; who is the client; where a conversation ends.

use super::*;

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
fn an_answer_to_what_was_not_captured_comes_from_the_server() {
    let client = |src: &str, dst: &str| {
        let (seen, tracked) = track(vec![udp(src, dst, "x")]);
        (tracked.conversations[0].client, seen[0].direction)
    };
    let (mine, dns) = ("10.0.0.2:50000", "10.0.0.1:53");
    assert_eq!(client(dns, mine), (socket(mine), Some(Direction::ToClient)));
    assert_eq!(client(mine, dns), (socket(mine), Some(Direction::ToServer)));
    // Both at the same port, or at ports that tell nothing: who spoke first.
    let (one, other) = ("10.0.0.1:123", "10.0.0.2:123");
    assert_eq!(client(one, other).0, socket(one));
    assert_eq!(client("10.0.0.1:12000", mine).0, socket("10.0.0.1:12000"));
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
    let mut tracker = Tracker::<Streams>::new(limits, ());
    let mut closed = Vec::new();
    for (index, made) in packets.iter().enumerate() {
        tracker.packet(index, &made.packet, &made.frame, &mut ());
        closed.extend(tracker.take_closed().into_iter().map(|c| c.index));
    }
    // The refused connection and the silent exchange; not the open attempt.
    assert_eq!(closed, [0, 1]);
    let rest = Tracked::of(tracker, &packets);
    assert_eq!(rest.conversations.len(), 2);
    assert_eq!(rest.conversations[1].id, 1);
}

/// Of a conversation on used ports, Wireshark sees that it begins with a SYN, and not
/// that there are bytes in it.
#[test]
fn data_in_a_syn_on_used_ports_does_not_complete_anything() {
    let (_, tracked) = track(vec![
        c("S", 0, 0, "data"),
        tcp(CLIENT, SERVER, "S", 500_000, 0, "data"),
        s("A", 0, 0, ""),
    ]);
    let facts = tracked
        .conversations
        .iter()
        .map(|c| c.tcp.as_ref().unwrap());
    let completeness: Vec<u8> = facts.map(|tcp| tcp.completeness).collect();
    assert_eq!(completeness, [9, 5]);
}
