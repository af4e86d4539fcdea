//! Frame to packet. The only importer of etherparse. Never fails: what cannot
//! be decoded is said in the packet.

mod checksum;
mod defragment;
#[cfg(test)]
mod defragment_tests;
mod fault;
mod flow;
mod frame;
mod icmp;
mod layer;
mod link;
mod model;
mod network;
#[cfg(test)]
mod samples;
mod tcp_options;
mod transport;
mod trouble;
mod tunnel;

pub use checksum::{Checksums, checksum_status};
pub use defragment::{Defragmenter, FragmentCounts, FragmentLimits};
pub use flow::flow_hash;
pub use frame::{decode, decode_into};
pub use layer::Layer;
pub use model::*;
pub use tcp_options::{TcpOption, TcpOptions};
pub use trouble::{Numbering, Reason, Trouble};
