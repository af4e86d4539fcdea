//! The expectation language: parse, match, explain. Pure: reads a Trace and
//! says what it shows.

pub mod ast;
pub mod claim_fields;
pub mod codes;
mod compile;
pub mod fields;
mod fields_ip;
mod fields_link;
mod fields_message;
mod fields_transport;
pub mod filter;
pub mod icmp;
mod lex;
mod outcome;
mod parse;

pub use compile::{compile, files};
pub use outcome::*;
pub use parse::parse;
