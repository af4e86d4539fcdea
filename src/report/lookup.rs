//! DNS and TLS of the JSON document: what conversations say in the clear beside
//! HTTP.

use schemars::JsonSchema;
use serde::Serialize;

use super::model::is_zero;
use crate::savefile::Protocol;

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
    /// The records of the answer section.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<DnsRecord>,
    /// From the query to the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<f64>,
    /// What is wrong with the bytes of either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
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
    /// The application protocols that the client offers.
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
