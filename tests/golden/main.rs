//! Renderings, pinned: what a reader sees must change only on purpose.

mod corpus;
mod reference;
mod renderings;
mod samples;
