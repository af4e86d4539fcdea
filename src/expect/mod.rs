//! The expectation language: parse, match, explain. Pure: reads a Trace and
//! says what it shows.

pub mod ast;
mod outcome;

pub use outcome::*;
