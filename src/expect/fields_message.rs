//! Fields of HTTP messages and of payloads that nothing decodes.

use std::borrow::Cow;
use std::ops::Range;

use crate::conversation::{ConversationIndex, Direction};
use crate::decode::Transport;
use crate::message::{Body, Framing, Head, Message, Request, Response};

use super::fields::{Field, FieldValue, Kind, Reading, View, number};

pub(super) const HTTP: &[Field] = &[
    Field::new("http", Kind::Protocol, "an HTTP message", |v, out| {
        for sent in sent(v) {
            let stream = v.trace.stream(sent.conversation, sent.way);
            let bytes = stream.and_then(|s| s.bytes.get(sent.range()));
            out.extend(bytes.map(FieldValue::bytes));
        }
    }),
    Field::new("http.request", Kind::Bool, "it is a request", |v, out| {
        out.extend(requests(v).map(|_| number(1u8)))
    }),
    Field::new(
        "http.request.method",
        Kind::Text,
        "GET, HEAD, …",
        |v, out| out.extend(requests(v).map(|r| FieldValue::text(&r.method))),
    ),
    Field::new(
        "http.request.uri",
        Kind::Text,
        "the target as sent",
        |v, out| out.extend(requests(v).map(|r| FieldValue::text(&r.target))),
    ),
    Field::new(
        "http.request.full_uri",
        Kind::Text,
        "the target with scheme and host",
        |v, out| {
            out.extend(requests(v).filter_map(|r| {
                let host = r.head.header("Host")?;
                // CONNECT names an authority, which has no scheme.
                let whole = r.target.contains("://") || r.method == "CONNECT";
                Some(match whole {
                    true => FieldValue::text(&r.target),
                    false => FieldValue::owned(format!("http://{host}{}", r.target)),
                })
            }))
        },
    ),
    Field::new("http.request.version", Kind::Text, "HTTP/1.1", |v, out| {
        out.extend(requests(v).map(|r| FieldValue::text(&r.head.version)))
    }),
    Field::new("http.response", Kind::Bool, "it is a response", |v, out| {
        out.extend(responses(v).map(|_| number(1u8)))
    }),
    Field::new(
        "http.response.code",
        Kind::Unsigned(16),
        "the status code",
        |v, out| out.extend(responses(v).map(|r| number(r.code))),
    ),
    Field::new(
        "http.response.phrase",
        Kind::Text,
        "the reason phrase",
        |v, out| out.extend(responses(v).map(|r| FieldValue::text(&r.phrase))),
    ),
    Field::new("http.response.version", Kind::Text, "HTTP/1.1", |v, out| {
        out.extend(responses(v).map(|r| FieldValue::text(&r.head.version)))
    }),
    Field::new(
        "http.content_length",
        Kind::Unsigned(64),
        "Content-Length, as a number",
        |v, out| {
            out.extend(
                header(v, "Content-Length")
                    .filter_map(|t| t.trim().parse::<u64>().ok())
                    .map(number),
            )
        },
    ),
    Field::new(
        "http.content_length_header",
        Kind::Text,
        "Content-Length, as sent",
        |v, out| header_text(v, "Content-Length", out),
    ),
    Field::new("http.accept", Kind::Text, "Accept", |v, out| {
        header_text(v, "Accept", out)
    }),
    Field::new(
        "http.accept_encoding",
        Kind::Text,
        "Accept-Encoding",
        |v, out| header_text(v, "Accept-Encoding", out),
    ),
    Field::new(
        "http.accept_language",
        Kind::Text,
        "Accept-Language",
        |v, out| header_text(v, "Accept-Language", out),
    ),
    Field::new(
        "http.authorization",
        Kind::Text,
        "Authorization",
        |v, out| header_text(v, "Authorization", out),
    ),
    Field::new(
        "http.cache_control",
        Kind::Text,
        "Cache-Control",
        |v, out| header_text(v, "Cache-Control", out),
    ),
    Field::new("http.connection", Kind::Text, "Connection", |v, out| {
        header_text(v, "Connection", out)
    }),
    Field::new(
        "http.content_encoding",
        Kind::Text,
        "Content-Encoding",
        |v, out| header_text(v, "Content-Encoding", out),
    ),
    Field::new("http.content_type", Kind::Text, "Content-Type", |v, out| {
        header_text(v, "Content-Type", out)
    }),
    Field::new("http.cookie", Kind::Text, "Cookie", |v, out| {
        header_text(v, "Cookie", out)
    }),
    Field::new("http.date", Kind::Text, "Date", |v, out| {
        header_text(v, "Date", out)
    }),
    Field::new("http.host", Kind::Text, "Host", |v, out| {
        header_text(v, "Host", out)
    }),
    Field::new(
        "http.last_modified",
        Kind::Text,
        "Last-Modified",
        |v, out| header_text(v, "Last-Modified", out),
    ),
    Field::new("http.location", Kind::Text, "Location", |v, out| {
        header_text(v, "Location", out)
    }),
    Field::new("http.referer", Kind::Text, "Referer", |v, out| {
        header_text(v, "Referer", out)
    }),
    Field::new("http.server", Kind::Text, "Server", |v, out| {
        header_text(v, "Server", out)
    }),
    Field::new("http.set_cookie", Kind::Text, "Set-Cookie", |v, out| {
        header_text(v, "Set-Cookie", out)
    }),
    Field::new(
        "http.transfer_encoding",
        Kind::Text,
        "Transfer-Encoding",
        |v, out| header_text(v, "Transfer-Encoding", out),
    ),
    Field::new("http.upgrade", Kind::Text, "Upgrade", |v, out| {
        header_text(v, "Upgrade", out)
    }),
    Field::new("http.user_agent", Kind::Text, "User-Agent", |v, out| {
        header_text(v, "User-Agent", out)
    }),
    Field::new(
        "http.www_authenticate",
        Kind::Text,
        "WWW-Authenticate",
        |v, out| header_text(v, "WWW-Authenticate", out),
    ),
    Field::new(
        "http.file_data",
        Kind::Bytes,
        "the content, transfer coding removed",
        |v, out| {
            let bodies = sent(v).into_iter().map(|s| s.body().bytes.as_slice());
            out.extend(bodies.filter(|b| !b.is_empty()).map(FieldValue::bytes));
        },
    ),
];

pub(super) const DATA: &[Field] = &[
    Field::new(
        "data",
        Kind::Protocol,
        "a payload that is not decoded further",
        |v, out| out.extend(undecoded(v).map(FieldValue::Bytes)),
    ),
    Field::new("data.data", Kind::Bytes, "its bytes", |v, out| {
        out.extend(undecoded(v).map(FieldValue::Bytes))
    }),
    Field::new(
        "data.len",
        Kind::Unsigned(32),
        "its length in bytes",
        |v, out| out.extend(undecoded(v).map(|bytes| number(bytes.len() as u64))),
    ),
];

/// A message of one packet.
#[derive(Clone, Copy)]
enum Part<'a> {
    Request(&'a Request),
    Response(&'a Response),
}

#[derive(Clone, Copy)]
struct Sent<'a> {
    conversation: ConversationIndex,
    way: Direction,
    part: Part<'a>,
}

impl<'a> Sent<'a> {
    fn head(&self) -> &'a Head {
        match self.part {
            Part::Request(request) => &request.head,
            Part::Response(response) => &response.head,
        }
    }

    fn body(&self) -> &'a Body {
        match self.part {
            Part::Request(request) => &request.body,
            Part::Response(response) => &response.body,
        }
    }

    /// Head and body in the stream.
    fn range(&self) -> Range<usize> {
        let head = &self.head().range;
        head.start..head.end.max(self.body().range.end)
    }

    /// Do the message's fields belong to the packet?
    fn is_at(&self, v: &View<'_>) -> bool {
        let body = self.body();
        match v.reading {
            Reading::Own | Reading::Where => self.head().packet == v.index,
            // As Wireshark: where the message is complete. One that never was
            // is at the last packet that brought something of it.
            Reading::Filter if body.framing == Framing::UntilClose && body.complete => {
                let tcp = v.seen.and_then(|s| s.tcp.as_ref());
                tcp.is_some_and(|t| t.new_fin)
            }
            Reading::Filter => {
                let stream = v.trace.stream(self.conversation, self.way);
                stream.and_then(|s| s.completed_by(self.range())) == Some(v.index)
            }
        }
    }
}

/// The messages whose fields belong to the packet.
fn sent<'a>(v: &View<'a>) -> Vec<Sent<'a>> {
    let Some(seen) = v.seen.filter(|_| v.packet.tcp().is_some()) else {
        return Vec::new();
    };
    let (Some(conversation), Some(way)) = (seen.conversation, seen.direction) else {
        return Vec::new();
    };
    let of_conversation = v
        .trace
        .messages
        .iter()
        .filter(|m| m.conversation == conversation);
    of_conversation
        .flat_map(|message| parts(message, way))
        .map(|part| Sent {
            conversation,
            way,
            part,
        })
        // A message cannot end before its head does; the cheap test comes first.
        .filter(|sent| sent.head().packet <= v.index)
        .filter(|sent| sent.is_at(v))
        .collect()
}

/// The message's parts that went this way.
fn parts(message: &Message, way: Direction) -> Vec<Part<'_>> {
    match way {
        Direction::ToServer => message.request.iter().map(Part::Request).collect(),
        Direction::ToClient => {
            let all = message.interim.iter().chain(&message.response);
            all.map(Part::Response).collect()
        }
    }
}

fn requests<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Request> + use<'a> {
    sent(v).into_iter().filter_map(|s| match s.part {
        Part::Request(request) => Some(request),
        Part::Response(_) => None,
    })
}

fn responses<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Response> + use<'a> {
    sent(v).into_iter().filter_map(|s| match s.part {
        Part::Response(response) => Some(response),
        Part::Request(_) => None,
    })
}

/// Every value of a header, one for each line that has it.
fn header<'a>(v: &View<'a>, name: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
    sent(v)
        .into_iter()
        .flat_map(|s| &s.head().headers)
        .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn header_text<'a>(v: &View<'a>, name: &'static str, out: &mut Vec<FieldValue<'a>>) {
    out.extend(header(v, name).map(FieldValue::text));
}

/// The payloads that no decoder of ours understands: of UDP, and of TCP
/// conversations without HTTP; of a quoted datagram where that counts.
fn undecoded<'a>(v: &View<'a>) -> impl Iterator<Item = Cow<'a, [u8]>> + use<'a> {
    let own = match &v.packet.transport {
        Transport::Udp(udp) => Some(udp.payload),
        Transport::Tcp(tcp) if !speaks_http(v) => Some(tcp.payload),
        _ => None,
    };
    let quoted = v.quoted().map(|q| q.payload);
    let frame = v.frame;
    own.into_iter()
        .chain(quoted)
        .map(move |span| span.of(frame))
        .filter(|bytes| !bytes.is_empty())
        .map(Cow::Borrowed)
}

fn speaks_http(v: &View<'_>) -> bool {
    let conversation = v.seen.and_then(|s| s.conversation);
    conversation.is_some()
        && v.trace
            .messages
            .iter()
            .any(|m| Some(m.conversation) == conversation)
}
