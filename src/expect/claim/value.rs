//! The values that claims compare: fields of conversations, messages and
//! programs. The names are those of [`super::fields`].

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::conversation::{Close, Conversation, Direction, TcpFacts, Ways};
use crate::expect::ast::Collection;
use crate::expect::facts::Facts;
use crate::expect::notation::{count, duration, duration_beside, ordinal, quoted, visible};
use crate::expect::number::Number;
use crate::message::{Body, Head, Message, NoResponse, Response};
use crate::savefile::{Ended, Exit, Program};
use crate::trace;

/// A value at judging time.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum<'a> {
    Number(Number),
    /// Nanoseconds.
    Duration(i64),
    Bool(bool),
    Bytes(Cow<'a, [u8]>),
}

impl Datum<'_> {
    /// For a reader.
    pub fn shown(&self) -> String {
        match self {
            Datum::Number(n) => cut(n.to_string()),
            Datum::Duration(d) => duration(*d),
            Datum::Bool(b) => b.to_string(),
            Datum::Bytes(bytes) => quoted(bytes),
        }
    }

    /// Beside what it is compared with, so that the two differ in print as well.
    pub fn shown_beside(&self, other: &Datum<'_>) -> String {
        match (self, other) {
            (Datum::Duration(is), Datum::Duration(other)) => duration_beside(*is, &[*other]),
            _ => self.shown(),
        }
    }

    fn text(text: &str) -> Datum<'_> {
        Datum::Bytes(Cow::Borrowed(text.as_bytes()))
    }
}

/// The digits of a number, which JSON may have without end.
fn cut(mut digits: String) -> String {
    const LONGEST: usize = 60;
    if digits.len() > LONGEST {
        digits.truncate(LONGEST);
        digits.push('…');
    }
    digits
}

fn whole(number: impl Into<i128>) -> Datum<'static> {
    Datum::Number(Number::from(number.into()))
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq)]
pub struct Lack {
    /// One sentence.
    pub message: String,
    /// It is the evidence that is missing, not the thing: neither pass nor fail.
    pub no_evidence: bool,
}

impl Lack {
    pub fn thing(message: String) -> Lack {
        Lack {
            message,
            no_evidence: false,
        }
    }

    pub fn evidence(message: String) -> Lack {
        Lack {
            message,
            no_evidence: true,
        }
    }
}

/// How a collection is called: `TCP conversation`.
pub fn called(collection: Collection) -> (&'static str, &'static str) {
    match collection {
        Collection::Tcp => ("tcp", "TCP conversation"),
        Collection::Udp => ("udp", "UDP conversation"),
        Collection::Http => ("http", "HTTP message"),
    }
}

/// The indices of all members of a collection, in the order of their numbers.
pub fn members(facts: &Facts<'_>, collection: Collection) -> Vec<usize> {
    match collection {
        Collection::Tcp => facts.of(crate::savefile::Protocol::Tcp).collect(),
        Collection::Udp => facts.of(crate::savefile::Protocol::Udp).collect(),
        Collection::Http => (0..facts.messages.len()).collect(),
    }
}

/// The index of `tcp[number]`; where there is none, how many there are.
pub fn member(facts: &Facts<'_>, collection: Collection, wanted: u32) -> Result<usize, Lack> {
    let members = members(facts, collection);
    if let Some(index) = members.get(wanted as usize) {
        return Ok(*index);
    }
    let (short, long) = called(collection);
    let have = members.len();
    Err(Lack::thing(match have {
        0 => format!("there is no {long}, so there is no {short}[{wanted}]"),
        1 => format!("there is only 1 {long}, {short}[0], so there is no {short}[{wanted}]"),
        _ => format!(
            "there are only {} ({short}[0] to {short}[{}]), so there is no {short}[{wanted}]; the first one is {short}[0]",
            count(have, long),
            have - 1
        ),
    }))
}

/// A field of a member.
pub fn field<'f>(
    facts: &'f Facts<'_>,
    collection: Collection,
    index: usize,
    path: &[String],
) -> Result<Datum<'f>, Lack> {
    let path: SmallVec<[&str; 4]> = path.iter().map(String::as_str).collect();
    match collection {
        Collection::Http => match facts.messages.get(index) {
            Some(message) => message_field(facts, message, &path),
            None => Err(unknown(&path)),
        },
        Collection::Tcp | Collection::Udp => match facts.conversations.get(index) {
            Some(conversation) => conversation_field(facts, index, conversation, &path),
            None => Err(unknown(&path)),
        },
    }
}

fn unknown(path: &[&str]) -> Lack {
    Lack::thing(format!("there is no field {}", path.join(".")))
}

fn conversation_field<'f>(
    facts: &'f Facts<'_>,
    index: usize,
    conversation: &'f Conversation,
    path: &[&str],
) -> Result<Datum<'f>, Lack> {
    let owned = |text: String| Datum::Bytes(Cow::Owned(text.into_bytes()));
    let (client, server) = facts.ends(index, Direction::ToServer);
    Ok(match path {
        ["client", "address"] => owned(conversation.client.ip().to_string()),
        ["client", "port"] => whole(conversation.client.port()),
        ["client", "role"] => Datum::text(facts.trace.owner_name(client)),
        ["server", "address"] => owned(conversation.server.ip().to_string()),
        ["server", "port"] => whole(conversation.server.port()),
        ["server", "role"] => Datum::text(facts.trace.owner_name(server)),
        ["packets", rest @ ..] => each_way(&conversation.packets, rest)?,
        ["bytes", rest @ ..] => each_way(&conversation.bytes, rest)?,
        ["duration"] => {
            let duration = conversation.last.elapsed(conversation.earliest);
            Datum::Duration(duration.ok_or_else(|| {
                Lack::evidence("the capture does not have the packets' times".to_owned())
            })?)
        }
        ["datagrams", rest @ ..] => match &conversation.udp {
            Some(udp) => each_way(&udp.datagrams, rest)?,
            None => return Err(unknown(path)),
        },
        ["lost"] => match &conversation.udp {
            Some(udp) => whole(udp.lost),
            None => return Err(unknown(path)),
        },
        _ => match &conversation.tcp {
            Some(tcp) => {
                let is_time = matches!(path, ["handshake_rtt" | "handshake_rtt_ms"]);
                if is_time && let Some(reason) = facts.untimed() {
                    return Err(Lack::evidence(reason));
                }
                tcp_field(tcp, path)?
            }
            None => return Err(unknown(path)),
        },
    })
}

fn each_way(ways: &Ways<u64>, path: &[&str]) -> Result<Datum<'static>, Lack> {
    match path {
        [] => Ok(whole(ways.to_server.saturating_add(ways.to_client))),
        ["to_server"] => Ok(whole(ways.to_server)),
        ["to_client"] => Ok(whole(ways.to_client)),
        _ => Err(unknown(path)),
    }
}

fn tcp_field<'f>(tcp: &'f TcpFacts, path: &[&str]) -> Result<Datum<'f>, Lack> {
    let rtt = || {
        tcp.handshake_rtt.ok_or_else(|| {
            Lack::thing(
                "the handshake was never completed, so it took no time that could be measured"
                    .to_owned(),
            )
        })
    };
    Ok(match path {
        ["completeness"] => whole(tcp.completeness),
        ["state"] => Datum::Bytes(Cow::Owned(format!("{:?}", tcp.state).into_bytes())),
        ["history"] => Datum::text(&tcp.history),
        ["handshake_rtt_ms"] => Datum::Number(Number::with_places(rtt()?.into(), 6)),
        ["handshake_rtt"] => Datum::Duration(rtt()?),
        ["close"] => Datum::text(match tcp.close {
            Close::Open => "open",
            Close::Fin { .. } => "fin",
            Close::HalfClosed { .. } => "half_closed",
            Close::Reset { .. } => "reset",
            Close::Refused => "refused",
        }),
        ["closed_by"] => Datum::text(match tcp.close {
            // The direction in which the FIN or RST went tells its sender.
            Close::Fin { first: by } | Close::HalfClosed { by } | Close::Reset { by } => match by {
                Direction::ToServer => "client",
                Direction::ToClient => "server",
            },
            Close::Refused => "server",
            Close::Open => {
                return Err(Lack::thing("nobody closed the connection".to_owned()));
            }
        }),
        ["retransmissions"] => whole(tcp.retransmissions),
        ["out_of_order"] => whole(tcp.out_of_order),
        ["missing_bytes"] => whole(tcp.missing_bytes),
        _ => return Err(unknown(path)),
    })
}

fn message_field<'f>(
    facts: &'f Facts<'_>,
    message: &'f Message,
    path: &[&str],
) -> Result<Datum<'f>, Lack> {
    // What either side said goes its own way.
    let content = |way: Direction, body: &Body| {
        let stream = facts.stream(message.conversation, way);
        let content = stream.map(|stream| facts.trace.content(stream, body));
        Datum::Bytes(content.unwrap_or_default())
    };
    match path {
        ["request", rest @ ..] => {
            let request = message
                .request
                .as_ref()
                .ok_or_else(|| Lack::thing("no request was seen, only its response".to_owned()))?;
            match rest {
                ["method"] => Ok(Datum::text(&request.method)),
                ["uri"] => Ok(Datum::text(&request.target)),
                ["version"] => Ok(Datum::text(request.head.version)),
                ["headers", name] => header(&request.head, "request", name),
                ["body"] => Ok(content(message.way, &request.body)),
                ["body_complete"] => Ok(Datum::Bool(request.body.complete)),
                _ => Err(unknown(path)),
            }
        }
        ["response", rest @ ..] => {
            let response = message.response.as_ref();
            let response: &Response = response.ok_or_else(|| unanswered(message))?;
            match rest {
                ["code"] => Ok(whole(response.code)),
                ["phrase"] => Ok(Datum::text(&response.phrase)),
                ["version"] => Ok(Datum::text(response.head.version)),
                ["headers", name] => header(&response.head, "response", name),
                ["body"] => Ok(content(message.way.opposite(), &response.body)),
                ["body_complete"] => Ok(Datum::Bool(response.body.complete)),
                _ => Err(unknown(path)),
            }
        }
        _ => Err(unknown(path)),
    }
}

/// Why there is no response.
fn unanswered(message: &Message) -> Lack {
    let never = "the request was never answered by a response";
    let bytes = |len: u64| count(usize::try_from(len).unwrap_or(usize::MAX), "byte");
    match message.no_response {
        Some(NoResponse::Unclear) => Lack::evidence(
            "the answer to the request cannot be told: it may be among bytes that follow a \
             message whose end is unknown"
                .to_owned(),
        ),
        Some(NoResponse::NoStatusLine(len)) => Lack::thing(format!(
            "{never}: {} came that begin with no status line of HTTP/1 (RFC 9112, section 4)",
            bytes(len)
        )),
        Some(NoResponse::NoBlankLine(len)) => Lack::thing(format!(
            "{never}: {} came that begin one, but no blank line ends its head \
             (RFC 9112, section 2.1)",
            bytes(len)
        )),
        // What was not captured is told of the stream.
        Some(NoResponse::NotCaptured) | None => Lack::thing(never.to_owned()),
    }
}

/// The packet with which all was there that tells a field of a message and which
/// message it is, if the field stands in a head.
pub fn head(facts: &Facts<'_>, message: usize, path: &[String]) -> Option<usize> {
    let message = facts.messages.get(message)?;
    let path: SmallVec<[&str; 4]> = path.iter().map(String::as_str).collect();
    let reached = |way: Direction, head: &Head| {
        trace::reached(facts.stream(message.conversation, way)?, head.range.end)
    };
    let request = message.request.as_ref();
    let request = request.and_then(|request| reached(message.way, &request.head));
    match path.as_slice() {
        ["request", "method" | "uri" | "version"] | ["request", "headers", _] => request,
        ["response", "code" | "phrase" | "version"] | ["response", "headers", _] => {
            let response = message.response.as_ref()?;
            // An answer's is behind that of its request, wherever it was captured.
            request.max(reached(message.way.opposite(), &response.head))
        }
        _ => None,
    }
}

/// The packet with which the head was there that gives a message its number.
pub fn began(facts: &Facts<'_>, message: usize) -> Option<usize> {
    let message = facts.messages.get(message)?;
    let (way, end) = trace::first_head(message)?;
    trace::reached(facts.stream(message.conversation, way)?, end)
}

fn header<'f>(head: &'f Head, whose: &str, name: &str) -> Result<Datum<'f>, Lack> {
    head.header(name).map(Datum::text).ok_or_else(|| {
        let names: Vec<String> = head.headers.iter().map(|(name, _)| visible(name)).collect();
        Lack::thing(if names.is_empty() {
            format!("the {whose} has no header at all, so no {name}")
        } else {
            format!(
                "the {whose} has no header {name}; it has {}",
                names.join(", ")
            )
        })
    })
}

/// A field of a program.
pub fn program_field<'f>(
    facts: &'f Facts<'_>,
    role: &str,
    path: &[String],
) -> Result<Datum<'f>, Lack> {
    let Some(recording) = &facts.trace.recording else {
        return Err(Lack::evidence(format!(
            "the capture does not tell which programs ran, so nothing is known of {role}"
        )));
    };
    let Some(program) = recording.programs.iter().find(|p| p.role == role) else {
        return Err(Lack::evidence(format!(
            "the capture holds no result of a program called {role}"
        )));
    };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["exit"] => exit_code(role, program),
        ["signal"] => match program.exit {
            Some(Exit::Signal(signal)) => Ok(whole(signal)),
            Some(Exit::Code(code)) => Err(Lack::thing(format!(
                "no signal ended {role}: it exited with code {code}"
            ))),
            None => Err(never_started(role, program)),
        },
        ["stdout"] => Ok(Datum::Bytes(Cow::Borrowed(&program.stdout.0))),
        ["stderr"] => Ok(Datum::Bytes(Cow::Borrowed(&program.stderr.0))),
        ["ended"] => match program.ended {
            Some(ended) => Ok(Datum::text(ended_text(ended))),
            None => Err(never_started(role, program)),
        },
        ["duration"] => match program.duration {
            Some(duration) => Ok(Datum::Duration(i64::try_from(duration).unwrap_or(i64::MAX))),
            None => Err(never_started(role, program)),
        },
        path => Err(unknown(path)),
    }
}

fn exit_code<'f>(role: &str, program: &Program) -> Result<Datum<'f>, Lack> {
    match program.exit {
        Some(Exit::Code(code)) => Ok(whole(code)),
        Some(Exit::Signal(signal)) => Err(Lack::thing(format!(
            "{role} has no exit code: it was ended by {}",
            signal_name(signal)
        ))),
        None => Err(never_started(role, program)),
    }
}

fn never_started(role: &str, program: &Program) -> Lack {
    let reason = program.start_error.as_ref().or(program.note.as_ref());
    Lack::thing(match reason {
        Some(reason) => format!("{role} never ran: {reason}"),
        None => format!("{role} never ran"),
    })
}

/// As the report spells it.
pub fn ended_text(ended: Ended) -> &'static str {
    match ended {
        Ended::ByItself => "by itself",
        Ended::Stopped => "stopped",
        Ended::Waiting => "waiting",
        Ended::Timeout => "timeout",
        Ended::Interrupted => "interrupted",
    }
}

/// `signal 11 (SIGSEGV)`, by Linux's numbers.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        31 => "SIGSYS",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal} ({name})")
}

/// What a field's value means, where a beginner would ask.
pub fn meaning(path: &[String], value: &Datum<'_>) -> Option<String> {
    let field = path.last()?.as_str();
    match (field, value) {
        ("state", Datum::Bytes(state)) => state_meaning(state).map(str::to_owned),
        ("completeness", Datum::Number(n)) => {
            u8::try_from(n.whole()?).ok().map(completeness_meaning)
        }
        _ => None,
    }
}

fn state_meaning(state: &[u8]) -> Option<&'static str> {
    Some(match state {
        b"S0" => "S0: a SYN was sent and nothing answered.",
        b"S1" => "S1: the connection was established and never closed.",
        b"SF" => "SF: established and closed in order, by a FIN of each side.",
        b"REJ" => "REJ: the SYN was refused with a RST.",
        b"S2" => "S2: established; the client sent its FIN, the server never did.",
        b"S3" => "S3: established; the server sent its FIN, the client never did.",
        b"RSTO" => "RSTO: established, then the client cut it with a RST.",
        b"RSTR" => "RSTR: established, then the server cut it with a RST.",
        b"RSTOS0" => "RSTOS0: the client sent a SYN and then a RST; no SYN,ACK was seen.",
        b"RSTRH" => "RSTRH: the server sent SYN,ACK and then RST; no SYN was seen.",
        b"SH" => "SH: the client sent a SYN and then a FIN; no SYN,ACK was seen.",
        b"SHR" => "SHR: the server sent SYN,ACK and then FIN; no SYN was seen.",
        b"OTH" => "OTH: no SYN was seen; the capture began in mid-connection.",
        _ => return None,
    })
}

fn completeness_meaning(n: u8) -> String {
    let parts: Vec<&str> = [
        (1, "1 SYN"),
        (2, "2 SYN,ACK"),
        (4, "4 ACK"),
        (8, "8 data"),
        (16, "16 FIN"),
        (32, "32 RST"),
    ]
    .into_iter()
    .filter_map(|(bit, name)| (n & bit != 0).then_some(name))
    .collect();
    format!(
        "completeness {n} = {}",
        if parts.is_empty() {
            "0".to_owned()
        } else {
            parts.join(" + ")
        }
    )
}

/// Where two texts part, in words.
pub fn first_difference(expected: &[u8], actual: &[u8]) -> String {
    let at = expected
        .iter()
        .zip(actual)
        .position(|(a, b)| a != b)
        .unwrap_or(expected.len().min(actual.len()));
    let byte = |bytes: &[u8]| bytes.get(at).map(|_| quoted(character(bytes, at)));
    match (byte(expected), byte(actual)) {
        (Some(expected), Some(actual)) => format!(
            "content: the {} byte differs: expected {expected}, got {actual}",
            ordinal(at + 1)
        ),
        (Some(next), None) => format!(
            "content: it ends after {}, before the expected {next}",
            count(at, "byte")
        ),
        (None, Some(next)) => format!(
            "content: it goes on after the expected {}, with {next}",
            count(at, "byte")
        ),
        (None, None) => "content: equal".to_owned(),
    }
}

/// The character that the byte at `at` belongs to, where the bytes are UTF-8;
/// else that byte.
fn character(bytes: &[u8], at: usize) -> &[u8] {
    let whole = std::str::from_utf8(bytes).ok().and_then(|text| {
        let (start, c) = text.char_indices().take_while(|(i, _)| *i <= at).last()?;
        bytes.get(start..start + c.len_utf8())
    });
    whole.or_else(|| bytes.get(at..=at)).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_byte_is_named() {
        assert_eq!(
            first_difference("GRüß".as_bytes(), "GRÜS".as_bytes()),
            "content: the 4th byte differs: expected \"ü\", got \"Ü\""
        );
        assert_eq!(
            first_difference(b"GR\xfc", b"GR\xdc"),
            "content: the 3rd byte differs: expected \"\\xfc\", got \"\\xdc\""
        );
        assert_eq!(
            first_difference(b"HELLO", b"HELlO"),
            "content: the 4th byte differs: expected \"L\", got \"l\""
        );
        assert_eq!(
            first_difference(b"hello\n", b"hello"),
            "content: it ends after 5 bytes, before the expected \"\\n\""
        );
        assert_eq!(
            first_difference(b"", b"x"),
            "content: it goes on after the expected 0 bytes, with \"x\""
        );
    }

    #[test]
    fn numbers_are_shown_without_needless_fraction() {
        assert_eq!(whole(404).shown(), "404");
        let quarter = Number::with_places(250, 3);
        assert_eq!(Datum::Number(quarter).shown(), "0.25");
        let long = Number::parse(&"7".repeat(100)).unwrap();
        assert_eq!(Datum::Number(long).shown(), format!("{}…", "7".repeat(60)));
    }

    /// A capture that has the answer, though not which bytes it is, is no proof that
    /// there was none.
    #[test]
    fn what_may_be_an_answer_is_no_evidence_that_there_is_none() {
        let lack = |no_response| {
            unanswered(&Message {
                conversation: 0,
                way: Direction::ToServer,
                request: None,
                response: None,
                interim: Vec::new(),
                packets: Default::default(),
                switches_to: None,
                no_response,
                given_up: false,
            })
        };
        assert!(lack(Some(NoResponse::Unclear)).no_evidence);
        for (what, told) in [
            (None, "by a response"),
            (Some(NoResponse::NotCaptured), "by a response"),
            (Some(NoResponse::NoStatusLine(5)), "5 bytes"),
            (Some(NoResponse::NoBlankLine(36)), "36 bytes"),
        ] {
            let lack = lack(what);
            assert!(!lack.no_evidence && lack.message.contains(told), "{lack:?}");
        }
    }

    #[test]
    fn completeness_is_taken_apart() {
        assert_eq!(
            completeness_meaning(37),
            "completeness 37 = 1 SYN + 4 ACK + 32 RST"
        );
    }
}
