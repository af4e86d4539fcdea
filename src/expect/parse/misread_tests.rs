//! What would be read otherwise than it was meant is refused, with what was meant.

use super::*;

/// The code and the way out of the only mistake.
fn told(text: &str) -> (&'static str, String) {
    let roles = ["client".to_owned(), "server".to_owned()];
    let found = match parse("test", text, &roles) {
        Ok(expectation) => expectation.warnings,
        Err(found) => found,
    };
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let one = found.into_iter().next().unwrap();
    (one.code, one.help.unwrap_or_default())
}

/// Each mistake's code, and what its way out says.
fn all(cases: &[(&str, &'static str, &str)]) {
    for (text, code, way_out) in cases {
        let (found, help) = told(text);
        assert_eq!(found, *code, "{text}: {help}");
        assert!(help.contains(way_out), "{text}: {help}");
    }
}

#[test]
fn an_ampersand_is_no_and() {
    all(&[
        (
            "no tcp.flags.syn == 1 & tcp.flags.ack == 0",
            codes::WRONG_OPERATOR,
            "joined by `and`",
        ),
        (
            "no tcp.len == 14 & tcp.dstport == 12000",
            codes::EXPECTED,
            "joined by `and`",
        ),
        ("no 1 + tcp.len == 2", codes::EXPECTED, "the field first"),
    ]);
}

#[test]
fn an_answer_is_no_request_for_its_status() {
    all(&[
        ("no HTTP \"404\"", codes::EXPECTED, "`HTTP 404`"),
        ("no HTTP \"404 Not Found\"", codes::EXPECTED, "`HTTP 404`"),
        ("no HTTP ~ /404/", codes::EXPECTED, "http.response.phrase"),
        (
            "in order { HTTP/1.1 200 OK }",
            codes::EXPECTED,
            "`HTTP 200`",
        ),
        ("no GET /*", codes::WRONG_LITERAL, "`~ /^\\//`"),
        // RFC 9112, section 3.2.4: `*` is for OPTIONS alone. Also a regression, found by
        // fuzzing: the first, written out, was not read again.
        ("no HTTP *", codes::WRONG_LITERAL, "`HTTP` alone"),
        ("no GET *", codes::WRONG_LITERAL, "`GET` alone"),
    ]);
}

#[test]
fn digits_are_bytes_wherever_they_stand() {
    for text in [
        "no tcp contains 2024",
        "no frame contains 12345678",
        "no tcp.payload == 1234",
        "no http contains 4040",
    ] {
        assert_eq!(told(text).0, codes::DIGITS, "{text}");
    }
    all(&[
        (
            "no tcp.options.mss == 536",
            codes::WRONG_LITERAL,
            "`tcp.options.mss_val`",
        ),
        ("no tcp.payload[0] == 104", codes::WRONG_LITERAL, "`68`"),
        (
            "no tcp.payload contains 0x6865",
            codes::WRONG_LITERAL,
            "`68:65`",
        ),
    ]);
}

#[test]
fn what_holds_of_every_capture_is_refused() {
    for text in [
        "in order { maybe RST }",
        "in order { (RST | ) }",
        "any order { data x0.. }",
        "1 == 1",
        "client.stdout contains \"\"",
        "packets(FIN) >= -1",
        "packets(FIN) >= 0",
        "packets(FIN) != 1.5",
    ] {
        assert_eq!(told(text).0, codes::EMPTY, "{text}");
    }
    assert_eq!(told("no data \"\"").0, codes::EMPTY);
    for text in [
        "exactly { maybe RST }",
        "in order { maybe RST as r }\nno data after r",
        "in order { SYN; maybe RST }",
        // There has to be the event that the window begins with.
        "packets(RST after SYN) >= 0",
        "no udp \"\"",
    ] {
        let roles = ["client".to_owned()];
        let found = parse("test", text, &roles);
        assert!(found.is_ok(), "{text}: {found:?}");
    }
}

#[test]
fn habits_of_other_languages_are_led_to_ours() {
    all(&[
        (
            "packets((tcp.flags & 0x12) == 0x12) == 1",
            codes::EXPECTED,
            "`{tcp.flags & 0x12} == …`",
        ),
        (
            "packets(tcp.len > 0 < 20) == 1",
            codes::EXPECTED,
            "`tcp.len > 0 and tcp.len < …`",
        ),
        (
            "packets(tcp.port == 80, 12000) == 1",
            codes::EXPECTED,
            "`in {80, 12000}`",
        ),
        (
            "packets(frame.number == 1..3) == 1",
            codes::EXPECTED,
            "`in {1..3}`",
        ),
        ("no tcp.port EQ 80", codes::EXPECTED, "`==`"),
        ("no RST from server", codes::EXPECTED, "`server > any RST`"),
        (
            "no RST on tcp[0]",
            codes::EXPECTED,
            "`where tcp.stream == 0`",
        ),
        (
            "no RST after FIN before SYN",
            codes::EXPECTED,
            "`after A until B`",
        ),
        (
            "in order { SYN as syn; ACK within 1s from syn }",
            codes::EXPECTED,
            "`within … of syn`",
        ),
        ("no data ~ /hello/i", codes::EXPECTED, "`~ /(?i)…/`"),
        (
            "in order { SYN SYN,ACK ACK }",
            codes::FLAGS,
            "`SYN; SYN,ACK; ACK`",
        ),
        ("in any order { SYN }", codes::EXPECTED, "`any order { … }`"),
        (
            "each udp packet has udp.length > 8",
            codes::EXPECTED,
            "leave this word out",
        ),
        ("client.stdout =~ /x/", codes::EXPECTED, "write `~`"),
        ("no http.host =~ \"x\"", codes::EXPECTED, "`matches"),
        ("no lost", codes::UNKNOWN_FIELD, "`udp[0].lost == …`"),
        (
            "in order { SYN; SYN,ACK within 1µs }",
            codes::UNEXPECTED_CHARACTER,
            "write `1us`",
        ),
        (
            "in order { 127.0.0.1.52310 > 127.0.0.1.12000: SYN }",
            codes::EXPECTED,
            "`check --role NAME=127.0.0.1:52310`",
        ),
        (
            "in order { 0.1 > . 1:1(0) ack 1 }",
            codes::EXPECTED,
            "`client > server SYN`",
        ),
        ("no TCP", codes::CASE, "write `tcp`"),
        ("no ipv4", codes::UNKNOWN_FIELD, "`ip`"),
        (
            "no ip.src == client",
            codes::WRONG_LITERAL,
            "`from == client`",
        ),
        (
            "no ip.dst == client",
            codes::WRONG_LITERAL,
            "`to == client`",
        ),
        (
            "in order { SYN as syn; ACK where tcp.ack == syn }",
            codes::WRONG_LITERAL,
            "`syn.tcp.ack`",
        ),
    ]);
}

#[test]
fn nothing_is_proposed_that_was_typed() {
    for text in ["nobody.exit == 0", "in order { maybe maybe RST }"] {
        let (_, help) = told(text);
        assert!(!help.contains("did you mean"), "{text}: {help}");
    }
}
