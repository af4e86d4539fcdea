//! Runs network programs in a private network, keeps every packet, and says in
//! one line what the wire must show.
//!
//! Two halves with one joint: what records (`sandbox`, `capture`, behind the
//! feature `record`) ends with a closed savefile; what reads (`savefile` to
//! `report`, with `scenario` and `expect`) starts from it and is pure: no
//! libpcap, no files of its own, no clock, no environment. `inspect` does it for
//! captures of any length, on several threads.

pub mod conversation;
pub mod decode;
pub mod diagnostic;
pub mod expect;
pub mod grade;
pub mod inspect;
pub mod message;
pub mod render;
pub mod report;
pub mod savefile;
pub mod scenario;
pub mod trace;
mod unpack;
pub mod view;
mod www;

#[cfg(feature = "cli")]
pub mod cli;

#[cfg(all(feature = "record", target_os = "linux"))]
pub mod capture;
#[cfg(all(feature = "record", target_os = "linux"))]
pub mod sandbox;

#[cfg(feature = "record")]
pub mod lab;
