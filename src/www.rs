//! The lab's web pages, embedded: what `web-server` serves, and what scenarios
//! compare answers with.

use include_dir::{Dir, include_dir};

/// The folder `www/`.
pub static PAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/www");
