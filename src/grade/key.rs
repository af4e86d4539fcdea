//! Names that others chose, as names of our files.

use std::collections::BTreeSet;

/// A file name that says what the name says, as far as every file system allows:
/// letters, digits, `.`, `-` and `_`. It is never empty and never hidden.
pub fn file_name(name: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let clean: String = name
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .take(60)
        .collect();
    match clean.trim_matches('.') {
        "" => "submission".to_owned(),
        clean => clean.to_owned(),
    }
}

/// A key for each name: its file name, with a number where two are alike.
pub fn keys<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names
        .into_iter()
        .map(|name| {
            let plain = file_name(name);
            let mut key = plain.clone();
            let mut number = 2;
            // Some file systems take upper and lower case for the same.
            while !taken.insert(key.to_lowercase()) {
                key = format!("{plain}-{number}");
                number += 1;
            }
            key
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_stay_readable_and_unique() {
        let keys = keys(["Émile Zola", "../../etc", "émile zola", "..", "a/b", "a_b"]);
        assert_eq!(
            keys,
            [
                "Émile_Zola",
                "_.._etc",
                "émile_zola-2",
                "submission",
                "a_b",
                "a_b-2"
            ]
        );
    }

    proptest! {
        #[test]
        fn a_key_is_one_harmless_component(name in any::<String>()) {
            let key = file_name(&name);
            prop_assert!(!key.is_empty() && !key.starts_with('.') && !key.contains('/'));
            prop_assert!(!key.chars().any(char::is_control));
        }
    }
}
