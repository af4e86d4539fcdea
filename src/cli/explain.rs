//! `netlab-capture explain`: what a code means, with an example and the fix.

use super::{Exit, output};
use crate::diagnostic::{Code, nearest};
use crate::render::pages::page;
use crate::{expect, scenario};

/// The page of every code, with an example of each: a test writes it.
const PAGES: &str = include_str!("../../docs/diagnostics.md");

/// Tell what a code such as F003 means: rule, example, way out.
///
/// Without a code, lists all of them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Codes as they stand in messages: E010, F003
    #[arg(value_name = "CODE")]
    codes: Vec<String>,
}

pub fn main(args: &Args) -> Exit {
    if args.codes.is_empty() {
        return output::print(&list());
    }
    let mut exit = Exit::Passed;
    for (number, wanted) in args.codes.iter().enumerate() {
        let page = all()
            .find(|code| code.code.eq_ignore_ascii_case(bare(wanted)))
            .and_then(|code| page(PAGES, code));
        let shown = match page {
            Some(page) if number > 0 => output::print(&format!("\n{page}")),
            Some(page) => output::print(&page),
            None => unknown(wanted),
        };
        exit = exit.worst(shown);
    }
    exit
}

/// `[E010]`, as messages print it.
fn bare(code: &str) -> &str {
    code.trim_matches(['[', ']'])
}

fn all() -> impl Iterator<Item = &'static Code> {
    let tables = [
        scenario::codes::ALL,
        expect::codes::ALL,
        expect::lint::ALL,
        expect::failures::ALL,
    ];
    tables.into_iter().flatten()
}

fn list() -> String {
    all()
        .map(|code| format!("{}  {}\n", code.code, code.title))
        .collect()
}

fn unknown(wanted: &str) -> Exit {
    let help = match nearest(wanted, all().map(|code| code.code)) {
        Some(meant) => format!("did you mean {meant}? "),
        None => String::new(),
    };
    output::tell(&format!(
        "no code is called {wanted}; {help}`netlab-capture explain` lists all"
    ));
    Exit::Usage
}
