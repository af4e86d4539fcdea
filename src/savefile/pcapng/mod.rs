//! The pcapng format: sections of typed blocks.

mod block;
pub(super) mod format;
pub(super) mod option;
mod reader;
mod writer;

pub(super) use block::Blocks;
pub(super) use reader::{Records, is_known, is_pcapng};
pub use writer::Writer;
