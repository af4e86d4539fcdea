//! Packets to conversations: TCP state, reassembly and analysis, UDP
//! exchanges, ICMP errors linked to what they quote. Knows nothing of what the
//! streams say.

mod analysis;
mod flight;
mod key;
mod late;
mod marks;
mod model;
mod quoting;
mod reassembly;
mod receiver;
mod sequence;
mod streams;
mod table;
mod tcp;
mod tracker;
mod zeek;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use late::Late;
pub use marks::{MarkCounts, Marks};
pub use model::*;
pub use receiver::{At, Beginning, Missing, Receiver};
pub use streams::{Gap, Piece, Stream, Streams};
pub use tracker::{Bitten, Closed, Limits, Tracker};
