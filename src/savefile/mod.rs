//! Reading and writing capture files: pcap and pcapng, compressed or not, and the
//! recording that goes with them. Owns the bytes of the formats; knows nothing of what is
//! inside a frame.

mod annotate;
mod batch;
mod bytes;
mod classic;
mod error;
mod found;
mod input;
mod model;
pub mod pcap;
pub mod pcapng;
mod reader;
mod recording;
mod source;
mod sys;
#[cfg(test)]
mod tests;
mod window;

pub use annotate::{COMMENT_MARK, annotate};
pub use batch::{Batch, Frames};
pub use classic::packets_only;
pub use error::SavefileError;
pub use model::*;
pub use reader::{Reader, is_capture};
pub use recording::*;
pub(crate) use sys::prefetch;
pub use window::{Window, Windows};
