//! `netlab-capture schema`: the JSON Schemas of reports and scenario files.

use super::{Exit, output};
use crate::{report, scenario};

/// Print the JSON Schema of what --json writes, or of scenario files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of scenario files, for editors
    #[arg(long)]
    scenario: bool,
}

pub fn main(args: &Args) -> Exit {
    let schema = match args.scenario {
        true => scenario::schema(),
        false => report::schema(),
    };
    output::print(&format!("{schema:#}\n"))
}
