//! tshark's fields of a capture, by as few runs of tshark as possible: most of a
//! run is its start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::inputs;
use crate::tshark::tshark;
use crate::{conversation, fields};

/// One frame: its fields that have a value, with all their values in order.
pub type Row = BTreeMap<&'static str, Vec<String>>;

/// Stands between the values of one field: a character that none has.
const SEVERAL: char = '\u{1f}';

/// The inputs, each read twice by one tshark that puts no fragments together,
/// with all fields that the tests of conversations and of the registry compare.
static INPUTS: LazyLock<BTreeMap<PathBuf, Vec<Row>>> = LazyLock::new(|| {
    let dissected = |path: PathBuf| (path.clone(), conversations(&path));
    let paths = inputs::inputs().into_iter().map(|input| input.path);
    paths.map(dissected).collect()
});

/// The frames of one of the inputs.
pub fn of(path: &Path) -> &'static [Row] {
    &INPUTS[path]
}

/// The frames of a capture, with the same options and fields.
pub fn conversations(path: &Path) -> Vec<Row> {
    let options = ["-2"];
    let preferences = ["ip.defragment:FALSE", "ipv6.defragment:FALSE"];
    let names: BTreeSet<&str> = fields::names().chain(conversation::names()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    dissect(path, &options, &preferences, &names)
}

/// The frames of a capture by a tshark with these options and preferences.
/// Fails where tshark does.
pub fn dissect(
    path: &Path,
    options: &[&str],
    preferences: &[&str],
    names: &[&'static str],
) -> Vec<Row> {
    let aggregator = format!("aggregator={SEVERAL}");
    let path = path.to_str().unwrap();
    let mut arguments = options.to_vec();
    arguments.extend(["-r", path, "-n", "-T", "fields", "-E", &aggregator]);
    for preference in preferences {
        arguments.extend(["-o", preference]);
    }
    for name in names {
        arguments.extend(["-e", name]);
    }
    let output = tshark(arguments);
    assert_eq!(output.code, Some(0), "{path}: {}", output.stderr);
    let row = |line: &str| {
        names
            .iter()
            .zip(line.split('\t'))
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| {
                let values = values.split(SEVERAL).map(str::to_owned);
                (*name, values.collect())
            })
            .collect()
    };
    output.stdout.lines().map(row).collect()
}
