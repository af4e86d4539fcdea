//! libpcap, live: canaries, drop statistics, the interface's counter as a
//! witness. Ends with a closed savefile; judges nothing.

mod canary;
mod disk;
mod launch;
mod live;
mod record;
mod sys;

pub use launch::{Gone, RecordError, Recorder};
