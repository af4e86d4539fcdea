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
