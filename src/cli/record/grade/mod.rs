//! `netlab-capture grade`: a class of submissions, each case of a suite run for each
//! of them, contained.

mod archive;
mod load;
mod plan;
mod progress;
mod run;
mod submission;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::cli::grading::reports::{self, ReportArgs};
use crate::cli::grading::results::{self, Log};
use crate::cli::grading::{Fault, told};
use crate::cli::load::complain;
use crate::cli::{Exit, at_least_one, output};
use crate::grade::{CaseResult, Class, Grade, points};

/// Grade submissions by a suite: their programs contained, every packet judged.
///
/// An interrupted run goes on where it was when it is started again; what has
/// changed since is graded anew.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The suite (see docs/instructors.md)
    suite: PathBuf,
    /// Folders, .zip, .tar.gz, .tgz or .tar files, one for each student
    #[arg(value_name = "SUBMISSION", required = true)]
    submissions: Vec<PathBuf>,
    /// Where results, reports and captures go
    #[arg(long, value_name = "DIR", default_value = "grades")]
    out: PathBuf,
    /// How many scenarios run side by side [default: three for each core]
    #[arg(long, short, value_name = "N", value_parser = at_least_one)]
    jobs: Option<NonZeroUsize>,
    /// Only part I of N of the class; `merge` joins the parts
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<(usize, usize)>,
    /// Which captures are kept
    #[arg(long, value_enum, default_value_t = Keep::All)]
    keep: Keep,
    /// How often a case that could not be judged is tried again
    #[arg(long, value_name = "N", default_value_t = 2)]
    retries: u32,
    /// Grade everything anew
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    reports: ReportArgs,
}

/// Which captures are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Keep {
    All,
    /// Those of cases that are not passed.
    Failed,
    None,
}

/// `2/8`.
fn shard(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/').and_then(|(part, parts)| {
        Some((part.parse::<usize>().ok()?, parts.parse::<usize>().ok()?))
    });
    match parts {
        Some((part, parts)) if (1..=parts).contains(&part) => Ok((part, parts)),
        _ => Err("write I/N, such as 2/8: the second of eight parts".to_owned()),
    }
}

pub fn main(args: &Args) -> Exit {
    told(grade(args))
}

fn grade(args: &Args) -> Result<Exit, Fault> {
    let ready = match load::suite(&args.suite) {
        Ok(ready) => ready,
        Err(mistakes) => return Ok(complain(&mistakes)),
    };
    let usage = |message: String| Fault(Exit::Usage, message);
    let mut sources = submission::find(&args.submissions).map_err(usage)?;
    args.reports.fits(sources.len()).map_err(usage)?;
    if let Some((part, parts)) = args.shard {
        let mut place = 0;
        sources.retain(|_| {
            place += 1;
            place % parts == part % parts
        });
    }
    let class = ready.class(sources.iter().map(|s| s.submission.clone()).collect())?;
    let out = std::path::absolute(&args.out)?;
    fs::create_dir_all(out.join("students"))
        .map_err(|error| usage(format!("cannot write to {}: {error}", out.display())))?;
    let _lock = lock(&out)?;
    let earlier = earlier(args, &out, &class)?;
    let log = Log::start(&out, &class, &earlier)?;
    if !earlier.is_empty() {
        output::complain(&format!(
            "{} of {} cases were graded before and have not changed (--fresh grades them anew)\n",
            earlier.len(),
            class.cases.len() * class.submissions.len()
        ));
    }
    let interrupted = run::run(args, &ready, &sources, &out, log, &earlier)?;
    if interrupted {
        output::complain(
            "interrupted: what was graded is kept; the same command goes on from there\n",
        );
        return Ok(Exit::Inconclusive);
    }
    finish(args, &out)
}

/// One run at a time in one folder.
fn lock(out: &Path) -> Result<fs::File, Fault> {
    let file = fs::File::create(out.join(".lock"))?;
    let operation = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    rustix::fs::flock(&file, operation).map_err(|_| {
        let message = format!("another run is grading into {}", out.display());
        Fault(Exit::Usage, message)
    })?;
    Ok(file)
}

/// Results that still hold: of the same suite, the same files, and conclusive.
fn earlier(args: &Args, out: &Path, class: &Class) -> Result<Vec<CaseResult>, Fault> {
    if args.fresh {
        return Ok(Vec::new());
    }
    let found = results::read(out).map_err(|error| {
        let file = out.join(results::FILE);
        let message = format!(
            "{}: {error}. Choose another folder (--out) or grade anew (--fresh)",
            file.display()
        );
        Fault(Exit::Usage, message)
    })?;
    let Some((before, results)) = found else {
        return Ok(Vec::new());
    };
    if before.digest != class.digest {
        output::complain(
            "the suite has changed since this folder was graded: all is graded anew\n",
        );
        return Ok(Vec::new());
    }
    let current = |result: &CaseResult| {
        let same = class
            .submissions
            .iter()
            .any(|s| s.key == result.submission && s.digest == result.digest);
        same && result.grade != Grade::Inconclusive
    };
    Ok(results.into_iter().filter(current).collect())
}

/// Reads the results again, whoever graded them, and writes the reports.
fn finish(args: &Args, out: &Path) -> Result<Exit, Fault> {
    let book = results::gradebook(out)?
        .ok_or_else(|| Fault(Exit::Internal, "the results are gone".to_owned()))?;
    let exit = reports::write(&book, out, &args.reports)?;
    if args.reports.json() {
        return Ok(exit);
    }
    let count = book.class.submissions.len();
    let earned: f64 = book.graded().map(|graded| graded.score()).sum();
    let pending: f64 = book.graded().map(|graded| graded.pending()).sum();
    let mut text = format!(
        "\n{count} submissions, {} of {} points on average. Reports: {}\n",
        points(earned / count.max(1) as f64),
        points(book.class.points()),
        args.out.display()
    );
    if pending > 0.0 {
        text.push_str(&format!(
            "{} points could not be judged: start the same command again to try these cases once more\n",
            points(pending)
        ));
    }
    Ok(exit.worst(output::print(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_class() {
        assert_eq!(shard("2/8"), Ok((2, 8)));
        for wrong in ["0/3", "4/3", "1", "/", "a/b", "1/0"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
