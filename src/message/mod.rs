//! HTTP/1.x from reassembled streams. Reads streams, never packets.

mod model;

pub use model::*;
