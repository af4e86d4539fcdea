//! The subcommands that record. They need Linux and the cargo feature `record`;
//! `elsewhere.rs` stands in for them on other systems.

mod doctor;
mod plan;
mod run;
mod savefile;
pub(super) mod signals;
mod style;

use super::Exit;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Run(run::Args),
    Doctor(doctor::Args),
}

pub fn main(command: &Command) -> Exit {
    match command {
        Command::Run(args) => run::main(args),
        Command::Doctor(args) => doctor::main(args),
    }
}
