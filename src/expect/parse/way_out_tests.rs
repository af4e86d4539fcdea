//! Each mistake is told with a way out that leads to the end.

use super::*;

fn found(text: &str) -> Vec<Diagnostic> {
    let roles = ["client".to_owned(), "server".to_owned()];
    match parse("test", text, &roles) {
        Ok(expectation) => expectation.warnings,
        Err(found) => found,
    }
}

/// The code, what is marked, and the way out.
fn told(text: &str) -> (&'static str, &str, String) {
    let all = found(text);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    let one = all.into_iter().next().unwrap();
    (one.code, &text[one.span], one.help.unwrap_or_default())
}

#[test]
fn a_number_that_no_value_is_is_refused() {
    let large = "99999999999999999999999";
    for text in [
        format!("client.exit == {large}"),
        format!("packets(SYN) < {large}"),
    ] {
        let (code, marked, _) = told(&text);
        assert_eq!((code, marked), (codes::OUT_OF_RANGE, large));
    }
    let id = "json(client.stdout, \"$.id\") == 99999999999999999999999";
    assert!(found(id).is_empty(), "JSON has numbers of any length");
    let tiny = format!("tcp[0].handshake_rtt_ms > 0.{}1", "0".repeat(50));
    assert_eq!(told(&tiny).0, codes::OUT_OF_RANGE);
}

#[test]
fn a_step_is_not_named_by_a_word_of_the_language() {
    for word in [
        "RST", "FIN", "SYN", "GET", "HTTP", "exactly", "packets", "stream", "nothing", "contains",
        "true", "data", "tcp", "client", "x2",
    ] {
        let text = format!("in order {{ any > any SYN as {word} }}");
        let (code, marked, help) = told(&text);
        assert_eq!((code, marked), (codes::BAD_NAME, word));
        assert!(
            help.contains("not a word of the language, a protocol, or a role"),
            "{help}"
        );
    }
    assert!(found("in order { any > any SYN as syn; any > any FIN as reply }").is_empty());
}

#[test]
fn a_name_given_again_means_the_later_step() {
    let block = "in order { any > any SYN as s }";
    assert!(found(&format!("{block}\nno RST after s\n{block}; no udp after s")).is_empty());
    let (code, _, help) =
        told("in order { any > any SYN as s }; in order { any > any ACK within 1s of s as s }");
    assert_eq!(code, codes::DUPLICATE_NAME);
    assert!(help.contains("another word"), "{help}");
}

#[test]
fn a_window_may_lie_between_any_events() {
    for text in [
        "no RST between data and FIN",
        "no RST between udp and icmp",
        "no RST between FIN and data",
        "no RST after data until udp",
        "no RST between (data) and FIN",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn headers_are_led_to_their_names() {
    for text in [
        "http[0].response.header.Content-Type == \"x\"",
        "http[0].response.headers[\"Content-Type\"] == \"x\"",
        "each http[] has response.headers[\"Content-Type\"] == \"x\"",
    ] {
        let (code, _, help) = told(text);
        assert_eq!(code, codes::UNKNOWN_MEMBER, "{text}");
        assert_eq!(help, "write `response.headers.Content-Type`", "{text}");
    }
    assert!(
        told("http[0].nothing == 1")
            .2
            .contains("response.headers.NAME")
    );
}

#[test]
fn ways_out_lead_out() {
    for (text, code, way_out) in [
        (
            "tcp[0].handshake_rtt_ms < 50ms",
            codes::TYPES,
            "write `50`, or compare `handshake_rtt`",
        ),
        ("packets(SYN) < 50ms", codes::TYPES, "a number has no unit"),
        ("len(client.stdout) < 1m", codes::TYPES, "`1MiB`"),
        (
            "tcp[0].duration < 99999999999999999999s",
            codes::BAD_DURATION,
            "at most",
        ),
        ("len(client.stdout) < 1M", codes::BAD_DURATION, "`1MiB`"),
        (
            "no icmp unreachable",
            codes::UNKNOWN_ICMP,
            "`destination-unreachable`",
        ),
        (
            "in order { SYN as s; SYN,ACK where tcp.ack == s.seq + 1 }",
            codes::UNKNOWN_FIELD,
            "`s.tcp.seq`",
        ),
        ("in order { HTTP OK }", codes::EXPECTED, "`HTTP 200`"),
        (
            "in order { GET / HTTP/1.1 }",
            codes::EXPECTED,
            "version: `GET /`",
        ),
        (
            "json(client.stdout, \"a.b\") == 1",
            codes::JSON_PATH,
            "write `\"$.a.b\"`",
        ),
        ("no tcp.len / (2 + 1) == 1", codes::EXPECTED, "`{ }`"),
        (
            "no GET index.html",
            codes::WRONG_LITERAL,
            "write `/index.html`",
        ),
        (
            "tcp[0].server.role != \"sever\"",
            codes::WRONG_LITERAL,
            "did you mean \"server\"?",
        ),
        (
            "each udp[] has client.role == \"bob\"",
            codes::WRONG_LITERAL,
            "known are \"client\", \"server\"",
        ),
    ] {
        let (found, _, help) = told(text);
        assert_eq!(found, code, "{text}");
        assert!(help.contains(way_out), "{text}: {help}");
    }
    for sound in [
        "client.duration < 1m",
        "no GET \"index.html\"",
        "in order { GET x1..3; HTTP x2.. }",
        "no CONNECT host:80; no OPTIONS *; no GET http://a/b; no HTTP /x",
        "tcp[0].server.role == \"nobody\"",
    ] {
        assert!(found(sound).is_empty(), "{sound}: {:?}", found(sound));
    }
}

/// What people write by habit or by mistake, and what the help makes of it: its code
/// in place of what is marked, or in place of the whole.
const MENDED: &[(&str, &str)] = &[
    ("no tcp.port == 80 AND udp", "no tcp.port == 80 and udp"),
    (
        "packets(SYN) == 1 AND packets(RST) == 0",
        "packets(SYN) == 1 and packets(RST) == 0",
    ),
    ("packets(tcp OR udp) == 1", "packets(tcp or udp) == 1"),
    ("no tcp.port == 80 | udp", "no tcp.port == 80 or udp"),
    ("no tcp.port <> 80", "no tcp.port != 80"),
    ("packets(SYN) <> 2", "packets(SYN) != 2"),
    ("packets(SYN) => 2", "packets(SYN) >= 2"),
    ("no tcp.port is 80", "no tcp.port == 80"),
    ("tcp.port = 80", "no tcp.port == 80"),
    ("tcp.len = 5 and udp", "no tcp.len == 5 and udp"),
    ("tcp(0).state == \"SF\"", "tcp[0].state == \"SF\""),
    (
        "http(1).response.code == 200",
        "http[1].response.code == 200",
    ),
    ("NO RST", "no RST"),
    ("No RST", "no RST"),
    (
        "IN ORDER { client > server SYN }",
        "in order { client > server SYN }",
    ),
    (
        "EXACTLY { client > server SYN }",
        "exactly { client > server SYN }",
    ),
    (
        "EACH udp has udp.length == 13",
        "each udp has udp.length == 13",
    ),
    (
        "tcp[0].closed_by == client",
        "tcp[0].closed_by == \"client\"",
    ),
    ("tcp[0].state == SF", "tcp[0].state == \"SF\""),
    (
        "each tcp[] has state == SF",
        "each tcp[] has state == \"SF\"",
    ),
    (
        "tcp[0].retransmissions == none",
        "tcp[0].retransmissions == 0",
    ),
    (
        "http[0].response.body_complete == yes",
        "http[0].response.body_complete == true",
    ),
    (
        "in order { client > server SYN; server > client SYN,ACK where mss == 1460 }",
        "in order { client > server SYN; server > client SYN,ACK where tcp.options.mss_val == 1460 }",
    ),
    (
        "each SYN has tcp.options.mss == 1460",
        "each SYN has tcp.options.mss_val == 1460",
    ),
    (
        "in order { client > server SYN; client <> server FIN x1-3 }",
        "in order { client > server SYN; client <> server FIN x1..3 }",
    ),
    ("no tcp.syn == 1", "no tcp.flags.syn == 1"),
    ("no tcp.analysis.dup_ack", "no tcp.analysis.duplicate_ack"),
    ("no dup ack", "no tcp.analysis.duplicate_ack"),
    (
        "no http.request.path == \"/\"",
        "no http.request.uri.path == \"/\"",
    ),
    (
        "in order { SYN; optional server > client RST }",
        "in order { SYN; maybe server > client RST }",
    ),
    (
        "in order { MAYBE client > server SYN; FIN }",
        "in order { maybe client > server SYN; FIN }",
    ),
    ("no ip.addr == 10.0.0.0/33", "no ip.addr == 10.0.0.0/32"),
    ("no ip.addr == 10.0.0", "no ip.addr == 10.0.0.0/24"),
    ("no tcp.len > 1KB", "no tcp.len > 1000"),
    ("no tcp contains GET", "no tcp contains \"GET\""),
    (
        "stream(client > server) contains GET",
        "stream(client > server) contains \"GET\"",
    ),
];

/// What is marked is replaced by the first code of the help; or the whole is.
fn mended(text: &str) -> [String; 2] {
    let found = found(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let help = found[0].help.as_deref().unwrap_or_default();
    let code = help.split('`').nth(1).unwrap_or_default();
    let mut inside = text.to_owned();
    inside.replace_range(found[0].span.clone(), code);
    [inside, code.to_owned()]
}

#[test]
fn strangers_are_led_to_what_they_meant() {
    for (wrong, right) in MENDED {
        assert!(
            mended(wrong).iter().any(|m| m == right),
            "{wrong}: {:?}",
            found(wrong)
        );
        assert!(found(right).is_empty(), "{right}: {:?}", found(right));
    }
}

/// Where the way out is not one word in one place.
#[test]
fn strangers_are_told_where_to_write_what() {
    for (wrong, way_out) in [
        ("in order { SYN; SYN,ACK in 50ms }", "write `within 50ms`"),
        ("in order { SYN; SYN,ACK < 50ms }", "write `within 50ms`"),
        ("no RST in 50ms", "`for 50ms after FIN`"),
        (
            "in order { SYN } within 5s",
            "inside the block: `within 5s`",
        ),
        ("in order { SYN named a }", "write `as a`"),
        (
            "http[0].response.code == 2xx",
            "`http[0].response.code >= 200 and http[0].response.code <= 299`",
        ),
        (
            "no http.response.code == 4xx",
            "`http.response.code in {400..499}`",
        ),
        ("no HTTP 4xx", "`where http.response.code in {400..499}`"),
        ("packets(SYN == 1", "add the closing `)` before `==`"),
        ("no ip.addr == 10.0.0.256", "255 at most"),
        ("no ip.addr == ::1", "`ipv6.addr`"),
        ("no tcp & ip", "joined by `and`"),
        ("no http.host like \"x\"", "`contains \"…\"`"),
        ("client.stdout like \"x\"", "`contains \"…\"`"),
        (
            "no tcp.port == 80, 81",
            "are a set: `tcp.port in {80, 443}`",
        ),
        ("no tcp.flags == SYN", "`tcp.flags.syn == 1`"),
        (
            "no tcp.port in {80 | 81}",
            "commas part the values of a set",
        ),
        (
            "no tcp.port in {80 or 81}",
            "commas part the values of a set",
        ),
        ("each tcp() has state == \"SF\"", "`each tcp[] has …`"),
        ("no SYN AND FIN", "a statement of its own"),
        ("no SYN and FIN", "a statement of its own"),
        ("no SYN | FIN", "a statement of its own"),
        (
            "in order { client > server SYN <mss 1460> }",
            "`where tcp.options.mss_val == 1460`",
        ),
        ("// comment", "begins with `#`"),
        ("no RST // comment", "begins with `#`"),
        ("in order { ( SYN ) twice }", "`x2`"),
    ] {
        let (_, _, help) = told(wrong);
        assert!(help.contains(way_out), "{wrong}: {help}");
    }
}

/// One mistake is told once, and none hides another.
#[test]
fn mistakes_are_neither_invented_nor_lost() {
    for (text, codes) in [
        (
            "any order { SYN within 5ms of f; SYN,ACK as f }",
            &[codes::UNKNOWN_STEP][..],
        ),
        ("in order { data \"hello }", &[codes::UNCLOSED_STRING]),
        ("client.stdout == upper(\"hello)", &[codes::UNCLOSED_STRING]),
        (
            "packets(tcp.prot == 80) = 1",
            &[codes::UNKNOWN_FIELD, codes::ASSIGNMENT],
        ),
        (
            "each udp has udp.lenght = 13",
            &[codes::UNKNOWN_FIELD, codes::ASSIGNMENT],
        ),
        (
            "packets(tcp.prot in {80}) = 1; no RTS",
            &[
                codes::UNKNOWN_FIELD,
                codes::ASSIGNMENT,
                codes::UNKNOWN_EVENT,
            ],
        ),
    ] {
        let found: Vec<&str> = found(text).iter().map(|d| d.code).collect();
        assert_eq!(found, codes, "{text}");
    }
}

/// Sound statements, which the next test damages.
const SOUND: &[&str] = &[
    "no tcp.port == 80 and udp.length >= 13",
    "no client > server data \"a\" after server > client FIN",
    "in order { client > server SYN as s; server > client RST x1..3 within 50ms of s; maybe client > server FIN }",
    "exactly { ( GET /a ; HTTP 404 | data ~ /x/ ) x2 }",
    "any order on tcp[0] { SYN as a; udp after a where ip.addr == 10.0.0.0/8 }",
    "each tcp[] has state == \"SF\" and duration < 1s",
    "packets(RST after FIN) == 2 or not (len(client.stdout) <= 64KiB)",
    "stream(client > server) == upper(file(\"a\"))",
    "http[0].response.headers.Host contains \"x\"",
    "nothing for 200ms after (FIN where tcp.len == 0)",
    "no tcp.port in {80, 8000..8080} or len(http.host) > 2",
    "no {tcp.len & 1} == 1 or tcp[0:2] == 47:45 or http.host matches \"x\"",
    "json(client.stdout, \"$.a\") == 1",
];

const STRAYS: [&str; 20] = [
    "", "AND", "or", "|", "<>", ",", "like", "(", ")", "==", "=", "2xx", "1KB", "×", "\"", "none",
    "tcp.x", "10.0.0", "//", "}",
];

/// The code of a help is code: somewhere it can be written.
fn is_code(code: &str) -> bool {
    let is_form = ["…", "FILTER", "NAME", "STEP"]
        .iter()
        .any(|form| code.contains(form));
    let around = [
        ("", ""),
        ("no ", ""),
        ("", " == 1"),
        ("", " == 50ms"),
        ("", " == \"x\""),
        ("client.stdout == ", ""),
        ("client.exit == ", ""),
        ("client.duration < ", ""),
        ("http[0].response.body_complete == ", ""),
        ("client.stdout ", " \"x\""),
        ("client.exit ", " 1"),
        ("client.exit == 0 ", " client.exit == 1"),
        ("", " client.exit == 1"),
        ("no tcp.port ", ""),
        ("no ip.addr == ", ""),
        ("no tcp.port == ", ""),
        ("json(client.stdout, ", ") == 1"),
        ("in order { client > server SYN as s; ", " }"),
        (
            "in order { client > server SYN as s; client > server FIN ",
            " }",
        ),
        ("in order { client > server ", " }"),
        ("in order { client ", " server FIN }"),
        (
            "any order { client > server SYN as s; client > server FIN ",
            " }",
        ),
        ("", " { client > server SYN }"),
        ("each ", " udp has udp.length == 1"),
        ("no RST ", ""),
        ("no GET ", ""),
        ("", " RST"),
        ("", " client > server SYN }"),
    ];
    is_form
        || around.iter().any(|(before, behind)| {
            let text = format!("{before}{code}{behind}");
            let roles = ["client".to_owned(), "server".to_owned()];
            parse("test", &text, &roles).is_ok()
        })
}

#[test]
fn every_mistake_has_a_way_out_that_is_code() {
    let mut told = std::collections::BTreeSet::new();
    let mut bad = std::collections::BTreeSet::new();
    for text in SOUND {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        let mut at = 0;
        loop {
            let span = lex::token(text, at, Strings::Statements).span;
            if span.is_empty() {
                break;
            }
            at = span.end;
            for stray in STRAYS {
                for end in [span.start, span.end] {
                    let mut damaged = (*text).to_owned();
                    damaged.replace_range(span.start..end, &format!(" {stray} "));
                    for mistake in found(&damaged) {
                        let Some(help) = mistake.help else {
                            bad.insert(format!("{damaged}: {} has no help", mistake.message));
                            continue;
                        };
                        let proposed = ["write `", "did you mean `"];
                        let code = (proposed.iter())
                            .find_map(|words| help.split_once(words))
                            .and_then(|(_, code)| code.split('`').next());
                        if let Some(code) = code
                            && told.insert(code.to_owned())
                            && !is_code(code)
                        {
                            bad.insert(format!("{damaged}: {help}"));
                        }
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(told.len() > 50, "{told:?}");
}
