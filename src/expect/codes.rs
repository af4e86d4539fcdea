//! The stable codes of the mistakes that an expectation's author can make, each
//! with its explanation and an example that has it.

use crate::diagnostic::Code;

pub(super) const UNEXPECTED_CHARACTER: &str = "E001";
pub(super) const UNCLOSED_STRING: &str = "E002";
pub(super) const BAD_ESCAPE: &str = "E003";
pub(super) const UNCLOSED: &str = "E004";
pub(super) const TOO_LONG: &str = "E005";
pub(super) const TOO_DEEP: &str = "E006";
pub(super) const UNKNOWN_STATEMENT: &str = "E007";
pub(super) const EXPECTED: &str = "E008";
pub(super) const TOO_MANY: &str = "E009";
pub const UNKNOWN_ROLE: &str = "E010";
pub(super) const UNKNOWN_EVENT: &str = "E011";
pub(super) const UNKNOWN_ICMP: &str = "E012";
pub(super) const FLAGS: &str = "E013";
pub(super) const CASE: &str = "E014";
pub(super) const ARROW: &str = "E015";
pub(super) const ASSIGNMENT: &str = "E016";
pub(super) const UNKNOWN_FIELD: &str = "E017";
pub(super) const UNKNOWN_MEMBER: &str = "E018";
pub(super) const WRONG_LITERAL: &str = "E019";
pub(super) const WRONG_OPERATOR: &str = "E020";
pub(super) const NOTHING_BEFORE: &str = "E021";
pub(super) const UNKNOWN_STEP: &str = "E022";
pub(super) const DUPLICATE_NAME: &str = "E023";
pub(super) const BAD_NAME: &str = "E024";
pub(super) const MODIFIER: &str = "E025";
pub(super) const REPEATED: &str = "E026";
pub(super) const BAD_REGEX: &str = "E027";
pub(super) const BAD_DURATION: &str = "E028";
pub(super) const OUT_OF_RANGE: &str = "E029";
pub(super) const STEP_OUTSIDE: &str = "E030";
pub(super) const FILTER_OUTSIDE: &str = "E031";
pub(super) const EMPTY: &str = "E032";
pub(super) const SEPARATOR: &str = "E033";
pub(super) const BAD_COUNT: &str = "E034";
pub(super) const TYPES: &str = "E035";
pub(super) const UNSUPPORTED: &str = "E036";
pub(super) const BAD_SLICE: &str = "E037";
pub(super) const JSON_PATH: &str = "E038";
pub(super) const BARE_BOOLEAN: &str = "W001";
pub(super) const DIGITS: &str = "W002";

/// Every code, in order.
pub const ALL: &[Code] = &[
    Code {
        code: UNEXPECTED_CHARACTER,
        title: "a character that the language does not have",
        explanation: "The language has words, numbers, strings in double quotes and a few signs. A character such as `@` or a typographic quote has no meaning outside a string. Quotes that were copied from a web page or a word processor are often “curly”: type them again.",
        example: Some("no RST @"),
        fix: Some("no RST"),
    },
    Code {
        code: UNCLOSED_STRING,
        title: "a string without its closing quote",
        explanation: r#"A string begins and ends with a double quote on the same line. A quote inside a string is written `\"`, a line break `\n`."#,
        example: Some("stream(client > server) == \"hello"),
        fix: Some("stream(client > server) == \"hello\""),
    },
    Code {
        code: BAD_ESCAPE,
        title: "an unknown escape in a string",
        explanation: r#"Behind a backslash, a string may have `n`, `r`, `t`, `0`, `\\`, `"`, `x` with two hexadecimal digits, as in `\x1b`, or `u` with four, as in `\u00e9`. A backslash itself is written `\\`. In a raw string, `r"\d+"`, a backslash is a backslash."#,
        example: Some("stream(client > server) == \"a\\qb\""),
        fix: Some("stream(client > server) == \"a\\\\qb\""),
    },
    Code {
        code: UNCLOSED,
        title: "a bracket without its partner",
        explanation: "Each `{`, `(` and `[` needs its closing partner. The place shown is the opening bracket.",
        example: Some("exactly {\n client > server SYN"),
        fix: Some("exactly {\n client > server SYN\n}"),
    },
    Code {
        code: TOO_LONG,
        title: "the text is too long",
        explanation: "The text of one expectation may have 64 KiB. Split it: each expectation should say one thing.",
        example: None,
        fix: None,
    },
    Code {
        code: TOO_DEEP,
        title: "too many conditions or brackets inside each other",
        explanation: "Brackets, `not` and function calls may be nested 64 deep, and a statement may join 1000 conditions by `and` and `or`.",
        example: None,
        fix: None,
    },
    Code {
        code: UNKNOWN_STATEMENT,
        title: "no statement begins like this",
        explanation: "A statement is a sequence (`exactly { … }`, `in order { … }`, `any order { … }`, `exactly packets { … }`), an absence (`no RST`), a rule for each packet, conversation or message (`each udp has …`), or a comparison (`tcp[0].state == \"SF\"`).",
        example: Some("excatly { client > server SYN }"),
        fix: Some("exactly { client > server SYN }"),
    },
    Code {
        code: EXPECTED,
        title: "something else is needed at this place",
        explanation: "The text is understood up to the caret, and what stands there cannot follow. The message names what can.",
        example: Some("each udp udp.length == 13"),
        fix: Some("each udp has udp.length == 13"),
    },
    Code {
        code: TOO_MANY,
        title: "too many mistakes",
        explanation: "Only the first 50 mistakes of an expectation are shown.",
        example: None,
        fix: None,
    },
    Code {
        code: UNKNOWN_ROLE,
        title: "a role that no program has",
        explanation: "The ends of a step are roles: the names of the scenario's programs (`[program.client]` makes the role `client`), `nobody` for an endpoint that no program owns, or `any`. A port may follow, as in `nobody:12000`.",
        example: Some("no clint > server SYN"),
        fix: Some("no client > server SYN"),
    },
    Code {
        code: UNKNOWN_EVENT,
        title: "an event that the language does not know",
        explanation: "Events are `SYN`, `SYN,ACK`, `ACK`, `FIN`, `RST`, `data`, `udp`, `icmp`, an HTTP request such as `GET /index.html`, `HTTP` with a status code, and, only where they are asked for, `retransmission`, `keep-alive` and `window-update`.",
        example: Some("no client > server SNY"),
        fix: Some("no client > server SYN"),
    },
    Code {
        code: UNKNOWN_ICMP,
        title: "an ICMP message that the language does not know",
        explanation: "Behind `icmp` stands the name of a message, such as `port-unreachable`, which covers ICMP and ICMPv6, or numbers: `3` for a type, `3/3` for type and code.",
        example: Some("no icmp port-unreachabel"),
        fix: Some("no icmp port-unreachable"),
    },
    Code {
        code: FLAGS,
        title: "flags that are joined the wrong way",
        explanation: "Flags are joined by a comma: `SYN,ACK`.",
        example: Some("no client > server SYN-ACK"),
        fix: Some("no client > server SYN,ACK"),
    },
    Code {
        code: CASE,
        title: "capitals where small letters belong, or the other way round",
        explanation: "Flags and HTTP methods are written in capitals (`SYN`, `GET`), the other events in small letters (`data`, `udp`, `icmp`).",
        example: Some("no client > server syn"),
        fix: Some("no client > server SYN"),
    },
    Code {
        code: ARROW,
        title: "an arrow that the language does not have",
        explanation: "The direction is written `>`: `client > server`. Either way is `<>`. Who sends stands on the left.",
        example: Some("no client -> server SYN"),
        fix: Some("no client > server SYN"),
    },
    Code {
        code: ASSIGNMENT,
        title: "`=` instead of `==`",
        explanation: "A comparison is written with two equals signs. One alone means nothing here.",
        example: Some("client.exit = 1"),
        fix: Some("client.exit == 1"),
    },
    Code {
        code: UNKNOWN_FIELD,
        title: "a field that packets do not have",
        explanation: "Fields are spelled as in Wireshark: `tcp.flags.syn`, `udp.length`, `http.response.code`. The reference lists all that can be asked for.",
        example: Some("no tcp.flags.sync == 1"),
        fix: Some("no tcp.flags.syn == 1"),
    },
    Code {
        code: UNKNOWN_MEMBER,
        title: "a name that conversations, messages or programs do not have",
        explanation: "Behind `tcp[0]`, `udp[0]`, `http[0]` or a role stands a name of the reference's tables: `tcp[0].state`, `http[0].response.code`, `client.exit`.",
        example: Some("tcp[0].stat == \"SF\""),
        fix: Some("tcp[0].state == \"SF\""),
    },
    Code {
        code: WRONG_LITERAL,
        title: "a value that the field cannot have",
        explanation: "A field is compared with a value of its own type: numbers without quotes, text in quotes, addresses such as `127.0.0.1` or `10.0.0.0/8`, times in seconds such as `0.05`.",
        example: Some("no tcp.port == \"eighty\""),
        fix: Some("no tcp.port == 80"),
    },
    Code {
        code: WRONG_OPERATOR,
        title: "a comparison that the field does not allow",
        explanation: "`contains` and `matches` look into text and bytes, not into numbers. A mark such as `tcp.analysis.retransmission` has no value: it is there or it is not.",
        example: Some("no tcp.port contains 80"),
        fix: Some("no tcp.port == 80"),
    },
    Code {
        code: NOTHING_BEFORE,
        title: "`within` without anything before it",
        explanation: "`within 50ms` counts from the step before. A first step has none, and in `any order`, `no`, `each` and `packets()` there is no order. Name a step with `as` and write `within 50ms of NAME`.",
        example: Some("in order { client > server SYN within 50ms }"),
        fix: Some("in order { client > server SYN; server > client SYN,ACK within 50ms }"),
    },
    Code {
        code: UNKNOWN_STEP,
        title: "a step that was not named before",
        explanation: "`within 50ms of reply` and `reply.tcp.seq` refer to an earlier step of the same sequence that ends with `as reply`.",
        example: Some(
            "in order { client > server SYN as syn; server > client SYN,ACK within 1s of sny }",
        ),
        fix: Some(
            "in order { client > server SYN as syn; server > client SYN,ACK within 1s of syn }",
        ),
    },
    Code {
        code: DUPLICATE_NAME,
        title: "a name that is given twice",
        explanation: "Within a block, each name that `as` gives belongs to one step. A later block may give the name again: from there on it means the later step.",
        example: Some("in order { client > server SYN as a; server > client SYN,ACK as a }"),
        fix: Some("in order { client > server SYN as a; server > client SYN,ACK as b }"),
    },
    Code {
        code: BAD_NAME,
        title: "a name that means something else",
        explanation: "A step's name is a plain word that is not a word of the language, a protocol, or a role.",
        example: Some("in order { client > server SYN as tcp }"),
        fix: Some("in order { client > server SYN as syn }"),
    },
    Code {
        code: MODIFIER,
        title: "an addition that does not belong here",
        explanation: "How often, `within` and `as` belong to the steps of a sequence. `no`, `each` and `packets()` take a step with `where` and `after_stop` at most.",
        example: Some("no client > server SYN x2"),
        fix: Some("packets(client > server SYN) < 2"),
    },
    Code {
        code: REPEATED,
        title: "an addition that is there twice",
        explanation: "Each of `where`, `within`, `as`, `after_stop` and how often (`maybe`, `x2`, `x1..3`) may stand once in a step.",
        example: Some("in order { maybe client > server SYN x2 }"),
        fix: Some("exactly { client > server SYN x0..2 }"),
    },
    Code {
        code: BAD_REGEX,
        title: "a regular expression that cannot be read",
        explanation: "Regular expressions are those of the Rust crate `regex`: the usual ones, without look-around and back-references. In steps and claims they stand between slashes, `/^hel+o/`; in filters in quotes, behind `matches`. Upper and lower case differ in steps and claims (`/(?i)hello/` ignores it) and do not in filters.",
        example: Some("no client > server data ~ /a(/"),
        fix: Some("no client > server data ~ /a\\(/"),
    },
    Code {
        code: BAD_DURATION,
        title: "a span of time that cannot be read",
        explanation: "A span of time is a number with its unit, without a space: `200us`, `50ms`, `1s`, `1.5s`, `2m`.",
        example: Some("in order { client > server SYN; server > client SYN,ACK within 50 }"),
        fix: Some("in order { client > server SYN; server > client SYN,ACK within 50ms }"),
    },
    Code {
        code: OUT_OF_RANGE,
        title: "a number that is too large or too small",
        explanation: "Ports go to 65535, HTTP status codes from 100 to 599, indexes and counts to 4294967295.",
        example: Some("no client > server:70000 SYN"),
        fix: Some("no client > server:7000 SYN"),
    },
    Code {
        code: STEP_OUTSIDE,
        title: "a step outside a sequence",
        explanation: "A step says what happens, but not whether something else may. Put it into `exactly { … }`, `in order { … }` or `any order { … }`.",
        example: Some("client > server SYN"),
        fix: Some("in order { client > server SYN }"),
    },
    Code {
        code: FILTER_OUTSIDE,
        title: "a filter without a claim",
        explanation: "A filter picks packets, it does not say how many there must be. Write `no FILTER`, `packets(FILTER) == 2`, or `each STEP has FILTER`.",
        example: Some("tcp.flags.reset == 1"),
        fix: Some("no tcp.flags.reset == 1"),
    },
    Code {
        code: EMPTY,
        title: "nothing is demanded",
        explanation: "An expectation without a statement, `in order` without a step that has to be there, or a comparison that holds of every capture would always pass.",
        example: Some("in order { }"),
        fix: Some("exactly { }"),
    },
    Code {
        code: SEPARATOR,
        title: "two statements or steps without a separator",
        explanation: "Statements and steps end with their line or with `;`.",
        example: Some("no RST no FIN"),
        fix: Some("no RST; no FIN"),
    },
    Code {
        code: BAD_COUNT,
        title: "a count that makes no sense",
        explanation: "How often is written `x2`, `x1..3` or `x0..`. It must allow at least one, and not end before it begins.",
        example: Some("in order { client > server SYN x3..1 }"),
        fix: Some("in order { client > server SYN x1..3 }"),
    },
    Code {
        code: TYPES,
        title: "two sides that cannot be compared",
        explanation: "Numbers are compared with numbers, text with text, spans of time with spans of time such as `50ms`.",
        example: Some("client.exit == \"1\""),
        fix: Some("client.exit == 1"),
    },
    Code {
        code: UNSUPPORTED,
        title: "a part of Wireshark's filters that is not known here",
        explanation: "Filters mean what they mean in Wireshark 4, but not all of them is there: references to a selected packet (`${tcp.port}`), macros, and in regular expressions what looks ahead or behind are missing.",
        example: Some("no tcp.port == ${udp.port}"),
        fix: Some("no udp and tcp.port == 53"),
    },
    Code {
        code: BAD_SLICE,
        title: "a slice that makes no sense",
        explanation: "A slice is `[start:length]`, `[first-last]`, `[place]`, `[:length]` or `[start:]`, or several of them joined by commas. Places count from 0; negative ones from the end, so that -1 is the last byte.",
        example: Some("no tcp.payload[3-1] == 47:45:54"),
        fix: Some("no tcp.payload[1-3] == 47:45:54"),
    },
    Code {
        code: JSON_PATH,
        title: "a path into JSON that cannot be read",
        explanation: "A path names one value (RFC 9535, singular queries): `$` is the whole text, `.name` or `['a b']` a member of an object, `[0]` an element of an array, `[-1]` the last one. What names several values, such as `[*]`, `..` and `[0:2]`, is not there.",
        example: Some("json(http[0].response.body, \"$.items[*]\") == 1"),
        fix: Some("json(http[0].response.body, \"$.items[0]\") == 1"),
    },
    Code {
        code: BARE_BOOLEAN,
        title: "a boolean field without a comparison",
        explanation: "As in Wireshark, a bare field asks whether the packet has the field, not whether it is set: every TCP segment has `tcp.flags.reset`. Write `tcp.flags.reset == 1`.",
        example: Some("no tcp.flags.reset"),
        fix: Some("no tcp.flags.reset == 1"),
    },
    Code {
        code: DIGITS,
        title: "digits that are read as bytes",
        explanation: "As in Wireshark, a protocol, a payload and an option of TCP are compared with bytes, in hexadecimal: `1460` stands for the two bytes 14:60, also behind `contains`. A number inside has a field of its own; a text stands in quotes.",
        example: Some("each SYN has tcp.options.mss == 1460"),
        fix: Some("each SYN has tcp.options.mss_val == 1460"),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::expect::ast::Collection;
    use crate::expect::claim::fields::{self as claim_fields, ClaimField};
    use crate::expect::fields::{self, Field};
    use crate::expect::{icmp, parse};

    fn codes_of(text: &str) -> BTreeSet<&'static str> {
        let roles = ["client".to_owned(), "server".to_owned()];
        let found = match parse("example", text, &roles) {
            Ok(expectation) => expectation.warnings,
            Err(mistakes) => mistakes,
        };
        found.into_iter().map(|d| d.code).collect()
    }

    #[test]
    fn each_example_has_its_mistake_and_no_other_and_its_fix_has_none() {
        for code in ALL {
            assert_eq!(code.example.is_some(), code.fix.is_some(), "{}", code.code);
            if let Some((example, fix)) = code.example.zip(code.fix) {
                assert_eq!(codes_of(example), BTreeSet::from([code.code]), "{example}");
                assert_eq!(codes_of(fix), BTreeSet::new(), "{fix}");
            }
        }
    }

    #[test]
    fn the_bounds_have_codes_too() {
        assert_eq!(codes_of(&" ".repeat(100_000)), BTreeSet::from([TOO_LONG]));
        let deep = format!("no {}tcp{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(codes_of(&deep), BTreeSet::from([TOO_DEEP]));
        assert!(codes_of(&"no @\n".repeat(100)).contains(TOO_MANY));
    }

    /// The tables of the reference, from what the language knows.
    fn reference() -> String {
        let mut text = String::new();
        let mut table = |title: &str, rows: Vec<String>| {
            text += &format!("{title}\n\n| name | type | meaning |\n| --- | --- | --- |\n");
            text += &rows.concat();
            text += "\n";
        };
        let members = |prefix: &str, fields: Vec<&ClaimField>| {
            let row = |(name, kind, meaning): &&ClaimField| {
                format!(
                    "| `{prefix}{name}` | {} | {meaning} |\n",
                    format!("{kind:?}").to_lowercase()
                )
            };
            fields.iter().map(row).collect::<Vec<_>>()
        };
        for (prefix, collection) in [
            ("tcp[0].", Collection::Tcp),
            ("udp[0].", Collection::Udp),
            ("http[0].", Collection::Http),
        ] {
            let fields = claim_fields::collection_fields(collection).collect();
            table(&format!("### `{prefix}…`"), members(prefix, fields));
        }
        table(
            "### Programs",
            members("client.", claim_fields::program_fields().collect()),
        );
        let field = |f: &Field| format!("| `{}` | {} | {} |\n", f.name, f.kind.words(), f.meaning);
        table("### Fields of packets", fields::all().map(field).collect());
        text += "### ICMP messages\n\nType and code in each version.\n\n";
        text += "| | ICMP | ICMPv6 |\n| --- | --- | --- |\n";
        for (name, [v4, v6]) in icmp::meanings() {
            text += &format!("| `{name}` | {v4} | {v6} |\n");
        }
        text.push('\n');
        text += "### Mistakes\n\n| code | |\n| --- | --- |\n";
        for code in ALL {
            text += &format!("| {} | {} |\n", code.code, code.title);
        }
        text
    }

    #[test]
    fn the_reference_has_every_name() {
        let document = include_str!("../../docs/expectations.md");
        let marker = "<!-- The tables from here on are what the language knows; a test compares them. -->\n\n";
        if std::env::var_os("BLESS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/expectations.md");
            let before = document
                .split_once(marker)
                .map_or(document, |(text, _)| text);
            std::fs::write(path, format!("{before}{marker}{}", reference())).unwrap();
            return;
        }
        let tables = document.split_once(marker).map(|(_, tables)| tables);
        assert!(
            tables == Some(&reference()),
            "docs/expectations.md must end with:\n{marker}{}",
            reference()
        );
    }

    #[test]
    fn codes_are_in_order_and_explained() {
        assert!(ALL.windows(2).all(|two| two[0].code < two[1].code));
        assert!(ALL.iter().all(|c| c.explanation.ends_with('.')));
    }
}
