//! What is allowed in an expectation, but will fail some day by an accident of
//! timing, or says less than it seems to; each with the better way.

use crate::diagnostic::{Code, Diagnostic, Severity};

use super::ast::Span;
use super::lex::{self, Strings, Token};

pub(super) const PACKETS: &str = "L001";
pub(super) const ACKS: &str = "L002";
pub(super) const SEGMENTS: &str = "L003";
pub(super) const EXACT_TIME: &str = "L004";
pub(super) const EPHEMERAL: &str = "L005";
pub(super) const SHORT_TIME: &str = "L006";
pub(super) const NUMBERS: &str = "L007";

/// The first port that systems give out by themselves (Linux; others begin at
/// 49152, RFC 6335, section 6).
const FIRST_EPHEMERAL: u16 = 32768;

/// Bounds below this fail on a busy machine: a program may not run for so long.
const SHORT: f64 = 0.010;

/// Every code, in order.
pub const ALL: &[Code] = &[
    Code {
        code: PACKETS,
        title: "packets are counted",
        explanation: "`exactly packets` counts pure ACKs, and how many there are is up to the kernel's timing (RFC 9293, section 3.8.6.3). `exactly` counts events, which no timing changes.",
        example: Some("exactly packets { client > server SYN; server > client RST }"),
        fix: Some("exactly { client > server SYN; server > client RST }"),
    },
    Code {
        code: ACKS,
        title: "pure ACKs are counted",
        explanation: "How many ACKs without data there are, a receiver decides by its timers. Of an ACK only say that there is one, or say what it acknowledges.",
        example: Some("packets(client > server ACK) == 2"),
        fix: Some("packets(client > server ACK) > 0"),
    },
    Code {
        code: SEGMENTS,
        title: "data segments are counted",
        explanation: "TCP cuts a stream into segments as it likes: by its buffers, the window, what the network card joins. Say what the stream holds.",
        example: Some("packets(tcp.len > 0) == 2"),
        fix: Some("stream(client > server) == \"hello\""),
    },
    Code {
        code: EXACT_TIME,
        title: "a time is expected to be exact",
        explanation: "No run takes as long as the other, to the nanosecond, and none is at the same time of day (`Date` in a header of HTTP). Give a bound.",
        example: Some("tcp[0].handshake_rtt == 1ms"),
        fix: Some("tcp[0].handshake_rtt < 100ms"),
    },
    Code {
        code: EPHEMERAL,
        title: "an ephemeral port",
        explanation: "Ports from 32768 are given out by the system, another one for each connection. Name the program instead, without a port.",
        example: Some("no tcp.port == 40000"),
        fix: Some("no from == client"),
    },
    Code {
        code: SHORT_TIME,
        title: "a bound of less than 10 ms",
        explanation: "A busy machine may let a program wait for longer. A bound should be ten times what is usual: `within 1s` still tells a refusal from a timeout.",
        example: Some("in order { client > server SYN; server > client SYN,ACK within 1ms }"),
        fix: Some("in order { client > server SYN; server > client SYN,ACK within 1s }"),
    },
    Code {
        code: NUMBERS,
        title: "a number that a connection draws by lot",
        explanation: "Initial sequence numbers, time stamps, IP identification and checksums differ from run to run. Relative numbers (`tcp.seq`, `tcp.ack`) do not. The window is what the system has room for at the moment.",
        example: Some("each SYN has tcp.seq_raw == 12345"),
        fix: Some("each SYN has tcp.seq == 0"),
    },
];

const LEAVE_OUT: &str = "leave it out: no program can tell what it will be";

/// Fields whose value is another in each run, and what may be asked instead.
const RANDOM: [(&str, &str); 9] = [
    ("tcp.seq_raw", "compare the relative number: `tcp.seq`"),
    ("tcp.ack_raw", "compare the relative number: `tcp.ack`"),
    (
        "tcp.options.timestamp.tsval",
        "ask whether it is there: `tcp.options.timestamp`",
    ),
    (
        "tcp.options.timestamp.tsecr",
        "ask whether it is there: `tcp.options.timestamp`",
    ),
    ("ip.id", LEAVE_OUT),
    ("ip.checksum", LEAVE_OUT),
    ("tcp.checksum", LEAVE_OUT),
    ("udp.checksum", LEAVE_OUT),
    (
        "frame.time_epoch",
        "give a time since the first packet a bound: `frame.time_relative < 1`",
    ),
];

/// Fields that tell how much room a receiver has.
const WINDOW: [&str; 3] = [
    "tcp.window_size_value",
    "tcp.window_size",
    "tcp.window_size_scalefactor",
];

/// Fields that tell how a stream was cut into packets.
const CUTS: [&str; 6] = [
    "tcp.len",
    "tcp.payload",
    "tcp.flags.push",
    "frame.len",
    "frame.cap_len",
    "ip.len",
];

/// Fields and members that are times.
const TIMES: [&str; 8] = [
    "handshake_rtt",
    "handshake_rtt_ms",
    "duration",
    "time_relative",
    "time_delta",
    "ack_rtt",
    "initial_rtt",
    "time",
];

/// Everything that will flake in a sound text. Spans are bytes of `text`.
pub fn lint(text: &str) -> Vec<Diagnostic> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        found.extend(at_token(text, &tokens, at));
    }
    found
}

struct Seen<'t> {
    token: Token<'t>,
    span: Span,
}

/// The tokens of a text; regular expressions and bare targets left out.
fn tokens(text: &str) -> Vec<Seen<'_>> {
    let mut out: Vec<Seen<'_>> = Vec::new();
    let mut at = 0;
    let mut parentheses = 0usize;
    loop {
        if matches!(out.last().map(|s| &s.token), Some(Token::Symbol("~")))
            && let Some(Ok((_, span))) = lex::regex(text, at)
        {
            at = span.end;
        }
        let before = out.last().map(|s| &s.token);
        if let Some(span) = lex::target_behind(before, text, at, parentheses > 0) {
            at = span.end;
        }
        let lexed = lex::token(text, at, Strings::Statements);
        match lexed.token {
            Token::End => return out,
            Token::Symbol("(") => parentheses += 1,
            Token::Symbol(")") => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        at = lexed.span.end.max(at + 1);
        out.push(Seen {
            token: lexed.token,
            span: lexed.span,
        });
    }
}

fn at_token(text: &str, tokens: &[Seen<'_>], at: usize) -> Option<Diagnostic> {
    let token = |offset: usize| tokens.get(at + offset).map(|seen| &seen.token);
    let here = tokens.get(at)?;
    let span = here.span.clone();
    match (&here.token, token(1), token(2)) {
        (Token::Word("exactly"), Some(Token::Word("packets")), Some(Token::Symbol("{"))) => {
            Some(warning(
                PACKETS,
                span.start..tokens.get(at + 1)?.span.end,
                "`exactly packets` counts ACKs, whose number depends on timing",
                "another kernel sends more, or fewer",
                "write `exactly { … }`: it counts events",
            ))
        }
        (Token::Word("packets"), Some(Token::Symbol("(")), _) => counted(text, tokens, at),
        (Token::Word("within"), Some(Token::Number(number)), _) => {
            let seconds = seconds(number)?;
            (seconds < SHORT).then(|| {
                warning(
                    SHORT_TIME,
                    tokens.get(at + 1).map_or(span, |s| s.span.clone()),
                    "a busy machine takes longer than this",
                    "less than 10 ms",
                    "give ten times what is usual: `within 1s`",
                )
            })
        }
        (Token::Symbol(":"), Some(Token::Number(port)), _) => {
            let before = at.checked_sub(1).and_then(|i| tokens.get(i))?;
            if !matches!(before.token, Token::Word(_)) {
                return None;
            }
            ephemeral(port, tokens.get(at + 1)?.span.clone())
        }
        (
            Token::Word(word),
            Some(Token::Symbol("==" | "<" | "<=")),
            Some(Token::Number(number)),
        ) if word.split('.').next() == Some("packets")
            && may_be_acks(number)
            && is_of_tcp(tokens, at) =>
        {
            Some(warning(
                ACKS,
                span.start..tokens.get(at + 2)?.span.end,
                "ACKs are among these packets, and how many depends on timing",
                "a count of all packets",
                "count bytes, or events in a block: `exactly { … }`",
            ))
        }
        (Token::Word(word), Some(Token::Symbol("<" | "<=")), Some(Token::Number(number))) => {
            let bound = bound(word, number)?;
            let second = match seconds(number) {
                Some(_) => "1s",
                None if word.ends_with("_ms") => "1000",
                None => "1",
            };
            (bound < SHORT).then(|| {
                warning(
                    SHORT_TIME,
                    tokens.get(at + 2).map_or(span, |s| s.span.clone()),
                    "a busy machine takes longer than this",
                    "less than 10 ms",
                    &format!("give ten times what is usual: `< {second}`"),
                )
            })
        }
        // `no tcp.time_delta > 0.001` fails where `< 0.001` would.
        (Token::Word(word), Some(Token::Symbol(">" | ">=")), Some(Token::Number(number)))
            if says_no(tokens, at) =>
        {
            (bound(word, number)? < SHORT).then(|| {
                warning(
                    SHORT_TIME,
                    tokens.get(at + 2).map_or(span, |s| s.span.clone()),
                    "a busy machine takes longer than this",
                    "less than 10 ms",
                    "give ten times what is usual: `> 1`",
                )
            })
        }
        (Token::Word(word), Some(Token::Symbol("==")), Some(Token::Text(_)))
            if word.rsplit('.').next() == Some("history") =>
        {
            Some(warning(
                ACKS,
                span.start..tokens.get(at + 2)?.span.end,
                "when ACKs come depends on timing, and with it the order of these letters",
                "all letters in their order",
                "say how it ended, `tcp[0].state == \"SF\"`, or what is in it: `contains \"R\"`",
            ))
        }
        (Token::Word("frame.number"), Some(Token::Symbol("==")), Some(Token::Number(_))) => {
            Some(warning(
                ACKS,
                span.start..tokens.get(at + 2)?.span.end,
                "how many packets lie before this one depends on timing",
                "ACKs are counted too",
                "say what the packet carries, or name its step by `as`",
            ))
        }
        (Token::Word(word), Some(Token::Symbol("==")), Some(Token::Number(number)))
            if CUTS.contains(word) && *number != "0" && is_of_data(tokens, at) =>
        {
            Some(warning(
                SEGMENTS,
                span.start..tokens.get(at + 2)?.span.end,
                "in how many segments data travels depends on timing",
                "the length of a segment",
                "say what was sent: `data \"…\"`, `stream(client > server) == \"…\"`",
            ))
        }
        (Token::Word(word), Some(Token::Symbol("==")), Some(Token::Number(number))) => {
            let last = word.rsplit('.').next().unwrap_or(word);
            let number_span = tokens.get(at + 2)?.span.clone();
            if let Some((_, instead)) = RANDOM.iter().find(|(field, _)| field == word) {
                return Some(warning(
                    NUMBERS,
                    span,
                    format!("`{word}` is another number in each run"),
                    "not known beforehand",
                    instead,
                ));
            }
            if WINDOW.contains(word) && *number != "0" {
                return Some(warning(
                    NUMBERS,
                    span,
                    format!("`{word}` is what the system has room for at the moment"),
                    "another on another machine",
                    "ask whether there is room: `> 0`",
                ));
            }
            if matches!(last, "port" | "srcport" | "dstport") {
                return ephemeral(number, number_span);
            }
            TIMES.contains(&last).then(|| {
                warning(
                    EXACT_TIME,
                    span.start..number_span.end,
                    "a time is never exactly this",
                    "equal to the nanosecond",
                    "give a bound: `< 100ms`",
                )
            })
        }
        (Token::Word(word), Some(Token::Symbol("==")), Some(Token::Text(_))) if is_date(word) => {
            Some(warning(
                EXACT_TIME,
                span.start..tokens.get(at + 2)?.span.end,
                "a message is sent at another time in each run",
                "the time of day",
                "ask for its form: `~ / GMT$/`, in a filter `matches \" GMT$\"`",
            ))
        }
        _ => None,
    }
}

/// The statement begins with `no`.
fn says_no(tokens: &[Seen<'_>], at: usize) -> bool {
    let before = tokens.get(..at).unwrap_or_default();
    let own = before.rsplit(|seen| seen.token.ends_statement()).next();
    let first = own.and_then(|own| own.first());
    first.is_some_and(|seen| seen.token == Token::Word("no"))
}

/// `http.date`, `response.headers.Date`: when a message was sent.
fn is_date(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower == "http.date" || lower.ends_with(".headers.date")
}

/// `packets(…) == N` over ACKs or data.
fn counted(text: &str, tokens: &[Seen<'_>], at: usize) -> Option<Diagnostic> {
    let mut depth = 0usize;
    let mut close = None;
    for (i, seen) in tokens.iter().enumerate().skip(at + 1) {
        match seen.token {
            Token::Symbol("(") => depth += 1,
            Token::Symbol(")") => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    close = Some(i);
                    break;
                }
            }
            _ => {}
        }
    }
    let close = close?;
    let (op, number) = (tokens.get(close + 1)?, tokens.get(close + 2)?);
    // That there is none, or some, is no count.
    let is_count = matches!(op.token, Token::Symbol("==" | "<=" | "<"))
        && matches!(number.token, Token::Number(n) if n != "0");
    if !is_count {
        return None;
    }
    let inside = tokens.get(at + 2..close)?;
    let last_word = inside.iter().rev().find_map(|seen| match seen.token {
        Token::Word(word) => Some(word),
        _ => None,
    })?;
    let names = |wanted: &str| inside.iter().any(|s| s.token == Token::Word(wanted));
    let span = tokens.get(at)?.span.start..number.span.end;
    let follows_comma = text
        .get(tokens.get(at)?.span.start..tokens.get(close)?.span.start)
        .is_some_and(|inner| inner.contains("SYN,ACK") || inner.contains("SYN, ACK"));
    // `tcp.flags == 0x18`: neither SYN nor FIN nor RST, so that timing decides.
    let flags = inside.windows(3).find_map(|three| match three {
        [field, op, value] => match (&field.token, &op.token, &value.token) {
            (Token::Word("tcp.flags"), Token::Symbol("=="), Token::Number(flags)) => {
                i64::from_str_radix(flags.strip_prefix("0x")?, 16).ok()
            }
            _ => None,
        },
        _ => None,
    });
    if flags.is_some_and(|flags| flags & 0x07 == 0) {
        return Some(warning(
            SEGMENTS,
            span,
            "in how many segments data and ACKs travel depends on timing",
            "a count of segments",
            "say what the stream holds: `stream(client > server) == \"…\"`",
        ));
    }
    let many = matches!(number.token, Token::Number(n) if may_be_acks(n));
    if many && is_every_segment(inside) {
        return Some(warning(
            ACKS,
            span,
            "ACKs are among these packets, and how many depends on timing",
            "a count of all packets",
            "count what has a meaning: `packets(tcp.flags.syn == 1)`, bytes of a stream",
        ));
    }
    if last_word == "ACK" && !follows_comma {
        return Some(warning(
            ACKS,
            span,
            "how many ACKs there are depends on timing",
            "a count of pure ACKs",
            "say what was acknowledged, or only that there is one: `> 0`",
        ));
    }
    let is_early = |three: &[Seen<'_>]| match three {
        [field, op, bound] => match (&field.token, &op.token, &bound.token) {
            (Token::Word(field), Token::Symbol("<" | "<="), Token::Number(number)) => {
                self::bound(field, number).is_some_and(|bound| bound <= SHORT)
            }
            _ => false,
        },
        _ => false,
    };
    if inside.windows(3).any(is_early) {
        return Some(warning(
            SHORT_TIME,
            span,
            "how many packets come so soon depends on timing",
            "a count within 10 ms",
            "count what has a meaning, and give times a bound of their own: `within 1s`",
        ));
    }
    // A datagram is not cut.
    let of_datagrams = inside.iter().any(|seen| match seen.token {
        Token::Word(word) => matches!(word.split('.').next(), Some("udp" | "icmp" | "dns" | "arp")),
        _ => false,
    });
    let is_cut = CUTS.into_iter().any(names) && !of_datagrams;
    (is_cut || last_word == "data").then(|| {
        warning(
            SEGMENTS,
            span,
            "in how many segments data travels depends on timing",
            "a count of segments",
            "say what the stream holds: `stream(client > server) == \"…\"`",
        )
    })
}

/// Up to two packets are a SYN and its refusal, without an ACK.
fn may_be_acks(count: &str) -> bool {
    !matches!(count, "0" | "1" | "2")
}

/// `tcp`, `ip`, `tcp.port == 80`: pure ACKs are among what it counts.
fn is_every_segment(filter: &[Seen<'_>]) -> bool {
    let words: Vec<&Token<'_>> = filter.iter().map(|seen| &seen.token).collect();
    match words.as_slice() {
        [Token::Word("frame" | "eth" | "sll" | "ip" | "ipv6" | "tcp" | "tcp.flags.ack")] => true,
        [Token::Word(field), Token::Symbol("=="), Token::Number(_)] => matches!(
            *field,
            "tcp.port" | "tcp.srcport" | "tcp.dstport" | "tcp.stream" | "tcp.flags.ack"
        ),
        _ => false,
    }
}

/// The field at this place is one of a step's `data`: `data where tcp.len == 14`, `each
/// data has …`.
fn is_of_data(tokens: &[Seen<'_>], at: usize) -> bool {
    let before = tokens.get(..at).unwrap_or_default().iter().rev();
    let mut of_step = before.take_while(|seen| {
        !matches!(
            seen.token,
            Token::Newline | Token::Semicolon | Token::Symbol("{" | "}" | "|")
        )
    });
    let has_condition = of_step.any(|seen| matches!(seen.token, Token::Word("where" | "has")));
    has_condition && of_step.any(|seen| seen.token == Token::Word("data"))
}

/// The field at this place is one of TCP conversations: `tcp[0].packets`, `each
/// tcp[] has packets …`.
fn is_of_tcp(tokens: &[Seen<'_>], at: usize) -> bool {
    let before = tokens.get(..at).unwrap_or_default().iter().rev();
    let mut of_statement =
        before.take_while(|seen| !matches!(seen.token, Token::Newline | Token::Semicolon));
    let collection = of_statement.find_map(|seen| match seen.token {
        Token::Word(word @ ("tcp" | "udp" | "http")) => Some(word),
        _ => None,
    });
    collection == Some("tcp")
}

/// The upper bound of a time, in seconds.
fn bound(name: &str, number: &str) -> Option<f64> {
    let last = name.rsplit('.').next().unwrap_or(name);
    if !TIMES.contains(&last) {
        return None;
    }
    let plain = || {
        let number: f64 = number.parse().ok()?;
        Some(if last.ends_with("_ms") {
            number / 1e3
        } else {
            number
        })
    };
    seconds(number).or_else(plain)
}

/// Is it a port that the system gives out by itself?
pub(super) fn is_ephemeral(port: u16) -> bool {
    port >= FIRST_EPHEMERAL
}

fn ephemeral(port: &str, span: Span) -> Option<Diagnostic> {
    let number: u16 = port.parse().ok()?;
    is_ephemeral(number).then(|| {
        warning(
            EPHEMERAL,
            span,
            format!("{number} is a port that the system gives out by itself"),
            "another one in each run",
            "the role says who it is: `client > any` in a step, `from == client` in a filter",
        )
    })
}

/// `50ms`, `200us`, `1.5s`.
fn seconds(text: &str) -> Option<f64> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    Some(match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" => number * 60.0,
        _ => return None,
    })
}

fn warning(
    code: &'static str,
    span: Span,
    message: impl Into<String>,
    label: &str,
    help: &str,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code,
        message: message.into(),
        span,
        label: label.to_owned(),
        help: Some(help.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        lint(text).into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn each_example_is_told_and_its_fix_is_sound() {
        let roles = ["client".to_owned(), "server".to_owned()];
        for code in ALL {
            let (example, fix) = code.example.zip(code.fix).unwrap();
            assert_eq!(codes(example), [code.code], "{example}");
            assert_eq!(codes(fix), [""; 0], "{fix}");
            for text in [example, fix] {
                let parsed = super::super::parse("x", text, &roles);
                assert!(parsed.is_ok_and(|e| e.warnings.is_empty()), "{text}");
            }
        }
    }

    #[test]
    fn what_a_busy_machine_breaks_is_told_however_it_is_said() {
        for (text, code) in [
            ("no frame.time_delta > 0.001", SHORT_TIME),
            ("no tcp.analysis.ack_rtt >= 0.001", SHORT_TIME),
            ("tcp[0].history == \"ShADadfF\"", ACKS),
        ] {
            assert_eq!(codes(text), [code], "{text}");
        }
        // What takes at least so long is a program's own waiting.
        assert_eq!(codes("each RST has frame.time_delta > 0.001"), [""; 0]);
    }

    #[test]
    fn what_is_stable_is_not_told() {
        for text in [
            "packets(tcp.flags.syn == 1) == 2",
            "packets(client > server SYN,ACK) == 1",
            "packets(tcp.len > 0) == 0",
            "client.stdout contains \"tcp.port == 40000\"",
            "no client > server data ~ /x:40000 within 1ms/",
            "in order { client > server GET /a:40000; server > client HTTP 200 within 1s }",
            "no client > server:12000 SYN",
            "tcp[0].handshake_rtt < 1s",
        ] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn whatever_counts_acks_is_told() {
        for text in [
            "packets(tcp) == 10",
            "packets(tcp.port == 12000) == 10",
            "tcp[0].packets == 10",
            "tcp[0].packets.to_server < 10",
            "each tcp[] has packets == 10",
            "in order { client > server data where frame.number == 4 }",
        ] {
            assert_eq!(codes(text), [ACKS], "{text}");
        }
        for text in [
            "udp[0].packets == 2",
            "packets(udp) == 2",
            "packets(tcp) > 0",
            "packets(tcp) == 2",
        ] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn whatever_counts_segments_or_their_bytes_is_told() {
        for (text, code) in [
            ("packets(frame) == 10", ACKS),
            ("packets(ip) <= 10", ACKS),
            ("each data has tcp.len == 14", SEGMENTS),
            (
                "in order { client > server data where tcp.len == 14 }",
                SEGMENTS,
            ),
            ("packets(tcp.flags.push == 1) == 2", SEGMENTS),
            ("packets(frame.len == 74) == 2", SEGMENTS),
            ("packets(frame.time_relative < 0.01) == 10", SHORT_TIME),
        ] {
            assert_eq!(codes(text), [code], "{text}");
        }
        for text in [
            "each SYN has tcp.len == 0",
            "packets(udp and frame.len == 55) == 2",
            "packets(dns.time < 1) == 2",
            "in order { client > server data \"a\"; server > client FIN where tcp.len == 0 }",
            "each udp has udp.length == 13",
        ] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn short_bounds_are_told_in_every_spelling() {
        for text in [
            "client.duration < 5ms",
            "tcp[0].handshake_rtt_ms <= 2",
            "each SYN has tcp.time_delta < 0.001",
        ] {
            assert_eq!(codes(text), [SHORT_TIME], "{text}");
        }
    }

    #[test]
    fn what_is_advised_can_be_written_there() {
        for (text, code, mended) in [
            (
                "tcp[0].handshake_rtt_ms < 1",
                SHORT_TIME,
                "tcp[0].handshake_rtt_ms < 1000",
            ),
            ("client.duration < 5ms", SHORT_TIME, "client.duration < 1s"),
            (
                "each SYN has tcp.time_delta < 0.001",
                SHORT_TIME,
                "each SYN has tcp.time_delta < 1",
            ),
            ("no tcp.seq_raw == 5", NUMBERS, "no tcp.seq == 5"),
        ] {
            let found = lint(text);
            assert_eq!(codes(text), [code], "{text}");
            let help = found[0].help.as_deref().unwrap_or_default();
            let advised = help.split('`').nth(1).unwrap_or_default();
            let advised = advised.trim_start_matches("< ");
            let mut written = text.to_owned();
            written.replace_range(found[0].span.clone(), advised);
            assert_eq!(written, mended);
            let roles = ["client".to_owned()];
            assert!(super::super::parse("x", mended, &roles).is_ok(), "{mended}");
            assert_eq!(codes(mended), [""; 0], "{mended}");
        }
        let of_datagrams = lint("each udp has udp.checksum == 0x1234");
        let help = of_datagrams[0].help.as_deref().unwrap_or_default();
        assert!(!help.contains("tcp"), "{help}");
    }

    #[test]
    fn windows_dates_and_flags_without_a_turn_are_told() {
        for (text, code) in [
            ("packets(tcp.flags == 0x18) == 3", SEGMENTS),
            ("packets(tcp.flags == 0x010) == 3", SEGMENTS),
            ("each SYN has tcp.window_size_value == 64240", NUMBERS),
            (
                "http[0].response.headers.Date == \"Mon, 30 Nov 2026 08:00:00 GMT\"",
                EXACT_TIME,
            ),
            ("no http.date == \"x\"", EXACT_TIME),
        ] {
            assert_eq!(codes(text), [code], "{text}");
        }
        for text in [
            "packets(tcp.flags == 0x02) == 1",
            "packets(GET /a) == 2",
            "no tcp.window_size == 0",
            "http[0].response.headers.Server == \"x\"",
        ] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn places_are_those_of_what_is_told() {
        let text = "no RST\nexactly packets { client > server:40000 SYN }";
        let marked: Vec<&str> = lint(text).iter().map(|d| &text[d.span.clone()]).collect();
        assert_eq!(marked, ["exactly packets", "40000"]);
    }
}
