//! The expectation language: parse, match, explain. Pure: reads a Trace and
//! says what it shows.

pub mod ast;
pub mod claim_fields;
pub mod icmp;
mod outcome;

pub use outcome::*;
