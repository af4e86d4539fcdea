//! `netlab-capture list`: the built-in scenarios.

use serde::Serialize;

use super::{Exit, output};
use crate::scenario;

/// List the built-in scenarios.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON document on one line for each scenario.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    title: Option<String>,
    question: Option<String>,
}

pub fn main(args: &Args) -> Exit {
    let lines: Vec<Line> = scenario::catalogue().into_iter().filter_map(line).collect();
    output::print(&if args.json {
        json(&lines)
    } else {
        table(&lines)
    })
}

fn line(name: &'static str) -> Option<Line> {
    let scenario = scenario::parse(scenario::builtin(name)?).ok()?;
    Some(Line {
        name,
        title: scenario.title,
        question: scenario.question,
    })
}

fn json(lines: &[Line]) -> String {
    lines
        .iter()
        .filter_map(|line| serde_json::to_string(line).ok())
        .map(|json| json + "\n")
        .collect()
}

/// Names and titles in two columns. Names are ASCII.
fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    lines
        .iter()
        .map(|line| {
            let title = line.title.as_deref().unwrap_or_default();
            format!("{:width$}  {title}\n", line.name)
        })
        .collect()
}
