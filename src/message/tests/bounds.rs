//! What is held, and what becomes of what is too much.

use super::*;
use Direction::{ToClient, ToServer};

fn requests(from: usize, to: usize) -> Vec<Event> {
    let get = |n: usize| format!("GET /{n} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes();
    (from..to)
        .map(|n| (n, ToServer, Comes::Bytes(get(n))))
        .collect()
}

fn answers(at: usize, codes: std::ops::Range<usize>) -> Vec<Event> {
    let answer = |n: usize| format!("HTTP/1.1 200 {n}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    codes
        .map(|n| (at + n, ToClient, Comes::Bytes(answer(n))))
        .collect()
}

#[test]
fn so_many_requests_wait_for_their_answers() {
    let mut events = requests(0, 1500);
    events.extend(answers(2000, 0..1500));
    let mut reader = begin(&KEEP);
    let mut found = Found::default();
    for (packet, way, comes) in &events[..1500] {
        if let Comes::Bytes(bytes) = comes {
            reader.bytes(*way, bytes, at(*packet), 0, &mut found);
        }
    }
    // The last is held to see what follows it.
    assert_eq!(found.messages.len(), 500);
    assert!(found.messages.iter().all(|m| m.response.is_none()));
    assert!(found.messages.iter().all(|m| m.given_up));
    assert_eq!(found.bitten.transactions, 500);
    let messages = feed(&KEEP, &events).messages;
    let phrase = |m: &Message| m.response.as_ref().map(|r| r.phrase.clone());
    let target = |m: &Message| m.request.as_ref().map(|r| r.target.clone());
    // The answers to those that were given up are nobody's.
    let lone = messages.iter().filter(|m| m.request.is_none());
    assert_eq!({ lone.clone() }.count(), 500);
    assert!({ lone }.all(|m| m.given_up));
    for message in messages
        .iter()
        .filter(|m| m.request.is_some() && m.response.is_some())
    {
        assert_eq!(
            target(message).unwrap(),
            format!("/{}", phrase(message).unwrap())
        );
    }
    assert_eq!(
        messages.iter().filter(|m| m.response.is_some()).count(),
        1500
    );
}

/// Regression: from the first answer to a request that was waited for no longer, none
/// was read if they had bodies.
#[test]
fn answers_behind_one_to_a_request_that_was_given_up_are_read() {
    let answer = |n: usize| format!("HTTP/1.1 200 {n}\r\nContent-Length: 4\r\n\r\n{n:04}");
    for more in [1, 500] {
        let many = Waits::BOUNDED.requests + more;
        let mut events = requests(0, many);
        events.extend((0..many).map(|n| {
            let bytes = answer(n).into_bytes();
            (many + n, ToClient, Comes::Bytes(bytes))
        }));
        let found = feed(&KEEP, &events);
        let answers = { found.messages.iter() }.filter_map(|m| m.response.as_ref());
        assert!(answers.clone().all(|answer| answer.body.complete));
        assert_eq!(answers.count(), many);
        let pairs = { found.messages.iter() }.filter_map(|m| {
            let (request, answer) = (m.request.as_ref()?, m.response.as_ref()?);
            Some((request.target.clone(), format!("/{}", answer.phrase)))
        });
        let pairs: Vec<_> = pairs.collect();
        assert_eq!(pairs.len() as u64, many as u64 - found.bitten.transactions);
        assert!(pairs.iter().all(|(target, phrase)| target == phrase));
    }
}

/// An answer is read to its end, however many requests come meanwhile.
#[test]
fn an_answer_that_is_being_read_is_not_in_the_way() {
    let many = Waits::BOUNDED.requests + 10;
    let (head, body) = ("HTTP/1.1 200 0\r\nContent-Length: 4\r\n\r\n00", "00");
    let mut events = requests(0, 1);
    events.push((0, ToClient, Comes::Bytes(head.into())));
    events.extend(requests(1, many));
    events.push((many, ToClient, Comes::Bytes(body.into())));
    events.extend(answers(many, 1..many));
    let found = feed(&KEEP, &events);
    assert_eq!(found.bitten.transactions, 9);
    let first = found.messages.iter().find(|m| m.response.is_some());
    let first = first.expect("the first answer");
    assert_eq!(
        first.request.as_ref().map(|r| r.target.as_str()),
        Some("/0")
    );
    assert!(response(first).body.complete);
    let answered = found.messages.iter().filter(|m| m.response.is_some());
    assert_eq!(answered.count(), many);
}

/// Regression: from the 1,001st request on a verdict was about other answers; and each
/// message was looked for among all that waited.
#[test]
fn any_number_of_requests_waits_where_no_bound_is_given() {
    let settings = Settings {
        waits: Waits::UNBOUNDED,
        ..KEEP
    };
    let many = 30_000;
    let mut events = requests(0, many);
    events.extend(answers(many, 0..many));
    let found = feed(&settings, &events);
    assert_eq!((found.messages.len(), found.bitten.transactions), (many, 0));
    for (n, message) in found.messages.iter().enumerate() {
        let request = message.request.as_ref().map(|r| r.target.clone());
        assert_eq!(request, Some(format!("/{n}")));
        assert_eq!(response(message).phrase, n.to_string());
    }
    // And where no request was captured, or only at the end.
    let alone = feed(&settings, &answers(0, 0..many));
    assert_eq!(alone.messages.len(), many);
    let mut late = answers(0, 0..many);
    late.extend(requests(0, many));
    let late = feed(&settings, &late).messages;
    assert_eq!(late.len(), many);
    assert!(
        late.iter()
            .all(|m| m.request.is_some() && m.response.is_some())
    );
}

#[test]
fn answers_without_requests_are_told_while_they_come() {
    let mut reader = begin(&KEEP);
    let mut found = Found::default();
    for (packet, way, comes) in answers(0, 0..100_000) {
        if let Comes::Bytes(bytes) = comes {
            reader.bytes(way, &bytes, at(packet), 0, &mut found);
        }
    }
    assert!(found.messages.len() > 99_900);
}

#[test]
fn a_request_that_was_late_still_gets_its_answer() {
    // Bytes before it were lost, so that it came only at the end.
    let mut events = vec![
        (
            1,
            ToServer,
            Comes::Bytes(b"GET /1 HTTP/1.1\r\n\r\n".to_vec()),
        ),
        (
            2,
            ToClient,
            Comes::Bytes(b"HTTP/1.1 200 1\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ),
    ];
    events.extend([
        (
            4,
            ToClient,
            Comes::Bytes(b"HTTP/1.1 200 lost\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ),
        (
            6,
            ToClient,
            Comes::Bytes(b"HTTP/1.1 200 3\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ),
        (
            8,
            ToClient,
            Comes::Bytes(b"HTTP/1.1 200 4\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ),
        (8, ToServer, Comes::Gap(20)),
        (
            5,
            ToServer,
            Comes::Bytes(b"GET /3 HTTP/1.1\r\n\r\n".to_vec()),
        ),
        (
            7,
            ToServer,
            Comes::Bytes(b"GET /4 HTTP/1.1\r\n\r\n".to_vec()),
        ),
    ]);
    let pairs: Vec<_> = feed(&KEEP, &events)
        .messages
        .into_iter()
        .map(|m| (m.request.map(|r| r.target), m.response.map(|r| r.phrase)))
        .collect();
    let pair =
        |target: Option<&str>, phrase: &str| (target.map(str::to_owned), Some(phrase.to_owned()));
    assert_eq!(
        pairs,
        [
            pair(Some("/1"), "1"),
            pair(None, "lost"),
            pair(Some("/3"), "3"),
            pair(Some("/4"), "4"),
        ]
    );
}

#[test]
fn a_head_may_be_only_so_long() {
    let field = "X-Long: 0123456789abcdefghijklmnopqrstuvwxyz\r\n";
    let endless = format!("GET / HTTP/1.1\r\n{}", field.repeat(5000));
    for cut in [1usize, 1000, 65_536, usize::MAX] {
        let events: Vec<Event> = endless
            .as_bytes()
            .chunks(cut.min(endless.len()))
            .enumerate()
            .map(|(packet, piece)| (packet, ToServer, Comes::Bytes(piece.to_vec())))
            .collect();
        let messages = feed(&KEEP, &events).messages;
        assert_eq!(messages.len(), 1, "{cut}");
        let request = messages[0].request.as_ref().unwrap();
        assert!(request.head.trouble.iter().any(|t| t.contains("65536")));
        assert_eq!(request.head.range, 0..65_536);
        assert!(!request.body.complete);
    }
    // A word without an end is given up sooner.
    let word = "x".repeat(100_000);
    assert_eq!(read(&word, ""), []);
}

/// A piece after so many bytes each time.
fn in_pieces(text: &str, cut: usize) -> Vec<Event> {
    let pieces = text.as_bytes().chunks(cut).enumerate();
    pieces
        .map(|(packet, piece)| (packet, ToServer, Comes::Bytes(piece.to_vec())))
        .collect()
}

/// Regression: what followed the section in the same piece counted as its own, so that
/// a long segment behind a trailer made it too long.
#[test]
fn trailers_end_before_what_follows_them() {
    let first =
        "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n";
    let second = "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n";
    let text = format!("{first}{second}{}", "x".repeat(70_000));
    for cut in [text.len(), first.len() - 2, 7] {
        let messages = feed(&KEEP, &in_pieces(&text, cut)).messages;
        assert_eq!(messages.len(), 2, "{cut}");
        for message in &messages {
            let body = &message.request.as_ref().unwrap().body;
            assert!(body.complete, "{cut}: {:?}", body.trouble);
        }
    }
}

/// Regression: found by fuzzing. How far one was read depended on the segments.
#[test]
fn lines_of_chunks_are_too_long_at_the_same_place_however_cut() {
    let head = "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let size = format!("5;{}", "x".repeat(100_000));
    let no_colon = format!("0\r\nX: 1\r\n{}\r\n\r\n", "x".repeat(100_000));
    let many = format!("0\r\n{}", "X: 0123456789\r\n".repeat(10_000));
    for (chunks, bound) in [(size, 4096), (no_colon, 65_536 + 3), (many, 65_536 + 3)] {
        let text = format!("{head}{chunks}");
        for cut in [text.len(), 70_000, 4096, 1000, 1] {
            let messages = feed(&KEEP, &in_pieces(&text, cut)).messages;
            let body = &messages[0].request.as_ref().unwrap().body;
            assert!(body.trouble.as_ref().unwrap().contains("too long"), "{cut}");
            assert_eq!(body.range, head.len()..head.len() + bound, "{cut}");
        }
    }
}

/// They were taken for no request, and their answers for answers to none.
#[test]
fn long_request_lines_are_seen() {
    let told = |len: usize| {
        let line = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(len));
        let messages = read(&line, "HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(messages.len(), 1, "{len}");
        let request = messages[0].request.as_ref().unwrap();
        assert_eq!(messages[0].response.as_ref().unwrap().code, 204);
        (request.target.len(), request.head.trouble.clone())
    };
    assert_eq!(told(17_000), (17_001, vec![]));
    // What does not fit is not read.
    assert_eq!(told(100_000), (65_536 - 4, vec![head::TOO_LONG]));
}

#[test]
fn bodies_are_kept_so_far() {
    let settings = Settings {
        bodies: Bodies::Keep { limit: 4 },
        packets: 2,
        ..KEEP
    };
    let mut events = requests(0, 1);
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_vec();
    events.push((1, ToClient, Comes::Bytes(head)));
    for packet in 2..12 {
        events.push((packet, ToClient, Comes::Bytes(b"x".to_vec())));
    }
    let message = &feed(&settings, &events).messages[0];
    let body = &response(message).body;
    assert_eq!((body.bytes.as_slice(), body.len), (&b"xxxx"[..], 10));
    assert!(body.complete && !body.is_kept());
    assert_eq!(
        (message.packets.listed.as_slice(), message.packets.more),
        (&[0, 1][..], 10)
    );
    let end = response(message).end;
    assert_eq!((end.packet, end.time), (11, at(11).time));
}

/// The server's stream gave way to another connection's before it answered.
#[test]
fn another_connection_answers_nothing() {
    let bytes = |n, way, text: &str| (n, way, Comes::Bytes(text.as_bytes().to_vec()));
    let events = [
        bytes(0, ToServer, "GET /simple\r\n"),
        (1, ToClient, Comes::Restart),
        bytes(2, ToClient, "HTTP/1.1 204 No Content\r\n\r\n"),
        bytes(3, ToServer, "GET /2 HTTP/1.1\r\n\r\n"),
        bytes(
            4,
            ToClient,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        ),
    ];
    let found = feed(&KEEP, &events).messages;
    let told = found.iter().map(|message| {
        let request = message.request.as_ref().map(|r| r.target.as_str());
        (request, message.response.as_ref().map(|r| r.code))
    });
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        [
            (Some("/simple"), None),
            (None, Some(204)),
            (Some("/2"), Some(404)),
        ]
    );
}

/// Regression: those of one request were kept without bound, and their packets listed.
#[test]
fn so_many_interim_responses_are_kept() {
    let settings = Settings {
        packets: 4,
        waits: Waits::BOUNDED,
        ..KEEP
    };
    let events = requests(0, 1);
    let interim = |packet| {
        let bytes = b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec();
        (packet, ToClient, Comes::Bytes(bytes))
    };
    let told = |count: usize| {
        let mut events = events.clone();
        events.extend((1..=count).map(interim));
        events.extend(answers(count + 1, 0..1));
        feed(&settings, &events).messages.remove(0)
    };
    let exactly = told(32);
    assert_eq!(exactly.interim.len(), 32);
    assert!(exactly.interim.iter().all(|r| r.head.trouble.is_empty()));
    let more = told(1000);
    assert_eq!(more.interim.len(), 32);
    let trouble: Vec<_> = more.interim.iter().flat_map(|r| &r.head.trouble).collect();
    assert_eq!(trouble, [&queue::MORE_INTERIM]);
    assert_eq!(response(&more).code, 200);
    assert_eq!(more.packets.listed, [0, 1, 2, 3]);
    assert_eq!(more.packets.more, 1002 - 4);
}

/// Regression: all that had come was looked at again with each piece.
#[test]
fn empty_lines_before_a_head_are_passed_once() {
    let text = format!(
        "{}GET /1 HTTP/1.1\r\nHost: h\r\n\r\n",
        "\r\n".repeat(30_000)
    );
    let whole = feed(&KEEP, &in_pieces(&text, text.len())).messages;
    let request = whole[0].request.as_ref().unwrap();
    assert_eq!(request.head.range, 0..text.len());
    assert_eq!(request.target, "/1");
    let pieces = feed(&KEEP, &in_pieces(&text, 1)).messages;
    let in_pieces = pieces[0].request.as_ref().unwrap();
    assert_eq!(in_pieces.head.range, request.head.range);
    assert_eq!(in_pieces.target, request.target);
    assert_eq!(in_pieces.head.headers, request.head.headers);
    // Nothing but such lines is no head.
    assert_eq!(read(&"\r\n".repeat(70_000), ""), []);
}

/// Regression: each conversation had a bound of its own, and there may be any number of
/// them.
#[test]
fn so_many_requests_wait_in_all_conversations() {
    let settings = Settings {
        waits: Waits {
            requests_in_all: 100,
            ..Waits::BOUNDED
        },
        ..KEEP
    };
    let mut found = Found::default();
    let mut readers: Vec<Reader> = (0..10).map(|_| begin(&settings)).collect();
    let mut packet = 0;
    for reader in &mut readers {
        for (_, way, comes) in requests(0, 50) {
            if let Comes::Bytes(bytes) = comes {
                reader.bytes(way, &bytes, at(packet), 0, &mut found);
                packet += 1;
            }
        }
        assert!(found.transactions <= 110, "{}", found.transactions);
    }
    // Each keeps the one that it may have an answer for at any rate.
    assert!(found.messages.len() >= 380 && found.messages.iter().all(|m| m.given_up));
    assert_eq!(found.bitten.transactions, found.messages.len() as u64);
    for reader in &mut readers {
        reader.close(&mut found);
    }
    assert_eq!((found.transactions, found.messages.len()), (0, 500));
}

/// Regression: bodies were kept of any number of conversations.
#[test]
fn so_much_of_all_bodies_is_kept() {
    let settings = Settings {
        waits: Waits {
            bodies_in_all: 1000,
            ..Waits::BOUNDED
        },
        ..KEEP
    };
    let mut found = Found::default();
    let post = |end: &str| format!("POST / HTTP/1.1\r\nHost: h\r\n{end}");
    let sized = post("Content-Length: 600\r\n\r\n");
    let chunked = post("Transfer-Encoding: chunked\r\n\r\n258\r\n");
    let texts = [sized.clone(), sized, chunked];
    let mut readers: Vec<Reader> = texts.iter().map(|_| begin(&settings)).collect();
    for (n, (reader, text)) in readers.iter_mut().zip(&texts).enumerate() {
        reader.bytes(ToServer, text.as_bytes(), at(n), 0, &mut found);
        for _ in 0..6 {
            reader.bytes(ToServer, &[b'x'; 100], at(n), 0, &mut found);
        }
    }
    readers[2].bytes(ToServer, b"\r\n0\r\n\r\n", at(9), 0, &mut found);
    for reader in &mut readers {
        reader.close(&mut found);
    }
    let bodies = found
        .messages
        .iter()
        .map(|m| &m.request.as_ref().unwrap().body);
    let kept: Vec<_> = bodies.map(|b| (b.bytes.len(), b.len, b.complete)).collect();
    assert_eq!(kept, [(600, 600, true), (400, 600, true), (0, 600, true)]);
    // Those that are told leave their room to others.
    let mut reader = begin(&settings);
    reader.bytes(ToServer, texts[0].as_bytes(), at(0), 0, &mut found);
    reader.bytes(ToServer, &[b'x'; 600], at(1), 0, &mut found);
    reader.close(&mut found);
    let last = found.messages.last().unwrap().request.as_ref().unwrap();
    assert!(last.body.is_kept() && last.body.len == 600);
}
