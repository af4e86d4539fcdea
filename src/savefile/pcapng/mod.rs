//! The pcapng format: sections of typed blocks.

pub(super) mod format;
mod writer;

pub use writer::Writer;
