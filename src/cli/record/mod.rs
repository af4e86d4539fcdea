//! The subcommands that record. They need Linux and the cargo feature `record`;
//! `elsewhere.rs` stands in for them on other systems.

mod contain;
mod doctor;
mod draft;
mod exec;
mod grade;
mod own;
mod pages;
mod plan;
mod run;
mod savefile;
pub(super) mod signals;
mod style;

use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Run(Box<run::Args>),
    Exec(Box<exec::Args>),
    Record(draft::Args),
    Grade(Box<grade::Args>),
    Doctor(doctor::Args),
}

pub fn main(command: &Command) -> ExitCode {
    match command {
        Command::Run(args) => run::main(args).into(),
        Command::Exec(args) => exec::main(args),
        Command::Record(args) => draft::main(args).into(),
        Command::Grade(args) => grade::main(args).into(),
        Command::Doctor(args) => doctor::main(args).into(),
    }
}
