//! The classic pcap format: one header, then records of one link type.

pub(super) mod format;
mod reader;
mod writer;

pub(super) use reader::{Records, is_pcap};
pub use writer::Writer;
