//! Frame to packet. The only importer of etherparse. Never fails: what cannot
//! be decoded is said in the packet.

mod arp;
mod carried;
mod checksum;
mod defragment;
#[cfg(test)]
mod defragment_tests;
mod fault;
mod flow;
mod frame;
mod icmp;
mod igmp;
mod layer;
mod link;
mod model;
mod network;
mod ppp;
#[cfg(test)]
pub(crate) mod samples;
mod tcp_options;
mod transport;
mod trouble;
mod tunnel;
mod wlan;

pub use arp::{Arp, ArpParty};
pub use carried::FIRST_TYPE;
pub use checksum::{Checksums, checksum_status, header_checksum_status};
pub use defragment::{Defragmenter, FragmentCounts, FragmentLimits};
pub use flow::datagram_hash;
pub use frame::{decode, decode_into};
pub use igmp::{Igmp, Sctp};
pub use layer::{Layer, Layers, Outline};
pub use model::*;
pub use ppp::Ppp;
pub use tcp_options::{TcpOption, TcpOptions};
pub use trouble::{Numbering, Reason, Trouble};
pub use tunnel::Gre;
pub use wlan::Wlan;
