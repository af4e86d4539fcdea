//! One file for each subcommand; flags become validated settings before
//! anything runs.

mod check;
#[cfg(all(feature = "record", target_os = "linux"))]
mod doctor;
mod exit;
mod judge;
#[cfg(feature = "record")]
mod lab;
mod list;
mod load;
mod output;
#[cfg(all(feature = "record", target_os = "linux"))]
mod plan;
#[cfg(all(feature = "record", target_os = "linux"))]
mod run;
mod schema;
mod show;
#[cfg(all(feature = "record", target_os = "linux"))]
mod signals;
mod sink;
mod style;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::Exit;

/// Run network programs in a private network, keep every packet, and say in
/// one line what the wire must show.
#[derive(Debug, Parser)]
#[command(name = "netlab-capture", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(all(feature = "record", target_os = "linux"))]
    Run(run::Args),
    Check(check::Args),
    #[cfg(all(feature = "record", target_os = "linux"))]
    Doctor(doctor::Args),
    List(list::Args),
    Show(show::Args),
    Schema(schema::Args),
    #[cfg(feature = "record")]
    #[command(flatten)]
    Lab(lab::Program),
}

/// The whole program: reads argv, returns the exit code.
pub fn main() -> ExitCode {
    #[cfg(feature = "record")]
    if let Some(code) = lab::dispatch(std::env::args_os().nth(1).as_deref()) {
        return code;
    }
    match Cli::parse().command {
        #[cfg(all(feature = "record", target_os = "linux"))]
        Command::Run(args) => run::main(&args).into(),
        Command::Check(args) => check::main(&args).into(),
        #[cfg(all(feature = "record", target_os = "linux"))]
        Command::Doctor(args) => doctor::main(&args).into(),
        Command::List(args) => list::main(&args).into(),
        Command::Show(args) => show::main(&args).into(),
        Command::Schema(args) => schema::main(&args).into(),
        #[cfg(feature = "record")]
        Command::Lab(program) => lab::run(&program),
    }
}

/// `5s`, `500ms`: as scenario files write times.
fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    crate::scenario::parse_duration(text).map_err(|wrong| wrong.message)
}
