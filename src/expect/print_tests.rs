use proptest::prelude::*;

use super::ast::Expectation;
use super::parse;

/// Everything that the language has, a statement each.
pub const STATEMENTS: &[&str] = &[
    "exactly { }",
    "exactly {\n  client > nobody:12000  SYN as syn\n  nobody > client RST,ACK within 1s of syn\n}",
    "in order on tcp[0] { client > server GET /a?b=1 ; server > client HTTP 200 within 1ms..1.5s }",
    "in order on http[3] { client > server POST \"/a b\" x2; any > any HTTP; maybe any <> any FIN }",
    "any order on udp[1] { client > server udp \"a\\r\\n\\x00\\\"\" as a; server > client udp ~ /a\\/b\\\\/ after a before a }",
    "exactly packets (tcp.port == 80 or not ip.ttl < 5) { any > any data x0..; nobody > any icmp 3/3 x1..3 }",
    "in order packets { server > client ACK where tcp.analysis.duplicate_ack x3\n client > server retransmission }",
    "in order {\n client > server SYN as s\n ( client > server RST | server > client SYN,ACK\n client > server ACK\n maybe ( any > any data ; any > any data x1.. ) ) x2\n client > server retransmission of s where tcp.options.mss_val == 1460\n ( any > any FIN ) x0.. }",
    "no RST\nno udp and ip.src == 10.0.0.0/8\nno client > server data \"x\" after server > client FIN",
    "no RST,ACK before SYN,ACK\nno udp until icmp\nno data between (SYN where tcp.seq == 0) and FIN\nno tcp.flags.reset == 1 after SYN until FIN",
    "no (udp)\nno (icmp) after SYN\nno (udp contains \"a\")\npackets((udp)) == 0\neach (udp) has udp.length == 13",
    "nothing for 200ms after server > client FIN\nnothing between SYN and RST after_stop",
    "in order { any > any SYN as a; any > any FIN as b }\nno RST between a and b\nno retransmission of a\npackets(tcp.ack == a.tcp.seq + 1 after a) >= 1",
    "each udp has udp.length == 13\nmaybe each tcp[] has state == \"SF\" and not closed_by != \"client\"\neach FIN after SYN has tcp.len == 0",
    "packets(SYN) == 2 and (len(client.stdout) <= 64KiB or upper(lower(server.stderr)) contains \"A\")",
    "http[0].response.headers.Content-Type ~ /^text\\/html/",
    "json(http[0].response.body, \"$.items[0]['a b']\") == \"x\"\nsha256(file(\"a.bin\")) == \"00\"",
    "stream(client > server:80) == stream(any > any)\nclient.duration < 1.5s\ntcp[2].handshake_rtt_ms < 0.25\nhttp[0].response.body_complete == true",
    "client.exit == -1\nclient.signal == 15\nclient.duration > -1ms",
];

fn roles() -> Vec<String> {
    vec!["client".to_owned(), "server".to_owned()]
}

/// The tree without its places in the text.
fn tree(expectation: &Expectation) -> String {
    let spans = regex::Regex::new(r"span: \d+\.\.\d+").unwrap();
    let written = format!("{:?}", expectation.statements);
    spans.replace_all(&written, "").into_owned()
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let first = parse("it", text, &roles())
        .map_err(|found| TestCaseError::fail(format!("{text}\n{found:#?}")))?;
    let printed = first.to_string();
    let second = parse("it", &printed, &roles())
        .map_err(|found| TestCaseError::fail(format!("{text}\n=>\n{printed}\n{found:#?}")))?;
    prop_assert_eq!(tree(&first), tree(&second), "{}\n=>\n{}", text, printed);
    prop_assert_eq!(&printed, &second.to_string());
    Ok(())
}

#[test]
fn every_construct_is_printed_as_it_is_read() {
    for text in STATEMENTS {
        check(text).unwrap();
    }
}

fn anchor() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("s".to_owned()),
        Just("SYN".to_owned()),
        Just("(client > server FIN where tcp.len == 0)".to_owned()),
        Just("server > client data \"a\"".to_owned()),
        Just("GET /x".to_owned()),
    ]
}

fn window() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        anchor().prop_map(|a| format!(" before {a}")),
        anchor().prop_map(|a| format!(" until {a}")),
        (anchor(), anchor()).prop_map(|(a, b)| format!(" after {a} until {b}")),
        (anchor(), anchor()).prop_map(|(a, b)| format!(" between {a} and {b}")),
        (0..5000u32, anchor()).prop_map(|(n, a)| format!(" for {n}us after {a}")),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "tcp.flags.syn == 1",
        "all ip.addr != 10.0.0.0/8 and not udp",
        "tcp.payload[0:3] == 47:45:54 || len(http.host) > 3",
        "lower(http.host) matches \"a.c\"",
        "count(ip.addr) == 2 xor tcp.port in {80, 8000..8080}",
        "tcp.flags & 0x12 == 0x02",
        "from == client and to != nobody:12000",
        "tcp.ack == s.tcp.seq + 1",
        "any tcp.options.mss_val === 1460",
        "frame.time_delta > 0.05",
    ])
    .prop_map(str::to_owned)
}

fn step() -> impl Strategy<Value = String> {
    let ends = prop::sample::select(vec![
        "client > server",
        "any <> nobody:1",
        "server:80 > any",
    ]);
    let event = prop::sample::select(vec![
        "SYN",
        "SYN,ACK",
        "ACK",
        "FIN",
        "RST,ACK",
        "data",
        "data \"x\\n\"",
        "data ~ /a\\/b/",
        "udp",
        "icmp port-unreachable",
        "icmp",
        "GET /a",
        "HTTP 404",
        "HTTP",
        "HTTP /b",
        "retransmission",
        "retransmission of s",
        "keep-alive",
        "window-update",
    ]);
    let counted = prop::sample::select(vec!["", " x2", " x1..3", " x0.."]);
    let more = prop::sample::select(vec![
        "",
        " within 5ms",
        " within 1ms..2s of s",
        " after_stop",
    ]);
    (ends, event, counted, more, prop::option::of(filter())).prop_map(
        |(ends, event, counted, more, filter)| {
            let filter = filter.map(|f| format!(" where {f}")).unwrap_or_default();
            format!("{ends} {event}{counted}{more}{filter}")
        },
    )
}

fn items() -> impl Strategy<Value = String> {
    let leaf = step().boxed();
    leaf.prop_recursive(3, 12, 3, |inner| {
        let items = prop::collection::vec(inner, 1..3).prop_map(|items| items.join("\n"));
        let branches = prop::collection::vec(items, 1..3).prop_map(|b| b.join(" | "));
        let counted = prop::sample::select(vec!["", " x2", " x0..", " x1..2"]);
        (branches, counted, any::<bool>()).prop_map(|(branches, counted, maybe)| match maybe {
            true => format!("maybe ( {branches} )"),
            false => format!("( {branches} ){counted}"),
        })
    })
}

fn statement() -> impl Strategy<Value = String> {
    let what = prop_oneof![
        filter(),
        Just("client > server data".to_owned()),
        Just("RST,ACK where tcp.len == 0".to_owned()),
    ];
    prop_oneof![
        (what.clone(), window()).prop_map(|(what, window)| format!("no {what}{window}")),
        window()
            .prop_filter("a window", |w| !w.is_empty())
            .prop_map(|w| format!("nothing{w}")),
        (what.clone(), window(), filter())
            .prop_map(|(w, window, f)| format!("each {w}{window} has {f}")),
        (what, window(), 0..9u8)
            .prop_map(|(w, window, n)| format!("not packets({w}{window}) > {n}")),
        prop::collection::vec(items(), 0..4)
            .prop_map(|items| format!("exactly {{ any > any ACK\n{} }}", items.join("\n"))),
    ]
}

proptest! {
    #[test]
    fn any_statement_is_printed_as_it_is_read(statements in prop::collection::vec(statement(), 1..4)) {
        let text = format!("in order {{ any > any SYN as s }}\n{}", statements.join("\n"));
        check(&text)?;
    }
}
