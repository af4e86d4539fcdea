//! Frame to packet. The only importer of etherparse. Never fails: what cannot
//! be decoded is said in the packet.

mod checksum;
mod fault;
mod frame;
mod icmp;
mod link;
mod model;
mod network;
#[cfg(test)]
mod samples;
mod tcp_options;
mod transport;

pub use checksum::{Checksums, checksum_status};
pub use frame::decode;
pub use model::*;
pub use tcp_options::{TcpOption, TcpOptions};
