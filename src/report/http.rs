//! HTTP transactions of the document, and the heads that packets complete.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::build::millis;
use super::conversation::{
    Body, Header, HttpRequest, HttpResponse, HttpTransaction, Message, Unread,
};
use super::packet::{Http, HttpRequestLine, HttpStatusLine};
use super::spelled::Hex;
use crate::conversation::ConversationIndex;
use crate::message::{self, NoResponse, PartOf};
use crate::savefile::Timestamp;
use crate::trace::{self, Trace};

/// The first heads that the packet at `index` completes.
pub(super) fn heads(trace: &Trace, index: usize) -> Option<Http<'_>> {
    let mut http = Http::default();
    for (_, part) in trace.http_heads(index) {
        match part {
            trace::Part::Request(request) => {
                http.request.get_or_insert_with(|| request_line(request));
            }
            trace::Part::Response(response) => {
                http.response.get_or_insert_with(|| status_line(response));
            }
        }
    }
    (http != Http::default()).then_some(http)
}

/// The first heads that a packet completes.
pub(super) fn http_heads(parts: &[message::Part]) -> Option<Http<'_>> {
    let mut http = Http::default();
    for part in parts.iter().filter(|part| !part.whole) {
        match &part.message {
            PartOf::Request(request) => {
                http.request.get_or_insert_with(|| request_line(request));
            }
            PartOf::Response(response) => {
                http.response.get_or_insert_with(|| status_line(response));
            }
            PartOf::Tls(..) | PartOf::Dns(_) => {}
        }
    }
    (http != Http::default()).then_some(http)
}

fn request_line(request: &message::Request) -> HttpRequestLine<'_> {
    HttpRequestLine {
        method: request.method.as_str().into(),
        uri: request.target.as_str().into(),
        version: request.head.version.into(),
    }
}

fn status_line(response: &message::Response) -> HttpStatusLine<'_> {
    HttpStatusLine {
        code: response.code,
        phrase: response.phrase.as_str().into(),
        version: response.head.version.into(),
    }
}

pub(super) fn messages(trace: &Trace) -> Vec<Message<'static>> {
    let start = trace.packets.first().map(|p| p.time).unwrap_or_default();
    let stream = |c: ConversationIndex| trace.conversations.get(c).map_or(0, |c| c.id);
    let messages = trace.messages.iter();
    messages
        .map(|m| message(m, stream(m.conversation), start, false).into_owned())
        .collect()
}

/// One transaction. `stream` is the number of its conversation (`tcp.stream`),
/// `start` the time of the capture's first packet.
pub fn message(
    message: &message::Message,
    stream: u32,
    start: Timestamp,
    digests: bool,
) -> Message<'_> {
    let (request_of, response_of) = (message.request.as_ref(), message.response.as_ref());
    let first = message.interim.first().or(response_of).map(|r| &r.head);
    let first = request_of.map(|r| &r.head).or(first);
    let both = request_of.zip(response_of);
    let between = |from: Timestamp, to: Timestamp| to.elapsed(from).map(millis);
    Message {
        conversation: message.conversation,
        stream,
        start_ms: first.and_then(|head| between(start, head.time)),
        frames: message.packets.listed.iter().map(|p| number(*p)).collect(),
        frames_more: message.packets.more,
        http: HttpTransaction {
            request: request_of.map(|r| request(r, digests)),
            response: response_of.map(|r| response(r, digests)),
            response_lost: message.no_response.is_some_and(NoResponse::is_lost),
            unread: message.no_response.and_then(unread),
            interim: message
                .interim
                .iter()
                .map(|r| response(r, digests))
                .collect(),
            time_ms: both.and_then(|(asked, answer)| between(asked.head.time, answer.head.time)),
            first_byte_ms: both
                .and_then(|(asked, answer)| between(asked.end.time, answer.first.time)),
            transfer_ms: response_of.and_then(|answer| between(answer.first.time, answer.end.time)),
            switches_to: message.switches_to.as_deref().map(Cow::from),
            given_up: message.given_up,
        },
    }
}

fn unread(what: NoResponse) -> Option<Unread> {
    what.trouble().map(|trouble| Unread {
        len: what.bytes(),
        trouble,
    })
}

fn request(request: &message::Request, digests: bool) -> HttpRequest<'_> {
    HttpRequest {
        method: request.method.as_str().into(),
        uri: request.target.as_str().into(),
        version: request.head.version.into(),
        frame: number(request.head.packet),
        headers: headers(&request.head.headers),
        body: body(&request.body, digests),
        trouble: request.head.trouble.clone(),
    }
}

fn response(response: &message::Response, digests: bool) -> HttpResponse<'_> {
    HttpResponse {
        code: response.code,
        phrase: response.phrase.as_str().into(),
        version: response.head.version.into(),
        frame: number(response.head.packet),
        headers: headers(&response.head.headers),
        body: body(&response.body, digests),
        trouble: response.head.trouble.clone(),
    }
}

/// `frame.number` of the packet with this index.
fn number(packet: usize) -> u64 {
    packet as u64 + 1
}

fn headers(headers: &message::Headers) -> Vec<Header<'_>> {
    headers
        .iter()
        .map(|(name, value)| Header {
            name: name.into(),
            value: value.into(),
        })
        .collect()
}

fn body(body: &message::Body, digests: bool) -> Body<'_> {
    let digest = body.digest.or_else(|| {
        let kept = digests && body.is_kept();
        kept.then(|| Sha256::digest(&body.bytes).into())
    });
    Body {
        len: body.len,
        complete: body.complete,
        sha256: digest.map(|digest| Hex(digest.as_slice().into()).to_string()),
        trailers: headers(&body.trailers),
        trouble: body.trouble.as_deref().map(Cow::from),
        cut: body.cut,
    }
}
