//! `netlab-capture schema`: the JSON Schema of the reports.

use super::{Exit, output};
use crate::report;

/// Print the JSON Schema of what --json writes.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn main(_args: &Args) -> Exit {
    output::print(&format!("{:#}\n", report::schema()))
}
