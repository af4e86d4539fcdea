//! The built-in scenarios: files of the same format as everybody's, embedded.

use include_dir::{Dir, File, include_dir};

use crate::diagnostic::Source;

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
