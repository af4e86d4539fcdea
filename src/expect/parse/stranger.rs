//! Characters that came along with pasted text: those that are not seen, letters of
//! other alphabets that look like ours, signs that are typed otherwise here.

use super::super::ast::Span;
use super::super::codes;
use super::suggest::{did_you_mean, nearest};
use crate::diagnostic::{Diagnostic, Severity};

/// Greek and Cyrillic letters, and what they look like.
const ALIKE: [(&str, &str, &str); 4] = [
    ("Cyrillic", "АВСЕНІЈКМОРЅТХУ", "ABCEHIJKMOPSTXY"),
    ("Cyrillic", "асеіјорѕхуһ", "aceijopsxyh"),
    ("Greek", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
    ("Greek", "ονι", "ovi"),
];

/// Signs of print and of mathematics, and what is typed for them.
const SIGNS: [(&str, &str); 11] = [
    ("≠", "!="),
    ("≤⩽", "<="),
    ("≥⩾", ">="),
    ("≡", "=="),
    ("−–—", "-"),
    ("…", ".."),
    ("∧", "and"),
    ("∨", "or"),
    ("¬", "not"),
    ("∈", "in"),
    ("∼", "~"),
];

/// The character at the mistake's beginning or beside it, where it is such a one:
/// then it is the mistake.
pub(super) fn beside(text: &str, span: &Span, roles: &[String]) -> Option<Diagnostic> {
    let inside = text.get(span.clone())?;
    let behind = text.get(span.end..)?.chars().next();
    let before = text.get(..span.start)?.chars().next_back();
    let mut chars = inside.chars();
    let alone = chars.next().filter(|_| chars.next().is_none());
    let at = |start: usize, c: char| {
        let span = start..start + c.len_utf8();
        (pasted(c, &span))
            .or_else(|| how_often(text, c, &span))
            .or_else(|| sign(c, &span))
            .or_else(|| letter(text, c, &span, roles))
    };
    (alone.and_then(|c| at(span.start, c)))
        .or_else(|| at(span.end, behind?))
        .or_else(|| before.and_then(|c| at(span.start - c.len_utf8(), c)))
}

fn told(what: &str, c: char, span: Span, label: &str, help: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: codes::UNEXPECTED_CHARACTER,
        message: format!("unexpected character: {what} (U+{:04X})", u32::from(c)),
        span,
        label: label.to_owned(),
        help: Some(help),
    }
}

/// `FIN × 2`.
fn how_often(text: &str, c: char, span: &Span) -> Option<Diagnostic> {
    let behind = text.get(span.end..).filter(|_| c == '×')?;
    let number = behind.trim_start_matches(' ');
    let spaces = behind.len() - number.len();
    let digits = number
        .find(|c: char| !c.is_ascii_digit())
        .map_or(number, |end| &number[..end]);
    let is_count = digits.bytes().any(|digit| digit != b'0');
    let (end, digits) = match is_count {
        true => (span.end + spaces + digits.len(), digits),
        false => (span.end, "2"),
    };
    Some(told(
        "the sign `×`",
        c,
        span.start..end,
        "how often is written with the letter x",
        format!("write `x{digits}`"),
    ))
}

fn sign(c: char, span: &Span) -> Option<Diagnostic> {
    let full_width = match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0),
        _ => None,
    };
    let ours = match full_width {
        Some(ours) => ours.to_string(),
        None => (SIGNS.iter())
            .find_map(|(theirs, ours)| theirs.contains(c).then(|| (*ours).to_owned()))?,
    };
    let help = format!("type `{ours}` instead");
    Some(told(
        &format!("the sign `{c}`"),
        c,
        span.clone(),
        "written otherwise here",
        help,
    ))
}

/// `sërver`: a letter that words do not have. The whole word is the mistake.
fn letter(text: &str, c: char, span: &Span, roles: &[String]) -> Option<Diagnostic> {
    if c.is_ascii() || !c.is_alphabetic() {
        return None;
    }
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let before = text.get(..span.start)?;
    let start = before.trim_end_matches(inside).len();
    let behind = text.get(span.start..)?;
    let end = span.start + behind.find(|c| !inside(c)).unwrap_or(behind.len());
    let word = text.get(start..end)?;
    let otherwise = match word.strip_suffix("µs").or_else(|| word.strip_suffix("μs")) {
        Some(number) if number.ends_with(|c: char| c.is_ascii_digit()) => {
            format!("write `{number}us`")
        }
        _ => format!("words have the letters a to z; text stands in quotes: `\"{word}\"`"),
    };
    let help = did_you_mean(nearest(word, roles.iter().map(String::as_str)), &otherwise);
    Some(told(
        &format!("the letter `{c}`"),
        c,
        start..end,
        "no word of the language has it",
        help.unwrap_or_default(),
    ))
}

fn pasted(c: char, span: &Span) -> Option<Diagnostic> {
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
    Some(told(&what, c, span.clone(), label, help))
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
    fn signs_and_letters_are_told_with_what_is_typed_for_them() {
        for (wrong, right) in [
            ("packets(SYN) ≠ 1", "packets(SYN) != 1"),
            ("packets(SYN) ≥ 1", "packets(SYN) >= 1"),
            ("no tcp.len ≤ 1", "no tcp.len <= 1"),
            ("no tcp ∧ ip", "no tcp and ip"),
            ("packets(SYN) ＝= 1", "packets(SYN) == 1"),
            ("in order { FIN × 2 }", "in order { FIN x2 }"),
            ("in order { FIN ×2 }", "in order { FIN x2 }"),
            ("in order { data \"a\" ×3 }", "in order { data \"a\" x3 }"),
            ("in order { FIN x1…3 }", "in order { FIN x1..3 }"),
            (
                "in order { sërver > client SYN }",
                "in order { server > client SYN }",
            ),
            ("no sërver > client SYN", "no server > client SYN"),
            ("no server > cliënt SYN", "no server > client SYN"),
            ("client.stdout == grün", "client.stdout == \"grün\""),
        ] {
            let roles = ["client".to_owned(), "server".to_owned()];
            let found = parse("it", wrong, &roles).unwrap_err();
            assert_eq!(found.len(), 1, "{wrong}: {found:?}");
            assert_eq!(found[0].code, codes::UNEXPECTED_CHARACTER, "{wrong}");
            let help = found[0].help.as_deref().unwrap();
            let ours = help.split('`').nth(1).unwrap();
            let mut mended = wrong.to_owned();
            mended.replace_range(found[0].span.clone(), ours);
            assert_eq!(mended, right, "{help}");
            assert!(parse("it", right, &roles).is_ok(), "{right}");
        }
    }

    #[test]
    fn strings_may_hold_them() {
        let roles = ["client".to_owned()];
        assert!(parse("it", "client.stdout == \"a\u{a0}\u{422}\"", &roles).is_ok());
        let escape = mistakes("client.stdout == \"\\qé\"");
        assert!(escape[0].0.starts_with(codes::BAD_ESCAPE), "{escape:?}");
    }
}
