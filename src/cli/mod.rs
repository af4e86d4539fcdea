//! One file for each subcommand; flags become validated settings before
//! anything runs.

mod check;
#[cfg(not(all(feature = "record", target_os = "linux")))]
mod elsewhere;
mod exit;
mod explain;
mod fields;
mod grading;
mod init;
mod inspect;
mod judge;
#[cfg(feature = "record")]
mod lab;
mod layout;
mod list;
mod load;
mod output;
mod overwrite;
mod pages;
#[cfg(all(feature = "record", target_os = "linux"))]
mod record;
mod schema;
mod show;
pub mod side_by_side;
mod sink;
mod view;

use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{Exit, code_of};

#[cfg(not(all(feature = "record", target_os = "linux")))]
use elsewhere as record;

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
    #[command(flatten)]
    Record(record::Command),
    Merge(grading::merge::Args),
    Check(check::Args),
    Inspect(inspect::Args),
    Fields(fields::Args),
    Explain(explain::Args),
    Fmt(layout::Format),
    Lint(layout::Lint),
    Init(init::Args),
    List(list::Args),
    Show(show::Args),
    Schema(schema::Args),
    View(view::Args),
    #[cfg(feature = "record")]
    #[command(flatten)]
    Lab(lab::Program),
}

/// The exit code of `exec` where the fault is ours, its caller's or the
/// machine's: it must not be taken for the command's own.
const EXEC_FAULT: u8 = 125;

/// The value of a flag: a number of things, at least one.
fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    let wanted = |_| "a whole number is wanted, 1 or more".to_owned();
    text.parse().map_err(wanted)
}

/// The whole program: reads argv, returns the exit code.
pub fn main() -> ExitCode {
    #[cfg(feature = "record")]
    if let Some(code) = lab::dispatch(std::env::args_os().nth(1).as_deref()) {
        return code;
    }
    let words = match Cli::try_parse() {
        Ok(words) => words,
        Err(error) => {
            let _ = error.print();
            let exec = std::env::args_os()
                .nth(1)
                .is_some_and(|word| word == "exec");
            return match error.exit_code() {
                0 => ExitCode::SUCCESS,
                _ if exec => ExitCode::from(EXEC_FAULT),
                _ => Exit::Usage.into(),
            };
        }
    };
    match words.command {
        Command::Record(command) => record::main(&command),
        Command::Merge(args) => grading::merge::main(&args).into(),
        Command::Check(args) => check::main(&args).into(),
        Command::Inspect(args) => inspect::main(&args).into(),
        Command::Fmt(args) => layout::format(&args).into(),
        Command::Lint(args) => layout::lint(&args).into(),
        Command::Explain(args) => explain::main(&args).into(),
        Command::Fields(args) => fields::main(&args).into(),
        Command::Init(args) => init::main(&args).into(),
        Command::List(args) => list::main(&args).into(),
        Command::Show(args) => show::main(&args).into(),
        Command::Schema(args) => schema::main(&args).into(),
        Command::View(args) => view::main(&args).into(),
        #[cfg(feature = "record")]
        Command::Lab(program) => lab::run(&program),
    }
}
