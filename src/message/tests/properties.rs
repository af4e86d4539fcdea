//! However the streams are cut, and whatever is in them.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::conversation::Streams;
use Direction::{ToClient, ToServer};

/// Words that messages are made of, and that break them.
const WORDS: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "GET /a b HTTP/1.1\r\n",
    "POST /form HTTP/1.1\r\n",
    "HEAD / HTTP/1.0\n",
    "CONNECT h:1 HTTP/1.1\r\n",
    "GET /simple\r\n",
    "OPTIONS HTTP/1.1\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "HTTP/1.0 204 \r\n",
    "HTTP/1.1 2\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 70000\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding : gzip\n",
    "Host: x\r\n",
    " folded\r\n",
    "no colon\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    "hello",
    "3\r\nabc\r\n",
    "A;x=y\r\n0123456789\r\n",
    "0\r\n\r\n",
    "0\r\nTrailer: t\r\n\r\n",
    "\u{0}\u{1}",
];

fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS);
    prop::collection::vec(word, 0..14).prop_map(|words| words.concat())
}

/// What comes, in one piece each.
fn script() -> impl Strategy<Value = Vec<(Direction, String)>> {
    let way = prop_oneof![Just(ToServer), Just(ToClient)];
    prop::collection::vec((way, text()), 1..6)
}

/// The script, each text cut at the places that are told.
fn cut(script: &[(Direction, String)], cuts: &[usize], ends: bool) -> Vec<Event> {
    let mut events = Vec::new();
    let mut cuts = cuts.iter().cycle();
    let mut packet = 0;
    for (way, text) in script {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let len = cuts
                .next()
                .map_or(rest.len(), |cut| (*cut).clamp(1, rest.len()));
            events.push((packet, *way, Comes::Bytes(rest[..len].to_vec())));
            rest = &rest[len..];
            packet += 1;
        }
    }
    if ends {
        events.push((packet, ToServer, Comes::End));
        events.push((packet, ToClient, Comes::End));
    }
    events
}

/// What is gathered of each body from the packets is what was kept when it came.
fn gathered(events: &[Event], messages: &[Message]) -> Result<(), TestCaseError> {
    let mut streams = Streams::begin(&(), &beginning());
    let mut payloads = HashMap::new();
    for (packet, way, comes) in events {
        match comes {
            Comes::Bytes(bytes) => {
                payloads.insert(*packet, bytes.as_slice());
                streams.bytes(*way, bytes, at(*packet), 0, &mut ());
            }
            Comes::Gap(missing) => streams.gap(*way, lost(*missing), &mut ()),
            Comes::Restart => streams.restart(*way, &mut ()),
            Comes::End => streams.end(*way, at(*packet), &mut ()),
        }
    }
    let payload = |packet: usize| payloads[&packet];
    for message in messages {
        let request = message.request.iter().map(|r| (message.way, &r.body));
        let responses = message.interim.iter().chain(&message.response);
        let responses = responses.map(|r| (message.way.opposite(), &r.body));
        for (way, body) in request.chain(responses) {
            let gathered = crate::message::content(body, streams.get(way), payload);
            prop_assert_eq!(&*gathered, &body.bytes);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Cut in any way, even byte by byte, the same is found.
    #[test]
    fn cuts_change_nothing(
        script in script(),
        cuts in prop::collection::vec(1usize..40, 1..8),
        ends in any::<bool>(),
    ) {
        let whole = feed(&KEEP, &cut(&script, &[usize::MAX], ends));
        let pieces = feed(&KEEP, &cut(&script, &cuts, ends));
        let bytes = feed(&KEEP, &cut(&script, &[1], ends));
        prop_assert_eq!(content(&pieces.messages), content(&whole.messages));
        prop_assert_eq!(content(&bytes.messages), content(&whole.messages));
    }

    /// With gaps and ends anywhere, nothing is found twice or out of order,
    /// and what is found lies in the stream.
    #[test]
    fn what_is_found_lies_in_order(
        script in script(),
        cuts in prop::collection::vec(1usize..40, 1..8),
        gaps in prop::collection::vec((0usize..100, 1u64..100), 0..4),
        end in 0usize..100,
    ) {
        let mut events = cut(&script, &cuts, false);
        for (place, missing) in gaps {
            let place = place % (events.len() + 1);
            let way = if missing % 2 == 0 { ToServer } else { ToClient };
            let comes = match missing % 5 {
                0 => Comes::Restart,
                _ => Comes::Gap(missing),
            };
            events.insert(place, (place, way, comes));
        }
        let place = end % (events.len() + 1);
        events.insert(place, (place, ToServer, Comes::End));
        let settings = Settings { parts: true, ..KEEP };
        let found = feed(&settings, &events);
        gathered(&events, &found.messages)?;
        let captured = |wanted: Direction| -> usize {
            events.iter().map(|(_, way, comes)| match comes {
                Comes::Bytes(bytes) if *way == wanted => bytes.len(),
                _ => 0,
            }).sum()
        };
        let mut last = Ways::<usize>::default();
        let mut parts = 0;
        for message in &found.messages {
            if let Some(request) = &message.request {
                let end = in_order(last.get_mut(message.way), &request.head, &request.body);
                prop_assert!(end <= captured(message.way));
                parts += 2;
            }
            for response in message.interim.iter().chain(&message.response) {
                let end = in_order(last.get_mut(message.way.opposite()), &response.head, &response.body);
                prop_assert!(end <= captured(message.way.opposite()));
                parts += 2;
            }
        }
        // What came behind a CONNECT that was granted was none.
        prop_assert!(found.parts.len() >= parts);
        let switched = found.messages.iter().any(|m| m.switches_to.is_some());
        prop_assert!(switched || found.parts.len() == parts);
    }

    #[test]
    fn any_bytes_cut_in_any_way_do_no_harm(
        pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..50)), 0..40),
    ) {
        let events: Vec<Event> = pieces
            .into_iter()
            .enumerate()
            .map(|(packet, (up, bytes))| {
                (packet, if up { ToServer } else { ToClient }, Comes::Bytes(bytes))
            })
            .collect();
        feed(&KEEP, &events);
    }
}

/// Returns where the message ends.
fn in_order(last: &mut usize, head: &Head, body: &Body) -> usize {
    assert!(head.range.start >= *last && head.range.start <= head.range.end);
    assert!(body.range.start == head.range.end && body.range.start <= body.range.end);
    assert!(body.bytes.len() as u64 == body.len);
    assert!(body.bytes.len() <= body.range.len());
    *last = body.range.end;
    body.range.end
}

/// A transaction as it was meant.
#[derive(Clone, Debug)]
struct Meant {
    method: &'static str,
    request: Vec<u8>,
    request_chunks: Option<usize>,
    interim: usize,
    code: u16,
    response: Vec<u8>,
    response_chunks: Option<usize>,
}

fn meant() -> impl Strategy<Value = Meant> {
    let body = || prop::collection::vec(any::<u8>(), 0..200);
    let chunks = || prop::option::of(1usize..50);
    (
        prop::sample::select(&["GET", "POST", "HEAD", "PUT"][..]),
        (body(), chunks()),
        0usize..3,
        prop::sample::select(&[200u16, 204, 304, 404][..]),
        (body(), chunks()),
    )
        .prop_map(|(method, request, interim, code, response)| Meant {
            method,
            request: request.0,
            request_chunks: request.1,
            interim,
            code,
            response: response.0,
            response_chunks: response.1,
        })
}

fn framed(start: &str, body: &[u8], chunks: Option<usize>, sent: bool) -> Vec<u8> {
    let mut bytes = start.as_bytes().to_vec();
    match chunks {
        None => bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes()),
        Some(_) => bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n"),
    }
    match chunks {
        _ if !sent => {}
        None => bytes.extend(body),
        Some(size) => {
            for chunk in body.chunks(size) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\nX-End: yes\r\n\r\n");
        }
    }
    bytes
}

impl Meant {
    fn has_content(&self) -> bool {
        self.method != "HEAD" && self.code != 204 && self.code != 304
    }

    fn request(&self, number: usize) -> Vec<u8> {
        let start = format!("{} /{number} HTTP/1.1\r\nHost: h\r\n", self.method);
        framed(&start, &self.request, self.request_chunks, true)
    }

    fn response(&self) -> Vec<u8> {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(self.interim);
        let start = format!("{interim}HTTP/1.1 {} Phrase\r\n", self.code);
        framed(
            &start,
            &self.response,
            self.response_chunks,
            self.has_content(),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Pipelined or one by one, cut anywhere: what was meant is found.
    #[test]
    fn what_was_meant_is_found(
        meant in prop::collection::vec(meant(), 1..8),
        ahead in 1usize..4,
        cuts in prop::collection::vec(1usize..300, 1..8),
    ) {
        let mut script: Vec<(Direction, Vec<u8>)> = Vec::new();
        for (number, transaction) in meant.iter().enumerate() {
            script.push((ToServer, transaction.request(number)));
            if number + 1 >= ahead {
                script.push((ToClient, meant[number + 1 - ahead].response()));
            }
        }
        for transaction in &meant[meant.len().saturating_sub(ahead - 1)..] {
            script.push((ToClient, transaction.response()));
        }
        let mut events: Vec<Event> = Vec::new();
        let mut cuts = cuts.iter().cycle();
        for (way, bytes) in script {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let len = (*cuts.next().unwrap()).min(rest.len());
                events.push((events.len(), way, Comes::Bytes(rest[..len].to_vec())));
                rest = &rest[len..];
            }
        }
        let found = feed(&KEEP, &events).messages;
        prop_assert_eq!(found.len(), meant.len());
        let mut packets = 0;
        for (number, (message, meant)) in found.iter().zip(&meant).enumerate() {
            let request = message.request.as_ref().unwrap();
            prop_assert_eq!(&request.target, &format!("/{number}"));
            prop_assert_eq!(&request.method, meant.method);
            prop_assert_eq!(&request.body.bytes, &meant.request);
            prop_assert!(request.body.complete && request.body.trouble.is_none());
            prop_assert_eq!(message.interim.len(), meant.interim);
            let response = message.response.as_ref().unwrap();
            prop_assert_eq!(response.code, meant.code);
            prop_assert!(response.body.complete && response.body.trouble.is_none());
            if meant.has_content() {
                prop_assert_eq!(&response.body.bytes, &meant.response);
                let trailer = response.body.trailers.iter().next();
                prop_assert_eq!(trailer.is_some(), meant.response_chunks.is_some());
            } else {
                prop_assert_eq!(response.body.len, 0);
            }
            // Times go on: first byte, head, end.
            prop_assert!(request.first.packet <= request.head.packet);
            prop_assert!(request.head.packet <= request.end.packet);
            prop_assert!(response.first.packet <= response.head.packet);
            prop_assert!(response.head.packet <= response.end.packet);
            prop_assert!(message.packets.listed.is_sorted() && message.packets.more == 0);
            prop_assert!(message.packets.listed.contains(&response.end.packet));
            packets += message.packets.listed.len();
        }
        // A packet that carries the ends of two is of both.
        prop_assert!(packets >= events.len());
        // Counted or digested, the same.
        let counted = feed(&Settings { bodies: Bodies::Count, ..KEEP }, &events).messages;
        let digested = feed(&Settings { bodies: Bodies::Digest, ..KEEP }, &events).messages;
        for (kept, (counted, digested)) in found.iter().zip(counted.iter().zip(&digested)) {
            let body = |message: &Message| message.response.as_ref().unwrap().body.clone();
            let (kept, counted, digested) = (body(kept), body(counted), body(digested));
            prop_assert_eq!(kept.len, counted.len);
            prop_assert!(counted.bytes.is_empty() && digested.bytes.is_empty());
            use sha2::Digest as _;
            let digest: [u8; 32] = sha2::Sha256::digest(&kept.bytes).into();
            prop_assert_eq!(digested.digest, Some(digest));
        }
    }
}
