//! Workflow commands of GitHub Actions: each case that failed is an `::error`, each
//! that could not be judged a `::warning`
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use std::fmt::Write;

use super::{grade_of, is_visible, reason};
use crate::grade::{Grade, Graded};

/// One line for each case of a submission that is not passed. Hidden ones are left
/// out: everybody reads the log.
pub fn lines(graded: &Graded<'_>, out: &mut String) {
    for (case, result) in graded.cases().filter(|(case, _)| is_visible(case)) {
        let command = match grade_of(result) {
            Grade::Pass => continue,
            Grade::Fail => "error",
            Grade::Inconclusive => "warning",
        };
        let place = result
            .into_iter()
            .flat_map(|result| &result.checks)
            .find(|check| check.grade != Grade::Pass)
            .and_then(|check| check.place.as_ref())
            // What is in our binary is no file of theirs.
            .filter(|(file, _)| !file.starts_with("builtin:"));
        let mut properties = String::new();
        if let Some((file, line)) = place {
            let _ = write!(properties, "file={},line={line},", property(file));
        }
        let title = format!("{}: {}", graded.submission.name, case.name);
        let _ = writeln!(
            out,
            "::{command} {properties}title={}::{}",
            property(&title),
            data(&reason(result))
        );
    }
}

/// The text of a command, which ends at its line.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A value between commas.
fn property(text: &str) -> String {
    data(&super::visible(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(property("a,b:c%\n::error"), "a%2Cb%3Ac%25\\n%3A%3Aerror");
        assert_eq!(data("50%\r\nx"), "50%25%0D%0Ax");
    }

    proptest! {
        #[test]
        fn a_property_holds_no_separator(text in any::<String>()) {
            let written = property(&text);
            prop_assert!(!written.contains([',', ':', '\n', '\r']));
        }
    }
}
