//! TLS (RFC 8446, RFC 5246): what both sides say of themselves before they
//! encrypt, from the first bytes of each stream.
//!
//! A stream is taken for TLS where it begins with a handshake record of version
//! 3.0 to 3.4 that begins with a ClientHello or a ServerHello; the port does not
//! matter.

mod model;
mod parse;
mod reader;
mod records;
#[cfg(test)]
mod tests;
mod wire;

pub use model::*;
pub use reader::Reader;
pub use records::Records;
pub use wire::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE};
