//! A place in a JSON text: the *singular queries* of JSONPath (RFC 9535,
//! section 2.3.5.1), which name one value at most. `$` is the whole text,
//! `.name` or `["name"]` a member, `[0]` an element, `[-1]` the last one.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

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
    pub fn find(&self, text: &[u8]) -> Result<Value, Nothing> {
        let mut value: Value =
            serde_json::from_slice(text).map_err(|error| format!("is no JSON: {error}"))?;
        let mut so_far = JsonPath(Vec::new());
        for segment in &self.0 {
            let found = match (segment, &mut value) {
                (Segment::Member(name), Value::Object(members)) => {
                    members.get_mut(name).map(Value::take)
                }
                (Segment::Element(index), Value::Array(elements)) => {
                    let len = i64::try_from(elements.len()).unwrap_or(i64::MAX);
                    let index = if *index < 0 { index + len } else { *index };
                    let place = usize::try_from(index).ok();
                    place.and_then(|i| elements.get_mut(i)).map(Value::take)
                }
                _ => None,
            };
            let Some(found) = found else {
                let is = match &value {
                    Value::Object(members) => {
                        let names: Vec<&str> =
                            members.keys().map(String::as_str).take(20).collect();
                        format!("an object with the members {}", names.join(", "))
                    }
                    Value::Array(elements) => format!("an array of {}", elements.len()),
                    Value::String(_) => "a string".to_owned(),
                    Value::Number(_) => "a number".to_owned(),
                    Value::Bool(_) => "true or false".to_owned(),
                    Value::Null => "null".to_owned(),
                };
                return Err(format!("has no {self}: {so_far} is {is}"));
            };
            value = found;
            so_far.0.push(segment.clone());
        }
        Ok(value)
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
                'n' => name.push('\n'),
                't' => name.push('\t'),
                'r' => name.push('\r'),
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
        let value = JsonPath::parse(path).unwrap().find(TEXT)?;
        Ok(value.to_string())
    }

    #[test]
    fn a_value_is_found() {
        assert_eq!(found("$.n"), Ok("2".to_owned()));
        assert_eq!(found("$.items[0].name"), Ok("\"a\"".to_owned()));
        assert_eq!(found("$['items'][-1][\"name\"]"), Ok("\"b c\"".to_owned()));
        assert_eq!(found("$['a b']['\\'']"), Ok("true".to_owned()));
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
        ] {
            assert_eq!(JsonPath::parse(path).unwrap().to_string(), path);
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
    }
}
