//! Frame to packet. The only importer of etherparse. Never fails: what cannot
//! be decoded is said in the packet.

mod model;

pub use model::*;
