//! The corpus of captures, which lies beside the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// One line of the corpus's manifest.
pub struct Entry {
    /// "truth" or "nasty".
    pub set: String,
    pub file: String,
    pub path: PathBuf,
    /// How many packets tshark 4.0.17 reads.
    pub packets: u64,
}

/// The corpus's files; None, and a printed reason, where it is absent. It is
/// looked for at `NETLAB_CORPUS`, else at `../shared/corpus` beside the
/// repository.
pub fn entries() -> Option<Vec<Entry>> {
    let folder = match std::env::var_os("NETLAB_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
    };
    let manifest = folder.join("MANIFEST.tsv");
    let Ok(text) = fs::read_to_string(&manifest) else {
        eprintln!("not run: the corpus is absent ({})", manifest.display());
        return None;
    };
    let entries: Vec<Entry> = text.lines().skip(1).map(|l| entry(&folder, l)).collect();
    assert!(!entries.is_empty(), "{} is empty", manifest.display());
    Some(entries)
}

fn entry(folder: &Path, line: &str) -> Entry {
    let columns: Vec<&str> = line.split('\t').collect();
    Entry {
        set: columns[0].to_owned(),
        file: columns[1].to_owned(),
        path: folder.join(columns[0]).join(columns[1]),
        packets: columns[6].parse().unwrap(),
    }
}
