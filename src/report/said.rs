//! What the messages of a packet say, in a few words, for a list of packets.

use super::lookup::{kind, named};
use crate::decode;
use crate::message::dns::{self, Flavour};
use crate::message::tls::{self, Hello};
use crate::message::{Part, PartOf, Request, Response};
use crate::trace::{self, Trace};

/// Not in the JSON, which has lookups, hellos and transactions of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// As Wireshark's column names it.
    pub protocol: &'static str,
    pub words: String,
}

/// The name of [`Said::protocol`] for the end of an HTTP message.
pub const HTTP: &str = "HTTP";

/// Of the datagram that it is, or of the messages that it completes. Of HTTP, whose
/// heads are told beside it ([`Packet::http`](super::Packet::http)), only what began before.
pub fn said(packet: &decode::Packet, data: &[u8], parts: &[Part]) -> Option<Said> {
    if let Some(udp) = packet.udp() {
        let payload = udp.payload.of(data);
        let flavour = Flavour::of((udp.src_port, udp.dst_port), payload)?;
        return names(&dns::parse(payload, flavour)?);
    }
    let mut all: Vec<Said> = Vec::new();
    for part in parts {
        let said = match &part.message {
            PartOf::Tls(record, _) => Some(record_said(record)),
            // Behind its length.
            PartOf::Dns(_) => part.sent.get(2..).and_then(|bytes| {
                let message = dns::parse(bytes, Flavour::Dns)?;
                names(&message)
            }),
            PartOf::Request(request) if part.whole => request_ended(request),
            PartOf::Response(response) if part.whole => response_ended(response),
            PartOf::Request(_) | PartOf::Response(_) => None,
        };
        match (said, all.last_mut()) {
            // The protocol once for all of a packet; the same in a row once.
            (Some(more), Some(last)) if more.protocol == last.protocol => {
                let more = more.words.trim_start_matches(more.protocol).trim_start();
                if !last.words.ends_with(more) {
                    last.words += &format!(", {more}");
                }
            }
            (said, _) => all.extend(said),
        }
    }
    all.into_iter().next()
}

/// Of the HTTP message that the packet at `index` completes, and whose head another
/// one did.
pub(super) fn ended(trace: &Trace, index: usize) -> Option<Said> {
    trace.http_ends(index).find_map(|(_, part)| match part {
        trace::Part::Request(request) => request_ended(request),
        trace::Part::Response(response) => response_ended(response),
    })
}

fn request_ended(request: &Request) -> Option<Said> {
    let line = format!("{} {}", request.method, request.target);
    let is_elsewhere = request.head.packet != request.end.packet;
    is_elsewhere.then(|| end(line, request.body.complete))
}

fn response_ended(response: &Response) -> Option<Said> {
    let line = answer(response.code, &response.phrase);
    let is_elsewhere = response.head.packet != response.end.packet;
    is_elsewhere.then(|| end(line, response.body.complete))
}

/// `HTTP 200 OK, whole`
fn end(line: String, complete: bool) -> Said {
    let end = if complete { "whole" } else { "not whole" };
    Said {
        protocol: HTTP,
        words: format!("{line}, {end}"),
    }
}

/// `HTTP 404 Not Found`; HTTP/0.9 has no code.
pub fn answer(code: u16, phrase: &str) -> String {
    let separator = if phrase.is_empty() { "" } else { " " };
    match code {
        0 => format!("HTTP without a code{separator}{phrase}"),
        code => format!("HTTP {code}{separator}{phrase}"),
    }
}

/// `DNS A example.org`, `DNS response NOERROR A example.org`
fn names(message: &dns::Message) -> Option<Said> {
    let protocol = match message.flavour {
        Flavour::Dns => "DNS",
        Flavour::Mdns => "MDNS",
        Flavour::Llmnr => "LLMNR",
    };
    let mut words = vec![protocol.to_owned()];
    if message.is_response() {
        let code = message.extended_rcode();
        words.push("response".to_owned());
        words.push(named(dns::rcode_name(code), "RCODE", code));
    }
    match message.questions.first() {
        Some(question) => {
            words.extend([kind(question.kind), question.name.clone()]);
            words.extend(and_more(message.questions.len() - 1));
        }
        None if message.is_response() => {}
        None => words.push("query".to_owned()),
    }
    if message.is_response() && message.is_truncated() {
        words.push("(truncated)".to_owned());
    }
    words.extend(message.malformed.map(|what| format!("({what})")));
    Some(Said {
        protocol,
        words: words.join(" "),
    })
}

/// `and 1 more`: questions beside the first.
pub fn and_more(questions: usize) -> Option<String> {
    (questions > 0).then(|| format!("and {questions} more"))
}

/// `TLS ClientHello example.org`, `TLS application data`
fn record_said(record: &tls::Record) -> Said {
    let kind = match record.content_type {
        tls::CHANGE_CIPHER_SPEC => "ChangeCipherSpec",
        tls::ALERT => "alert",
        tls::APPLICATION_DATA => "application data",
        tls::HANDSHAKE if record.is_encrypted => "encrypted handshake",
        tls::HANDSHAKE => "handshake",
        _ => "record",
    };
    let words: Vec<String> = record.handshakes.iter().map(handshake).collect();
    let words = match words.is_empty() {
        true => kind.to_owned(),
        false => words.join(", "),
    };
    Said {
        protocol: "TLS",
        words: format!("TLS {words}"),
    }
}

fn handshake(message: &tls::Handshake) -> String {
    match &message.hello {
        Some(Hello::Client(hello)) => match &hello.server_name {
            Some(name) => format!("ClientHello {name}"),
            None => "ClientHello".to_owned(),
        },
        Some(Hello::Server(hello)) if hello.is_retry_request => "HelloRetryRequest".to_owned(),
        Some(Hello::Server(_)) => "ServerHello".to_owned(),
        None => tls::handshake_name(message.kind)
            .map_or_else(|| format!("handshake {}", message.kind), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_is_named_by_what_is_asked_and_how_that_ended() {
        let said = |flags: [u8; 2], rest: &[u8]| {
            let head = [0, 7, flags[0], flags[1], 0, 1, 0, 0, 0, 0, 0, 0];
            let message = dns::parse(&[&head[..], rest].concat(), Flavour::Dns).unwrap();
            names(&message).unwrap().words
        };
        let question = b"\x01a\x07example\0\0\x1c\0\x01";
        assert_eq!(said([1, 0], question), "DNS AAAA a.example");
        assert_eq!(
            said([0x81, 0x83], question),
            "DNS response NXDOMAIN AAAA a.example"
        );
        assert_eq!(
            said([0x83, 0], question),
            "DNS response NOERROR AAAA a.example (truncated)"
        );
        // As multicast DNS asks.
        let head = [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
        let two = [&head[..], question, b"\x01b\xc0\x0e\0\x01\0\x01"].concat();
        let message = dns::parse(&two, Flavour::Mdns).unwrap();
        assert_eq!(
            names(&message).unwrap().words,
            "MDNS AAAA a.example and 1 more"
        );
        assert_eq!(said([1, 0], b"\x05a"), "DNS query (a name is cut off)");
    }

    #[test]
    fn tls_is_named_by_its_messages_or_its_record() {
        let mut record = tls::Record {
            content_type: tls::HANDSHAKE,
            version: 0x0303,
            length: 4,
            is_opaque: false,
            is_encrypted: false,
            handshakes: Vec::new(),
            alert: None,
        };
        assert_eq!(record_said(&record).words, "TLS handshake");
        let hello = tls::ClientHello {
            server_name: Some("a.example".to_owned()),
            ..Default::default()
        };
        for (kind, hello) in [(1, Some(Hello::Client(hello))), (11, None), (99, None)] {
            record.handshakes.push(tls::Handshake {
                kind,
                length: 0,
                hello,
            });
        }
        assert_eq!(
            record_said(&record).words,
            "TLS ClientHello a.example, Certificate, handshake 99"
        );
    }
}
