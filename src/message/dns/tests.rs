//! Messages and conversations, sound and hostile.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::conversation::{At, Beginning, Direction, Missing, Receiver};
use crate::message::Waits;
use crate::savefile::{Protocol, Timestamp};

fn name(labels: &[&[u8]]) -> Vec<u8> {
    let mut name = Vec::new();
    for label in labels {
        name.push(label.len() as u8);
        name.extend_from_slice(label);
    }
    name.push(0);
    name
}

fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let words = [id, flags, counts[0], counts[1], counts[2], counts[3]];
    words.map(u16::to_be_bytes).concat()
}

fn query(id: u16, labels: &[&[u8]]) -> Vec<u8> {
    let mut message = header(id, 0x0100, [1, 0, 0, 0]);
    message.extend(name(labels));
    message.extend([0, 1, 0, 1]);
    message
}

/// An answer to [`query`] with these records, whose names point to the question.
fn answer(id: u16, labels: &[&[u8]], records: &[(u16, &[u8])]) -> Vec<u8> {
    let mut message = header(id, 0x8180, [1, records.len() as u16, 0, 0]);
    message.extend(name(labels));
    message.extend([0, 1, 0, 1]);
    for (kind, data) in records {
        message.extend([0xC0, 12]);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend((data.len() as u16).to_be_bytes());
        message.extend_from_slice(data);
    }
    message
}

const HOST: &[&[u8]] = &[b"www", b"Example", b"com"];

fn sound(bytes: &[u8]) -> Message {
    let message = parse(bytes, Flavour::Dns).unwrap();
    assert_eq!(message.malformed, None);
    message
}

/// RFC 2136, section 2.5: what is to be deleted has no data.
#[test]
fn an_update_that_deletes_names_is_read_to_its_end() {
    let mut message = header(9, 0x2800, [1, 1, 2, 0]);
    message.extend(name(HOST));
    message.extend([0, 6, 0, 1]);
    for (kind, class, data) in [(5, 254, &[][..]), (28, 255, &[]), (1, 1, &[10, 0, 0, 1])] {
        message.extend([0xC0, 12, 0, kind, 0, class, 0, 0, 0, 60]);
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
    }
    let message = sound(&message);
    assert!(message.is_update());
    assert_eq!((message.answers.len(), message.authorities.len()), (1, 2));
    let said = message.authorities.last().map(|record| record.data.clone());
    assert_eq!(said, Some(Data::A([10, 0, 0, 1].into())));
}

#[test]
fn a_query_is_read() {
    let message = sound(&query(7, HOST));
    assert_eq!((message.id, message.opcode(), message.rcode()), (7, 0, 0));
    assert_eq!(message.recursion_desired(), Some(true));
    assert!(!message.is_response() && !message.is_truncated());
    let local = parse(&query(7, HOST), Flavour::Llmnr).unwrap();
    assert_eq!(
        (local.recursion_desired(), local.is_authoritative()),
        (None, None)
    );
    assert_eq!(
        message.questions,
        [Question {
            name: "www.Example.com".to_owned(),
            kind: 1,
            class: 1,
            unicast: false
        }]
    );
}

#[test]
fn data_are_shown_as_in_a_zone_file() {
    let soa = [&[0xC0, 12, 0xC0, 16][..], &[0, 0, 0, 9].repeat(5)].concat();
    let records: &[(u16, &[u8], &str)] = &[
        (1, &[192, 0, 2, 1], "192.0.2.1"),
        (28, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "::1"),
        (5, &[0xC0, 12], "www.Example.com"),
        (2, &[1, b'n', 0xC0, 16], "n.Example.com"),
        (12, &[0], "<Root>"),
        (15, &[0, 10, 0xC0, 16], "10 Example.com"),
        (16, b"\x03a\"b\x02\xFF\x07", r#""a\"b" "\255\007""#),
        (6, &soa, "www.Example.com Example.com 9 9 9 9 9"),
        (33, &[0, 1, 0, 2, 0, 80, 0xC0, 12], "1 2 80 www.Example.com"),
        (43, &[1, 2, 3], "\\# 3 010203"),
    ];
    let list: Vec<(u16, &[u8])> = records.iter().map(|(k, d, _)| (*k, *d)).collect();
    let message = sound(&answer(7, HOST, &list));
    for (record, (_, _, text)) in message.answers.iter().zip(records) {
        assert_eq!(record.data.to_string(), *text);
        assert_eq!((record.name.as_str(), record.ttl), ("www.Example.com", 60));
    }
    assert_eq!(message.answers.len(), records.len());
    let long = sound(&answer(7, HOST, &[(99, &[7; 100])]));
    assert_eq!(
        long.answers[0].data.to_string(),
        format!("\\# 100 {}\u{2026}", "07".repeat(64))
    );
}

#[test]
fn odd_bytes_of_a_name_are_escaped() {
    let spelled = |labels: &[&[u8]]| sound(&query(1, labels)).questions[0].name.clone();
    assert_eq!(spelled(&[]), "<Root>");
    assert_eq!(spelled(&[b"a.b", b"c\\"]), "a\\.b.c\\\\");
    assert_eq!(
        spelled(&[b"My Printer", "B\u{fc}ro".as_bytes()]),
        "My Printer.B\u{fc}ro"
    );
    assert_eq!(
        spelled(&[b"\x07\xFF\x1B[2J\xC2\x80"]),
        "\\007\\255\\027[2J\\194\\128"
    );
    let longest: &[&[u8]] = &[&[b'a'; 63], &[b'b'; 63], &[b'c'; 63], &[b'd'; 61]];
    assert_eq!(spelled(longest).len(), 253);
}

#[test]
fn what_is_wrong_with_a_name_is_said() {
    let malformed = |name: &[u8]| {
        let mut message = header(1, 0, [1, 0, 0, 0]);
        message.extend_from_slice(name);
        message.extend([0, 1, 0, 1]);
        parse(&message, Flavour::Dns).unwrap().malformed.unwrap()
    };
    let backwards = "a name has a pointer that leads not backwards";
    assert_eq!(malformed(&[0xC0, 12]), backwards); // to itself
    assert_eq!(malformed(&[1, b'a', 0xC0, 12]), backwards);
    assert_eq!(malformed(&[0xC0, 14, 0xC0, 12]), backwards);
    assert_eq!(malformed(&[0xC1, 0xFF]), backwards);
    assert_eq!(
        malformed(&[0x41, 1]),
        "a name has a label of an unknown kind"
    );
    assert_eq!(malformed(&[60, b'a']), "a name is cut off");
    let labels = [&[63][..], &[b'a'; 63]].concat().repeat(4);
    assert_eq!(malformed(&labels), "a name is longer than 255 bytes");
}

#[test]
fn edns_extends_the_response_code() {
    let mut message = header(1, 0x8180, [0, 0, 0, 1]);
    message.extend([0, 0, 41, 0x10, 0, 1, 0, 0x80, 0, 0, 0]);
    let message = sound(&message);
    assert_eq!((message.rcode(), message.extended_rcode()), (0, 16));
    assert_eq!(rcode_name(16), Some("BADVERS"));
    assert_eq!(message.additionals[0].class, 4096);
}

#[test]
fn multicast_has_a_flag_in_the_class() {
    let mut bytes = query(0, HOST);
    let len = bytes.len();
    bytes[len - 2] = 0x80;
    let question = &parse(&bytes, Flavour::Mdns).unwrap().questions[0];
    assert_eq!((question.class, question.unicast), (1, true));
    assert_eq!(sound(&bytes).questions[0].class, 0x8001);
}

/// Bytes of the names of a record that names another one.
fn text_of(record: &Record) -> usize {
    match &record.data {
        Data::Name(name) => record.name.len() + name.len(),
        _ => 0,
    }
}

/// The most that 64 KiB can hold is bounded in memory.
#[test]
fn many_records_are_counted_and_not_kept() {
    let longest: &[&[u8]] = &[&[1; 63], &[2; 63], &[3; 63], &[4; 61]];
    let records = vec![(2, &[0xC0, 12][..]); 4000];
    let message = sound(&answer(1, HOST, &records));
    assert_eq!(message.answers.len(), MAX_RECORDS - 1);
    assert_eq!(message.left_out, 4001 - MAX_RECORDS);
    // Regression: names of a few bytes came to hundreds of KiB.
    for count in [40, 4000] {
        let records = vec![(2, &[0xC0, 12][..]); count];
        let bytes = answer(1, longest, &records);
        let message = sound(&bytes);
        let (kept, name) = (message.answers.len(), message.questions[0].name.len());
        assert_eq!(message.left_out, count - kept);
        let text: usize = message.answers.iter().map(text_of).sum();
        assert!(kept > 0 && text <= (65_536).min(2048 + 16 * bytes.len()));
        // None is kept in part.
        assert!(message.answers.iter().all(|r| text_of(r) == 2 * name));
    }
}

/// Regression: as above, of texts.
#[test]
fn texts_have_room_for_so_much() {
    let text = [&[255][..], &[0; 255]].concat().repeat(200);
    let records = vec![(16, text.as_slice()), (1, &[1, 2, 3, 4])];
    let message = sound(&answer(1, HOST, &records));
    assert_eq!((message.answers.len(), message.left_out), (0, 2));
    let ordinary = [&[255][..], &[b'x'; 255]].concat().repeat(200);
    let records = vec![(16, ordinary.as_slice()), (1, &[1, 2, 3, 4])];
    let message = sound(&answer(1, HOST, &records));
    assert_eq!((message.answers.len(), message.left_out), (2, 0));
}

fn at(packet: usize) -> At {
    At {
        packet,
        time: Timestamp(packet as i64 * 1000),
    }
}

fn reader(port: u16) -> Reader {
    reader_with(port, Waits::BOUNDED)
}

fn reader_with(port: u16, waits: Waits) -> Reader {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let beginning = Beginning {
        conversation: 0,
        protocol: Protocol::Udp,
        client: address(40_000),
        server: address(port),
        at: at(0),
    };
    Reader::begin(&waits, &beginning)
}

use Direction::{ToClient, ToServer};

#[test]
fn answers_find_their_query() {
    let mut reader = reader(53);
    let mut found = Vec::new();
    let other: &[&[u8]] = &[b"other"];
    let spelled: &[&[u8]] = &[b"WWW", b"example", b"COM"];
    reader.datagram(ToServer, &query(1, HOST), at(0), &mut found);
    reader.datagram(ToServer, &query(2, HOST), at(1), &mut found);
    reader.datagram(ToServer, &query(1, other), at(2), &mut found);
    reader.datagram(ToServer, &query(1, HOST), at(3), &mut found);
    reader.datagram(ToClient, &answer(1, spelled, &[]), at(4), &mut found);
    reader.datagram(ToClient, &answer(1, HOST, &[]), at(5), &mut found);
    reader.datagram(ToServer, &answer(2, HOST, &[]), at(6), &mut found);
    reader.datagram(ToClient, &answer(2, HOST, &[]), at(7), &mut found);
    let pairs: Vec<_> = found
        .iter()
        .map(|seen| {
            (
                seen.query.map(|at| at.packet),
                seen.time(),
                seen.is_retransmission(),
            )
        })
        .collect();
    assert_eq!(
        pairs,
        [
            (None, None, false),
            (None, None, false),
            (None, None, false),
            (Some(0), None, true),
            (Some(0), Some(4000), false),
            (None, None, false), // answered already
            (None, None, false), // the wrong way
            (Some(1), Some(6000), false),
        ]
    );
}

#[test]
fn a_query_that_is_sent_again_late_asks_anew() {
    let mut reader = reader(53);
    let mut found = Vec::new();
    let second = |packet, seconds: i64| At {
        packet,
        time: Timestamp(seconds * 1_000_000_000),
    };
    for (packet, seconds) in [0, 4, 5, 9].into_iter().enumerate() {
        let at = second(packet, seconds);
        reader.datagram(ToServer, &query(1, HOST), at, &mut found);
    }
    let at = second(4, 11);
    reader.datagram(ToClient, &answer(1, HOST, &[]), at, &mut found);
    let of: Vec<_> = found
        .iter()
        .map(|seen| seen.query.map(|at| at.packet))
        .collect();
    assert_eq!(of, [None, Some(0), None, Some(2), Some(2)]);
}

#[test]
fn a_refusal_without_a_question_finds_its_query_by_the_id() {
    let mut reader = reader(53);
    let mut found = Vec::new();
    reader.datagram(ToServer, &query(1, HOST), at(0), &mut found);
    reader.datagram(ToServer, &query(2, HOST), at(1), &mut found);
    reader.datagram(ToClient, &header(2, 0x8005, [0; 4]), at(5), &mut found);
    assert_eq!(found[2].query, Some(at(1)));
}

#[test]
fn netbios_names_are_no_dns() {
    let mut found = Vec::new();
    reader(137).datagram(ToServer, &query(7, HOST), at(0), &mut found);
    assert!(found.is_empty());
}

#[test]
fn waiting_queries_are_bounded() {
    let mut reader = reader(53);
    let mut found = Vec::new();
    for id in 0..5000 {
        reader.datagram(ToServer, &query(id, HOST), at(id.into()), &mut found);
    }
    found.clear();
    reader.datagram(ToClient, &answer(1, HOST, &[]), at(5000), &mut found);
    reader.datagram(ToClient, &answer(4999, HOST, &[]), at(5001), &mut found);
    assert_eq!([found[0].time(), found[1].time()], [None, Some(2000)]);
}

#[test]
fn off_its_ports_dns_is_known_by_its_looks() {
    let taken = |payload: &[u8]| {
        let mut found = Vec::new();
        reader(12_000).datagram(ToServer, payload, at(0), &mut found);
        found.len() == 1
    };
    let sound = query(7, HOST);
    assert!(taken(&sound));
    assert!(taken(&answer(7, HOST, &[(1, &[192, 0, 2, 1])])));
    assert!(!taken(&[&sound[..], b"x"].concat()));
    assert!(!taken(&sound[..sound.len() - 1]));
    assert!(!taken(&query(7, &[b"no host", b"name"])));
    assert!(!taken(&query(7, &[])));
    assert!(!taken(&answer(7, HOST, &[(1, &[192, 0, 2])])));
    for text in [
        "",
        "hello",
        "Hello, world! How are you?",
        "GET / HTTP/1.1\r\n\r\n",
    ] {
        assert!(!taken(text.as_bytes()), "{text}");
    }
    assert!(!taken(&[0; 40]));
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let frame = |message: &Vec<u8>| {
        let len = (message.len() as u16).to_be_bytes();
        [&len[..], message].concat()
    };
    messages.iter().flat_map(frame).collect()
}

proptest! {
    #[test]
    fn over_tcp_chunks_do_not_matter(
        sizes in prop::collection::vec(1..40usize, 1..20), port in prop_oneof![Just(53), Just(9000)],
    ) {
        let messages = [query(1, HOST), query(2, HOST), header(3, 0, [0; 4]), query(4, HOST)];
        let stream = framed(&messages);
        let mut whole = Vec::new();
        reader(port).bytes(ToServer, &stream, at(0), 0, &mut whole);
        prop_assert_eq!(whole.len(), 4);
        let mut found = Vec::new();
        let mut reader = reader(port);
        let mut rest = &stream[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (some, later) = rest.split_at(rest.len().min(*size));
            reader.bytes(ToServer, some, at(0), 0, &mut found);
            rest = later;
        }
        prop_assert_eq!(found, whole);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), port in any::<bool>()) {
        let mut found = Vec::new();
        let mut reader = reader(if port { 53 } else { 9000 });
        reader.datagram(ToServer, &bytes, at(0), &mut found);
        reader.bytes(ToClient, &bytes, at(0), 0, &mut found);
    }

    /// Each change and each cut of a sound message is read without a panic, and
    /// a cut is malformed.
    #[test]
    fn a_damaged_message_is_malformed_at_most(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let sound = answer(7, HOST, &[(15, &[0, 10, 0xC0, 16]), (16, b"\x03abc"), (1, &[1; 4])]);
        let cut = cut.index(sound.len());
        if let Some(message) = parse(&sound[..cut], Flavour::Dns) {
            prop_assert!(message.malformed.is_some());
        }
        let mut changed = sound;
        let at = at.index(changed.len());
        changed[at] = byte;
        let message = parse(&changed, Flavour::Dns).unwrap();
        for record in &message.answers {
            let _ = record.data.to_string();
        }
    }
}

#[test]
fn behind_a_gap_it_is_read_from_the_next_whole_message() {
    let mut reader = reader(53);
    let mut found = Vec::new();
    reader.bytes(ToServer, &framed(&[query(1, HOST)]), at(0), 0, &mut found);
    reader.gap(ToServer, Missing::default(), &mut found);
    reader.bytes(
        ToServer,
        &framed(&[query(2, HOST)])[5..],
        at(1),
        0,
        &mut found,
    );
    assert_eq!(found.len(), 1, "the end of a message is none");
    let pair = framed(&[query(3, HOST), query(4, HOST)]);
    reader.bytes(ToServer, &pair[..40], at(2), 0, &mut found);
    reader.bytes(ToServer, &pair[40..], at(3), 0, &mut found);
    let ids: Vec<_> = found.iter().map(|seen| seen.message.id).collect();
    assert_eq!(ids, [1, 3, 4]);
    reader.bytes(
        ToClient,
        &framed(&[answer(4, HOST, &[])]),
        at(4),
        0,
        &mut found,
    );
    assert_eq!(found[3].query, Some(at(3)));
}

#[test]
fn other_streams_cost_nothing_and_a_gap_ends_a_message() {
    let mut found = Vec::new();
    let mut http = reader(8080);
    http.bytes(ToServer, b"G", at(0), 0, &mut found);
    http.bytes(ToServer, b"ET / HTTP/1.1\r\n", at(0), 0, &mut found);
    http.bytes(ToClient, b"HTTP/1.1 200 OK\r\n", at(0), 0, &mut found);
    assert!(found.is_empty());

    let mut dns = reader(53);
    let stream = framed(&[query(1, HOST), query(2, HOST)]);
    dns.bytes(ToServer, &stream[..40], at(0), 0, &mut found);
    dns.gap(ToServer, Missing::default(), &mut found);
    dns.bytes(ToServer, &stream[50..], at(0), 0, &mut found);
    assert_eq!(found.len(), 1);
}

/// Regression: the answer to a query that 4,096 others had come behind was none, also
/// for a verdict; and each query was looked for among all that waited.
#[test]
fn any_number_of_queries_waits_where_no_bound_is_given() {
    let many = 100_000u32;
    let names = |n: u32| n.to_string().into_bytes();
    let mut reader = reader_with(53, Waits::UNBOUNDED);
    let mut found = Vec::new();
    for n in 0..many {
        let query = query(n as u16, &[&names(n)]);
        reader.datagram(Direction::ToServer, &query, at(n as usize), &mut found);
    }
    assert!(found.iter().all(|seen| seen.over.is_none()));
    found.clear();
    for n in (0..many).rev() {
        let answer = answer(n as u16, &[&names(n)], &[]);
        let at = at((many + n) as usize);
        reader.datagram(Direction::ToClient, &answer, at, &mut found);
    }
    let asked = found.iter().map(|seen| seen.query.map(|at| at.packet));
    assert!(asked.eq((0..many as usize).rev().map(Some)));
}

/// A refusal without the question belongs to the oldest query with its id.
#[test]
fn an_answer_without_a_question_is_the_oldest_querys() {
    let mut reader = reader_with(53, Waits::UNBOUNDED);
    let mut found = Vec::new();
    for (n, name) in [b"c", b"a", b"b"].into_iter().enumerate() {
        reader.datagram(Direction::ToServer, &query(7, &[name]), at(n), &mut found);
    }
    let refused = header(7, 0x8185, [0; 4]);
    for n in 3..7 {
        reader.datagram(Direction::ToClient, &refused, at(n), &mut found);
    }
    let asked = found[3..].iter().map(|seen| seen.query.map(|at| at.packet));
    assert!(asked.eq([Some(0), Some(1), Some(2), None]));
}

/// RFC 7873, section 5.4: a query with an OPT record alone asks for a cookie.
#[test]
fn a_query_without_a_question_has_its_answer() {
    let mut reader = reader(53);
    let mut found = Vec::new();
    reader.datagram(ToServer, &query(7, HOST), at(0), &mut found);
    reader.datagram(ToServer, &header(7, 0, [0; 4]), at(1), &mut found);
    reader.datagram(ToServer, &header(7, 0, [0; 4]), at(2), &mut found);
    reader.datagram(ToClient, &answer(7, HOST, &[]), at(3), &mut found);
    reader.datagram(ToClient, &header(7, 0x8000, [0; 4]), at(4), &mut found);
    let of = found.iter().map(|seen| seen.query.map(|at| at.packet));
    assert!(of.eq([None, None, Some(1), Some(0), Some(1)]));
}
