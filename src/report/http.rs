//! HTTP transactions of the document, and the heads that packets complete.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::build::millis;
use super::conversation::{Body, Header, HttpRequest, HttpResponse, HttpTransaction, Message};
use super::packet::{Http, HttpRequestLine, HttpStatusLine};
use super::spelled::Hex;
use crate::conversation::Direction;
use crate::message::{self, Head};
use crate::trace::Trace;

/// For each packet (by index) the first heads that it completes.
#[derive(Debug, Default)]
pub(super) struct HttpHeads<'a>(BTreeMap<usize, Http<'a>>);

impl<'a> HttpHeads<'a> {
    pub fn of(trace: &'a Trace) -> HttpHeads<'a> {
        let mut heads: BTreeMap<usize, Http<'a>> = BTreeMap::new();
        for message in &trace.messages {
            if let Some(request) = &message.request {
                let http = heads.entry(request.head.packet).or_default();
                http.request.get_or_insert_with(|| HttpRequestLine {
                    method: request.method.as_str().into(),
                    uri: request.target.as_str().into(),
                    version: request.head.version.as_str().into(),
                });
            }
            for response in message.interim.iter().chain(&message.response) {
                let http = heads.entry(response.head.packet).or_default();
                http.response.get_or_insert_with(|| HttpStatusLine {
                    code: response.code,
                    phrase: response.phrase.as_str().into(),
                    version: response.head.version.as_str().into(),
                });
            }
        }
        HttpHeads(heads)
    }

    pub fn on(&self, packet: usize) -> Option<Http<'a>> {
        self.0.get(&packet).cloned()
    }
}

pub(super) fn messages(trace: &Trace, digests: bool) -> Vec<Message> {
    trace
        .messages
        .iter()
        .map(|m| Message {
            conversation: m.conversation,
            stream: trace.conversations.get(m.conversation).map_or(0, |c| c.id),
            start_ms: start_ms(trace, m),
            frames: frames(trace, m),
            http: HttpTransaction {
                request: m.request.as_ref().map(|r| request(trace, r, digests)),
                response: m.response.as_ref().map(|r| response(trace, r, digests)),
                interim: m
                    .interim
                    .iter()
                    .map(|r| response(trace, r, digests))
                    .collect(),
                time_ms: time_ms(trace, m),
            },
        })
        .collect()
}

fn request(trace: &Trace, request: &message::Request, digests: bool) -> HttpRequest {
    HttpRequest {
        method: request.method.clone(),
        uri: request.target.clone(),
        version: request.head.version.clone(),
        frame: number(trace, request.head.packet),
        headers: headers(&request.head),
        body: body(&request.body, digests),
    }
}

fn response(trace: &Trace, response: &message::Response, digests: bool) -> HttpResponse {
    HttpResponse {
        code: response.code,
        phrase: response.phrase.clone(),
        version: response.head.version.clone(),
        frame: number(trace, response.head.packet),
        headers: headers(&response.head),
        body: body(&response.body, digests),
    }
}

fn number(trace: &Trace, packet: usize) -> u64 {
    trace
        .packets
        .get(packet)
        .map_or(packet as u64 + 1, |p| p.number)
}

fn headers(head: &Head) -> Vec<Header> {
    head.headers
        .iter()
        .map(|(name, value)| Header {
            name: name.clone(),
            value: value.clone(),
        })
        .collect()
}

fn body(body: &message::Body, digests: bool) -> Body {
    Body {
        len: body.bytes.len(),
        complete: body.complete,
        sha256: digests.then(|| Hex(Sha256::digest(&body.bytes).as_slice().into()).to_string()),
        trouble: body.trouble.clone(),
    }
}

fn start_ms(trace: &Trace, message: &message::Message) -> Option<f64> {
    let first = trace.packets.get(message.packet()?)?;
    let start = trace.packets.first()?;
    Some(millis(first.time.since(start.time)))
}

fn time_ms(trace: &Trace, message: &message::Message) -> Option<f64> {
    let request = message.request.as_ref()?.head.packet;
    let response = message.response.as_ref()?.head.packet;
    let time = |packet: usize| trace.packets.get(packet).map(|p| p.time);
    Some(millis(time(response)?.since(time(request)?)))
}

/// The packets that brought any byte of the message.
fn frames(trace: &Trace, message: &message::Message) -> Vec<u64> {
    let mut numbers = BTreeSet::new();
    let mut add = |way: Direction, range: &Range<usize>| {
        let pieces = trace
            .stream(message.conversation, way)
            .map_or(&[][..], |stream| &stream.pieces);
        // Pieces ascend and do not overlap: the first that matters is found
        // by bisection.
        let first = pieces.partition_point(|p| p.at + p.len <= range.start);
        let within = pieces.iter().skip(first).take_while(|p| p.at < range.end);
        numbers.extend(within.map(|p| number(trace, p.packet)));
    };
    if let Some(request) = &message.request {
        add(Direction::ToServer, &request.head.range);
        add(Direction::ToServer, &request.body.range);
    }
    for response in message.interim.iter().chain(&message.response) {
        add(Direction::ToClient, &response.head.range);
        add(Direction::ToClient, &response.body.range);
    }
    numbers.into_iter().collect()
}
