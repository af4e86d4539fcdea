//! Fields of HTTP messages and of payloads that nothing decodes.

use std::ops::ControlFlow;

use crate::conversation::{At, Marks};
use crate::decode::{Layer, Net, Span, Transport};
use crate::message::Head;
use crate::message::dns::Flavour;

use super::fields::{Field, FieldValue, Http, Kind, Needs, Out, Start, View, number};

pub(super) const HTTP: &[Field] = &[
    Field::new("http", Kind::Protocol, "an HTTP message", |v, out| {
        of_each(v, out, |message| Some(FieldValue::Message(message.bytes)))
    })
    .needs(Needs::HTTP),
    Field::new("http.request", Kind::Bool, "it is a request", |v, out| {
        of_requests(v, out, |_, _, _| Some(number(1u8)))
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.request.method",
        Kind::Text,
        "GET, HEAD, …",
        |v, out| of_requests(v, out, |method, _, _| Some(FieldValue::text(method))),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.request.uri",
        Kind::Text,
        "the target as sent",
        |v, out| of_requests(v, out, |_, target, _| Some(FieldValue::text(target))),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.request.uri.path",
        Kind::Text,
        "the target up to its question mark, where it has one",
        |v, out| {
            of_requests(v, out, |_, target, _| {
                target
                    .split_once('?')
                    .map(|(path, _)| FieldValue::text(path))
            })
        },
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.request.uri.query",
        Kind::Text,
        "the target behind its question mark",
        |v, out| {
            of_requests(v, out, |_, target, _| {
                target
                    .split_once('?')
                    .map(|(_, query)| FieldValue::text(query))
            })
        },
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.request.uri.query.parameter",
        Kind::Text,
        "each part of the query between ampersands",
        |v, out| {
            messages(v, |message| {
                if let Start::Request { target, .. } = message.start
                    && let Some((_, query)) = target.split_once('?')
                {
                    let parts = query.split('&').filter(|part| !part.is_empty());
                    out.extend(parts.map(FieldValue::text));
                }
                out.go_on()
            });
        },
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.request.full_uri",
        Kind::Text,
        "the target with scheme and host",
        |v, out| {
            of_requests(v, out, |method, target, head| {
                let host = head.header("Host")?;
                // CONNECT names an authority, which has no scheme.
                let whole = target.contains("://") || method == "CONNECT";
                Some(match whole {
                    true => FieldValue::text(target),
                    false => FieldValue::owned(format!("http://{host}{target}")),
                })
            })
        },
    )
    .needs(Needs::HTTP),
    Field::new("http.request.version", Kind::Text, "HTTP/1.1", |v, out| {
        of_requests(v, out, |_, _, head| {
            (!head.version.is_empty()).then(|| FieldValue::text(head.version))
        })
    })
    .needs(Needs::HTTP),
    Field::new("http.response", Kind::Bool, "it is a response", |v, out| {
        of_responses(v, out, |_, _, _| Some(number(1u8)))
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.response.code",
        Kind::Unsigned(16),
        "the status code",
        |v, out| of_responses(v, out, |code, _, _| (code > 0).then(|| number(code))),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.response.phrase",
        Kind::Text,
        "the reason phrase",
        |v, out| {
            // It may be left out (RFC 9112, section 4); Wireshark has no field then.
            of_responses(v, out, |_, phrase, _| {
                (!phrase.is_empty()).then(|| FieldValue::text(phrase))
            })
        },
    )
    .needs(Needs::HTTP),
    Field::new("http.response.version", Kind::Text, "HTTP/1.1", |v, out| {
        of_responses(v, out, |_, _, head| Some(FieldValue::text(head.version)))
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.content_length",
        Kind::Unsigned(64),
        "Content-Length, as a number",
        |v, out| {
            header(v, "Content-Length", out, |line| {
                line.trim().parse::<u64>().ok().map(number)
            })
        },
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.content_length_header",
        Kind::Text,
        "Content-Length, as sent",
        |v, out| header_text(v, "Content-Length", out),
    )
    .needs(Needs::HTTP),
    Field::new("http.accept", Kind::Text, "Accept", |v, out| {
        header_text(v, "Accept", out)
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.accept_encoding",
        Kind::Text,
        "Accept-Encoding",
        |v, out| header_text(v, "Accept-Encoding", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.accept_language",
        Kind::Text,
        "Accept-Language",
        |v, out| header_text(v, "Accept-Language", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.authorization",
        Kind::Text,
        "Authorization",
        |v, out| header_text(v, "Authorization", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.cache_control",
        Kind::Text,
        "Cache-Control",
        |v, out| header_text(v, "Cache-Control", out),
    )
    .needs(Needs::HTTP),
    Field::new("http.connection", Kind::Text, "Connection", |v, out| {
        header_text(v, "Connection", out)
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.content_encoding",
        Kind::Text,
        "Content-Encoding",
        |v, out| header_text(v, "Content-Encoding", out),
    )
    .needs(Needs::HTTP),
    Field::new("http.content_type", Kind::Text, "Content-Type", |v, out| {
        header_text(v, "Content-Type", out)
    })
    .needs(Needs::HTTP),
    Field::new("http.cookie", Kind::Text, "Cookie", |v, out| {
        header_text(v, "Cookie", out)
    })
    .needs(Needs::HTTP),
    Field::new("http.date", Kind::Text, "Date", |v, out| {
        header_text(v, "Date", out)
    })
    .needs(Needs::HTTP),
    Field::new("http.host", Kind::Text, "Host", |v, out| {
        header_text(v, "Host", out)
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.last_modified",
        Kind::Text,
        "Last-Modified",
        |v, out| header_text(v, "Last-Modified", out),
    )
    .needs(Needs::HTTP),
    Field::new("http.location", Kind::Text, "Location", |v, out| {
        header_text(v, "Location", out)
    })
    .needs(Needs::HTTP),
    Field::new("http.referer", Kind::Text, "Referer", |v, out| {
        header_text(v, "Referer", out)
    })
    .needs(Needs::HTTP),
    Field::new("http.server", Kind::Text, "Server", |v, out| {
        header_text(v, "Server", out)
    })
    .needs(Needs::HTTP),
    Field::new("http.set_cookie", Kind::Text, "Set-Cookie", |v, out| {
        header_text(v, "Set-Cookie", out)
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.transfer_encoding",
        Kind::Text,
        "Transfer-Encoding",
        |v, out| header_text(v, "Transfer-Encoding", out),
    )
    .needs(Needs::HTTP),
    Field::new("http.upgrade", Kind::Text, "Upgrade", |v, out| {
        header_text(v, "Upgrade", out)
    })
    .needs(Needs::HTTP),
    Field::new("http.user_agent", Kind::Text, "User-Agent", |v, out| {
        header_text(v, "User-Agent", out)
    })
    .needs(Needs::HTTP),
    Field::new(
        "http.www_authenticate",
        Kind::Text,
        "WWW-Authenticate",
        |v, out| header_text(v, "WWW-Authenticate", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.cookie_pair",
        Kind::Text,
        "each cookie with its value",
        |v, out| {
            messages(v, |message| {
                for line in message.head.headers.named("Cookie") {
                    let pairs = line
                        .split(';')
                        .map(str::trim)
                        .filter(|pair| !pair.is_empty());
                    out.extend(pairs.map(FieldValue::text));
                }
                out.go_on()
            });
        },
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.proxy_authenticate",
        Kind::Text,
        "Proxy-Authenticate",
        |v, out| header_text(v, "Proxy-Authenticate", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.proxy_authorization",
        Kind::Text,
        "Proxy-Authorization",
        |v, out| header_text(v, "Proxy-Authorization", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.sec_websocket_key",
        Kind::Text,
        "Sec-WebSocket-Key",
        |v, out| header_text(v, "Sec-WebSocket-Key", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.sec_websocket_accept",
        Kind::Text,
        "Sec-WebSocket-Accept",
        |v, out| header_text(v, "Sec-WebSocket-Accept", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.sec_websocket_protocol",
        Kind::Text,
        "Sec-WebSocket-Protocol",
        |v, out| header_text(v, "Sec-WebSocket-Protocol", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.x_forwarded_for",
        Kind::Text,
        "X-Forwarded-For",
        |v, out| header_text(v, "X-Forwarded-For", out),
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.request.line",
        Kind::Text,
        "each header line of a request, with its line break",
        |v, out| lines(v, out, true),
    )
    .needs(Needs::HTTP_BYTES),
    Field::new(
        "http.response.line",
        Kind::Text,
        "each header line of a response, with its line break",
        |v, out| lines(v, out, false),
    )
    .needs(Needs::HTTP_BYTES),
    Field::new(
        "http.request_in",
        Kind::Unsigned(32),
        "the frame of the request that a response answers",
        |v, out| {
            of_each(v, out, |m| {
                asked(v, &m).map(|at| number(at.packet as u64 + 1))
            })
        },
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.time",
        Kind::Time,
        "seconds from the request to this response",
        |v, out| {
            of_each(v, out, |m| {
                asked(v, &m).and_then(|at| v.packet.time.elapsed(at.time).map(number))
            })
        },
    )
    .needs(Needs::HTTP),
    Field::new(
        "http.file_data",
        Kind::Text,
        "the content, transfer coding removed",
        |v, out| {
            of_each(v, out, |message| {
                let content = message.bytes.content(message.body);
                (!content.is_empty()).then_some(FieldValue::Text(content))
            })
        },
    )
    .needs(Needs::HTTP_BODIES),
];

pub(super) const DATA: &[Field] = &[
    Field::new(
        "data",
        Kind::Protocol,
        "a payload that is not decoded further",
        |v, out| out.extend(undecoded(v).map(FieldValue::whole)),
    )
    .needs(Needs::CARRIED),
    Field::new("data.data", Kind::Bytes, "its bytes", |v, out| {
        out.extend(undecoded(v).map(FieldValue::bytes))
    })
    .needs(Needs::CARRIED),
    Field::new(
        "data.len",
        Kind::Unsigned(32),
        "its length in bytes",
        |v, out| out.extend(undecoded(v).map(|bytes| number(bytes.len() as u64))),
    )
    .needs(Needs::CARRIED),
];

/// Hands over the messages whose fields belong to the packet.
fn messages<'a>(v: &View<'a>, mut each: impl FnMut(Http<'a>) -> ControlFlow<()>) {
    if v.packet.tcp().is_some() {
        v.known.http(v.index, v.reading, &mut each);
    }
}

/// One value of each message, where it has one.
fn of_each<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    value: impl Fn(Http<'a>) -> Option<FieldValue<'a>>,
) {
    messages(v, |message| out.give(value(message)));
}

/// A value of each request.
fn of_requests<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    value: impl Fn(&'a str, &'a str, &'a Head) -> Option<FieldValue<'a>>,
) {
    of_each(v, out, |message| match message.start {
        Start::Request { method, target } => value(method, target, message.head),
        Start::Response { .. } => None,
    });
}

/// A value of each response.
fn of_responses<'a>(
    v: &View<'a>,
    out: &mut Out<'a, '_>,
    value: impl Fn(u16, &'a str, &'a Head) -> Option<FieldValue<'a>>,
) {
    of_each(v, out, |message| match message.start {
        Start::Response { code, phrase } => value(code, phrase, message.head),
        Start::Request { .. } => None,
    });
}

/// Every value of a header, one for each line that has it.
fn header<'a>(
    v: &View<'a>,
    name: &'static str,
    out: &mut Out<'a, '_>,
    value: impl Fn(&'a str) -> Option<FieldValue<'a>>,
) {
    messages(v, |message| {
        let lines = message.head.headers.iter();
        let named = lines.filter(|(n, _)| n.eq_ignore_ascii_case(name));
        out.extend(named.filter_map(|(_, line)| value(line)));
        out.go_on()
    });
}

/// Where the request was complete that the message answers. An answer that
/// comes before (`100 Continue`, an early error) does not know.
fn asked(v: &View<'_>, message: &Http<'_>) -> Option<At> {
    message.asked.filter(|at| at.packet < v.index)
}

/// The header lines of requests or of responses, as they were sent where that
/// is kept.
fn lines<'a>(v: &View<'a>, out: &mut Out<'a, '_>, of_requests: bool) {
    messages(v, |message| {
        if matches!(message.start, Start::Request { .. }) != of_requests {
            return out.go_on();
        }
        let head = message.head;
        let sent = message.bytes.head(head);
        if sent.is_empty() {
            let line = |(name, value)| FieldValue::owned(format!("{name}: {value}\r\n"));
            out.extend(head.headers.iter().map(line));
            return out.go_on();
        }
        let lines = sent.split_inclusive(|byte| *byte == b'\n').skip(1);
        let lines = lines.filter(|line| !line.trim_ascii().is_empty());
        out.extend(lines.map(|line| FieldValue::Text(line.to_vec().into())));
        out.go_on()
    });
}

fn header_text<'a>(v: &View<'a>, name: &'static str, out: &mut Out<'a, '_>) {
    header(v, name, out, |line| Some(FieldValue::text(line)));
}

/// The payloads that nothing else reads, in the layer that carries them: of the
/// packet, and of the datagram that it quotes.
fn undecoded<'a>(v: &View<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let (view, data) = (*v, v.data());
    let datagram = |ports: (u16, u16), payload: Span| {
        let is_dns = Flavour::of(ports, payload.of(data)).is_some();
        (!is_dns).then_some(payload)
    };
    let own = match &v.packet.transport {
        Transport::Udp(udp) => datagram((udp.src_port, udp.dst_port), udp.payload),
        Transport::Tcp(tcp) => (!is_read(v) && !tcp.flags.rst()).then_some(tcp.payload),
        // Echo requests and replies, of either version.
        Transport::Icmp(icmp) if matches!(icmp.kind, 0 | 8) => Some(icmp.payload),
        Transport::Icmpv6(icmp) if matches!(icmp.kind, 128 | 129) => Some(icmp.payload),
        Transport::Fragment => v.packet.net.as_ref().map(Net::payload),
        Transport::Other { protocol, payload } => {
            let is_named = Layer::of_ip_protocol(*protocol).is_some();
            (!is_named).then_some(*payload)
        }
        _ => None,
    };
    let quoted = v.quoted().filter(|quoted| quoted.protocol == 17);
    let quoted = quoted.and_then(|q| datagram(q.src_port.zip(q.dst_port)?, q.payload));
    own.into_iter()
        .chain(quoted)
        .map(move |span| view.slice(span.start, span.len as usize))
        .filter(|bytes| !bytes.is_empty())
}

/// A segment of a conversation whose protocol is read; or one that was sent again,
/// which Wireshark gives to no other protocol.
fn is_read(v: &View<'_>) -> bool {
    let seen = v.seen.and_then(|seen| seen.tcp.as_ref());
    seen.is_some_and(|seen| seen.is_read || seen.is(Marks::RETRANSMISSION))
}
