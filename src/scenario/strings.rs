//! Where each byte of a TOML string's value stands in the file. Escapes, the
//! quotes and line-ending backslashes move the two apart; a caret needs the way
//! back.

use std::ops::Range;

/// The string token at `span` of `source`, whose value is `value`: for each
/// byte of the value, and for its end, the offset in `source`.
///
/// The bytes of one escape all stand where the escape begins.
pub(super) fn offsets(source: &str, span: Range<usize>, value: &str) -> Vec<usize> {
    let raw = source.get(span.clone()).unwrap_or_default();
    match walk(raw, span.start) {
        Some(walk) if walk.len == value.len() => walk.offsets,
        // A bare key, or a token that the TOML parser repaired: its beginning
        // is still the right place to point at.
        _ if raw == value => (span.start..=span.end).collect(),
        _ => vec![span.start; value.len() + 1],
    }
}

struct Walk {
    offsets: Vec<usize>,
    /// Length of the value.
    len: usize,
}

impl Walk {
    fn push(&mut self, at: usize, bytes: usize) {
        self.offsets.extend(std::iter::repeat_n(at, bytes));
        self.len += bytes;
    }
}

/// The four forms of a TOML string (https://toml.io/en/v1.1.0#string).
fn walk(raw: &str, start: usize) -> Option<Walk> {
    let (quotes, basic) = if raw.starts_with("\"\"\"") {
        (3, true)
    } else if raw.starts_with("'''") {
        (3, false)
    } else if raw.starts_with('"') {
        (1, true)
    } else if raw.starts_with('\'') {
        (1, false)
    } else {
        return None;
    };
    let end = raw.len().checked_sub(quotes).filter(|end| *end >= quotes)?;
    let mut at = quotes;
    if quotes == 3 {
        // A newline right behind the opening quotes is no part of the value.
        at += newline(raw.get(at..end)?);
    }
    let mut out = Walk {
        offsets: Vec::with_capacity(end - at + 1),
        len: 0,
    };
    while at < end {
        let rest = raw.get(at..end)?;
        match rest.strip_prefix('\\').filter(|_| basic) {
            None => {
                let length = rest.chars().next()?.len_utf8();
                for byte in 0..length {
                    out.push(start + at + byte, 1);
                }
                at += length;
            }
            Some(escaped) => {
                let (source_len, value_len) = escape(escaped)?;
                out.push(start + at, value_len);
                at += 1 + source_len;
            }
        }
    }
    out.offsets.push(start + end);
    Some(out)
}

/// What stands behind a backslash: its length in the source and in the value.
fn escape(rest: &str) -> Option<(usize, usize)> {
    let digits = match rest.chars().next()? {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        ' ' | '\t' | '\r' | '\n' => {
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            return Some((rest.len() - trimmed.len(), 0));
        }
        other => return Some((other.len_utf8(), 1)),
    };
    let code = u32::from_str_radix(rest.get(1..1 + digits)?, 16).ok()?;
    Some((1 + digits, char::from_u32(code)?.len_utf8()))
}

/// Length of the newline that `text` begins with, or 0.
fn newline(text: &str) -> usize {
    if text.starts_with("\r\n") {
        2
    } else {
        usize::from(text.starts_with('\n'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use toml::de::DeTable;

    /// The value and its offsets for the one string of `key = STRING`.
    fn read(source: &str) -> (String, Vec<usize>) {
        let table = DeTable::parse(source).unwrap();
        let value = &table.get_ref()["key"];
        let text = value.get_ref().as_str().unwrap();
        (text.to_owned(), offsets(source, value.span(), text))
    }

    #[test]
    fn an_escape_stands_where_its_backslash_stands() {
        let source = r#"key = "a\u00e9\n\"b""#;
        let (value, offsets) = read(source);
        assert_eq!(value, "aé\n\"b");
        let places: Vec<&str> = offsets.iter().map(|&o| &source[o..o + 1]).collect();
        assert_eq!(places, ["a", "\\", "\\", "\\", "\\", "b", "\""]);
    }

    #[test]
    fn a_line_ending_backslash_is_skipped_with_its_white_space() {
        let source = "key = \"\"\"\nab\\  \n\n   cd\"\"\"\n";
        let (value, offsets) = read(source);
        assert_eq!(value, "abcd");
        let at = |text: &str| source.find(text).unwrap();
        assert_eq!(
            offsets,
            [at("ab"), at("ab") + 1, at("cd"), at("cd") + 1, at("cd") + 2]
        );
    }

    #[test]
    fn quotes_at_the_end_of_a_multi_line_string_belong_to_it() {
        let (value, offsets) = read("key = ''''a'''''\n");
        assert_eq!(value, "'a''");
        assert_eq!(offsets, [9, 10, 11, 12, 13]);
    }

    /// One piece of a string: how it is written in a basic string, and what
    /// it stands for.
    fn piece(multi_line: bool) -> impl Strategy<Value = (String, String)> {
        let plain = "[ !#-&(-\\[\\]-~é漢🙂\t]".prop_map(|c| (c.clone(), c));
        let escaped = prop::sample::select(vec![
            ("\\n", "\n"),
            ("\\\\", "\\"),
            ("\\\"", "\""),
            ("\\t", "\t"),
            ("\\e", "\u{1b}"),
            ("\\b", "\u{8}"),
            ("\\f", "\u{c}"),
            ("\\r", "\r"),
            ("\\x41", "A"),
            ("\\xe9", "é"),
            ("\\u6f22", "漢"),
            ("\\U0001F642", "🙂"),
        ])
        .prop_map(|(a, b)| (a.to_owned(), b.to_owned()));
        let lines = prop::sample::select(vec![
            ("\n", "\n"),
            ("\r\n", "\r\n"),
            ("\\\n", ""),
            ("\\ \t\r\n  \n ", ""),
            ("'", "'"),
        ])
        .prop_map(|(a, b)| (a.to_owned(), b.to_owned()));
        if multi_line {
            prop_oneof![3 => plain, 2 => escaped, 1 => lines].boxed()
        } else {
            prop_oneof![3 => plain, 2 => escaped].boxed()
        }
    }

    /// Each value byte's offset, as told by the pieces it was put together from.
    fn expected(pieces: &[(String, String)], mut at: usize) -> Vec<(usize, bool)> {
        let mut out = Vec::new();
        for (written, value) in pieces {
            for i in 0..value.len() {
                let literal = written == value;
                out.push((if literal { at + i } else { at }, literal));
            }
            at += written.len();
        }
        out.push((at, false));
        out
    }

    /// White space behind a line-ending backslash vanishes too, so that such a
    /// piece must not be followed by literal white space.
    fn sound(pieces: &[(String, String)]) -> bool {
        pieces.windows(2).all(|pair| {
            let swallows = pair[0].1.is_empty();
            !(swallows && pair[1].0.starts_with([' ', '\t', '\r', '\n']))
        })
    }

    proptest! {
        #[test]
        fn basic(pieces in prop::collection::vec(piece(false), 0..20), lead in "[ \t]{0,3}") {
            let body: String = pieces.iter().map(|p| p.0.as_str()).collect();
            let source = format!("# é\nkey ={lead}\"{body}\" # end\n");
            let (value, offsets) = read(&source);
            prop_assert_eq!(&value, &pieces.iter().map(|p| p.1.as_str()).collect::<String>());
            let begin = source.find('"').unwrap() + 1;
            let expected: Vec<usize> = expected(&pieces, begin).iter().map(|e| e.0).collect();
            prop_assert_eq!(offsets, expected);
        }

        #[test]
        fn multi_line_basic(pieces in prop::collection::vec(piece(true), 0..20), first in "(\n|\r\n|)") {
            prop_assume!(sound(&pieces));
            let body: String = pieces.iter().map(|p| p.0.as_str()).collect();
            prop_assume!(!first.is_empty() || !body.starts_with(['\n', '\r']));
            let source = format!("key = \"\"\"{first}{body}\"\"\"\n");
            let (value, offsets) = read(&source);
            prop_assert_eq!(&value, &pieces.iter().map(|p| p.1.as_str()).collect::<String>());
            let begin = source.find('"').unwrap() + 3 + first.len();
            let expected: Vec<usize> = expected(&pieces, begin).iter().map(|e| e.0).collect();
            prop_assert_eq!(offsets, expected);
        }

        #[test]
        fn literal(body in "[ -&(-~é漢🙂\t]{0,40}") {
            let source = format!("key = '{body}'\n");
            let (value, offsets) = read(&source);
            prop_assert_eq!(&value, &body);
            let begin = source.find('\'').unwrap() + 1;
            prop_assert_eq!(offsets, (begin..=begin + body.len()).collect::<Vec<_>>());
        }

        #[test]
        fn multi_line_literal(body in "([ -&(-~é漢🙂\t]|\n|\r\n|'{1,2}[a-z]){0,30}", first in "(\n|\r\n|)") {
            prop_assume!(!first.is_empty() || !body.starts_with(['\n', '\r']));
            let source = format!("key = '''{first}{body}'''\n");
            let (value, offsets) = read(&source);
            prop_assert_eq!(&value, &body);
            let begin = source.find('\'').unwrap() + 3 + first.len();
            prop_assert_eq!(offsets, (begin..=begin + body.len()).collect::<Vec<_>>());
        }

        /// Whatever the token is, there is an offset for each byte, they never
        /// run backwards, and none lies outside the token.
        #[test]
        fn any_token(raw in "[\"'\\\\a-z\n\r u0-9]{0,30}", value in "[a-z]{0,20}") {
            let offsets = offsets(&raw, 0..raw.len(), &value);
            prop_assert_eq!(offsets.len(), value.len() + 1);
            prop_assert!(offsets.is_sorted());
            prop_assert!(offsets.iter().all(|o| *o <= raw.len()));
        }
    }
}
