//! The subcommands that record, where they cannot: they say what is missing.

use std::process::ExitCode;

use super::{Exit, output};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Run scenarios: their programs in a private network (Linux only)
    Run(Args),
    /// Run a command under capture in a private network (Linux only)
    Exec(Args),
    /// Draft expectations from runs or captures (Linux only)
    Record(Args),
    /// Grade submissions by a suite (Linux only)
    Grade(Args),
    /// Try every step of a run on this machine (Linux only)
    Doctor(Args),
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<String>,
}

pub fn main(command: &Command) -> ExitCode {
    let (Command::Run(args)
    | Command::Exec(args)
    | Command::Record(args)
    | Command::Grade(args)
    | Command::Doctor(args)) = command;
    output::complain(&format!(
        "netlab-capture: cannot record{}: that needs the namespaces of Linux, and a build with the feature `record`.\n  \
         Run it on Linux: a virtual machine, WSL 2 or a container will do. Captures made there can be judged here: netlab-capture check FILE\n",
        args.words
            .first()
            .map(|word| format!(" {word}"))
            .unwrap_or_default()
    ));
    match command {
        Command::Exec(_) => ExitCode::from(super::EXEC_FAULT),
        _ => Exit::Environment.into(),
    }
}
