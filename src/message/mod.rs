//! What streams and datagrams say, while they grow: HTTP/1.x, and in modules of
//! their own DNS and TLS. Reads streams, never packets.

mod body;
mod carried;
mod chunked;
mod coding;
mod content;
pub mod dns;
mod exchange;
mod found;
mod gathered;
mod head;
mod headers;
mod lane;
mod length;
mod model;
mod others;
mod queue;
mod reader;
pub mod tls;

#[cfg(test)]
mod tests;

pub use coding::{Decoded, decoded};
pub use found::{Bitten, Bodies, Found, Part, PartOf, Settings, Waits};
pub use gathered::content;
pub use headers::Headers;
pub use model::*;
pub use reader::Reader;
