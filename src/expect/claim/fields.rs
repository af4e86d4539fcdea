//! The fields that claims know: of conversations (`tcp[0].state`), of messages
//! (`http[0].response.code`) and of programs (`client.exit`). One list for the
//! parser, which refuses other names, and for the evaluation.

use crate::expect::ast::Collection;

/// What kind of value a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Number,
    /// Bytes; compared with a text, byte for byte.
    Text,
    Bool,
    /// Nanoseconds; compared with `50ms`.
    Duration,
}

/// Path, kind, meaning.
pub type ClaimField = (&'static str, FieldKind, &'static str);

use FieldKind::{Bool, Duration, Number, Text};

const CONVERSATION: &[ClaimField] = &[
    ("client.address", Text, "the client's address"),
    ("client.port", Number, "the client's port"),
    (
        "client.role",
        Text,
        "the program that owns the client's end",
    ),
    ("server.address", Text, "the server's address"),
    ("server.port", Number, "the server's port"),
    (
        "server.role",
        Text,
        "the program that owns the server's end",
    ),
    ("packets", Number, "packets, both ways"),
    ("packets.to_server", Number, "packets to the server"),
    ("packets.to_client", Number, "packets to the client"),
    (
        "bytes",
        Number,
        "payload bytes, both ways, retransmissions not counted",
    ),
    ("bytes.to_server", Number, "payload bytes to the server"),
    ("bytes.to_client", Number, "payload bytes to the client"),
    ("duration", Duration, "from the first packet to the last"),
];

const TCP: &[ClaimField] = &[
    (
        "completeness",
        Number,
        "Wireshark's tcp.completeness: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32",
    ),
    ("state", Text, "Zeek's conn_state: SF, REJ, S0, …"),
    ("history", Text, "Zeek's history letters"),
    (
        "handshake_rtt_ms",
        Number,
        "milliseconds from SYN to the handshake's ACK",
    ),
    ("handshake_rtt", Duration, "from SYN to the handshake's ACK"),
    ("close", Text, "open, fin, half_closed, reset or refused"),
    (
        "closed_by",
        Text,
        "who sent the first FIN or the RST: client or server",
    ),
    ("retransmissions", Number, "retransmitted segments"),
    ("out_of_order", Number, "segments out of order"),
    ("missing_bytes", Number, "bytes that were never captured"),
];

const UDP: &[ClaimField] = &[
    ("datagrams", Number, "datagrams, both ways"),
    ("datagrams.to_server", Number, "datagrams to the server"),
    ("datagrams.to_client", Number, "datagrams to the client"),
    (
        "lost",
        Number,
        "datagrams that an ICMP error reported as undelivered",
    ),
];

const HTTP: &[ClaimField] = &[
    ("request.method", Text, "GET, HEAD, …"),
    ("request.uri", Text, "the target as sent"),
    ("request.version", Text, "HTTP/1.1"),
    ("request.body", Text, "the content, transfer coding removed"),
    ("request.body_complete", Bool, "the whole content was seen"),
    ("response.code", Number, "the status code"),
    ("response.phrase", Text, "the reason phrase"),
    ("response.version", Text, "HTTP/1.1"),
    (
        "response.body",
        Text,
        "the content, transfer coding removed",
    ),
    ("response.body_complete", Bool, "the whole content was seen"),
];

/// `headers.NAME` follows one of these; NAME is any header's name, in any case.
pub const HEADERS: [&str; 2] = ["request.headers", "response.headers"];

const PROGRAM: &[ClaimField] = &[
    ("exit", Number, "the exit code"),
    ("signal", Number, "the number of the signal that ended it"),
    ("stdout", Text, "what it wrote to standard output"),
    ("stderr", Text, "what it wrote to standard error"),
    (
        "ended",
        Text,
        "\"by itself\", \"stopped\", \"waiting\", \"timeout\" or \"interrupted\"",
    ),
    ("duration", Duration, "from its start to its end"),
];

/// The fields of `tcp[N]`, `udp[N]` or `http[N]`.
pub fn collection_fields(collection: Collection) -> impl Iterator<Item = &'static ClaimField> {
    let (own, shared): (&[ClaimField], &[ClaimField]) = match collection {
        Collection::Tcp => (TCP, CONVERSATION),
        Collection::Udp => (UDP, CONVERSATION),
        Collection::Http => (HTTP, &[]),
    };
    own.iter().chain(shared)
}

/// The fields of a program's role.
pub fn program_fields() -> impl Iterator<Item = &'static ClaimField> {
    PROGRAM.iter()
}

/// The kind of a collection's field; None for a name that it does not have.
pub fn collection_field(collection: Collection, path: &[String]) -> Option<FieldKind> {
    if collection == Collection::Http
        && let [message, headers, name] = path
        && HEADERS.contains(&format!("{message}.{headers}").as_str())
        && !name.is_empty()
    {
        return Some(Text);
    }
    find(collection_fields(collection), path)
}

/// The kind of a program's field; None for a name that it does not have.
pub fn program_field(path: &[String]) -> Option<FieldKind> {
    find(program_fields(), path)
}

/// The only values that a text field can have, where there are few.
pub fn values(path: &[String]) -> Option<&'static [&'static str]> {
    Some(match path.last()?.as_str() {
        "state" => &[
            "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR",
            "OTH",
        ],
        "close" => &["open", "fin", "half_closed", "reset", "refused"],
        "closed_by" => &["client", "server"],
        "ended" => &["by itself", "stopped", "waiting", "timeout", "interrupted"],
        _ => return None,
    })
}

fn find(
    mut fields: impl Iterator<Item = &'static ClaimField>,
    path: &[String],
) -> Option<FieldKind> {
    let path = path.join(".");
    fields
        .find(|(name, ..)| *name == path)
        .map(|(_, kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn fields_belong_to_their_collection() {
        assert_eq!(
            collection_field(Collection::Tcp, &path("state")),
            Some(Text)
        );
        assert_eq!(collection_field(Collection::Udp, &path("state")), None);
        assert_eq!(
            collection_field(Collection::Udp, &path("server.port")),
            Some(Number)
        );
        assert_eq!(
            collection_field(Collection::Http, &path("server.port")),
            None
        );
        assert_eq!(program_field(&path("exit")), Some(Number));
        assert_eq!(program_field(&path("exits")), None);
    }

    #[test]
    fn any_header_is_a_field() {
        let header = path("response.headers.Content-Type");
        assert_eq!(collection_field(Collection::Http, &header), Some(Text));
        assert_eq!(
            collection_field(Collection::Http, &path("response.headers")),
            None
        );
    }
}
