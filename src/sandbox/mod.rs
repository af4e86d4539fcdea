//! A private network for each run: namespaces, programs, readiness, quiescence.
//! Decides nothing about packets.

mod error;
mod namespaces;
mod netlink;
mod network;
mod owners;
mod sockets;
pub(crate) mod sys;
mod tasks;

pub use error::*;
pub use namespaces::*;
pub use network::*;
pub use owners::*;
pub use sockets::*;
pub use tasks::*;
