//! Characters that came along with pasted text: those that are not seen, and
//! letters of other alphabets that look like ours.

use super::super::ast::Span;
use super::super::codes;
use crate::diagnostic::{Diagnostic, Severity};

/// Greek and Cyrillic letters, and what they look like.
const ALIKE: [(&str, &str, &str); 4] = [
    ("Cyrillic", "АВСЕНІЈКМОРЅТХУ", "ABCEHIJKMOPSTXY"),
    ("Cyrillic", "асеіјорѕхуһ", "aceijopsxyh"),
    ("Greek", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
    ("Greek", "ονι", "ovi"),
];

/// The character at the mistake's beginning or beside it, where it is such a one:
/// then it is the mistake.
pub(super) fn beside(text: &str, span: &Span) -> Option<Diagnostic> {
    let inside = text.get(span.clone())?;
    let behind = text.get(span.end..)?.chars().next();
    let before = text.get(..span.start)?.chars().next_back();
    let mut chars = inside.chars();
    let alone = chars.next().filter(|_| chars.next().is_none());
    let at = |start: usize, c: char| told(c, start..start + c.len_utf8());
    (alone.and_then(|c| at(span.start, c)))
        .or_else(|| at(span.end, behind?))
        .or_else(|| before.and_then(|c| at(span.start - c.len_utf8(), c)))
}

fn told(c: char, span: Span) -> Option<Diagnostic> {
    let (what, label, help) = match unseen(c) {
        Some((what, true)) => (
            what.to_owned(),
            "looks like a space",
            "type a space instead".to_owned(),
        ),
        Some((what, false)) => (
            what.to_owned(),
            "cannot be seen",
            "delete it, or type this place anew".to_owned(),
        ),
        None => {
            let (alphabet, ours) = alike(c)?;
            let what = format!("the {alphabet} `{c}`, which looks like {ours}");
            (
                what,
                "not the letter it seems",
                format!("type {ours} instead"),
            )
        }
    };
    Some(Diagnostic {
        severity: Severity::Error,
        code: codes::UNEXPECTED_CHARACTER,
        message: format!("unexpected character: {what} (U+{:04X})", u32::from(c)),
        span,
        label: label.to_owned(),
        help: Some(help),
    })
}

/// What the character is called, and whether it takes the room of a space.
fn unseen(c: char) -> Option<(&'static str, bool)> {
    Some(match c {
        '\u{a0}' | '\u{202f}' => ("a no-break space", true),
        '\u{2000}'..='\u{200a}' | '\u{205f}' | '\u{3000}' => ("a space of another width", true),
        '\u{200b}' => ("a zero-width space", false),
        '\u{200c}' | '\u{200d}' | '\u{2060}' => ("a zero-width joiner", false),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            ("a mark that turns the direction of writing", false)
        }
        '\u{2028}' | '\u{2029}' => ("a line separator", false),
        '\u{ad}' => ("a soft hyphen", false),
        '\u{feff}' => ("a byte order mark", false),
        _ => return None,
    })
}

fn alike(c: char) -> Option<(&'static str, char)> {
    ALIKE.iter().find_map(|(alphabet, theirs, ours)| {
        let place = theirs.chars().position(|other| other == c)?;
        Some((*alphabet, ours.chars().nth(place)?))
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn mistakes(text: &str) -> Vec<(String, String)> {
        let roles = ["client".to_owned(), "server".to_owned()];
        let found = parse("it", text, &roles).unwrap_err();
        let told = |d: Diagnostic| {
            (
                format!("{} {}", d.code, d.message),
                d.help.unwrap_or_default(),
            )
        };
        found.into_iter().map(told).collect()
    }

    #[test]
    fn each_letter_looks_like_one() {
        for (_, theirs, ours) in ALIKE {
            assert_eq!(theirs.chars().count(), ours.chars().count());
        }
    }

    #[test]
    fn pasted_characters_are_called_by_their_names() {
        for (text, name) in [
            ("no\u{a0}RST", "a no-break space (U+00A0)"),
            ("client.exit\u{a0}== 0", "a no-break space (U+00A0)"),
            ("no R\u{200b}ST", "a zero-width space (U+200B)"),
            (
                "no \u{202e}RST",
                "a mark that turns the direction of writing (U+202E)",
            ),
            (
                "no RS\u{422}",
                "the Cyrillic `Т`, which looks like T (U+0422)",
            ),
            (
                "in order { cli\u{435}nt > server SYN }",
                "the Cyrillic `е`, which looks like e (U+0435)",
            ),
            (
                "no tcp.\u{440}ort == 80",
                "the Cyrillic `р`, which looks like p (U+0440)",
            ),
        ] {
            let found = mistakes(text);
            let expected = format!("E001 unexpected character: {name}");
            assert_eq!(
                found.first().map(|(m, _)| m.as_str()),
                Some(expected.as_str()),
                "{text}"
            );
            assert_eq!(found.len(), 1, "{text}: {found:?}");
        }
    }

    #[test]
    fn strings_may_hold_them() {
        let roles = ["client".to_owned()];
        assert!(parse("it", "client.stdout == \"a\u{a0}\u{422}\"", &roles).is_ok());
    }
}
