//! What grading keeps on the disk, and the reports made from it. Needs nothing that
//! records: `merge` works on every system.

use std::io;

use crate::cli::{Exit, output};

pub mod merge;
pub mod reports;
pub mod results;

/// Why a class has no reports.
pub struct Fault(pub Exit, pub String);

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault(Exit::Environment, error.to_string())
    }
}

/// The exit code; a fault is told on standard error.
pub fn told(result: Result<Exit, Fault>) -> Exit {
    result.unwrap_or_else(|Fault(exit, message)| {
        output::tell(&message);
        exit
    })
}
