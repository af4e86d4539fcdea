//! Author errors: what is wrong in a scenario or expectation text, where, and
//! the way out. Data only; `render` shows it.

use std::ops::Range;

/// A text that diagnostics point into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name to show: a path, or `builtin:NAME`, or `-e`.
    pub name: String,
    pub text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text is used as it stands, but probably means something else.
    Warning,
}

/// One mistake of an author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable and short: `E012`; the list is in [`crate::expect::codes`] and
    /// [`crate::scenario`].
    pub code: &'static str,
    /// What is wrong, one sentence without full stop.
    pub message: String,
    /// Bytes of the source's text.
    pub span: Range<usize>,
    /// Said at the caret.
    pub label: String,
    /// The way out: the nearest valid name, the fix.
    pub help: Option<String>,
}

/// What a stable code stands for: a kind of mistake, or a way in which an
/// expectation does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// A letter for the kind and three digits: `E010`.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// One paragraph: the rule, and the way out.
    pub explanation: &'static str,
    /// A text with this fault. None where it would be too long to show, or where
    /// no text alone is at fault.
    pub example: Option<&'static str>,
    /// The example put right.
    pub fix: Option<&'static str>,
}

/// The candidate that was probably meant by `name`: few letters differ, upper
/// and lower case count as equal. For `Diagnostic::help`.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 64 {
        return None;
    }
    let name = name.to_lowercase();
    let len = name.chars().count();
    let allowed = ((len + 1) / 3).max(1);
    candidates
        .into_iter()
        // They differ by at least so many letters as one is longer.
        .filter(|candidate| candidate.chars().count().abs_diff(len) <= allowed)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&name, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let keys = ["title", "timeout", "stdin", "stdout"];
        assert_eq!(nearest("timout", keys), Some("timeout"));
        assert_eq!(nearest("Stdot", keys), Some("stdout"));
        assert_eq!(nearest("piont", ["text", "points"]), Some("points"));
        assert_eq!(nearest("answer", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
