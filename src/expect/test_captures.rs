//! Captures from files, for tests.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::trace::{Trace, read};

/// The reference captures.
pub fn reference_captures() -> impl Iterator<Item = Trace> {
    let files = below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference"));
    assert!(files.len() >= 9);
    traces(files)
}

/// The reference captures, and those at `NETLAB_CORPUS`.
pub fn captures() -> impl Iterator<Item = Trace> {
    let corpus = std::env::var_os("NETLAB_CORPUS");
    let files = corpus.map_or_else(Vec::new, |folder| below(Path::new(&folder)));
    reference_captures().chain(traces(files))
}

fn traces(files: Vec<PathBuf>) -> impl Iterator<Item = Trace> {
    files.into_iter().filter_map(|path| {
        let name = path.display().to_string();
        read(File::open(path).ok()?, &name, None).ok()
    })
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|e| e.to_str());
        if path.is_dir() {
            found.extend(below(&path));
        } else if matches!(extension, Some("pcap" | "pcapng" | "cap")) {
            found.push(path);
        }
    }
    found
}
