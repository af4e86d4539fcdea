//! The built-in scenarios: files of the same format as everybody's, embedded.

use include_dir::{Dir, File, include_dir};

use crate::diagnostic::Source;
use crate::www::PAGES;

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// What the name of a built-in scenario's source begins with.
pub const BUILTIN: &str = "builtin:";

/// The names of the built-in scenarios, sorted.
pub fn catalogue() -> Vec<&'static str> {
    let mut names: Vec<&str> = SCENARIOS.files().filter_map(name).collect();
    names.sort_unstable();
    names
}

fn name(file: &'static File<'static>) -> Option<&'static str> {
    file.path().to_str()?.strip_suffix(".toml")
}

/// The text of a built-in scenario.
pub fn builtin(wanted: &str) -> Option<Source> {
    let file = SCENARIOS.files().find(|file| name(file) == Some(wanted))?;
    Some(Source {
        name: format!("{BUILTIN}{wanted}"),
        text: file.contents_utf8()?.to_owned(),
    })
}

/// A file that a built-in scenario names by `file("…")`, relative to
/// `scenarios/`: of what lies there, only `../www/` is embedded.
pub fn builtin_file(name: &str) -> Option<&'static [u8]> {
    let page = name.strip_prefix("../www/")?;
    PAGES.get_file(page).map(File::contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn the_catalogue_holds_the_lab() {
        let lab = [
            "http-not-found",
            "http-ok",
            "tcp-refused",
            "tcp-upper",
            "tcp-wrong-port",
            "udp-connected-refused",
            "udp-no-server",
            "udp-upper",
            "udp-wrong-port",
        ];
        assert_eq!(catalogue(), lab);
    }

    #[test]
    fn every_scenario_is_sound_and_explains_itself() {
        for name in catalogue() {
            let scenario =
                parse(builtin(name).unwrap()).unwrap_or_else(|m| panic!("{name}: {m:#?}"));
            assert_eq!(scenario.name, name);
            for text in [&scenario.title, &scenario.question, &scenario.answer] {
                let text = text.as_deref().unwrap_or_default();
                assert!(!text.is_empty() && text.trim() == text, "{name}: {text:?}");
            }
            assert!(!scenario.expectations.is_empty(), "{name}");
        }
        assert_eq!(builtin("no-such-scenario"), None);
    }

    #[test]
    fn the_pages_of_the_web_server_are_there() {
        let page = builtin_file("../www/HelloWorld.html").unwrap();
        assert!(page.windows(13).any(|w| w == b"Hello, World!"));
        assert_eq!(builtin_file("../www/../Cargo.toml"), None);
        assert_eq!(builtin_file("www/HelloWorld.html"), None);
    }
}
