//! A place in a JSON text: the *singular queries* of JSONPath (RFC 9535,
//! section 2.3.5.1), which name one value at most. `$` is the whole text,
//! `.name` or `["name"]` a member, `[0]` an element, `[-1]` the last one.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde_json::value::RawValue;

use super::number::Number;

/// What a path may go down: each step reads what is left of the text.
const MOST_SEGMENTS: usize = 128;

/// `$.items[0].name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Member(String),
    /// A negative one counts from the end.
    Element(i64),
}

/// What is wrong with a path, and from which byte of it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPath {
    pub at: usize,
    pub expected: &'static str,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Bool(bool),
    Number(Number),
    /// A string's; of objects, arrays and null, their text as it stands.
    Text(String),
}

/// A value that was not read further.
enum Json<'t> {
    Object(BTreeMap<String, &'t RawValue>),
    Array(Vec<&'t RawValue>),
    Other(Found),
}

impl<'t> Json<'t> {
    fn read(raw: &'t RawValue) -> serde_json::Result<Json<'t>> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => Json::Object(serde_json::from_str(text)?),
            Some(b'[') => Json::Array(serde_json::from_str(text)?),
            Some(b'"') => Json::Other(Found::Text(serde_json::from_str(text)?)),
            Some(b't' | b'f') => Json::Other(Found::Bool(text == "true")),
            _ => Json::Other(match Number::parse(text) {
                Some(number) => Found::Number(number),
                None => Found::Text(text.to_owned()),
            }),
        })
    }

    fn is(&self) -> String {
        match self {
            Json::Object(members) => {
                let names: Vec<&str> = members.keys().map(String::as_str).take(20).collect();
                format!("an object with the members {}", names.join(", "))
            }
            Json::Array(elements) => format!("an array of {}", elements.len()),
            Json::Other(Found::Bool(_)) => "true or false".to_owned(),
            Json::Other(Found::Number(_)) => "a number".to_owned(),
            Json::Other(Found::Text(text)) if text == "null" => "null".to_owned(),
            Json::Other(Found::Text(_)) => "a string".to_owned(),
        }
    }
}

/// Why a text has nothing at a path: one clause.
pub type Nothing = String;

impl JsonPath {
    /// # Errors
    /// Where the path stops being a singular query.
    pub fn parse(text: &str) -> Result<JsonPath, BadPath> {
        let bad = |rest: &str, expected| {
            let at = text.len() - rest.len();
            Err(BadPath { at, expected })
        };
        let Some(mut rest) = text.strip_prefix('$') else {
            return bad(text, "`$`, which is the whole text");
        };
        let mut segments = Vec::new();
        while !rest.is_empty() {
            if segments.len() == MOST_SEGMENTS {
                return bad(rest, "the end: a path goes down 128 levels at most");
            }
            if let Some(behind) = rest.strip_prefix('.') {
                let len = behind
                    .find(|c: char| !is_in_name(c))
                    .unwrap_or(behind.len());
                let (name, after) = behind.split_at(len);
                if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                    return bad(behind, "a member's name; others stand in `['…']`");
                }
                segments.push(Segment::Member(name.to_owned()));
                rest = after;
            } else if let Some(behind) = rest.strip_prefix('[') {
                let Some((segment, after)) = bracketed(behind) else {
                    return bad(behind, "a number or a name in quotes, and `]`");
                };
                segments.push(segment);
                rest = after;
            } else {
                return bad(rest, "`.name`, `[0]` or the end");
            }
        }
        Ok(JsonPath(segments))
    }

    /// The value at the path in a JSON text.
    ///
    /// # Errors
    /// The text is no JSON, or has nothing there.
    pub fn find(&self, text: &[u8]) -> Result<Found, Nothing> {
        let no_json = |error| format!("is no JSON: {error}");
        let mut raw: &RawValue = serde_json::from_slice(text).map_err(no_json)?;
        let mut json = Json::read(raw).map_err(no_json)?;
        for (depth, segment) in self.0.iter().enumerate() {
            let found = match (segment, &json) {
                (Segment::Member(name), Json::Object(members)) => members.get(name),
                (Segment::Element(index), Json::Array(elements)) => {
                    let len = i64::try_from(elements.len()).unwrap_or(i64::MAX);
                    let index = if *index < 0 { index + len } else { *index };
                    usize::try_from(index).ok().and_then(|i| elements.get(i))
                }
                _ => None,
            };
            let Some(found) = found else {
                let so_far = JsonPath(self.0.iter().take(depth).cloned().collect());
                return Err(format!("has no {self}: {so_far} is {}", json.is()));
            };
            raw = found;
            json = Json::read(raw).map_err(no_json)?;
        }
        Ok(match json {
            Json::Other(found) => found,
            Json::Object(_) | Json::Array(_) => Found::Text(raw.get().to_owned()),
        })
    }
}

/// RFC 9535, `name-char`.
fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

/// What stands behind `[`, and the rest behind its `]`.
fn bracketed(text: &str) -> Option<(Segment, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let Some(quote) = quote else {
        let (number, rest) = text.split_once(']')?;
        // RFC 9535, `int`: no zero in front, no `-0`.
        let digits = number.strip_prefix('-').unwrap_or(number);
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        if !plain || (digits.starts_with('0') && number != "0") {
            return None;
        }
        return Some((Segment::Element(number.parse().ok()?), rest));
    };
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next()?.1 {
                c @ ('\\' | '\'' | '"' | '/') => name.push(c),
                'b' => name.push('\u{8}'),
                'f' => name.push('\u{c}'),
                'n' => name.push('\n'),
                't' => name.push('\t'),
                'r' => name.push('\r'),
                'u' => {
                    let mut units = vec![unit(&mut chars)?];
                    // The other half of a character beyond U+FFFF.
                    if matches!(units.first(), Some(0xd800..0xdc00)) {
                        let (_, backslash) = chars.next()?;
                        let (_, u) = chars.next()?;
                        if (backslash, u) != ('\\', 'u') {
                            return None;
                        }
                        units.push(unit(&mut chars)?);
                    }
                    name.push_str(&String::from_utf16(&units).ok()?);
                }
                _ => return None,
            },
            c if c == quote => {
                let rest = text.get(at + 1..)?.strip_prefix(']')?;
                return Some((Segment::Member(name), rest));
            }
            c if c.is_control() => return None,
            c => name.push(c),
        }
    }
    None
}

/// Four hexadecimal digits behind `\u`.
fn unit(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<u16> {
    let digits: String = chars.take(4).map(|(_, c)| c).collect();
    let hex = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    u16::from_str_radix(&digits, 16).ok().filter(|_| hex)
}

impl Display for JsonPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for segment in &self.0 {
            match segment {
                Segment::Element(index) => write!(f, "[{index}]")?,
                Segment::Member(name)
                    if name.chars().all(is_in_name)
                        && !name.is_empty()
                        && !name.starts_with(|c: char| c.is_ascii_digit()) =>
                {
                    write!(f, ".{name}")?;
                }
                Segment::Member(name) => {
                    f.write_str("['")?;
                    for c in name.chars() {
                        match c {
                            '\'' | '\\' => write!(f, "\\{c}")?,
                            '\n' => f.write_str("\\n")?,
                            '\t' => f.write_str("\\t")?,
                            '\r' => f.write_str("\\r")?,
                            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                            c => write!(f, "{c}")?,
                        }
                    }
                    f.write_str("']")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        br#"{"items": [{"name": "a"}, {"name": "b c"}], "n": 2, "a b": {"'": true}}"#;

    fn found(path: &str) -> Result<String, Nothing> {
        Ok(match JsonPath::parse(path).unwrap().find(TEXT)? {
            Found::Bool(b) => b.to_string(),
            Found::Number(number) => number.to_string(),
            Found::Text(text) => format!("{text:?}"),
        })
    }

    #[test]
    fn a_value_is_found() {
        assert_eq!(found("$.n"), Ok("2".to_owned()));
        assert_eq!(found("$.items[0].name"), Ok("\"a\"".to_owned()));
        assert_eq!(found("$['items'][-1][\"name\"]"), Ok("\"b c\"".to_owned()));
        assert_eq!(found("$['a b']['\\'']"), Ok("true".to_owned()));
    }

    #[test]
    fn objects_are_told_as_they_stand() {
        let text = br#" {"b": [1.50, 1e2],"a":{"z":1, "a":null}} "#;
        let found = |path| JsonPath::parse(path).unwrap().find(text);
        let text = |text: &str| Ok(Found::Text(text.to_owned()));
        assert_eq!(found("$.b"), text("[1.50, 1e2]"));
        assert_eq!(found("$.a"), text(r#"{"z":1, "a":null}"#));
        assert_eq!(found("$.a.a"), text("null"));
        assert_eq!(
            found("$"),
            text(r#"{"b": [1.50, 1e2],"a":{"z":1, "a":null}}"#)
        );
        assert_eq!(
            found("$.b[0]"),
            Ok(Found::Number(Number::with_places(15, 1)))
        );
    }

    #[test]
    fn what_is_not_there_is_told() {
        let nothing = |path| found(path).unwrap_err();
        assert_eq!(
            nothing("$.items[2].name"),
            "has no $.items[2].name: $.items is an array of 2"
        );
        assert_eq!(nothing("$.n.x"), "has no $.n.x: $.n is a number");
        assert!(nothing("$.x").contains("an object with the members"));
        let broken = JsonPath::parse("$").unwrap().find(b"{").unwrap_err();
        assert!(broken.starts_with("is no JSON: "), "{broken}");
    }

    #[test]
    fn a_path_is_written_as_it_is_read() {
        for path in [
            "$",
            "$.a",
            "$.é[0]",
            "$['a b'][-1]",
            "$['']",
            "$['\\'\\\\']",
            "$['\\u0001']",
        ] {
            assert_eq!(JsonPath::parse(path).unwrap().to_string(), path);
        }
    }

    /// RFC 9535, section 2.3.1.1.
    #[test]
    fn escapes_of_names_are_those_of_json() {
        let shown = |path| JsonPath::parse(path).ok().map(|path| path.to_string());
        assert_eq!(shown("$['\\u00e9']").as_deref(), Some("$.é"));
        assert_eq!(shown("$['\\ud83d\\ude00']").as_deref(), Some("$.😀"));
        for wrong in [
            "$['\\ud83d']",
            "$['\\u00e']",
            "$['\\u00eg']",
            "$['\\ud83d\\u0041']",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_names_several_or_nothing_is_refused() {
        for path in [
            "", "items", "$..a", "$.*", "$[*]", "$[0:2]", "$.a[", "$['a'", "$[01]", "$[-0]",
            "$[+1]", "$.0", "$.a b", "$[?@.x]", "$[]",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
        assert!(JsonPath::parse(&format!("${}", "[0]".repeat(128))).is_ok());
        assert!(JsonPath::parse(&format!("${}", "[0]".repeat(129))).is_err());
    }
}
