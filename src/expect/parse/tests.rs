use std::ops::Range;

use proptest::prelude::*;

use super::super::ast::*;
use super::*;

const SOUND: &[&str] = &[
    "exactly {\n  client > nobody:12000  SYN\n  nobody > client        RST   within 1s\n}",
    "no udp",
    "tcp[0].completeness == 37",
    "exactly {
      client > server SYN as syn
      server > client SYN,ACK within 50ms where tcp.ack == syn.tcp.seq + 1
      client > server ACK
      client > server GET /index.html as get   # a comment; { with \" signs
      server > client HTTP 200 within 1s of get where http.content_type contains \"html\" as reply
      maybe client <> server FIN
      client <> server FIN,ACK x1..3
      any > any data \"a\\r\\n\\x41\" x0..
      client > server data ~ /^hel+o/ after_stop
      nobody > client icmp port-unreachable
      nobody > client icmp 3/3
      client > server udp \"x\"; server > client udp
      client > server HEAD \"/a b\"
      client > server GET ~ /\\.html$/
      client > server OPTIONS *
      client > server retransmission x0..
      server > client RST,ACK
    }",
    "in order on tcp[0] { client > server GET /; server > client HTTP }",
    "any order (tcp.port == 12000 and not icmp) { client > server SYN within 1s of x }",
    "exactly packets { client > server BREW /pot?a=1&b=(2); server > client keep-alive x2 }",
    "exactly { }",
    "no server > client data\nno data\nno RST",
    "no tcp.flags.syn == 1 && ip.addr != 127.0.0.1\nno (udp and ip.src == 10.0.0.0/8)",
    "no udp and ip.src == 10.0.0.0/8\nno from == client and to == nobody:12000",
    "no tcp.port in {80, 8000..8080} or\n  tcp.flags & 0x12 == 0x02 xor udp.port not in {53}",
    "no ipv6.addr == fe80::/10 || eth.src == 00:11:22:33:44:55 ^^ data.data contains 47:45:54",
    "no http.host matches r\"^www\\.\" and 80 == tcp.port and tcp.srcport == tcp.dstport",
    "each udp has udp.length == 13\neach tcp[] has state == \"SF\" and completeness > 3",
    "maybe each http[] has response.code == 200 or client.exit == 0",
    "each server > client data has tcp.len > 0\neach tcp.len > 0 has tcp.flags.push == 1",
    "packets(client > server data \"x\") == 2 and packets(tcp.flags.syn == 1) == 2",
    "packets(GET /) == 1; packets(udp) >= 1; packets(\n  client > server SYN\n) == 1",
    "stream(client > server) == \"hello\"",
    "stream(server > client) == upper(stream(client > server))",
    "http[0].response.code == 404 and http[0].response.body == file(\"www/HelloWorld.html\")",
    "client.exit == 1\nclient.stdout contains \"HELLO\"\nclient.stdout ~ /HEL+O/",
    "http[0].response.headers.Content-Type == \"text/html\"",
    "len(stream(client > server)) == 65536\ntcp[0].handshake_rtt < 50ms\nnot client.exit == -1",
    // Regression: found by fuzzing. These were steps from a program called `tcp`.
    "any order (tcp > \"GET\") { data }\nany order (any tcp > 47:45:54) { data }",
    "no tcp > a0:45\nno tcp < \"GET\"\nno udp gt 30:39\npackets(tcp >= 47:45) == 1\nno ip[0:2] > {3 & 3:00}",
    // Regression: found by fuzzing. The slice was taken for one message.
    "each (http[0] contains \"G\") has tcp\neach http[0:1] has tcp\neach tcp[0] == 47 has tcp",
];

fn roles() -> Vec<String> {
    vec!["client".to_owned(), "server".to_owned()]
}

fn found(text: &str) -> Vec<Diagnostic> {
    match parse("test", text, &roles()) {
        Ok(expectation) => expectation.warnings,
        Err(found) => found,
    }
}

/// Code and marked text of each mistake.
fn marks(text: &str) -> Vec<(&'static str, &str)> {
    let mark = |d: Diagnostic| (d.code, &text[d.span]);
    found(text).into_iter().map(mark).collect()
}

/// The help of the only mistake.
fn help(text: &str) -> String {
    let mut found = found(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.remove(0).help.unwrap_or_default()
}

fn statements(text: &str) -> Vec<Spanned<Statement>> {
    match parse("test", text, &roles()) {
        Ok(expectation) => expectation.statements,
        Err(found) => panic!("{text}: {found:#?}"),
    }
}

/// The steps of a block.
fn steps(text: &str) -> Vec<Step> {
    let Statement::Sequence(sequence) = statements(text).remove(0).value else {
        panic!("{text} is no block");
    };
    sequence.steps.into_iter().map(|s| s.value).collect()
}

fn event(text: &str) -> EventPattern {
    let step = format!("exactly {{ client > server {text}\n}}");
    steps(&step).remove(0).event
}

fn exactly(text: &str) -> Option<Content> {
    Some(Content::Exactly(text.as_bytes().to_vec()))
}

#[test]
fn sound_texts_have_no_mistake() {
    for text in SOUND {
        if !text.contains("of x") {
            assert_eq!(found(text), [], "{text}");
        }
    }
}

#[test]
fn the_references_examples_are_sound() {
    let document = include_str!("../../../docs/expectations.md");
    let blocks: Vec<&str> = document.split("```").skip(1).step_by(2).collect();
    let examples: Vec<&&str> = blocks.iter().filter(|b| b.starts_with('\n')).collect();
    assert!(examples.len() >= 3);
    for example in examples {
        assert_eq!(found(example), [], "{example}");
    }
}

#[test]
fn flags_are_sets() {
    assert_eq!(event("SYN"), EventPattern::Syn);
    assert_eq!(event("SYN,ACK"), EventPattern::SynAck);
    assert_eq!(event("ACK, SYN"), EventPattern::SynAck);
    assert_eq!(event("RST"), EventPattern::Rst);
    let steps = steps("exactly { any > any RST,ACK where tcp.len == 0; any > any FIN,ACK }");
    assert_eq!(steps[0].event, EventPattern::Rst);
    assert!(matches!(
        steps[0].where_.as_ref().map(|w| &w.value),
        Some(Filter::And(..))
    ));
    assert_eq!(steps[1].event, EventPattern::Fin);
    assert!(steps[1].where_.is_some());
}

#[test]
fn a_target_runs_to_white_space() {
    let get = |target| EventPattern::Request {
        method: "GET".to_owned(),
        target,
    };
    assert_eq!(event("GET /a;b?c=(d)#e"), get(exactly("/a;b?c=(d)#e")));
    assert_eq!(event("GET /a;"), get(exactly("/a")));
    assert_eq!(event("GET \"/a;\""), get(exactly("/a;")));
    assert_eq!(event("GET"), get(None));
    assert_eq!(event("GET # any"), get(None));
    assert_eq!(event("GET x2"), get(None));
    assert_eq!(event("HTTP"), EventPattern::Response { code: None });
    assert_eq!(
        event("HTTP 404"),
        EventPattern::Response { code: Some(404) }
    );
    let any_method = EventPattern::Request {
        method: "HTTP".to_owned(),
        target: exactly("/a"),
    };
    assert_eq!(event("HTTP /a"), any_method);
    assert_eq!(steps("exactly { any > any GET /a}").len(), 1);
    assert!(matches!(
        statements("packets(GET /a) == 1").remove(0).value,
        Statement::Claim(Claim::Compare { .. })
    ));
}

#[test]
fn a_word_that_is_both_is_the_step() {
    let is_step = |text: &str| match statements(text).remove(0).value {
        Statement::No(selection) => matches!(selection.what, StepOrFilter::Step(_)),
        other => panic!("{other:?}"),
    };
    assert!(is_step("no udp"));
    assert!(is_step("no icmp"));
    assert!(is_step("no data"));
    assert!(is_step("no RST"));
    assert!(is_step("no client > server data"));
    assert!(!is_step("no tcp"));
    assert!(!is_step("no http"));
    assert!(!is_step("no udp.length == 13"));
    assert!(!is_step("no udp and ip.addr == 10.0.0.1"));
    assert!(!is_step("no (udp)"));
}

#[test]
fn how_often() {
    let text = "exactly { maybe any > any SYN; any > any SYN x2; any > any SYN x1..3
        any > any SYN x0..; any > any SYN }";
    let times: Vec<(u32, Option<u32>)> = steps(text)
        .iter()
        .map(|s| (s.times.min, s.times.max))
        .collect();
    let expected = [
        (0, Some(1)),
        (2, Some(2)),
        (1, Some(3)),
        (0, None),
        (1, Some(1)),
    ];
    assert_eq!(times, expected);
}

#[test]
fn spans_mark_statements_and_steps() {
    let text = "no RST ; exactly { any > any SYN  \n any > any FIN x2 # end\n }";
    let of = |range: &Range<usize>| &text[range.clone()];
    let statements = statements(text);
    assert_eq!(of(&statements[0].span), "no RST");
    let Statement::Sequence(sequence) = &statements[1].value else {
        panic!("no block");
    };
    assert_eq!(of(&sequence.steps[0].span), "any > any SYN");
    assert_eq!(of(&sequence.steps[1].span), "any > any FIN x2");
    assert!(of(&statements[1].span).ends_with('}'));
}

#[test]
fn all_mistakes_come_out_at_once() {
    let text = "excatly {
          clint > server SYN-ACK
          client -> server syn
          client > server SYN ACK
          server > client SYN, ACK where tcp.flag.syn == 1
        }
        no tcp.flags.reset
        tcp[0].state = \"SF\"
        client.exits == 1
        no tcp.port in {80 443}
        in order (tcp.prt == 12) { client > sevrer SYN within 1s }";
    let expected = [
        (codes::UNKNOWN_STATEMENT, "excatly"),
        (codes::UNKNOWN_ROLE, "clint"),
        (codes::FLAGS, "SYN-ACK"),
        (codes::ARROW, "->"),
        (codes::CASE, "syn"),
        (codes::FLAGS, "SYN ACK"),
        (codes::UNKNOWN_FIELD, "tcp.flag.syn"),
        (codes::BARE_BOOLEAN, "tcp.flags.reset"),
        (codes::ASSIGNMENT, "="),
        (codes::UNKNOWN_MEMBER, "exits"),
        (codes::EXPECTED, "443"),
        (codes::UNKNOWN_FIELD, "tcp.prt"),
        (codes::UNKNOWN_ROLE, "sevrer"),
        (codes::NOTHING_BEFORE, "within 1s"),
    ];
    assert_eq!(marks(text), expected);
}

#[test]
fn a_mistake_in_one_step_leaves_the_block_whole() {
    let text = "exactly { client > server where tcp.port in {80 443}
        client > server FOO; client > server SYN y } \n no RST";
    let codes: Vec<&str> = marks(text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(
        codes,
        [codes::UNKNOWN_EVENT, codes::UNKNOWN_EVENT, codes::SEPARATOR]
    );
}

#[test]
fn an_unclosed_brace_is_marked_where_it_opens() {
    assert_eq!(
        marks("exactly {\n any > any SYN\n"),
        [(codes::UNCLOSED, "{")]
    );
    assert_eq!(marks("packets(tcp\n"), [(codes::UNCLOSED, "(")]);
    assert_eq!(marks("no tcp.port in {80,\n443"), [(codes::UNCLOSED, "{")]);
    assert_eq!(marks("no RST }"), [(codes::EXPECTED, "}")]);
}

#[test]
fn the_way_out_is_named() {
    assert_eq!(help("no clint > any SYN"), "did you mean `client`?");
    assert_eq!(help("no udp.lenght == 1"), "did you mean `udp.length`?");
    assert_eq!(
        help("no tcp.flags.rst == 1"),
        "did you mean `tcp.flags.reset`?"
    );
    assert_eq!(
        help("no icmp port-unreachabel"),
        "did you mean `port-unreachable`?"
    );
    assert_eq!(help("no client -> server SYN"), "write `>`");
    assert_eq!(help("no SYN ACK"), "write `SYN,ACK`");
    assert_eq!(help("no synack"), "write `SYN,ACK`");
    assert_eq!(help("no get /"), "write `GET`");
    assert_eq!(help("client.exit = 1"), "write `==`");
    assert_eq!(help("no tcp.flags.reset"), "write `tcp.flags.reset == 1`");
    assert_eq!(
        help("no frame.time_delta > 50ms"),
        "filters write seconds: `0.05`"
    );
    assert_eq!(
        help("tcp[0].state == SF"),
        "text stands in quotes: `\"SF\"`"
    );
    assert!(help("tcp.state == \"SF\"").contains("`tcp[0].state`"));
    assert!(help("each udp has state == 1").contains("`each tcp[] has state"));
    assert!(help("udp.length == 13").contains("each udp has"));
    assert!(help("client > server SYN").contains("in order"));
    assert!(help("client.stdout == “a”").contains("straight double quotes"));
}

#[test]
fn names_are_known_behind_their_step() {
    let text = "in order { any > any SYN as a; any > any FIN within 1s of a }
        in order { any > any SYN as b; any > any FIN within 1s of a }
        no RST between a and b";
    assert_eq!(marks(text), []);
    let text = "no RST after a; in order { any > any SYN as a; any > any FIN within 1s of a }";
    assert_eq!(marks(text), [(codes::UNKNOWN_STEP, "a")]);
    let text = "in order { any > any SYN as a; any > any RST where tcp.ack == b.tcp.seq }";
    assert_eq!(marks(text), [(codes::UNKNOWN_STEP, "b")]);
    let text = "in order { any > any SYN as a; any > any RST where tcp.ack == a.tcp.sqe }";
    assert_eq!(marks(text), [(codes::UNKNOWN_FIELD, "tcp.sqe")]);
    let text = "any order { any > any SYN; any > any FIN within 1s }";
    assert_eq!(marks(text), [(codes::NOTHING_BEFORE, "within 1s")]);
}

#[test]
fn a_warning_does_not_refuse_the_text() {
    let expectation = parse("test", "no !tcp.flags.reset", &roles()).expect("only a warning");
    assert_eq!(expectation.warnings.len(), 1);
    assert_eq!(found("no http.request"), [], "exists in requests only");
}

#[test]
fn nesting_is_bounded_and_wide_texts_are_not_deep() {
    let wide = vec!["tcp"; 1000].join(" or ");
    assert_eq!(found(&format!("no {wide}")), []);
    assert_eq!(marks(&format!("no {wide} or {wide}"))[0].0, codes::TOO_DEEP);
    let deep = format!("no {}tcp", "!".repeat(60_000));
    assert_eq!(marks(&deep)[0].0, codes::TOO_DEEP);
    let calls = format!(
        "{}\"a\"{} == \"A\"",
        "upper(".repeat(9_000),
        ")".repeat(9_000)
    );
    assert_eq!(marks(&calls)[0].0, codes::TOO_DEEP);
}

/// Spans lie inside the text, on its characters' borders.
fn check_spans(text: &str) {
    let found = match parse("test", text, &roles()) {
        Ok(expectation) => {
            for statement in &expectation.statements {
                assert!(text.get(statement.span.clone()).is_some());
                if let Statement::Sequence(sequence) = &statement.value {
                    for step in &sequence.steps {
                        assert!(text.get(step.span.clone()).is_some());
                    }
                }
            }
            expectation.warnings
        }
        Err(found) => {
            assert!(found.iter().any(|d| d.severity == Severity::Error));
            found
        }
    };
    assert!(found.len() <= MAX_MISTAKES + 1);
    for diagnostic in found {
        assert!(
            text.get(diagnostic.span.clone()).is_some(),
            "{diagnostic:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(text in any::<String>()) {
        check_spans(&text);
    }

    #[test]
    fn any_words_are_read_to_their_end(
        words in prop::collection::vec(prop::sample::select(vec![
            "exactly", "in", "order", "any", "packets", "{", "}", "(", ")", "[", "]", "no", "each",
            "has", "maybe", "client", "server", ">", "<>", "SYN", ",", "ACK", "data", "\"a", "\"b\"",
            "~", "/x/", "udp", "icmp", "GET", "HTTP", "404", "where", "within", "50ms", "of", "as",
            "x", "x2", "..", "tcp", ".", "tcp.port", "==", "=", "80", "and", "not", "\n", ";", "#",
            "stream", "upper", "é", "\\", "::1", "&", "+",
        ]), 0..60),
        joint in prop::sample::select(vec!["", " "]),
    ) {
        check_spans(&words.join(joint));
    }

    #[test]
    fn a_broken_sound_text_is_read_to_its_end(
        which in 0..SOUND.len(),
        at in any::<prop::sample::Index>(),
        len in 0usize..8,
        put in prop::sample::select(vec!["", "{", "}", "\"", "(", "\n", ";", "é", "=", "x", "/", "\\"]),
    ) {
        let mut chars: Vec<char> = SOUND[which].chars().collect();
        let start = at.index(chars.len());
        let end = (start + len).min(chars.len());
        chars.splice(start..end, put.chars());
        check_spans(&chars.into_iter().collect::<String>());
    }
}

/// A request without a target took the `|` behind it for one.
#[test]
fn an_alternative_ends_a_request_without_a_target() {
    let text = "in order {\n ( any > any POST | any > any GET /a )\n}";
    assert_eq!(found(text), [], "{text}");
}

#[test]
fn the_habits_of_other_tools_are_answered_in_this_language() {
    for (text, way_out) in [
        ("S 0:0(0)", "`in order { client > server SYN }`"),
        ("+0 > S. 0:0(0) ack 1", "server > client SYN,ACK"),
        ("tcp port 80", "`packets(tcp.port == 80) > 0`"),
        ("no tcp port 80", "`tcp.port == 80`"),
        ("packets(tcp port 80) == 1", "`tcp.port == 80`"),
        ("tcp.port in {80, 81} # web", "`no tcp.port in {80, 81}`"),
        ("tcp[tcpflags] & tcp-syn != 0", "tcp.flags.syn == 1"),
        ("tcp.flags.syn", "`packets(tcp.flags.syn == 1) > 0`"),
        (
            "http.response.code == 200",
            "`http[0].response.code == 200`",
        ),
        ("every udp has udp.length == 13", "`each`"),
        ("inorder { client > server SYN }", "`in order`"),
        ("each udp have udp.length == 13", "`has`"),
        ("each udp has length == 13", "`udp.length`"),
        ("count(udp) == 1", "`packets`"),
        ("packets == 1", "`packets(…)`"),
        ("not RST", "`no RST`"),
        ("no retransmissions", "`retransmission`"),
        ("no dupack", "`tcp.analysis.duplicate_ack`"),
        (
            "http[0].response.body.name == \"x\"",
            "json(http[0].response.body, \"$.name\")",
        ),
    ] {
        assert!(help(text).contains(way_out), "{text}: {}", help(text));
    }
}

#[test]
fn what_is_nearly_a_step_is_led_to_one() {
    for (step, way_out) in [
        ("client → server SYN", "write `>`"),
        ("client > server SYN, server > client RST", "`;`"),
        ("client > server SYN twice", "`x2`"),
        ("client > server SYN x 2", "`x2`"),
        ("client > server SYN*2", "`x2`"),
        ("client > server SYN?", "`maybe`"),
        ("client > server data contains \"a\"", "`data ~ /"),
        ("client > server \"hello\"", "`data \"hello\"`"),
        ("server > client 200 OK", "`HTTP 200`"),
        ("server > client HTTP 200 OK", "without its phrase"),
        ("client > server HTTP GET /", "`GET /index.html`"),
        ("127.0.0.1 > server SYN", "where ip.addr == 127.0.0.1"),
        ("* > server SYN", "`any`"),
        ("alice > server SYN", "no program owns is `nobody`"),
    ] {
        let text = format!("in order {{ {step} }}");
        assert!(help(&text).contains(way_out), "{step}: {}", help(&text));
    }
    let text = "in order { any > any SYN as s; any > any RST within 10ms after s }";
    assert_eq!(help(text), "write `within 10ms of s`");
    assert_eq!(
        marks("exactly ( client > server SYN )"),
        [(codes::EXPECTED, "(")]
    );
}

#[test]
fn a_unit_that_stands_apart_or_is_spelt_otherwise_is_mended() {
    for (time, right) in [
        ("50 ms", "50ms"),
        ("50msec", "50ms"),
        ("2 seconds", "2s"),
        ("50MS", "50ms"),
    ] {
        let step = format!("in order {{ any > any SYN; any > any RST within {time} }}");
        let claim = format!("client.duration < {time}");
        for text in [step, claim] {
            assert_eq!(marks(&text), [(codes::BAD_DURATION, time)], "{text}");
            assert_eq!(help(&text), format!("write `{right}`"), "{text}");
        }
    }
}

#[test]
fn a_value_that_a_field_never_has_is_refused() {
    assert_eq!(
        marks("tcp[0].state != \"REJJ\""),
        [(codes::WRONG_LITERAL, "\"REJJ\"")],
        "it would hold for ever"
    );
    assert_eq!(help("tcp[0].close == \"FIN\""), "did you mean \"fin\"?");
    assert_eq!(
        help("each tcp[] has state == \"sf\""),
        "did you mean \"SF\"?"
    );
    assert!(help("tcp[0].closed_by == \"alice\"").contains("\"client\", \"server\""));
    assert_eq!(
        help("\"stoped\" == server.ended"),
        "did you mean \"stopped\"?"
    );
    assert_eq!(marks("http[0].response.headers.state == \"SE\""), []);
    assert_eq!(marks("tcp[0].state ~ /^S/ and client.stdout == \"SE\""), []);
}

#[test]
fn claims_are_led_to_their_spelling() {
    for (text, way_out) in [
        ("client.exit is 0", "`==`"),
        ("client.exit in {0, 1}", "`A == 1 or A == 2`"),
        ("client exits 0", "`client.exit == 0`"),
        ("server.signal == \"TERM\"", "TERM is 15"),
        ("tcp[0].bytes < 1KB", "`1kB`"),
        ("tcp[0].bytes < 64 KiB", "`64KiB`"),
        ("// nobody resets", "`#`"),
        ("no RST within 1s of FIN", "`for 1s after FIN`"),
        ("no tcp.port in {80, 8000-8080}", "`8000..8080`"),
        ("no tcp.port in {80 443}", "commas"),
        ("no tcp.analysis.retransmission == 1", "alone"),
        ("no ssl", "`tls`"),
        ("in order { no RST }", "outside of the block"),
        ("in order { any > any SYN or any > any RST }", "`( A | B )`"),
        ("in order { any > any SYN | any > any RST }", "`( A | B )`"),
        ("in order { any > any SYN (tcp.seq == 0) }", "`where`"),
    ] {
        let first = found(text).into_iter().next().and_then(|d| d.help);
        let first = first.unwrap_or_default();
        assert!(first.contains(way_out), "{text}: {first}");
    }
}

#[test]
fn the_regular_expressions_of_a_file_share_its_room() {
    let large = "no data ~ /[^x]{8000}/";
    let mut room = Room(2 << 20);
    for text in [large, "no data ~ /^hel+o/"] {
        assert!(
            parse_within("test", text, &roles(), &mut room).is_ok(),
            "{text}"
        );
    }
    let found = parse_within("test", large, &roles(), &mut room).unwrap_err();
    assert_eq!(found[0].code, codes::BAD_REGEX);
    assert!(found[0].message.contains("memory"), "{found:?}");
    assert!(parse_within("test", "no data ~ /^hel+o/", &roles(), &mut room).is_ok());
}
