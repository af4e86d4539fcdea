//! What is no HTTP, and what becomes of it.

use super::*;
use Direction::{ToClient, ToServer};

fn dns(id: u8, answers: u8) -> Vec<u8> {
    let flags = if answers > 0 { 0x81 } else { 0x01 };
    let mut bytes = vec![0, id, flags, 0, 0, 1, 0, answers, 0, 0, 0, 0];
    bytes.extend(b"\x04host\x07example\x00\x00\x01\x00\x01");
    for n in 0..answers {
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, n]);
    }
    bytes
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut bytes = (message.len() as u16).to_be_bytes().to_vec();
    bytes.extend(message);
    bytes
}

fn reader(protocol: Protocol, port: u16) -> Reader {
    let mut server = socket(SERVER);
    server.set_port(port);
    let beginning = Beginning {
        conversation: 7,
        protocol,
        client: socket(CLIENT),
        server,
        at: at(0),
    };
    Reader::begin(&KEEP, &beginning)
}

#[test]
fn queries_over_udp_have_their_answers() {
    for port in [53, 12000] {
        let mut reader = reader(Protocol::Udp, port);
        let mut found = Found::default();
        reader.datagram(ToServer, &dns(1, 0), at(1), &mut found);
        reader.datagram(ToServer, &dns(1, 0), at(2), &mut found);
        reader.datagram(ToServer, &dns(2, 0), at(3), &mut found);
        assert!(found.lookups.is_empty());
        reader.datagram(ToClient, &dns(1, 2), at(5), &mut found);
        reader.close(&mut found);
        let lookups = &found.lookups;
        assert_eq!(lookups.len(), 2, "port {port}");
        let query = lookups[0].query.as_ref().unwrap();
        assert_eq!(query.message.questions[0].name, "host.example");
        assert_eq!((lookups[0].conversation, query.at.packet), (7, 1));
        assert_eq!(lookups[0].again, [at(2)]);
        let response = lookups[0].response.as_ref().unwrap();
        assert_eq!(response.message.answers.len(), 2);
        assert_eq!(response.time(), Some(4000));
        assert!(lookups[1].response.is_none());
    }
}

#[test]
fn queries_over_tcp_are_cut_as_they_like() {
    for port in [53, 12000] {
        for cut in 1..40 {
            let mut reader = reader(Protocol::Tcp, port);
            let mut found = Found::default();
            for (way, message) in [(ToServer, dns(1, 0)), (ToClient, dns(1, 1))] {
                for piece in framed(&message).chunks(cut) {
                    reader.bytes(way, piece, at(1), 0, &mut found);
                }
            }
            reader.close(&mut found);
            assert_eq!(found.lookups.len(), 1, "port {port}, {cut}");
            assert!(found.lookups[0].query.is_some() && found.lookups[0].response.is_some());
            assert!(found.messages.is_empty());
        }
    }
}

#[test]
fn the_words_of_the_lab_are_no_names() {
    let mut reader = reader(Protocol::Udp, 12000);
    let mut found = Found::default();
    for _ in 0..10 {
        reader.datagram(ToServer, b"hello", at(1), &mut found);
        reader.datagram(ToClient, b"HELLO", at(2), &mut found);
        reader.datagram(ToServer, &[0, 1, 0, 0, 0, 1, 9, 9, 9, 9], at(3), &mut found);
    }
    reader.close(&mut found);
    assert!(found.lookups.is_empty());
}

/// A ClientHello that names a host.
fn hello() -> Vec<u8> {
    let name = b"host.example";
    let mut extension = vec![0, 0];
    extension.extend((name.len() as u16 + 5).to_be_bytes());
    extension.extend((name.len() as u16 + 3).to_be_bytes());
    extension.push(0);
    extension.extend((name.len() as u16).to_be_bytes());
    extension.extend(name);
    let mut body = vec![3, 3];
    body.extend([0; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extension.len() as u16).to_be_bytes());
    body.extend(extension);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

#[test]
fn hellos_are_facts_of_the_conversation() {
    let name = |reader: &Reader| {
        let client = reader.tls()?.client.as_ref()?;
        client.server_name.clone()
    };
    for cut in [1, 7, 1000] {
        let mut reader = reader(Protocol::Tcp, 12000);
        let mut found = Found::default();
        for piece in hello().chunks(cut) {
            reader.bytes(ToServer, piece, at(1), 0, &mut found);
        }
        assert_eq!(name(&reader).as_deref(), Some("host.example"));
    }
    // Also in a tunnel.
    let mut reader = reader(Protocol::Tcp, 12000);
    let mut found = Found::default();
    let connect = b"CONNECT host.example:443 HTTP/1.1\r\nHost: host.example\r\n\r\n";
    reader.bytes(ToServer, connect, at(1), 0, &mut found);
    reader.bytes(ToClient, b"HTTP/1.1 200 Go\r\n\r\n", at(2), 0, &mut found);
    reader.bytes(ToServer, &hello(), at(3), 0, &mut found);
    assert_eq!(name(&reader).as_deref(), Some("host.example"));
    let to = found.messages[0].switches_to.as_deref();
    assert_eq!(to, Some("tunnel to host.example:443"));
}

/// Found by fuzzing: what was read beside HTTP was forgotten.
#[test]
fn dns_is_read_on_behind_an_upgrade() {
    // The head is the beginning of a message, too: "HT" is its length.
    let mut sent = b"HTTP/1.1 200 Go\r\n\r\n".to_vec();
    sent.resize(2 + 0x4854, b'x');
    for cut in [20, sent.len()] {
        let mut reader = reader(Protocol::Tcp, 53);
        let mut found = Found::default();
        let connect = b"CONNECT host.example:443 HTTP/1.1\r\n\r\n";
        reader.bytes(ToServer, connect, at(1), 0, &mut found);
        for piece in sent.chunks(cut) {
            reader.bytes(ToClient, piece, at(2), 0, &mut found);
        }
        reader.close(&mut found);
        assert!(found.messages[0].switches_to.is_some());
        assert_eq!(found.lookups.len(), 1, "cut after {cut}");
    }
}

/// A query whose answer is waited for no longer is not unanswered.
#[test]
fn queries_that_are_given_up_are_told_as_such() {
    let more = Waits::BOUNDED.queries + 100;
    let numbered = |n: usize, answers| {
        let mut bytes = dns(0, answers);
        bytes[..2].copy_from_slice(&(n as u16).to_be_bytes());
        bytes
    };
    let mut reader = reader(Protocol::Udp, 53);
    let mut found = Found::default();
    for n in 0..more {
        reader.datagram(ToServer, &numbered(n, 0), at(n), &mut found);
    }
    for n in 0..more {
        reader.datagram(ToClient, &numbered(n, 1), at(more + n), &mut found);
    }
    assert_eq!(found.bitten.queries, 100);
    let (without, answered) = found.lookups.split_at(100);
    assert!(without.iter().all(|l| l.given_up && l.response.is_none()));
    let (lone, pairs) = answered.split_at(100);
    assert!(lone.iter().all(|l| l.given_up && l.query.is_none()));
    assert_eq!(pairs.len(), Waits::BOUNDED.queries);
    assert!(pairs.iter().all(|l| !l.given_up && l.query.is_some()));
    reader.close(&mut found);
    assert_eq!((found.lookups.len(), found.waiting), (more + 100, 0));
}

/// Regression: each was reported as unanswered, while its answers came from other
/// addresses, or to the group.
#[test]
fn what_is_asked_of_a_group_is_told_as_such() {
    for (server, port, expected) in [
        ("224.0.0.251", 5353, true),
        ("10.0.0.7", 5353, true),
        ("224.0.0.252", 5355, true),
        ("ff02::1:3", 5355, true),
        ("10.0.0.7", 5355, false),
        ("10.0.0.7", 53, false),
    ] {
        let beginning = Beginning {
            conversation: 7,
            protocol: Protocol::Udp,
            client: socket(CLIENT),
            server: (server.parse::<std::net::IpAddr>().unwrap(), port).into(),
            at: at(0),
        };
        let mut reader = Reader::begin(&KEEP, &beginning);
        let mut found = Found::default();
        reader.datagram(ToServer, &dns(1, 0), at(1), &mut found);
        reader.close(&mut found);
        let told: Vec<bool> = found.lookups.iter().map(|l| l.multicast).collect();
        assert_eq!(told, [expected], "{server}:{port}");
    }
}

/// What is bounded for all conversations together.
#[test]
fn queries_of_all_conversations_are_given_up_in_the_end() {
    let mut found = Found::default();
    let mut readers: Vec<Reader> = (0..5).map(|_| reader(Protocol::Udp, 53)).collect();
    for reader in &mut readers {
        for n in 0..Waits::BOUNDED.queries {
            let mut query = dns(0, 0);
            query[..2].copy_from_slice(&(n as u16).to_be_bytes());
            reader.datagram(ToServer, &query, at(n), &mut found);
        }
    }
    let waiting = found.waiting;
    assert!(waiting < 4 * Waits::BOUNDED.queries + 8, "{waiting}");
    assert_eq!(
        found.bitten.queries as usize,
        5 * Waits::BOUNDED.queries - waiting
    );
    for reader in &mut readers {
        reader.close(&mut found);
    }
    assert_eq!(
        (found.waiting, found.lookups.len()),
        (0, 5 * Waits::BOUNDED.queries)
    );
}

/// Each has the answer to its own number, though one segment brought both.
#[test]
fn two_queries_in_one_segment_have_each_their_answer() {
    let mut reader = reader(Protocol::Tcp, 53);
    let mut found = Found::default();
    let both = [framed(&dns(1, 0)), framed(&dns(2, 0))].concat();
    reader.bytes(ToServer, &both, at(1), 0, &mut found);
    for (n, id) in [(2, 2), (3, 1)] {
        reader.bytes(ToClient, &framed(&dns(id, 1)), at(n), 0, &mut found);
    }
    let ids = |l: &Lookup| {
        (
            l.query.as_ref().map(|q| q.message.id),
            l.response.as_ref().map(|r| r.message.id),
        )
    };
    let ids: Vec<_> = found.lookups.iter().map(ids).collect();
    assert_eq!(ids, [(Some(2), Some(2)), (Some(1), Some(1))]);
}

/// RFC 5936, section 2.2: as many messages as it takes, of which those behind the first
/// need not repeat the question.
#[test]
fn a_zone_transfer_of_several_messages_is_one_lookup() {
    let zone = |id: u8, flags: u8, questions: u8| {
        let mut bytes = vec![0, id, flags, 0, 0, questions, 0, 0, 0, 0, 0, 0];
        if questions > 0 {
            bytes.extend(b"\x07example\x00\x00\xfc\x00\x01");
        }
        framed(&bytes)
    };
    let settings = Settings {
        carried: true,
        ..KEEP
    };
    let mut server = socket(SERVER);
    server.set_port(53);
    let mut reader = Reader::begin(
        &settings,
        &Beginning {
            server,
            ..beginning()
        },
    );
    let mut found = Found::default();
    for (packet, (way, bytes)) in [
        (ToServer, zone(9, 1, 1)),
        (ToClient, zone(9, 0x81, 1)),
        (ToClient, zone(9, 0x81, 0)),
        (ToClient, zone(9, 0x81, 1)),
        // The number is used again, at once.
        (ToServer, zone(9, 1, 1)),
        (ToClient, zone(9, 0x81, 1)),
        (ToServer, framed(&dns(3, 0))),
        (ToClient, framed(&dns(3, 1))),
    ]
    .into_iter()
    .enumerate()
    {
        reader.bytes(way, &bytes, at(packet), 0, &mut found);
    }
    reader.close(&mut found);
    let told: Vec<_> = found
        .lookups
        .iter()
        .map(|lookup| {
            let packet = |seen: &Option<dns::Seen>| seen.as_ref().map(|seen| seen.at.packet);
            (
                packet(&lookup.query),
                packet(&lookup.response),
                lookup.further,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some(0), Some(1), 2),
            (Some(6), Some(7), 0),
            (Some(4), Some(5), 0)
        ]
    );
    assert!(found.lookups.iter().all(|lookup| !lookup.given_up));
    // `dns.response_to` of each message.
    let of = found
        .parts
        .iter()
        .map(|part| part.asked.map(|at| at.packet));
    let answers = [Some(0), Some(0), Some(0), None, Some(4), None, Some(6)];
    assert!(of.eq([None].into_iter().chain(answers)));
}

/// Transfers wait for more of their messages, and for no longer than others wait.
#[test]
fn transfers_that_are_not_waited_for_were_answered() {
    let waits = Waits {
        queries: 2,
        ..Waits::BOUNDED
    };
    let settings = Settings { waits, ..KEEP };
    let mut server = socket(SERVER);
    server.set_port(53);
    let mut reader = Reader::begin(
        &settings,
        &Beginning {
            server,
            ..beginning()
        },
    );
    let mut found = Found::default();
    for id in 0..5u8 {
        for (way, flags) in [(ToServer, 1), (ToClient, 0x81)] {
            let mut bytes = vec![0, id, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            bytes.extend(b"\x07example\x00\x00\xfb\x00\x01");
            reader.bytes(way, &framed(&bytes), at(1), 0, &mut found);
        }
    }
    assert_eq!((found.lookups.len(), found.waiting), (3, 2));
    reader.close(&mut found);
    assert_eq!((found.lookups.len(), found.waiting), (5, 0));
    let answered = |lookup: &Lookup| lookup.response.is_some() && !lookup.given_up;
    assert!(found.lookups.iter().all(answered));
    assert_eq!(found.bitten.queries, 0);
}
