//! The captures of which tshark's fields and ours are compared: the truth set
//! of the corpus, and our own reference captures.

use std::fs;
use std::path::{Path, PathBuf};

use crate::corpus;

pub struct Input {
    /// The name of the file; of a reference capture behind `reference/`.
    pub name: String,
    pub path: PathBuf,
}

/// It was made by us, and may be made anew: how often something is in it is not
/// pinned.
pub fn is_reference(name: &str) -> bool {
    name.starts_with("reference/")
}

/// All of them. Without the corpus, the reference captures are there still.
pub fn inputs() -> Vec<Input> {
    let truth = corpus::entries().into_iter().flatten();
    let truth = truth
        .filter(|entry| entry.set == "truth" && !entry.file.ends_with(".gz"))
        .map(|entry| Input {
            name: entry.file,
            path: entry.path,
        });
    truth.chain(references()).collect()
}

/// In the order of their names.
pub fn references() -> Vec<Input> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "pcapng"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let input = |path: PathBuf| Input {
        name: format!("reference/{}", path.file_name().unwrap().display()),
        path,
    };
    paths.into_iter().map(input).collect()
}
