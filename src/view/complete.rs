//! Completion of a display filter while it is typed.

use serde::Serialize;

use crate::expect::fields::{self, Field};

/// A field that the word before the caret may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    pub name: &'static str,
    pub r#type: &'static str,
    pub meaning: &'static str,
}

/// So many are offered.
const MOST: usize = 12;

/// The fields that begin with the word that ends at `caret` (a byte position),
/// and where that word begins. Those with the fewest further parts come first.
pub fn complete(text: &str, caret: usize) -> (usize, Vec<Candidate>) {
    let before = text.get(..caret).unwrap_or(text);
    let start = before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_')))
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
    let word = before.get(start..).unwrap_or_default().to_ascii_lowercase();
    // A number is no name, and inside quotes nothing is.
    let quoted = before.matches('"').count() % 2 == 1;
    if word.is_empty() || quoted || word.starts_with(|c: char| c.is_ascii_digit()) {
        return (start, Vec::new());
    }
    let mut found: Vec<&'static Field> = fields::all()
        .filter(|field| field.name.starts_with(&word) && field.name != word)
        .collect();
    found.sort_by_key(|field| (field.name.matches('.').count(), field.name));
    let candidates = found.into_iter().take(MOST).map(|field| Candidate {
        name: field.name,
        r#type: field.kind.words(),
        meaning: field.meaning,
    });
    (start, candidates.collect())
}

#[cfg(test)]
mod tests {
    use super::complete;

    fn names(text: &str) -> Vec<&'static str> {
        complete(text, text.len())
            .1
            .iter()
            .map(|c| c.name)
            .collect()
    }

    #[test]
    fn the_word_before_the_caret_is_completed() {
        let (start, found) = complete("udp && tcp.flags.s && x", 18);
        assert_eq!(start, 7);
        let names: Vec<&str> = found.iter().map(|one| one.name).collect();
        assert_eq!(names, ["tcp.flags.str", "tcp.flags.syn"]);
    }

    #[test]
    fn a_protocol_comes_before_its_fields() {
        assert_eq!(names("ht")[0], "http");
        assert!(names("udp.").contains(&"udp.length"));
    }

    #[test]
    fn numbers_and_quoted_text_are_not_names() {
        assert!(names("tcp.port == 80").is_empty());
        assert!(names("http.host == \"tcp").is_empty());
        assert!(names("é").is_empty());
    }
}
