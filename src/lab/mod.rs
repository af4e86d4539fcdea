//! The lab's own clients and servers: upper case over UDP and TCP, and the
//! web. They behave as the textbook's (Kurose & Ross, chapter 2) and differ
//! from them only where the textbook's would lose bytes or hang on good input.
//!
//! They know nothing of captures: they run by hand in two terminals as well as
//! in a scenario. What they put on the wire depends on what is asked of them,
//! never on timing; the order in which each side closes is written at the top
//! of `tcp` and `web`.
//!
//! Nothing here ends the process or reads argv: that is the command line's.

mod address;
mod error;
mod listen;
mod sentence;
pub mod tcp;
pub mod udp;
pub mod web;

pub use address::Address;
pub use error::LabError;
pub use listen::{Announce, end_on_signals};
