//! Reading and writing capture files: pcap and pcapng, and the recording that
//! goes with them. Owns the bytes of the formats; knows nothing of what is
//! inside a frame.

mod error;
mod model;
pub mod pcap;
pub mod pcapng;
mod recording;

pub use error::SavefileError;
pub use model::*;
pub use recording::*;
