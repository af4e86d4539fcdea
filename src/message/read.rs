//! Streams to messages: heads and bodies one after the other, each response
//! with its request.

use crate::conversation::{Conversation, ConversationIndex, Stream, Ways};

use super::body::{self, Length};
use super::cursor::Cursor;
use super::head;
use super::{Body, Message, Request, Response};

/// All HTTP/1.x messages, in the order in which their heads were complete.
/// `streams` has the index of `conversations`.
pub fn messages(conversations: &[Conversation], streams: &[Ways<Stream>]) -> Vec<Message> {
    let mut messages: Vec<Message> = conversations
        .iter()
        .zip(streams)
        .enumerate()
        .filter(|(_, (conversation, _))| conversation.tcp.is_some())
        .flat_map(|(index, (_, ways))| messages_of(index, ways))
        .collect();
    messages.sort_by_key(Message::packet);
    messages
}

/// The messages of one conversation, in the order of the stream. Empty where
/// it does not speak HTTP/1.x, whatever its port.
pub fn messages_of(conversation: ConversationIndex, streams: &Ways<Stream>) -> Vec<Message> {
    let (up, down) = (&streams.to_server, &streams.to_client);
    let speaks = |requests: &Stream, responses: &Stream| {
        starts(requests, head::looks_like_request) || starts(responses, head::looks_like_response)
    };
    let (requests, responses) = if speaks(up, down) {
        (up, down)
    } else if speaks(down, up) {
        // The connection's start was not captured, and the server spoke first.
        (down, up)
    } else {
        return Vec::new();
    };
    let mut exchange = Exchange {
        conversation,
        requests: Some(Cursor::new(requests)),
        responses: Some(Cursor::new(responses)),
    };
    exchange.read()
}

/// Does a head begin at the stream's start, or behind a gap?
fn starts(stream: &Stream, looks: fn(&[u8]) -> bool) -> bool {
    let mut cursor = Cursor::new(stream);
    loop {
        if looks(cursor.neighbours()) {
            return true;
        }
        if !cursor.pass_gap() {
            return false;
        }
    }
}

/// Both ways of a conversation. A way that is done with has no cursor.
struct Exchange<'a> {
    conversation: ConversationIndex,
    requests: Option<Cursor<'a>>,
    responses: Option<Cursor<'a>>,
}

impl Exchange<'_> {
    fn read(&mut self) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        let mut waiting = self.request();
        loop {
            let unasked = self.responds_before(waiting.as_ref());
            let request = if unasked { None } else { waiting.take() };
            let (interim, response) = self.response(request.as_ref());
            if request.is_none() && response.is_none() && interim.is_empty() {
                return messages;
            }
            let ends_http = ends_http(request.as_ref(), response.as_ref());
            messages.push(Message {
                conversation: self.conversation,
                request,
                response,
                interim,
            });
            if ends_http {
                return messages;
            }
            if waiting.is_none() {
                waiting = self.request();
            }
        }
    }

    /// Was the next response there before the first byte of this request? Then
    /// it answers one that was not captured, or none (a 408 on an idle
    /// connection).
    fn responds_before(&self, request: Option<&Request>) -> bool {
        let (Some(request), Some(requests), Some(mut responses)) =
            (request, self.requests, self.responses)
        else {
            return false;
        };
        head::response(&mut responses).is_some_and(|response| {
            response.head.packet < head::first_packet(&request.head, requests.stream())
        })
    }

    fn request(&mut self) -> Option<Request> {
        let cursor = self.requests.as_mut()?;
        let Some(mut request) = next(cursor, head::request) else {
            self.requests = None;
            return None;
        };
        let length = body::of_request(&request.head);
        request.body = body::read(cursor, &length);
        leftover(cursor, &mut request.body, &length, head::may_become_request);
        Some(request)
    }

    /// The interim responses to a request, and the final one.
    fn response(&mut self, request: Option<&Request>) -> (Vec<Response>, Option<Response>) {
        let mut interim = Vec::new();
        let Some(cursor) = self.responses.as_mut() else {
            return (interim, None);
        };
        while let Some(mut response) = next(cursor, head::response) {
            let method = request.map(|r| r.method.as_str());
            let length = body::of_response(&response.head, response.code, method);
            response.body = body::read(cursor, &length);
            let switches = ends_http(request, Some(&response));
            if !switches {
                let may = head::may_become_response;
                leftover(cursor, &mut response.body, &length, may);
            }
            if (100..200).contains(&response.code) && !switches {
                interim.push(response);
            } else {
                return (interim, Some(response));
            }
        }
        self.responses = None;
        (interim, None)
    }
}

/// Another protocol follows: a tunnel, or what was asked for by Upgrade.
fn ends_http(request: Option<&Request>, response: Option<&Response>) -> bool {
    let code = response.map_or(0, |r| r.code);
    let connect = request.is_some_and(|r| r.method == "CONNECT");
    code == 101 || (connect && (200..300).contains(&code))
}

/// The next head; behind a gap, if that is where the next one begins.
fn next<T>(cursor: &mut Cursor, read: fn(&mut Cursor) -> Option<T>) -> Option<T> {
    loop {
        if let Some(found) = read(cursor) {
            return Some(found);
        }
        if !cursor.pass_gap() {
            return None;
        }
    }
}

/// Bytes behind a message that begin no other one: its length was told wrong.
fn leftover(cursor: &Cursor, body: &mut Body, length: &Length, begins: fn(&[u8]) -> bool) {
    let rest = cursor.neighbours();
    let known = matches!(length, Length::None | Length::Bytes(_) | Length::Chunked);
    if known && body.trouble.is_none() && !begins(rest) {
        body.trouble = Some(format!(
            "{} more bytes follow the end that the head tells",
            rest.len()
        ));
    }
}
