//! DNS and TLS of the JSON document: what conversations say in the clear beside
//! HTTP.

use schemars::JsonSchema;
use serde::Serialize;

use super::build::millis;
use super::model::{is_false, is_zero};
use crate::message::{self, dns};
use crate::savefile::{Protocol, Timestamp};

/// A DNS query and its answer, as far as seen.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Lookup {
    /// Index into `conversations[]`.
    pub conversation: usize,
    pub protocol: Protocol,
    /// `udp.stream` or `tcp.stream`.
    pub stream: u32,
    /// From the capture's first packet to the one with the query; where that
    /// was not seen, with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<f64>,
    pub dns: Dns,
}

/// Query and answer in one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Dns {
    pub id: u16,
    /// The name that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type that is asked for: `A`, `AAAA`; `TYPE65` where it has no name.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it asks for beside that, as multicast DNS does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_questions: Vec<DnsQuestion>,
    /// `frame.number` of the query. Absent where it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_frame: Option<u64>,
    /// How often the query was sent again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retransmissions: u64,
    /// `frame.number` of the answer. Absent where it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_frame: Option<u64>,
    /// `NOERROR`, `NXDOMAIN`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rcode: Option<String>,
    /// The number of the response code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rcode_number: Option<u16>,
    /// The answer was too long for a datagram (RFC 1035, section 4.1.1: TC).
    #[serde(skip_serializing_if = "is_false")]
    pub truncated: bool,
    /// The records of the answer section.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<DnsRecord>,
    /// How many more messages the answer has, which is a zone transfer (RFC 5936, section
    /// 2.2): the records are those of the first one.
    #[serde(skip_serializing_if = "is_zero")]
    pub messages_more: u64,
    /// From the query to the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<f64>,
    /// Too many queries waited for their answers: what is absent of this lookup is told
    /// as another one, or never came.
    #[serde(skip_serializing_if = "is_false")]
    pub given_up: bool,
    /// Said to a group, or by multicast DNS: answers come from other addresses or to the
    /// group. One without an answer is not unanswered.
    #[serde(skip_serializing_if = "is_false")]
    pub multicast: bool,
    /// What is wrong with the bytes of either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A name and type that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DnsQuestion {
    pub name: String,
    /// `A`, `PTR`, …
    #[serde(rename = "type")]
    pub kind: String,
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DnsRecord {
    pub name: String,
    /// `A`, `CNAME`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Seconds.
    pub ttl: u32,
    /// As zone files write it.
    pub data: String,
}

/// What both sides of a TLS connection say before they encrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tls {
    /// The host that the client asks for (SNI).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The application protocols that the client offers, without GREASE (RFC 8701).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
    /// The newest version that the client offers: `TLS 1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// The version that the server chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite that the server chose, by its IANA name, or `0x1301`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// The application protocol that the server chose, where it says that in the
    /// clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_alpn: Option<String>,
}

/// One lookup. `stream` is the number of its conversation, `start` the time of
/// the capture's first packet.
pub fn lookup(
    lookup: &message::Lookup,
    protocol: Protocol,
    stream: u32,
    start: Timestamp,
) -> Lookup {
    let (query, response) = (lookup.query.as_ref(), lookup.response.as_ref());
    let both = || query.into_iter().chain(response);
    let questions = both().map(|seen| seen.message.questions.as_slice());
    let questions = questions.into_iter().find(|asked| !asked.is_empty());
    let (question, more) = questions.and_then(<[_]>::split_first).unzip();
    let frame = |seen: &dns::Seen| seen.at.packet as u64 + 1;
    let code = response.map(|seen| seen.message.extended_rcode());
    Lookup {
        conversation: lookup.conversation,
        protocol,
        stream,
        start_ms: lookup
            .first()
            .and_then(|seen| seen.at.time.elapsed(start))
            .map(millis),
        dns: Dns {
            id: lookup.first().map_or(0, |seen| seen.message.id),
            name: question.map(|question| question.name.clone()),
            kind: question.map(|question| kind(question.kind)),
            more_questions: more
                .into_iter()
                .flatten()
                .map(|question| DnsQuestion {
                    name: question.name.clone(),
                    kind: kind(question.kind),
                })
                .collect(),
            query_frame: query.map(frame),
            retransmissions: lookup.again.len() as u64,
            response_frame: response.map(frame),
            rcode: code.map(|code| named(dns::rcode_name(code), "RCODE", code)),
            rcode_number: code,
            truncated: response.is_some_and(|seen| seen.message.is_truncated()),
            answers: response
                .iter()
                .flat_map(|seen| &seen.message.answers)
                .map(|record| DnsRecord {
                    name: record.name.clone(),
                    kind: kind(record.kind),
                    ttl: record.ttl,
                    data: record.data.to_string(),
                })
                .collect(),
            messages_more: lookup.further,
            time_ms: response.and_then(dns::Seen::time).map(millis),
            given_up: lookup.given_up,
            multicast: lookup.multicast,
            trouble: both()
                .find_map(|seen| seen.message.malformed)
                .map(str::to_owned),
        },
    }
}

/// RFC 3597, section 5, for the types that have no mnemonic.
pub(super) fn kind(kind: u16) -> String {
    named(dns::type_name(kind), "TYPE", kind)
}

pub(super) fn named(name: Option<&str>, prefix: &str, number: u16) -> String {
    name.map_or_else(|| format!("{prefix}{number}"), str::to_owned)
}

/// The protocols that a client offers in earnest.
fn offered(hello: &message::tls::ClientHello) -> Vec<String> {
    let names = hello.alpn.iter().filter(|name| !is_grease(name));
    names.cloned().collect()
}

/// RFC 8701, section 2: twice the same byte, 0x0A to 0xFA; where that is no ASCII, it
/// was no text either.
fn is_grease(name: &str) -> bool {
    let mut characters = name.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some(one), Some(other), None) => {
            one == other && (one.is_ascii() && one as u32 & 0xF == 0xA || one == '\u{fffd}')
        }
        _ => false,
    }
}

/// What a conversation says of TLS.
pub fn tls(facts: &message::Tls) -> Tls {
    use message::tls::{cipher_suite_name, version_name};
    let (client, server) = (facts.client.as_ref(), facts.server.as_ref());
    let shown = |name: Option<&str>, number: u16| {
        name.map_or_else(|| format!("0x{number:04x}"), str::to_owned)
    };
    let version = |number| shown(version_name(number), number);
    Tls {
        server_name: client.and_then(|hello| hello.server_name.clone()),
        alpn: client.map(offered).unwrap_or_default(),
        client_version: client.map(|hello| version(hello.newest_version())),
        version: server.map(|hello| version(hello.chosen_version())),
        cipher_suite: server
            .map(|hello| shown(cipher_suite_name(hello.cipher_suite), hello.cipher_suite)),
        chosen_alpn: server.and_then(|hello| hello.alpn.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grease_is_no_protocol_that_is_offered() {
        for name in ["\n\n", "JJ", "zz", "\u{fffd}\u{fffd}"] {
            assert!(is_grease(name), "{name:?}");
        }
        for name in ["h2", "zzz", "z", "aa", ""] {
            assert!(!is_grease(name), "{name:?}");
        }
    }
}
