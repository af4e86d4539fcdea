//! `netlab-capture merge`: the parts of a class become one.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::reports::{self, ReportArgs};
use super::{Fault, results, told};
use crate::cli::{Exit, output};
use crate::grade::{Gradebook, points};
use crate::render::class;

/// Join the results of a class that was graded in parts (`grade --shard`).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folders of the parts, as `grade --out` wrote them
    #[arg(value_name = "FOLDER", required = true)]
    parts: Vec<PathBuf>,
    /// Where the whole class goes
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    reports: ReportArgs,
}

pub fn main(args: &Args) -> Exit {
    told(merge(args))
}

fn merge(args: &Args) -> Result<Exit, Fault> {
    let book = join(&args.parts)?;
    args.reports
        .fits(book.class.submissions.len())
        .map_err(|message| Fault(Exit::Usage, message))?;
    fs::create_dir_all(&args.out)?;
    let kept: Vec<_> = book
        .graded()
        .flat_map(|graded| graded.results.iter().flatten().cloned().collect::<Vec<_>>())
        .collect();
    results::write(&args.out, &book.class, &kept)?;
    for part in &args.parts {
        copy_captures(part, &args.out, &book)?;
    }
    let exit = reports::write(&book, &args.out, &args.reports)?;
    if !args.reports.json() {
        let mut text = String::new();
        for graded in book.graded() {
            text.push_str(&class::text::line(&graded, output::columns()));
        }
        let earned: f64 = book.graded().map(|graded| graded.score()).sum();
        let count = book.class.submissions.len();
        text.push_str(&format!(
            "\n{count} submissions, {} points of {} on average. Reports: {}\n",
            points(earned / count.max(1) as f64),
            points(book.class.points()),
            args.out.display()
        ));
        return Ok(exit.worst(output::print(&text)));
    }
    Ok(exit)
}

/// All parts must be of one suite, and no submission in two of them.
fn join(parts: &[PathBuf]) -> Result<Gradebook, Fault> {
    let usage = |message: String| Fault(Exit::Usage, message);
    let mut read = Vec::new();
    for part in parts {
        let name = part.display();
        match results::read(part) {
            Ok(Some(found)) => read.push((part, found)),
            Ok(None) => {
                return Err(usage(format!(
                    "{name} holds no {}: was it graded?",
                    results::FILE
                )));
            }
            Err(error) => return Err(usage(format!("{name}: {error}"))),
        }
    }
    let mut class = match read.first() {
        Some((_, (class, _))) => class.clone(),
        None => return Err(usage("nothing to merge".to_owned())),
    };
    class.submissions.clear();
    let mut seen = BTreeSet::new();
    for (part, (own, _)) in &read {
        if own.digest != class.digest {
            return Err(usage(format!(
                "{} was graded by another suite, or another version of it, than {}: grade it again",
                part.display(),
                parts
                    .first()
                    .map(|p| p.display().to_string())
                    .unwrap_or_default()
            )));
        }
        for submission in &own.submissions {
            if !seen.insert(submission.key.clone()) {
                return Err(usage(format!(
                    "{} is in two of the parts",
                    crate::render::text::visible(&submission.name)
                )));
            }
            class.submissions.push(submission.clone());
        }
    }
    class.submissions.sort_by(|a, b| a.key.cmp(&b.key));
    let mut book = Gradebook::new(class);
    for (_, (_, results)) in read {
        for result in results {
            book.add(result);
        }
    }
    Ok(book)
}

fn copy_captures(part: &Path, out: &Path, book: &Gradebook) -> io::Result<()> {
    for graded in book.graded() {
        let key = &graded.submission.key;
        for result in graded.results.iter().flatten() {
            let Some(name) = &result.capture else {
                continue;
            };
            // A name from the file must stay in its folder.
            let name = crate::grade::file_name(name);
            let from = reports::folder_of(part, key).join(&name);
            let to = reports::folder_of(out, key).join(&name);
            if from.is_file() && from != to {
                fs::create_dir_all(reports::folder_of(out, key))?;
                fs::copy(&from, &to)?;
            }
        }
    }
    Ok(())
}
