//! Renderings, pinned: what a reader sees must change only on purpose.

mod corpus;
mod renderings;
mod samples;
