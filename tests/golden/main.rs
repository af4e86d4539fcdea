//! Renderings, pinned: what a reader sees must change only on purpose.

mod renderings;
mod samples;
