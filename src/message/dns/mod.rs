//! DNS (RFC 1035) over UDP and TCP, multicast DNS (RFC 6762) and LLMNR
//! (RFC 4795): messages from datagrams and streams, and which answer belongs to
//! which query.
//!
//! What is taken for DNS:
//!
//! - everything of a conversation with port 53, 5353 or 5355 on either side, as
//!   in Wireshark; what cannot be read there is malformed;
//! - on other ports what nothing else looks like: a query or answer of the
//!   standard kind with exactly one question, for a host name of the Internet
//!   class and a known type, that fills the datagram to its last byte; over TCP
//!   with a length before it that says so. Port 137 is never taken: its NetBIOS
//!   names have the same format.

mod model;
mod name;
mod parse;
mod reader;
#[cfg(test)]
mod tests;

pub use model::*;
pub use parse::{is_evident, parse};
pub use reader::{Over, Reader, Seen};
