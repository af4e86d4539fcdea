//! A capture at a glance: what its frames are, how much there is of each, and
//! what is wrong. Of `inspect`, which reads captures that nobody judges.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::conversation::{Close, Conversation, Message};
use super::lookup::Lookup;
use super::model::is_zero;
use super::spelled::Seconds;
use crate::conversation::ConnState;
use crate::message::dns::rcode_name;
use crate::savefile::Protocol;

/// What a capture holds, in numbers. Counts of a display filter's packets only
/// where one was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Bytes on the wire, of all packets.
    pub bytes: u64,
    /// The earliest packet, in seconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_epoch: Option<Seconds>,
    /// From the earliest packet to the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// Every frame is in exactly one.
    pub protocols: Vec<ProtocolCount>,
    pub conversations: ConversationCount,
    /// HTTP transactions.
    pub transactions: u64,
    /// DNS queries.
    #[serde(skip_serializing_if = "is_zero")]
    pub lookups: u64,
    /// What is wrong or worth a look; the gravest first.
    pub findings: Vec<Finding>,
    /// Bounds on memory that were reached: what is told of the capture is
    /// incomplete by so much.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
}

/// Frames that consist of the same protocols.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProtocolCount {
    /// Outermost first, by Wireshark's names: `eth`, `ip`, `tcp`.
    pub protocols: Vec<String>,
    pub packets: u64,
    /// On the wire.
    pub bytes: u64,
}

/// Conversations, by their protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConversationCount {
    pub tcp: u64,
    pub udp: u64,
}

/// One kind of trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    pub kind: FindingKind,
    /// What it is in particular, where the kind alone does not tell: a layer,
    /// a status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Of packets, bytes, conversations or transactions, as the kind tells.
    pub count: u64,
    /// How many conversations it happened in.
    #[serde(skip_serializing_if = "is_zero")]
    pub conversations: u64,
    /// Those with the most of it: `tcp[0]`, `udp[3]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<Spot>,
    /// A display filter that shows the packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
}

/// A conversation, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spot {
    pub protocol: Protocol,
    /// `tcp.stream`, `udp.stream`.
    pub stream: u32,
    /// How much of it happened there.
    pub count: u64,
}

/// A bound on memory that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Limit {
    /// What is bounded. Where an option sets it, the option: `limit-conversations`.
    pub name: String,
    /// An option of the command line sets it.
    pub option: bool,
    /// Its value.
    pub limit: u64,
    /// How often it was reached.
    pub reached: u64,
    /// What that means for the rest of the report.
    pub effect: String,
}

/// The kinds of trouble, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Frames of which a header is wrong.
    Malformed,
    /// Connections that were refused.
    Refused,
    /// Connections whose SYN an ICMP error reported as undelivered.
    Rejected,
    /// Connections whose SYN nobody answered.
    Unanswered,
    /// Connections that were cut by a RST.
    Reset,
    /// Datagrams that an ICMP error reported as undelivered.
    Undelivered,
    /// Responses of a server that failed (5xx).
    HttpServerError,
    /// Responses to a request that was wrong (4xx).
    HttpClientError,
    /// HTTP requests without a response.
    HttpUnanswered,
    /// DNS queries that were answered with an error.
    DnsError,
    /// DNS queries without an answer.
    DnsUnanswered,
    /// HTTP messages that break the rules or contradict themselves.
    HttpTrouble,
    /// HTTP messages of whose body bytes are not there: not captured, or never
    /// sent.
    HttpIncomplete,
    /// Segments that were sent again.
    Retransmission,
    /// Segments that came later than their place.
    OutOfOrder,
    /// Segments that were sent again although they had been acknowledged.
    SpuriousRetransmission,
    /// ACKs that say again what was said.
    DuplicateAck,
    /// Segments before which others were not captured.
    LostSegment,
    /// ACKs of segments that were not captured.
    AckLostSegment,
    /// Segments whose sender takes no more bytes.
    ZeroWindow,
    /// Segments that fill the other side's window.
    WindowFull,
    /// Connections on the ports of an earlier one.
    ReusedPorts,
    /// Bytes of streams that were never captured.
    MissingBytes,
    /// Frames of which only a part was captured.
    Truncated,
    /// Frames of a protocol that is not decoded.
    Unknown,
}

impl FindingKind {
    /// What is counted, for one and for many.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            FindingKind::Malformed => ("malformed frame", "malformed frames"),
            FindingKind::Refused => ("connection refused", "connections refused"),
            FindingKind::Rejected => (
                "connection rejected by ICMP",
                "connections rejected by ICMP",
            ),
            FindingKind::Unanswered => ("SYN without answer", "SYNs without answer"),
            FindingKind::Reset => ("connection reset", "connections reset"),
            FindingKind::Undelivered => ("datagram undelivered", "datagrams undelivered"),
            FindingKind::HttpServerError => ("HTTP server error", "HTTP server errors"),
            FindingKind::HttpClientError => ("HTTP client error", "HTTP client errors"),
            FindingKind::HttpUnanswered => ("HTTP request unanswered", "HTTP requests unanswered"),
            FindingKind::DnsError => ("DNS error", "DNS errors"),
            FindingKind::DnsUnanswered => ("DNS query unanswered", "DNS queries unanswered"),
            FindingKind::HttpTrouble => (
                "HTTP message against the rules",
                "HTTP messages against the rules",
            ),
            FindingKind::HttpIncomplete => ("HTTP message not whole", "HTTP messages not whole"),
            FindingKind::Retransmission => ("retransmission", "retransmissions"),
            FindingKind::OutOfOrder => ("segment out of order", "segments out of order"),
            FindingKind::SpuriousRetransmission => {
                ("spurious retransmission", "spurious retransmissions")
            }
            FindingKind::DuplicateAck => ("duplicate ACK", "duplicate ACKs"),
            FindingKind::LostSegment => ("segment behind a lost one", "segments behind a lost one"),
            FindingKind::AckLostSegment => ("ACK of a lost segment", "ACKs of a lost segment"),
            FindingKind::ZeroWindow => ("zero window", "zero windows"),
            FindingKind::WindowFull => ("full window", "full windows"),
            FindingKind::ReusedPorts => ("SYN on reused ports", "SYNs on reused ports"),
            FindingKind::MissingBytes => ("byte never captured", "bytes never captured"),
            FindingKind::Truncated => ("frame cut short", "frames cut short"),
            FindingKind::Unknown => ("frame not decoded", "frames not decoded"),
        }
    }

    /// A display filter that shows the packets. None: those of the
    /// conversations are to be shown.
    fn filter(self) -> Option<&'static str> {
        match self {
            FindingKind::Malformed => Some("_ws.malformed"),
            FindingKind::Rejected => Some(REJECTED),
            FindingKind::Reset => Some("tcp.flags.reset == 1"),
            FindingKind::Undelivered => Some(UNDELIVERED),
            FindingKind::HttpServerError => Some("http.response.code >= 500"),
            FindingKind::Retransmission => Some("tcp.analysis.retransmission"),
            FindingKind::OutOfOrder => Some("tcp.analysis.out_of_order"),
            FindingKind::SpuriousRetransmission => Some("tcp.analysis.spurious_retransmission"),
            FindingKind::DuplicateAck => Some("tcp.analysis.duplicate_ack"),
            FindingKind::LostSegment => Some("tcp.analysis.lost_segment"),
            FindingKind::AckLostSegment => Some("tcp.analysis.ack_lost_segment"),
            FindingKind::ZeroWindow => Some("tcp.analysis.zero_window"),
            FindingKind::WindowFull => Some("tcp.analysis.window_full"),
            FindingKind::ReusedPorts => Some("tcp.analysis.reused_ports"),
            FindingKind::Truncated => Some("frame.cap_len < frame.len"),
            FindingKind::DnsError
            | FindingKind::DnsUnanswered
            | FindingKind::Refused
            | FindingKind::Unanswered
            | FindingKind::HttpClientError
            | FindingKind::HttpUnanswered
            | FindingKind::HttpTrouble
            | FindingKind::HttpIncomplete
            | FindingKind::MissingBytes
            | FindingKind::Unknown => None,
        }
    }

    /// One that shows the packets among others: where there are more
    /// conversations than a filter can name.
    fn wider_filter(self) -> Option<&'static str> {
        match self {
            FindingKind::Refused => Some("tcp.flags.reset == 1"),
            FindingKind::Unanswered => Some("tcp.flags.syn == 1 and tcp.flags.ack == 0"),
            _ => None,
        }
    }
}

/// The ICMP errors that report a segment or a datagram as undelivered
/// ([`crate::decode::Quoted::undelivered`]). What they quote counts as theirs.
const REJECTED: &str = "tcp and (icmp.type in {3, 11, 12} or icmpv6.type in {1..4})";
const UNDELIVERED: &str = "udp and (icmp.type in {3, 11, 12} or icmpv6.type in {1..4})";

/// What the analysis of segments finds, beside the counts that each connection
/// has.
const MARKS: [(FindingKind, &str); 7] = [
    (
        FindingKind::SpuriousRetransmission,
        "spurious_retransmission",
    ),
    (FindingKind::DuplicateAck, "duplicate_ack"),
    (FindingKind::LostSegment, "lost_segment"),
    (FindingKind::AckLostSegment, "ack_lost_segment"),
    (FindingKind::ZeroWindow, "zero_window"),
    (FindingKind::WindowFull, "window_full"),
    (FindingKind::ReusedPorts, "reused_ports"),
];

/// Findings that are told apart.
const MOST: usize = 1000;
/// Conversations that a finding names.
const WORST: usize = 3;
/// Conversations that are remembered to find those.
const REMEMBERED: usize = 64;

/// Gathers findings from conversations and messages. In whatever order the
/// conversations come, the findings are the same.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: BTreeMap<(FindingKind, Option<String>), Found>,
}

#[derive(Clone, Debug, Default)]
struct Found {
    count: u64,
    conversations: u64,
    /// With the most of it first.
    worst: Vec<Spot>,
    /// There were more than are remembered.
    more: bool,
}

impl Findings {
    /// What happened to a conversation.
    pub fn conversation(&mut self, conversation: &Conversation) {
        let mut add = |kind, count: u64| {
            if count > 0 {
                let place = Spot {
                    protocol: conversation.protocol,
                    stream: conversation.id,
                    count,
                };
                self.entry(kind, None).conversation(place);
            }
        };
        if let Some(tcp) = &conversation.tcp {
            match tcp.close {
                Close::Refused => add(FindingKind::Refused, 1),
                Close::Reset => add(FindingKind::Reset, 1),
                Close::Open | Close::Fin | Close::HalfClosed => {}
            }
            if is_unanswered(tcp.state) {
                match tcp.icmp_errors {
                    0 => add(FindingKind::Unanswered, 1),
                    _ => add(FindingKind::Rejected, 1),
                }
            }
            add(FindingKind::Retransmission, tcp.retransmissions.into());
            add(FindingKind::OutOfOrder, tcp.out_of_order.into());
            for (kind, mark) in MARKS {
                let count = tcp.analysis.get(mark).copied().unwrap_or(0);
                add(kind, count.into());
            }
            add(FindingKind::MissingBytes, tcp.missing_bytes);
        }
        if let Some(udp) = &conversation.udp {
            add(FindingKind::Undelivered, udp.lost);
        }
    }

    /// What went wrong with an HTTP transaction.
    pub fn message(&mut self, message: &Message) {
        let mut add = |kind, what: Option<String>| {
            self.entry(kind, what)
                .message(Protocol::Tcp, message.stream);
        };
        let http = &message.http;
        match &http.response {
            Some(response) if response.code >= 500 => {
                add(
                    FindingKind::HttpServerError,
                    Some(response.code.to_string()),
                );
            }
            Some(response) if response.code >= 400 => {
                add(
                    FindingKind::HttpClientError,
                    Some(response.code.to_string()),
                );
            }
            // That bytes are missing is told of the conversation.
            None if http.response_lost => {}
            Some(_) => {}
            None if http.given_up => {}
            None => {
                add(FindingKind::HttpUnanswered, None);
                if let Some(unread) = http.unread {
                    add(FindingKind::HttpTrouble, Some(unread.trouble.to_owned()));
                }
            }
        }
        let request = http.request.as_ref().map(|r| (&r.trouble, &r.body));
        let response = http.response.as_ref().map(|r| (&r.trouble, &r.body));
        for (head, body) in request.into_iter().chain(response) {
            for trouble in head {
                add(FindingKind::HttpTrouble, Some((*trouble).to_owned()));
            }
            match &body.trouble {
                // How much is missing, or too much, differs from message to message.
                // The rest of it may have come.
                Some(_) if http.given_up => {}
                Some(_) if body.cut => add(FindingKind::HttpIncomplete, None),
                Some(trouble) => {
                    let what = trouble.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
                    add(FindingKind::HttpTrouble, Some(what.to_owned()));
                }
                None => {}
            }
        }
    }

    /// What went wrong with a DNS query.
    pub fn lookup(&mut self, lookup: &Lookup) {
        let (kind, what) = match (&lookup.dns.rcode, lookup.dns.rcode_number) {
            (Some(_), Some(0)) => return,
            (Some(name), _) => (FindingKind::DnsError, Some(name.clone())),
            (None, _) if lookup.dns.given_up || lookup.dns.multicast => return,
            (None, _) => (FindingKind::DnsUnanswered, None),
        };
        self.entry(kind, what)
            .message(lookup.protocol, lookup.stream);
    }

    /// Frames with something wrong in them.
    pub fn frames(&mut self, kind: FindingKind, what: Option<String>, count: u64) {
        if count > 0 {
            self.entry(kind, what).count += count;
        }
    }

    /// Takes over what was found elsewhere.
    pub fn merge(&mut self, other: Findings) {
        for ((kind, what), found) in other.found {
            self.entry(kind, what).merge(found);
        }
    }

    /// All that was found, the gravest first.
    pub fn finish(self) -> Vec<Finding> {
        let finding = |((kind, what), mut found): ((FindingKind, Option<String>), Found)| {
            let filter = filter(kind, what.as_deref(), &found);
            found.worst.truncate(WORST);
            Finding {
                kind,
                filter,
                what,
                count: found.count,
                conversations: found.conversations,
                worst: found.worst,
            }
        };
        self.found.into_iter().map(finding).collect()
    }

    fn entry(&mut self, kind: FindingKind, what: Option<String>) -> &mut Found {
        // What is in messages can be told in any number of ways.
        let known = self.found.len() < MOST || self.found.contains_key(&(kind, what.clone()));
        self.found
            .entry((kind, what.filter(|_| known)))
            .or_default()
    }
}

impl Found {
    /// A conversation comes once.
    fn conversation(&mut self, place: Spot) {
        self.count += place.count;
        self.conversations += 1;
        self.worst.push(place);
        self.sort();
    }

    /// A conversation's messages come one after another.
    fn message(&mut self, protocol: Protocol, stream: u32) {
        self.count += 1;
        let same = |place: &&mut Spot| (place.protocol, place.stream) == (protocol, stream);
        match self.worst.iter_mut().find(same) {
            Some(place) => place.count += 1,
            None => self.worst.push(Spot {
                protocol,
                stream,
                count: 1,
            }),
        }
        self.sort();
    }

    fn merge(&mut self, other: Found) {
        self.count += other.count;
        self.conversations += other.conversations;
        self.more |= other.more;
        for place in other.worst {
            let same = |known: &&mut Spot| {
                (known.protocol, known.stream) == (place.protocol, place.stream)
            };
            match self.worst.iter_mut().find(same) {
                Some(known) => known.count += place.count,
                None => self.worst.push(place),
            }
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.worst
            .sort_by_key(|place| (Reverse(place.count), place.stream, place.protocol as u8));
        self.more |= self.worst.len() > REMEMBERED;
        self.worst.truncate(REMEMBERED);
    }
}

/// A SYN, and nothing came back.
fn is_unanswered(state: ConnState) -> bool {
    matches!(state, ConnState::S0 | ConnState::RSTOS0 | ConnState::SH)
}

fn filter(kind: FindingKind, what: Option<&str>, found: &Found) -> Option<String> {
    match (kind, what) {
        (FindingKind::HttpClientError | FindingKind::HttpServerError, Some(code)) => {
            return Some(format!("http.response.code == {code}"));
        }
        (FindingKind::DnsError, Some(name)) => {
            // Larger ones are not in the header alone.
            let code = (0..16).find(|code| rcode_name(*code) == Some(name));
            if let Some(code) = code {
                return Some(format!("dns.flags.rcode == {code}"));
            }
        }
        _ => {}
    }
    if let Some(filter) = kind.filter() {
        return Some(filter.to_owned());
    }
    if found.more {
        return kind.wider_filter().map(str::to_owned);
    }
    let of = |protocol: Protocol| {
        let places = found.worst.iter().filter(|p| p.protocol == protocol);
        places.map(|place| place.stream).collect()
    };
    let tcp = streams("tcp.stream", of(Protocol::Tcp));
    let udp = streams("udp.stream", of(Protocol::Udp));
    let both: Vec<String> = tcp.into_iter().chain(udp).collect();
    (!both.is_empty()).then(|| both.join(" or "))
}

/// `tcp.stream in {0..4, 9}`; None where there are none.
fn streams(field: &str, mut streams: Vec<u32>) -> Option<String> {
    streams.sort_unstable();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for stream in streams {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(stream) => *last = stream,
            _ => runs.push((stream, stream)),
        }
    }
    let run = |(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}..{last}"),
    };
    match runs.as_slice() {
        [] => None,
        [(one, last)] if one == last => Some(format!("{field} == {one}")),
        runs => {
            let runs: Vec<String> = runs.iter().map(run).collect();
            Some(format!("{field} in {{{}}}", runs.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Dns;

    fn found(kind: FindingKind, streams: impl IntoIterator<Item = u32>) -> Finding {
        let mut findings = Findings::default();
        for stream in streams {
            findings.entry(kind, None).message(Protocol::Tcp, stream);
        }
        findings.finish().remove(0)
    }

    #[test]
    fn what_was_asked_of_a_group_is_not_unanswered() {
        for (multicast, expected) in [(false, 1), (true, 0)] {
            let mut findings = Findings::default();
            findings.lookup(&Lookup {
                conversation: 0,
                protocol: Protocol::Udp,
                stream: 0,
                start_ms: None,
                dns: Dns {
                    multicast,
                    ..Dns::default()
                },
            });
            assert_eq!(findings.finish().len(), expected);
        }
    }

    #[test]
    fn a_filter_names_all_conversations_that_are_remembered() {
        let filter = |streams: &[u32]| {
            let finding = found(FindingKind::HttpUnanswered, streams.iter().copied());
            assert!(finding.worst.len() <= WORST);
            finding.filter.unwrap()
        };
        assert_eq!(filter(&[7]), "tcp.stream == 7");
        assert_eq!(filter(&[9, 3, 0, 1, 2, 4, 4]), "tcp.stream in {0..4, 9}");
        assert_eq!(filter(&[1, 3, 5, 7]), "tcp.stream in {1, 3, 5, 7}");
    }

    #[test]
    fn a_filter_never_leaves_out_conversations() {
        let remembered = REMEMBERED as u32;
        let filter = |kind, count| found(kind, 0..count).filter;
        let all = format!("tcp.stream in {{0..{}}}", remembered - 1);
        assert_eq!(filter(FindingKind::Refused, remembered), Some(all));
        let more = remembered + 1;
        assert_eq!(
            filter(FindingKind::Refused, more).as_deref(),
            Some("tcp.flags.reset == 1")
        );
        assert_eq!(filter(FindingKind::HttpUnanswered, more), None);
        // Also where each thread has found few.
        let mut findings = Findings::default();
        for thread in 0..3 {
            let mut part = Findings::default();
            for stream in 0..30 {
                let entry = part.entry(FindingKind::Unanswered, None);
                entry.message(Protocol::Tcp, 30 * thread + stream);
            }
            findings.merge(part);
        }
        assert_eq!(
            findings.finish().remove(0).filter.as_deref(),
            Some("tcp.flags.syn == 1 and tcp.flags.ack == 0")
        );
    }

    #[test]
    fn a_code_of_dns_is_its_own_filter() {
        let filter = |name: &str| {
            let mut findings = Findings::default();
            findings
                .entry(FindingKind::DnsError, Some(name.to_owned()))
                .message(Protocol::Udp, 5);
            findings.finish().remove(0).filter.unwrap()
        };
        assert_eq!(filter("NXDOMAIN"), "dns.flags.rcode == 3");
        // Not in the header alone.
        assert_eq!(filter("BADVERS"), "udp.stream == 5");
    }
}
