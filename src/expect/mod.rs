//! The expectation language: parse, match, explain. Pure: reads a Trace and
//! says what it shows.

mod advice;
mod assumed;
pub mod ast;
mod ast_filter;
mod ast_names;
#[cfg(test)]
mod catalogue_tests;
mod claim;
mod classes;
pub mod codes;
mod columns;
mod compile;
mod contents;
mod could_be;
mod covers;
mod cut;
mod draft;
pub mod event;
#[cfg(test)]
mod event_tests;
pub mod events;
mod evidence;
#[cfg(test)]
mod evidence_tests;
mod explain;
#[cfg(test)]
mod explain_tests;
mod facts;
pub mod failures;
pub mod fields;
mod fields_analysis;
mod fields_carried;
mod fields_dns;
mod fields_ip;
mod fields_link;
mod fields_message;
mod fields_streamed;
mod fields_tls;
mod fields_transport;
mod fields_view;
mod file;
pub mod filter;
mod filter_shown;
mod filter_text;
mod filter_values;
mod format;
mod grouped;
mod hint;
mod holes;
pub mod icmp;
mod implied;
mod json_path;
mod judge;
#[cfg(test)]
mod judge_tests;
mod judgement;
#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod layers_tests;
mod lex;
pub mod lint;
mod losses;
#[cfg(test)]
mod losses_tests;
mod matching;
mod message_bytes;
pub mod notation;
mod number;
mod outcome;
mod parse;
mod print;
#[cfg(test)]
mod print_tests;
mod quoted;
mod roles;
#[cfg(test)]
mod test_captures;
#[cfg(test)]
mod testing;
mod trouble;
mod window;
mod wireshark;

pub use assumed::assumed_roles;
pub use compile::{compile, files};
pub use draft::{Draft, Kept, draft};
pub use file::{EXTENSION, read_file};
pub use format::format;
pub use judge::{judge, judge_each};
pub use outcome::*;
pub use parse::{parse, parse_filter};
pub use roles::{names_implied_roles, names_role};
