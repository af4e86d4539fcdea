//! `netlab-capture show NAME`: a built-in scenario as its file.

use super::{Exit, output};
use crate::diagnostic::nearest;
use crate::render::text;
use crate::scenario::{self, Scenario};

/// Show a built-in scenario: its file, to read or to start an own one from.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The scenario, as `netlab-capture list` names it.
    name: String,
    /// Show its question and answer instead.
    #[arg(long)]
    answer: bool,
}

pub fn main(args: &Args) -> Exit {
    let Some(source) = scenario::builtin(&args.name) else {
        output::tell(&unknown(&args.name));
        return Exit::Usage;
    };
    if !args.answer {
        return output::print(&source.text);
    }
    match scenario::parse(source) {
        Ok(scenario) => output::print(&question_and_answer(&scenario)),
        // A test reads every file of the catalogue.
        Err(_) => Exit::Internal,
    }
}

fn question_and_answer(scenario: &Scenario) -> String {
    let parts = [&scenario.title, &scenario.question, &scenario.answer];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    // Longer lines are hard to read on any terminal.
    let columns = output::columns().min(80);
    text::wrap(&parts.join("\n\n"), columns).join("\n") + "\n"
}

/// What to say of a name that no built-in scenario has.
pub(super) fn unknown(name: &str) -> String {
    let name = name.escape_debug();
    match nearest(&name.to_string(), scenario::catalogue()) {
        Some(meant) => format!("no scenario is called \"{name}\"; did you mean \"{meant}\"?"),
        None => format!("no scenario is called \"{name}\"; `netlab-capture list` names them"),
    }
}
