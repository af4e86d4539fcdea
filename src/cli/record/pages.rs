//! The pages that a server of somebody else's has of its own.

use std::path::Path;

use crate::cli::load::{Loaded, MAX_FILE, read_bounded};
use crate::savefile::Bytes;

/// A built-in scenario compares answers with the lab's own pages. Somebody else's
/// server has pages of its own: where a page of the same name lies in `folder`, it
/// takes their place.
pub fn take(loaded: &mut Loaded, folder: &Path) {
    if loaded.base_dir.is_some() {
        return;
    }
    for (name, bytes) in &mut loaded.files {
        let page = name.rsplit('/').next().unwrap_or(name);
        let page = folder.join(page);
        // A link could lead to what its owner may not read.
        let is_file = std::fs::symlink_metadata(&page).is_ok_and(|meta| meta.is_file());
        if is_file && let Ok(own) = read_bounded(&page, MAX_FILE) {
            *bytes = Bytes(own);
        }
    }
}
