//! A private network for each run: namespaces, programs, readiness, quiescence.
//! Decides nothing about packets.

mod contain;
mod doing;
mod ending;
mod error;
mod namespaces;
mod netlink;
mod network;
mod output;
mod owners;
mod plan;
mod program;
mod rest;
mod schedule;
mod sockets;
mod supervise;
pub(crate) mod sys;
mod tasks;

pub use contain::{
    Budget, Containment, ENVIRONMENT, FolderError, Limits, OWN_FOLDER, Views, copy_folder, prepare,
};
pub use error::*;
pub use namespaces::*;
pub use network::*;
pub use plan::*;
pub use program::detach_standard_streams;
pub use supervise::*;
pub use tasks::*;
