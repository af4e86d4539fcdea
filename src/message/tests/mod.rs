//! Exchanges of every kind, whole and broken, in any segmentation.

mod bounds;
mod leftovers;
mod others;
mod properties;

use proptest::prelude::*;

use super::*;
use crate::conversation::testing::*;
use crate::conversation::{
    At, Beginning, Direction, Gap, Limits, Missing, Receiver, Tracker, Ways,
};
use crate::savefile::{Protocol, Timestamp};

/// What is to be said one way.
#[derive(Clone, Debug, Default)]
struct Stream {
    bytes: Vec<u8>,
    /// Which packet brings which of them.
    pieces: Vec<Piece>,
    gaps: Vec<Gap>,
    finished: bool,
}

#[derive(Clone, Debug)]
struct Piece {
    at: usize,
    len: usize,
    packet: usize,
}

/// A stream as one packet brought it; `#` in the text is a gap of 10 bytes.
fn stream(text: &str, packet: usize, finished: bool) -> Stream {
    let mut stream = Stream {
        finished,
        ..Stream::default()
    };
    for (n, part) in text.split('#').enumerate() {
        if n > 0 {
            stream.gaps.push(Gap {
                at: stream.bytes.len(),
                missing: 10,
            });
        }
        if !part.is_empty() {
            stream.pieces.push(Piece {
                at: stream.bytes.len(),
                len: part.len(),
                packet,
            });
        }
        stream.bytes.extend_from_slice(part.as_bytes());
    }
    stream
}

/// Keeps everything.
const KEEP: Settings = Settings {
    bodies: Bodies::Keep { limit: usize::MAX },
    packets: usize::MAX,
    parts: false,
    carried: false,
    sent: 0,
    waits: Waits::BOUNDED,
};

fn at(packet: usize) -> At {
    At {
        packet,
        time: Timestamp(packet as i64 * 1000),
    }
}

/// Something that comes, and by which packet.
type Event = (usize, Direction, Comes);

#[derive(Clone, Debug)]
enum Comes {
    Bytes(Vec<u8>),
    Gap(u64),
    Restart,
    End,
}

/// Missing bytes of which no ACK was captured.
fn lost(bytes: u64) -> Missing {
    Missing {
        bytes,
        acknowledged: None,
    }
}

fn beginning() -> Beginning {
    Beginning {
        conversation: 0,
        protocol: Protocol::Tcp,
        client: socket(CLIENT),
        server: socket(SERVER),
        at: at(0),
    }
}

fn begin(settings: &Settings) -> Reader {
    Reader::begin(settings, &beginning())
}

fn feed(settings: &Settings, events: &[Event]) -> Found {
    let mut reader = begin(settings);
    let mut found = Found::default();
    for (packet, way, comes) in events {
        match comes {
            Comes::Bytes(bytes) => reader.bytes(*way, bytes, at(*packet), 0, &mut found),
            Comes::Gap(missing) => reader.gap(*way, lost(*missing), &mut found),
            Comes::Restart => reader.restart(*way, &mut found),
            Comes::End => reader.end(*way, at(*packet), &mut found),
        }
    }
    reader.close(&mut found);
    found
}

/// A stored stream as it came.
fn events(way: Direction, stream: &Stream) -> Vec<Event> {
    let mut events = Vec::new();
    let mut gaps = stream.gaps.iter().peekable();
    let mut latest = 0;
    for piece in &stream.pieces {
        latest = latest.max(piece.packet);
        let mut start = piece.at;
        while let Some(gap) = gaps.next_if(|gap| gap.at < piece.at + piece.len) {
            if gap.at > start {
                let bytes = stream.bytes[start..gap.at].to_vec();
                events.push((latest, way, Comes::Bytes(bytes)));
            }
            events.push((latest, way, Comes::Gap(gap.missing)));
            start = gap.at;
        }
        let bytes = stream.bytes[start..piece.at + piece.len].to_vec();
        events.push((latest, way, Comes::Bytes(bytes)));
    }
    events.extend(gaps.map(|gap| (latest, way, Comes::Gap(gap.missing))));
    if stream.finished {
        events.push((latest, way, Comes::End));
    }
    events
}

/// The messages of stored streams, which come in the order of their packets.
fn messages_of(conversation: usize, streams: &Ways<Stream>) -> Vec<Message> {
    assert_eq!(conversation, 0);
    let mut both = events(Direction::ToServer, &streams.to_server);
    both.extend(events(Direction::ToClient, &streams.to_client));
    both.sort_by_key(|(packet, _, _)| *packet);
    feed(&KEEP, &both).messages
}

/// Reads an exchange that both sides ended.
fn read(requests: &str, responses: &str) -> Vec<Message> {
    messages_of(
        0,
        &Ways {
            to_server: stream(requests, 1, true),
            to_client: stream(responses, 2, true),
        },
    )
}

fn response(message: &Message) -> &Response {
    message.response.as_ref().expect("a response")
}

fn text(body: &Body) -> &str {
    std::str::from_utf8(&body.bytes).unwrap()
}

#[test]
fn a_request_and_its_response() {
    let get = "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Y:  two words \r\n\r\n";
    let ok = "HTTP/1.1 200 All Right\r\nContent-Length: 5\r\n\r\nhello";
    let messages = read(get, ok);
    assert_eq!(messages.len(), 1);
    let request = messages[0].request.as_ref().unwrap();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/a?b=c")
    );
    assert_eq!(request.head.version, "HTTP/1.1");
    assert_eq!(request.head.header("x-y"), Some("two words"));
    assert_eq!(
        (request.head.range.clone(), request.head.packet),
        (0..get.len(), 1)
    );
    assert!(request.body.complete && request.body.framing == Framing::None);
    let response = response(&messages[0]);
    assert_eq!(
        (response.code, response.phrase.as_str()),
        (200, "All Right")
    );
    assert_eq!(text(&response.body), "hello");
    assert!(response.body.complete);
    assert_eq!(response.body.framing, Framing::ContentLength);
    assert_eq!(response.body.range, ok.len() - 5..ok.len());
    assert_eq!(response.body.trouble, None);
}

#[test]
fn what_is_no_http_is_none() {
    for words in [
        "",
        "hello world\n",
        "USER anonymous\r\n",
        "HELO example.org\r\n",
        "GET something\r\n",
        "FETCH /\r\n",
        "HTTP/1.1",
        "GET / HTTP/1.1",
        "HTTP/2 200\r\n",
        "\u{16}\u{3}\u{1}HTTP/1.1\n",
        "{\"a\": \"b HTTP/1.1\"}\n",
    ] {
        assert_eq!(read(words, "HELLO WORLD\n"), [], "{words:?}");
    }
}

#[test]
fn a_simple_request_has_a_simple_answer() {
    let messages = read("GET /a\r\n", "HELLO\r\nWORLD\n");
    let request = messages[0].request.as_ref().unwrap();
    assert_eq!(
        (request.target.as_str(), request.head.version),
        ("/a", "HTTP/0.9")
    );
    assert!(request.head.trouble[0].contains("RFC 1945"));
    let answer = response(&messages[0]);
    assert_eq!((answer.code, answer.head.version), (0, "HTTP/0.9"));
    assert_eq!(text(&answer.body), "HELLO\r\nWORLD\n");
    assert!(answer.body.complete && answer.body.framing == Framing::UntilClose);
    // It may look like the start of a head for a while, and until its end.
    for beginning in ["HTTP", "HTTP/1.x", "H", "\r\n"] {
        let messages = read("GET /a\r\n", beginning);
        assert_eq!(text(&response(&messages[0]).body), beginning);
    }
    // A server that knows better answers with a head.
    let messages = read("GET /a\r\n", "HTTP/1.0 400 Bad Request\r\n\r\nno");
    assert_eq!(response(&messages[0]).code, 400);
    let messages = read(
        "GET /a\r\nHost: x\r\n\r\n",
        "HTTP/1.0 400 Bad Request\r\n\r\nno",
    );
    let body = &messages[0].request.as_ref().unwrap().body;
    assert!(body.trouble.as_ref().unwrap().contains("11 more bytes"));
    // Another method, or something in the version's place: a wrong request.
    for (line, version) in [
        ("POST /a", ""),
        ("GET /a HTTP/1.", ""),
        ("GET /a HTTP/1.2", "HTTP/1.2"),
    ] {
        let messages = read(&format!("{line}\r\nHost: x\r\n\r\n"), "");
        let request = messages[0].request.as_ref().unwrap();
        assert_eq!(
            (request.target.as_str(), request.head.version),
            ("/a", version)
        );
        let told = request.head.trouble.iter().any(|t| t.contains("version"));
        assert_eq!(told, version.is_empty());
    }
    // Only the first line of a conversation can be one.
    let messages = read("GET / HTTP/1.1\r\n\r\nGET /a\r\n", "");
    assert_eq!(messages.len(), 1);
}

#[test]
fn pipelined_requests_and_their_answers() {
    let messages = read(
        "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nPOST /3 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /4 HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1\
         HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\
         HTTP/1.1 204 No Content\r\n\r\n",
    );
    let summary: Vec<_> = messages
        .iter()
        .map(|m| {
            let request = m.request.as_ref().unwrap();
            (request.target.as_str(), m.response.as_ref().map(|r| r.code))
        })
        .collect();
    assert_eq!(
        summary,
        [
            ("/1", Some(200)),
            ("/2", Some(200)),
            ("/3", Some(204)),
            ("/4", None)
        ]
    );
    assert_eq!(text(&messages[2].request.as_ref().unwrap().body), "abc");
    // A response to HEAD has no body, whatever its Content-Length.
    let head = response(&messages[1]);
    assert!(head.body.complete && head.body.bytes.is_empty() && head.body.trouble.is_none());
}

#[test]
fn interim_responses_come_before_the_final_one() {
    let messages = read(
        "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(messages.len(), 1);
    let codes: Vec<u16> = messages[0].interim.iter().map(|r| r.code).collect();
    assert_eq!(codes, [100, 103]);
    assert_eq!(response(&messages[0]).code, 201);
}

#[test]
fn a_body_until_close() {
    let ok = "HTTP/1.0 200 OK\r\n\r\n<html>HTTP/1.1 404 in the text\n";
    let messages = read("GET / HTTP/1.0\r\n\r\n", ok);
    let body = &response(&messages[0]).body;
    assert_eq!(body.framing, Framing::UntilClose);
    assert!(body.complete && text(body).starts_with("<html>HTTP/1.1 404"));
    let open = messages_of(
        0,
        &Ways {
            to_server: stream("GET / HTTP/1.0\r\n\r\n", 0, false),
            to_client: stream(ok, 1, false),
        },
    );
    assert!(!response(&open[0]).body.complete);
}

#[test]
fn chunks_extensions_and_trailers() {
    let messages = read(
        "GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 3\r\n\r\n\
         4\r\nWiki\r\n6 ; name=value\r\npedia \r\n0003\r\nE\r\n\r\n0\r\nExpires: never\r\n\r\n\
         HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    );
    let body = &response(&messages[0]).body;
    assert_eq!(text(body), "Wikipedia E\r\n");
    assert!(body.complete && body.trouble.is_none());
    assert_eq!(body.framing, Framing::Chunked);
    assert_eq!(response(&messages[1]).code, 304);
    assert!(response(&messages[1]).body.complete);
}

#[test]
fn broken_chunks_are_told() {
    let trouble = |chunks: &str| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let messages = read("GET / HTTP/1.1\r\n\r\n", &format!("{head}{chunks}"));
        let body = response(&messages[0]).body.clone();
        assert!(!body.complete, "{chunks:?}");
        body.trouble.unwrap_or_default()
    };
    assert!(trouble("xyz\r\n").contains("hexadecimal"));
    assert!(trouble("-1\r\na\r\n").contains("hexadecimal"));
    assert!(trouble("0x1\r\na\r\n").contains("hexadecimal"));
    assert!(trouble("\r\n").contains("hexadecimal"));
    assert!(trouble("1\na\r\n0\r\n\r\n").contains("CR LF"));
    assert!(trouble("1\r\nab\r\n0\r\n\r\n").contains("longer"));
    assert!(trouble("10000000000000000\r\n").contains("too large"));
    assert!(trouble("ffffffffffffffff\r\nabc").contains("ends before"));
    assert!(trouble("3\r\nabc\r\n").contains("ends before"));
    assert!(trouble("0\r\nno colon\r\n\r\n").contains("colon"));
    assert!(trouble(&format!("1;{}", "x".repeat(5000))).contains("too long"));
}

#[test]
fn wrong_lengths_are_told() {
    let trouble = |head: &str, rest: &str| {
        let responses = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{rest}");
        let messages = read("GET / HTTP/1.1\r\n\r\n", &responses);
        response(&messages[0])
            .body
            .trouble
            .clone()
            .unwrap_or_default()
    };
    assert!(trouble("Content-Length: 9", "short").contains("ends after 5"));
    assert!(trouble("Content-Length: 2", "too long").contains("6 more bytes"));
    assert!(trouble("Content-Length: +2", "ab").contains("not a number"));
    assert!(trouble("Content-Length: 99999999999999999999", "").contains("not a number"));
    assert!(trouble("Content-Length: 1\r\nContent-Length: 2", "ab").contains("several"));
    assert_eq!(trouble("Content-Length: 2, 2", "ab"), "");
    let messages = read("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nbody!");
    assert!(
        response(&messages[0])
            .body
            .trouble
            .as_ref()
            .unwrap()
            .contains("5 more bytes")
    );
}

#[test]
fn a_tunnel_and_an_upgrade_end_the_reading() {
    let messages = read(
        "CONNECT h:1 HTTP/1.1\r\n\r\nGET /inside HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 Connected\r\n\r\nHTTP/1.1 404 Inside\r\n\r\n",
    );
    assert_eq!(messages.len(), 1);
    assert!(response(&messages[0]).body.complete);
    let messages = read(
        "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n\u{1}\u{2}",
    );
    assert_eq!(messages.len(), 1);
    assert_eq!(response(&messages[0]).code, 101);
    assert_eq!(response(&messages[0]).body.trouble, None);
    // A refused tunnel goes on as HTTP.
    let messages = read(
        "CONNECT h:1 HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n",
        "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    );
    assert_eq!(messages.len(), 2);
}

#[test]
fn one_side_alone() {
    let messages = read("", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert!(messages[0].request.is_none());
    assert_eq!(response(&messages[0]).code, 404);
    let messages = read("GET / HTTP/1.1\r\n\r\n", "");
    assert!(messages[0].response.is_none());
}

#[test]
fn a_response_that_was_there_first_answers_no_later_request() {
    let messages = messages_of(
        0,
        &Ways {
            to_server: stream("GET / HTTP/1.1\r\n\r\n", 5, true),
            to_client: stream(
                "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
                3,
                true,
            ),
        },
    );
    assert_eq!(messages.len(), 2);
    assert!(messages[0].request.is_none() && messages[1].response.is_none());
}

#[test]
fn an_early_answer_comes_before_the_requests_body_is_complete() {
    let mut requests = stream(
        "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\npart",
        1,
        true,
    );
    requests.pieces = vec![
        Piece {
            at: 0,
            len: requests.bytes.len() - 4,
            packet: 1,
        },
        Piece {
            at: requests.bytes.len() - 4,
            len: 4,
            packet: 9,
        },
    ];
    let responses = stream(
        "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
        4,
        true,
    );
    let messages = messages_of(
        0,
        &Ways {
            to_server: requests,
            to_client: responses,
        },
    );
    assert_eq!(messages.len(), 1);
    let request = messages[0].request.as_ref().unwrap();
    assert!(!request.body.complete && text(&request.body) == "part");
    assert_eq!(response(&messages[0]).code, 413);
}

/// As in a capture where the head of one answer was dropped: those behind it belong to
/// their own requests.
#[test]
fn who_asks_again_had_the_answer_that_was_not_captured() {
    use Direction::{ToClient, ToServer};
    let get = |target: &str| Comes::Bytes(format!("GET {target} HTTP/1.1\r\n\r\n").into());
    let answer = || Comes::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let read = |lost: Vec<Event>| {
        let mut events = vec![(1, ToServer, get("/1"))];
        events.extend(lost);
        events.extend([(4, ToServer, get("/2")), (5, ToClient, answer())]);
        let messages = feed(&KEEP, &events).messages;
        let answered = messages.iter().map(|m| m.response.is_some());
        answered.collect::<Vec<_>>()
    };
    let rest = Comes::Bytes(b"the rest of a body".to_vec());
    let hole = vec![(2, ToClient, Comes::Gap(200)), (3, ToClient, rest)];
    assert_eq!(read(hole), [false, true]);
    // A 100 had come.
    let interim = Comes::Bytes(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
    let hole = vec![(2, ToClient, interim), (3, ToClient, Comes::Gap(200))];
    assert_eq!(read(hole), [false, true]);
    // Of two requests in a row the first one at least was answered.
    let hole = vec![(2, ToServer, get("/0")), (3, ToClient, Comes::Gap(200))];
    assert_eq!(read(hole), [false, true, false]);
}

/// Each answer of 40 bytes stands with its own request, whichever of them was not
/// captured, and with whichever packet its ACK came.
#[test]
fn an_answer_that_was_lost_does_not_shift_those_behind_it() {
    let answer = |n: u32| format!("HTTP/1.1 20{n} OK\r\nContent-Length: 2\r\n\r\nab");
    for own_acks in [true, false] {
        for missing in 1..=4u32 {
            let mut packets = vec![
                tcp(CLIENT, SERVER, "S", 0, 0, ""),
                tcp(SERVER, CLIENT, "SA", 0, 1, ""),
            ];
            let (mut seq, mut ack) = (1, 1);
            for n in 1..=4 {
                let request = format!("GET /{n} HTTP/1.1\r\n\r\n");
                packets.push(tcp(CLIENT, SERVER, "PA", seq, ack, &request));
                seq += request.len() as u32;
                if n != missing {
                    packets.push(tcp(SERVER, CLIENT, "PA", ack, seq, answer(n)));
                }
                ack += answer(n).len() as u32;
                if own_acks {
                    packets.push(tcp(CLIENT, SERVER, "A", seq, ack, ""));
                }
            }
            let mut tracker = Tracker::<Reader>::new(Limits::default(), KEEP);
            let mut found = Found::default();
            number(&mut packets);
            for (index, made) in packets.iter_mut().enumerate() {
                // A second between them.
                made.packet.time = Timestamp(index as i64 * 1_000_000_000);
                tracker.packet(index, &made.packet, &made.frame, &mut found);
            }
            tracker.close_all(&mut found);
            for (n, message) in (1u32..).zip(&found.messages) {
                let code = message.response.as_ref().map(|response| response.code);
                let right = (n != missing).then_some(200 + n as u16);
                assert_eq!(code, right, "{n} of those without {missing}, {own_acks}");
                // Behind the last one nothing came that shows the hole.
                let lost = n == missing && n < 4;
                assert_eq!(
                    message.no_response.is_some(),
                    lost,
                    "{n} of {missing}, {own_acks}"
                );
            }
            assert_eq!(found.messages.len(), 4);
        }
    }
}

/// Its request was read when it had begun, and no further one comes.
#[test]
fn an_answer_without_a_head_is_told_though_no_request_comes() {
    use Direction::{ToClient, ToServer};
    let bytes = |text: &str| Comes::Bytes(text.into());
    let events = vec![
        (1, ToClient, bytes("\r\n")),
        (2, ToServer, bytes("GET /simple\r\n")),
        (3, ToServer, Comes::End),
        (4, ToClient, bytes("<h1>")),
    ];
    let settings = Settings {
        parts: true,
        ..KEEP
    };
    let found = feed(&settings, &events);
    let answers = found.messages.iter().filter_map(|m| m.response.as_ref());
    assert_eq!(
        answers.map(|r| text(&r.body)).collect::<Vec<_>>(),
        ["\r\n<h1>"]
    );
}

/// Of what was missing, bytes belonged to a body, and others to the next answer.
#[test]
fn a_hole_from_one_answer_into_the_next_loses_that_one() {
    let messages = read(
        "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nab#HTTP/1.1 203 OK\r\nContent-Length: 0\r\n\r\n",
    );
    let codes = messages.iter().map(|m| m.response.as_ref().map(|r| r.code));
    assert_eq!(codes.collect::<Vec<_>>(), [Some(200), None, Some(203)]);
}

#[test]
fn gaps_in_bodies_and_between_messages() {
    // 10 bytes of 15 are missing.
    let messages = read(
        "GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nab#cdeHTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
    );
    let body = &response(&messages[0]).body;
    assert_eq!(text(body), "abcde");
    assert!(!body.complete && body.trouble.as_ref().unwrap().contains("10 bytes"));
    assert_eq!(response(&messages[1]).code, 500);
    // A gap in a head: the next head behind it is found.
    let messages = read("GET /lo#GET /next HTTP/1.1\r\n\r\n", "");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].request.as_ref().unwrap().target, "/next");
    // Never are the two sides of a gap read as one.
    assert_eq!(read("GET /#broken HTTP/1.1\r\n\r\n", ""), []);
}

#[test]
fn heads_that_students_write() {
    let messages = read("GET / HTTP/1.1\n\n", "HTTP/1.1 200\n\n<h1>");
    assert_eq!(response(&messages[0]).phrase, "");
    assert_eq!(text(&response(&messages[0]).body), "<h1>");
    let messages = read(
        "GET / HTTP/1.1\r\nno colon here\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type text/html\r\nX : y\r\n\r\n",
    );
    assert_eq!(
        messages[0].request.as_ref().unwrap().head.header("host"),
        Some("x")
    );
    assert_eq!(response(&messages[0]).head.header("X"), Some("y"));
}

const REQUESTS: &str = "POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello=world\
    GET /page HTTP/1.1\r\nHost: h\r\n\r\n";
const RESPONSES: &str = "HTTP/1.1 100 Continue\r\n\r\n\
    HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n\
    HTTP/1.1 200 OK\r\n\r\nuntil the end";

/// The exchange on the wire, cut at the given places.
fn wire(request_cuts: &[usize], response_cuts: &[usize]) -> Vec<Message> {
    let mut packets = vec![
        tcp(CLIENT, SERVER, "S", 0, 0, ""),
        tcp(SERVER, CLIENT, "SA", 0, 1, ""),
    ];
    for (src, dst, text, cuts) in [
        (CLIENT, SERVER, REQUESTS, request_cuts),
        (SERVER, CLIENT, RESPONSES, response_cuts),
    ] {
        let mut places: Vec<usize> = cuts.iter().map(|c| c % text.len()).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        for pair in places.windows(2) {
            let seq = 1 + pair[0] as u32;
            packets.push(tcp(src, dst, "PA", seq, 1, &text[pair[0]..pair[1]]));
        }
        let end = 1 + text.len() as u32;
        packets.push(tcp(src, dst, "FA", end, 1, ""));
    }
    let mut tracker = Tracker::<Reader>::new(Limits::default(), KEEP);
    let mut found = Found::default();
    number(&mut packets);
    for (index, made) in packets.iter().enumerate() {
        tracker.packet(index, &made.packet, &made.frame, &mut found);
    }
    tracker.close_all(&mut found);
    found.messages
}

/// Everything but the packets, which depend on the cuts.
fn content(messages: &[Message]) -> Vec<Message> {
    let mut messages = messages.to_vec();
    for message in &mut messages {
        message.packets = Packets::default();
        if let Some(request) = &mut message.request {
            (request.first, request.end) = (at(0), at(0));
            (request.head.packet, request.head.time) = (0, at(0).time);
        }
        let responses = message.interim.iter_mut().chain(&mut message.response);
        for response in responses {
            (response.first, response.end) = (at(0), at(0));
            (response.head.packet, response.head.time) = (0, at(0).time);
        }
    }
    messages
}

proptest! {
    #[test]
    fn any_segmentation_gives_the_same_messages(
        request_cuts in prop::collection::vec(0usize..1000, 0..12),
        response_cuts in prop::collection::vec(0usize..1000, 0..12),
    ) {
        let whole = wire(&[], &[]);
        prop_assert_eq!(whole.len(), 2);
        prop_assert!(whole.iter().all(|m| m.response.as_ref().unwrap().body.complete));
        prop_assert_eq!(content(&wire(&request_cuts, &response_cuts)), content(&whole));
    }

    #[test]
    fn any_bytes_do_no_harm(
        up in prop::collection::vec(any::<u8>(), 0..300),
        down in prop::collection::vec(any::<u8>(), 0..300),
        gap in 0usize..300,
    ) {
        let make = |mut bytes: Vec<u8>, start: &[u8]| {
            bytes.splice(0..0, start.iter().copied());
            let gap = Gap { at: gap.min(bytes.len()), missing: 3 };
            let pieces = vec![Piece { at: 0, len: bytes.len(), packet: 0 }];
            Stream { bytes, pieces, gaps: vec![gap], finished: true }
        };
        messages_of(0, &Ways {
            to_server: make(up, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"),
            to_client: make(down, b"HTTP/1.1 200 OK\r\n"),
        });
    }
}

#[test]
fn every_truncated_exchange_is_read_as_far_as_it_goes() {
    let whole = read(REQUESTS, RESPONSES);
    for end in 0..=REQUESTS.len() {
        for (stop, finished) in [(RESPONSES.len(), true), (end.min(RESPONSES.len()), false)] {
            let messages = messages_of(
                0,
                &Ways {
                    to_server: stream(&REQUESTS[..end], 1, finished),
                    to_client: stream(&RESPONSES[..stop], 2, finished),
                },
            );
            assert!(messages.len() <= whole.len() + 1);
            for (message, whole) in messages.iter().zip(&whole) {
                if let (Some(a), Some(b)) = (&message.request, &whole.request) {
                    assert_eq!(a.head, b.head);
                    assert_eq!(a.body.complete, a.body == b.body);
                }
            }
        }
    }
}
