//! docs/editor: the grammar colours what the catalogue says, and nothing of it is
//! left over.

use netlab_capture::scenario;
use regex::Regex;

const GRAMMAR: &str = include_str!("../../docs/editor/expect.tmLanguage.json");

/// The grammar's patterns, in their order, each with its scope.
fn patterns() -> Vec<(String, Regex)> {
    let grammar: serde_json::Value = serde_json::from_str(GRAMMAR).unwrap();
    let patterns = grammar["patterns"].as_array().unwrap();
    patterns
        .iter()
        .map(|pattern| {
            let text = |key: &str| pattern[key].as_str().unwrap().to_owned();
            (text("name"), Regex::new(&text("match")).unwrap())
        })
        .collect()
}

/// Scopes and words of a line as an editor finds them: the leftmost match, of
/// several the pattern that stands first. What is left over comes last.
fn coloured(line: &str) -> (Vec<(String, String)>, String) {
    let patterns = patterns();
    let (mut found, mut left, mut at) = (Vec::new(), String::new(), 0);
    while at < line.len() {
        let next = patterns
            .iter()
            .filter_map(|(scope, regex)| Some((regex.find_at(line, at)?, scope)))
            .filter(|(hit, _)| !hit.is_empty())
            .min_by_key(|(hit, _)| hit.start());
        let Some((hit, scope)) = next else { break };
        left.push_str(&line[at..hit.start()]);
        found.push((scope.clone(), hit.as_str().to_owned()));
        at = hit.end();
    }
    left.push_str(&line[at..]);
    (found, left)
}

#[test]
fn the_catalogues_statements_are_coloured() {
    for name in scenario::catalogue() {
        let source = scenario::builtin(name).unwrap();
        for expectation in scenario::parse(source).unwrap().expectations {
            for line in expectation.text.lines() {
                let (_, left) = coloured(line);
                let words = |c: char| c.is_alphanumeric() || c == '"' || c == '/';
                assert!(!left.contains(words), "{name}: {left:?} of {line}");
            }
        }
    }
}

#[test]
fn each_kind_of_word_has_its_colour() {
    let (found, _) =
        coloured("  client > nobody:12000  SYN within 50ms # why\"\n".trim_end_matches('\n'));
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(scope, word)| (scope.as_str(), word.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("entity.name.role", "client"),
            ("keyword.operator", ">"),
            ("constant.language", "nobody"),
            ("constant.numeric", "12000"),
            ("keyword.other.event", "SYN"),
            ("keyword.other.modifier", "within"),
            ("constant.numeric.time", "50ms"),
            ("comment.line.number-sign", "# why\""),
        ]
    );
    for (text, scope, word) in [
        ("data ~ /^hel+o \\/x/", "string.regexp", "~ /^hel+o \\/x/"),
        ("GET /index.html", "string.unquoted.target", "/index.html"),
        (
            "GET /docs/a/index.html",
            "string.unquoted.target",
            "/docs/a/index.html",
        ),
        ("in order {", "keyword.control.block", "in order"),
        ("in  order {", "keyword.control.block", "in  order"),
        ("no ip.src#2 == 1.2.3.4", "variable.other.field", "ip.src#2"),
        ("no ip#[-1] == 45", "variable.other.field", "ip#[-1]"),
        ("no data.len == 1", "variable.other.field", "data.len"),
        ("no udp \"x\"", "keyword.other.event", "udp"),
        (
            "client > server keep-alive",
            "keyword.other.event",
            "keep-alive",
        ),
        (
            "tcp.flags.syn == 1",
            "variable.other.field",
            "tcp.flags.syn",
        ),
        ("a == \"x\\\"y\" z", "string.quoted.double", "\"x\\\"y\""),
        ("client > server SYN,ACK", "keyword.other.event", "SYN,ACK"),
    ] {
        let (found, _) = coloured(text);
        let wanted = (scope.to_owned(), word.to_owned());
        assert!(found.contains(&wanted), "{text}: {found:?}");
    }
}
