//! The classic pcap format: one header, then records of one link type.

pub(super) mod format;
mod writer;

pub use writer::Writer;
