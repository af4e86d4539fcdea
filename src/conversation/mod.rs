//! Packets to conversations: TCP state, reassembly and analysis, UDP
//! exchanges, ICMP errors linked to what they quote. Knows nothing of what the
//! streams say.

mod model;

pub use model::*;
