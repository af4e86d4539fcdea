//! Where bytes stand that begin no answer, reading is taken up behind the next request;
//! and what cannot be told there is not told as missing.

use super::*;
use Direction::{ToClient, ToServer};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 201 OK\r\nContent-Length: 5\r\n\r\nhello";

/// The sides take turns, the client first; each says each text in one packet.
fn turns(texts: &[&str]) -> Vec<Message> {
    let mut events = Vec::new();
    for (packet, text) in texts.iter().enumerate() {
        let way = [ToServer, ToClient][packet % 2];
        events.push((packet, way, Comes::Bytes(text.as_bytes().to_vec())));
    }
    let end = texts.len();
    events.extend([(end, ToServer, Comes::End), (end, ToClient, Comes::End)]);
    feed(&KEEP, &events).messages
}

fn codes(messages: &[Message]) -> Vec<Option<u16>> {
    let codes = messages.iter().map(|m| m.response.as_ref().map(|r| r.code));
    codes.collect()
}

fn lacks(messages: &[Message]) -> Vec<Option<NoResponse>> {
    messages.iter().map(|m| m.no_response).collect()
}

#[test]
fn an_answer_behind_leftover_bytes_is_its_requests() {
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello";
    for (first, trouble) in [
        (short, "2 more bytes follow"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "several",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
            "not a number",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
            "hexadecimal",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
            "CR LF",
        ),
    ] {
        let messages = turns(&[GET, first, GET, OK, GET, OK]);
        assert_eq!(
            codes(&messages),
            [Some(200), Some(201), Some(201)],
            "{first}"
        );
        let told = response(&messages[0]).body.trouble.as_ref();
        assert!(told.is_some_and(|told| told.contains(trouble)), "{told:?}");
        assert_eq!(lacks(&messages), [None; 3]);
    }
    let head = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
    let messages = turns(&[head, OK, GET, OK]);
    assert_eq!(codes(&messages), [Some(201), Some(201)]);
    let messages = turns(&[GET, "HTTP/1.1 304 N\r\n\r\nhello", GET, OK]);
    assert_eq!(codes(&messages), [Some(304), Some(201)]);
}

#[test]
fn what_may_be_an_answer_leaves_open_whether_there_was_one() {
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhel";
    // The rest of the first answer came with the second one.
    let late = format!("lo{OK}");
    let messages = turns(&[GET, short, GET, &late]);
    assert_eq!(codes(&messages), [Some(200), None]);
    assert_eq!(lacks(&messages), [None, Some(NoResponse::Unclear)]);
    assert!(messages[1].no_response.is_some_and(NoResponse::is_lost));
    // Who asks a third time had the second answer: the next one is to the third.
    let messages = turns(&[GET, short, GET, &late, GET, OK]);
    assert_eq!(codes(&messages), [Some(200), None, Some(201)]);
    // Of two in a row neither is known.
    let two = [GET, GET].concat();
    let messages = turns(&[GET, short, &two, &late]);
    assert_eq!(lacks(&messages)[1..], [Some(NoResponse::Unclear); 2]);
    // Nothing came behind it.
    let messages = turns(&[GET, short, GET]);
    assert_eq!(lacks(&messages), [None, None]);
    // What is missing there may be the answer as well.
    let events = [
        (0, ToServer, Comes::Bytes(GET.into())),
        (1, ToClient, Comes::Bytes(format!("{short}lo").into())),
        (2, ToServer, Comes::Bytes(GET.into())),
        (3, ToClient, Comes::Gap(40)),
    ];
    let messages = feed(&KEEP, &events).messages;
    assert_eq!(lacks(&messages), [None, Some(NoResponse::Unclear)]);
}

#[test]
fn what_came_in_place_of_an_answer_is_told() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n";
    let len = head.len() as u64;
    let messages = turns(&[GET, head]);
    assert_eq!(lacks(&messages), [Some(NoResponse::NoBlankLine(len))]);
    // However it is cut.
    let mut events = vec![(0, ToServer, Comes::Bytes(GET.into()))];
    let pieces = ["hel", "lo", " world"];
    for (packet, piece) in pieces.iter().enumerate() {
        events.push((
            packet + 1,
            ToClient,
            Comes::Bytes(piece.as_bytes().to_vec()),
        ));
    }
    let messages = feed(&KEEP, &events).messages;
    assert_eq!(lacks(&messages), [Some(NoResponse::NoStatusLine(11))]);
    let messages = turns(&[GET, "HTT", GET, "hello"]);
    assert_eq!(lacks(&messages)[0], Some(NoResponse::NoStatusLine(8)));
    assert!(!messages[0].no_response.is_some_and(NoResponse::is_lost));
}
