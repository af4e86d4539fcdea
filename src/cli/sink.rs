//! Where reports go: the terminal, JSON Lines, TAP, a JUnit file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::load::{self, Mistakes};
use super::pages::{Kept, Pages};
use super::{Exit, output, overwrite};
use crate::render::terminal::{self, Tally, TerminalOptions};
use crate::render::{json, junit, tap};
use crate::report::{ErrorCode, Options, Report, Verdict};

/// How results are shown.
#[derive(Clone, Debug, clap::Args)]
pub struct OutputArgs {
    /// One JSON document on one line for each scenario or capture, nothing else
    #[arg(long, conflicts_with = "tap")]
    json: bool,
    /// The JSON without what differs from run to run: times, pids, ephemeral ports
    #[arg(long, requires = "json")]
    stable: bool,
    /// The Test Anything Protocol, version 14
    #[arg(long)]
    tap: bool,
    /// Also write a JUnit XML file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Also write a page that shows everything: one HTML file; into a folder
    /// (DIR/), one for each scenario or capture
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Terminal,
    Json,
    Tap,
}

/// How much of a report is shown on the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Line,
    All,
}

/// Takes one report after the other.
pub struct Sink {
    format: Format,
    stable: bool,
    junit: Option<(PathBuf, File)>,
    pages: Option<Pages>,
    kept: Vec<Report>,
    tally: Tally,
    expected: usize,
    /// The verdicts of each scenario, where every one is run many times.
    rounds: Option<Vec<(String, Tally)>>,
    screen: TerminalOptions,
    /// The first failure to write.
    broken: Option<Exit>,
}

impl Sink {
    /// Opens what is to be written, so that a bad path fails before anything
    /// runs.
    pub fn open(args: &OutputArgs) -> Result<Sink, Exit> {
        let junit = match &args.junit {
            None => None,
            Some(path) => match overwrite::create(path) {
                Ok(file) => Some((path.clone(), file)),
                Err(error) => return Err(refuse_path(args, "--junit", path, &error)),
            },
        };
        let pages = match &args.html {
            None => None,
            Some(path) => match Pages::open(path) {
                Ok(pages) => Some(pages),
                Err(error) => return Err(refuse_path(args, "--html", path, &error)),
            },
        };
        Ok(Sink {
            format: match (args.json, args.tap) {
                (true, _) => Format::Json,
                (_, true) => Format::Tap,
                _ => Format::Terminal,
            },
            stable: args.stable,
            junit,
            pages,
            kept: Vec::new(),
            tally: Tally::default(),
            expected: 1,
            rounds: None,
            screen: screen(),
            broken: None,
        })
    }

    /// How reports are to be built for this sink.
    pub fn options(&self) -> Options {
        Options {
            stable: self.stable,
            ..Options::default()
        }
    }

    /// So many reports will come: one is shown in full, several in brief.
    ///
    /// # Errors
    /// They do not fit to where they are to go, which was told.
    pub fn expect(&mut self, reports: usize) -> Result<(), Exit> {
        self.expected = reports;
        let fits = self.pages.as_ref().map_or(Ok(()), |p| p.expect(reports));
        fits.map_err(|message| {
            self.warn(&message);
            Exit::Usage
        })
    }

    /// Many reports of the same scenarios will come: each scenario's first that is
    /// not a pass is shown in full, the others are counted.
    ///
    /// # Errors
    /// As [`Sink::expect`].
    #[cfg(all(feature = "record", target_os = "linux"))]
    pub fn expect_repeated(&mut self) -> Result<(), Exit> {
        self.rounds = Some(Vec::new());
        self.expect(usize::MAX)
    }

    /// Counts a report of a scenario that is run many times. What is to be shown
    /// of it: nothing, a line, or all.
    fn count(&mut self, report: &Report) -> Shown {
        let Some(rounds) = &mut self.rounds else {
            return Shown::All;
        };
        let name = report.name();
        let known = rounds.iter().position(|(known, _)| known == name);
        let index = known.unwrap_or_else(|| {
            rounds.push((name.to_owned(), Tally::default()));
            rounds.len() - 1
        });
        let Some((_, tally)) = rounds.get_mut(index) else {
            return Shown::All;
        };
        tally.add(report);
        match (report.verdict, tally.not_passed()) {
            (Some(Verdict::Pass), _) => Shown::Nothing,
            (_, 1) => Shown::All,
            _ => Shown::Line,
        }
    }

    /// Shows a report.
    pub fn show(&mut self, report: &Report) {
        self.tally.add(report);
        let shown = self.count(report);
        let written = match self.format {
            Format::Json => output::print_with(|out| json::write(report, out)),
            Format::Terminal if shown == Shown::Nothing => Exit::Passed,
            Format::Terminal if shown == Shown::Line => {
                output::print(&terminal::line(report, &self.screen))
            }
            Format::Terminal if self.expected == 1 => {
                output::print(&terminal::full(report, &self.screen))
            }
            Format::Terminal => output::print(&terminal::brief(report, &self.screen)),
            Format::Tap => Exit::Passed,
        };
        self.note(written);
    }

    /// Captures go into pages.
    pub fn makes_pages(&self) -> bool {
        self.pages.is_some()
    }

    /// Takes the report over, for what is written at the end.
    pub fn keep(&mut self, report: Report) {
        self.keep_with(report, None);
    }

    /// As [`Sink::keep`], where the capture cannot be read again: as it came.
    pub fn keep_with(&mut self, mut report: Report, read: Option<Kept>) {
        // They were shown.
        report.packets = None;
        if let Some(pages) = &mut self.pages {
            match pages.add(&report, read) {
                Ok(None) => {}
                Ok(Some(remark)) => self.warn(&remark),
                Err(error) => {
                    let path = pages.path().display().to_string();
                    self.warn(&format!("cannot write {path}: {error}"));
                    self.note(overwrite::exit(&error));
                }
            }
        }
        if self.junit.is_some() || self.format == Format::Tap {
            self.kept.push(report);
        }
    }

    /// A remark beside the reports.
    pub fn warn(&self, message: &str) {
        output::tell(message);
    }

    /// The scenarios or expectations cannot be understood. Readers of JSON get
    /// their document all the same.
    pub fn refuse(mut self, mistakes: &[Mistakes]) -> Exit {
        let exit = load::complain(mistakes);
        let names: Vec<&str> = mistakes.iter().map(|m| m.source.name.as_str()).collect();
        let messages: Vec<&str> = mistakes
            .iter()
            .flat_map(|m| &m.diagnostics)
            .map(|d| d.message.as_str())
            .collect();
        let report = Report::error(&names.join(", "), ErrorCode::Usage, messages.join("; "));
        if self.format != Format::Terminal {
            self.show(&report);
        }
        self.keep(report);
        exit.worst(self.finish())
    }

    /// Writes what is written at the end.
    pub fn finish(&mut self) -> Exit {
        if let Some(rounds) = self.rounds.take() {
            let table = terminal::rounds(&rounds, &self.screen);
            match self.format {
                Format::Terminal => {
                    let written = output::print(&table);
                    self.note(written);
                }
                // Standard output is for programs to read.
                Format::Json | Format::Tap => output::complain(&table),
            }
        } else if self.format == Format::Terminal && self.expected > 1 {
            let closing = output::print(&terminal::closing(&self.tally, &self.screen));
            self.note(closing);
        }
        if self.format == Format::Tap {
            let mut text = Vec::new();
            let written = match tap::write(&self.kept, &mut text) {
                Ok(()) => output::print_bytes(&text),
                Err(_) => Exit::Internal,
            };
            self.note(written);
        }
        if let Some((path, file)) = self.junit.take()
            && let Err(error) = write_junit(&self.kept, file)
        {
            self.warn(&format!("cannot write {}: {error}", path.display()));
            self.note(Exit::Environment);
        }
        self.broken.unwrap_or(Exit::Passed)
    }

    fn note(&mut self, exit: Exit) {
        if exit != Exit::Passed {
            self.broken = Some(self.broken.map_or(exit, |first| first.worst(exit)));
        }
    }
}

/// Readers of JSON get a document about this too.
fn refuse_path(args: &OutputArgs, flag: &str, path: &Path, error: &io::Error) -> Exit {
    let message = format!("cannot write {}: {error}", path.display());
    output::tell(&message);
    let exit = overwrite::exit(error);
    let code = match exit {
        Exit::Usage => ErrorCode::Usage,
        _ => ErrorCode::Environment,
    };
    let without = OutputArgs {
        junit: None,
        html: None,
        ..args.clone()
    };
    if let Ok(mut sink) = Sink::open(&without)
        && sink.format != Format::Terminal
    {
        let report = Report::error(flag, code, message);
        sink.show(&report);
        sink.keep(report);
        sink.finish();
    }
    exit
}

fn write_junit(reports: &[Report], file: File) -> io::Result<()> {
    let mut buffered = BufWriter::new(file);
    junit::write(reports, &mut buffered)?;
    buffered.flush()
}

/// What standard output is like. Colours are taken out again where it is no
/// terminal.
pub(super) fn screen() -> TerminalOptions {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    TerminalOptions {
        color: true,
        width: output::columns_of(&io::stdout()).or(columns).unwrap_or(80),
        unicode: output::unicode(),
    }
}
