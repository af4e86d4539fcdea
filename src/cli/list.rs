//! `netlab-capture list`: scenarios, read but not run.

use serde::Serialize;

use super::{Exit, load, output};
use crate::render::text;

/// List scenarios: the built-in ones, or those of files and folders.
///
/// Files are read and checked, and nothing is run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Built-in names, files, or folders with files; without any, all built-in
    /// ones.
    #[arg(value_name = "SCENARIO")]
    words: Vec<String>,
    /// Write one JSON document on one line for each scenario.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    name: String,
    title: Option<String>,
    question: Option<String>,
    source: String,
}

pub fn main(args: &Args) -> Exit {
    match load::load(&args.words, args.words.is_empty()) {
        Ok(loaded) => {
            load::warn(&loaded);
            let lines: Vec<Line> = loaded.into_iter().map(line).collect();
            output::print(&if args.json {
                json(&lines)
            } else {
                table(&lines)
            })
        }
        Err(mistakes) => load::complain(&mistakes),
    }
}

fn line(loaded: load::Loaded) -> Line {
    let scenario = loaded.scenario;
    Line {
        name: scenario.name,
        title: scenario.title,
        question: scenario.question,
        source: scenario.source.name,
    }
}

fn json(lines: &[Line]) -> String {
    lines
        .iter()
        .filter_map(|line| serde_json::to_string(line).ok())
        .map(|json| json + "\n")
        .collect()
}

/// Names and titles in two columns.
fn table(lines: &[Line]) -> String {
    let names: Vec<String> = lines.iter().map(|line| text::visible(&line.name)).collect();
    let width = names
        .iter()
        .map(|name| text::width(name))
        .max()
        .unwrap_or(0);
    let rows = names.iter().zip(lines).map(|(name, line)| {
        let title = text::visible(line.title.as_deref().unwrap_or_default());
        let gap = " ".repeat(width + 2 - text::width(name));
        format!("{name}{gap}{title}").trim_end().to_owned() + "\n"
    });
    rows.collect()
}
