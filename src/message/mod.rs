//! HTTP/1.x from reassembled streams. Reads streams, never packets.

mod body;
mod chunked;
mod cursor;
mod head;
mod model;
mod read;

#[cfg(test)]
mod tests;

pub use model::*;
pub use read::{messages, messages_of};
