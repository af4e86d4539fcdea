//! HTTP/1.x from reassembled streams, while they grow. Reads streams, never
//! packets.

mod body;
mod chunked;
mod coding;
mod content;
mod exchange;
mod found;
mod head;
mod headers;
mod lane;
mod length;
mod model;
mod reader;

#[cfg(test)]
mod tests;

pub use coding::{Decoded, decoded};
pub use found::{Bodies, Found, Part, PartOf, Settings};
pub use headers::Headers;
pub use model::*;
pub use reader::Reader;
