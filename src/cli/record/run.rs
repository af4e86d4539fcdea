//! `netlab-capture run`: record scenarios, read the savefiles, judge, show.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use crate::capture::{Gone, RecordError, Recorder};
use crate::report::{ErrorCode, Options, Report};
use crate::sandbox::{EnvironmentError, WHOLE_PACKETS};
use crate::savefile::RecordedScenario;

use super::own::Own;
use super::plan::{Wishes, plan};
use super::savefile;
use super::signals::Signals;
use crate::cli::judge::{Judged, Yardstick};
use crate::cli::load::{self, Loaded};
use crate::cli::sink::{self, Sink};
use crate::cli::{Exit, at_least_one, output};

/// Run scenarios: their programs in a private network, every packet kept and
/// judged.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Built-in scenarios by name (see `list`), scenario files, or folders of them
    #[arg(value_name = "SCENARIO", required_unless_present = "all")]
    scenarios: Vec<String>,
    /// All built-in scenarios
    #[arg(long, conflicts_with = "scenarios")]
    all: bool,
    /// Over ::1 in place of 127.0.0.1
    #[arg(long)]
    ipv6: bool,
    /// How many scenarios run side by side [default: one for each core]
    #[arg(long, short, value_name = "N", value_parser = at_least_one)]
    jobs: Option<NonZeroUsize>,
    /// Where the captures go
    #[arg(long, value_name = "DIR", default_value = "captures")]
    out: PathBuf,
    /// For each scenario, in place of its own: 5s, 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// On the machine's own loopback (needs CAP_NET_RAW; no proof by the
    /// interface's counter)
    #[arg(long, conflicts_with = "contain")]
    host: bool,
    /// Write classic .pcap, with what the packets cannot say in a .json beside it
    #[arg(long)]
    pcap: bool,
    /// Bytes of each packet that are kept
    #[arg(long, value_name = "BYTES", default_value_t = WHOLE_PACKETS, hide_default_value = true,
          value_parser = clap::value_parser!(u32).range(64..=i64::from(WHOLE_PACKETS)))]
    snaplen: u32,
    /// Run each scenario so many times, and count the verdicts
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    repeat: Option<NonZeroUsize>,
    /// Run again and again until something does not pass; with --repeat, so many
    /// times at most
    #[arg(long)]
    until_fail: bool,
    /// Which captures stay in --out
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Keep::All)]
    keep: Keep,
    #[command(flatten)]
    own: Own,
    #[command(flatten)]
    contain: super::contain::ContainArgs,
    #[command(flatten)]
    output: sink::OutputArgs,
}

/// Which captures are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Keep {
    All,
    /// Those of runs that did not pass.
    Failed,
}

impl Args {
    /// How often every scenario is run. None: until something does not pass.
    fn rounds(&self) -> Option<usize> {
        match self.repeat {
            Some(times) => Some(times.get()),
            None if self.until_fail => None,
            None => Some(1),
        }
    }
}

/// One scenario on its way.
struct Job {
    /// Its place among all runs.
    index: usize,
    path: PathBuf,
    recorder: Recorder,
    lock: File,
}

/// A scenario whose result is there.
pub(super) struct Finished {
    pub(super) judged: Judged,
    /// The savefile that can carry comments.
    savefile: Option<PathBuf>,
    /// The classic pcap in its place.
    classic: Option<PathBuf>,
    /// Keeps other runs off the savefile until it is finished with.
    _lock: Option<File>,
}

/// Runs what was asked for.
pub fn main(args: &Args) -> Exit {
    let mut sink = match Sink::open(&args.output) {
        Ok(sink) => sink,
        Err(exit) => return exit,
    };
    let loaded = load::load(&args.scenarios, args.all).and_then(|mut loaded| {
        args.own.apply(&mut loaded)?;
        Ok(loaded)
    });
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(mistakes) => return sink.refuse(&mistakes),
    };
    load::warn(&loaded);
    let fits = match args.rounds() {
        Some(1) => sink.expect(loaded.len()),
        _ => sink.expect_repeated(),
    };
    if let Err(exit) = fits {
        return exit;
    }
    match run(args, &loaded, &mut sink) {
        Ok(exit) => exit.worst(sink.finish()),
        Err(error) => {
            let report = Report::error("run", ErrorCode::Environment, error.to_string());
            sink.show(&report);
            sink.keep(report);
            Exit::Environment.worst(sink.finish())
        }
    }
}

fn run(args: &Args, loaded: &[Loaded], sink: &mut Sink) -> io::Result<Exit> {
    let wishes = Wishes {
        ipv6: args.ipv6,
        address: args.own.address.first().copied(),
        host: args.host,
        timeout: args.timeout,
        snaplen: args.snaplen,
        this_binary: std::env::current_exe()?,
    };
    if let Err(error) = fs::create_dir_all(&args.out) {
        let words = error.to_string();
        let message = format!(
            "cannot create {}: {}; --out DIR puts the captures elsewhere",
            args.out.display(),
            output::without_number(&words)
        );
        return Err(io::Error::new(error.kind(), message));
    }
    let names = savefile_names(loaded);
    let rounds = args.rounds();
    let total = rounds.map_or(usize::MAX, |rounds| rounds.saturating_mul(loaded.len()));
    let jobs = args.jobs.map_or_else(cores, NonZeroUsize::get);
    // On the machine's own network they would see each other's packets.
    let jobs = if args.host { 1 } else { jobs };

    let mut signals = Signals::watch()?;
    let mut next = 0;
    let mut running: Vec<Job> = Vec::new();
    let mut gone: Vec<Gone> = Vec::new();
    let mut results: BTreeMap<usize, Finished> = BTreeMap::new();
    let mut shown = 0;
    let mut exit = Exit::Passed;
    let mut interrupted = false;
    loop {
        let over = interrupted || (args.until_fail && exit != Exit::Passed);
        while running.len() < jobs && !over && next < total {
            let index = next;
            next += 1;
            let (round, which) = (index / loaded.len(), index % loaded.len());
            let (Some(load), Some(name)) = (loaded.get(which), names.get(which)) else {
                break;
            };
            let path = args.out.join(match rounds {
                Some(1) => format!("{name}.pcapng"),
                _ => format!("{name}.{:04}.pcapng", round + 1),
            });
            match launch(load, &path, &wishes, args) {
                Ok((recorder, lock)) => running.push(Job {
                    index,
                    path,
                    recorder,
                    lock,
                }),
                Err(error) => {
                    let refused = refused(load, ErrorCode::Environment, error.to_string());
                    results.insert(index, refused);
                }
            }
        }
        if running.is_empty() && results.is_empty() {
            break;
        }
        let recorders: Vec<&Recorder> = running.iter().map(|job| &job.recorder).collect();
        let (done, signal) = wait(&recorders, &mut signals)?;
        if signal && interrupted {
            // Who asks twice does not want to wait for an orderly end. The
            // recorders die with us.
            end_by_signal();
        }
        interrupted |= signal;
        for position in done.into_iter().rev() {
            let job = running.swap_remove(position);
            let (recorded, left) = job.recorder.finish();
            gone.push(left);
            if let Some(load) = loaded.get(job.index % loaded.len()) {
                let options = sink.options();
                let mut finished = judge_recorded(load, &job.path, recorded, args.pcap, &options);
                finished._lock = Some(job.lock);
                results.insert(job.index, finished);
            }
        }
        if interrupted {
            for job in &mut running {
                job.recorder.interrupt();
            }
        }
        gone.retain(|left| !left.is_reaped());
        // In the order that was asked for, as soon as it can be.
        while let Some(finished) = results.remove(&shown) {
            exit = exit.worst(show(sink, finished, args.keep));
            shown += 1;
        }
        // After an interruption there are gaps in the order.
        if running.is_empty() && interrupted {
            for (_, finished) in std::mem::take(&mut results) {
                exit = exit.worst(show(sink, finished, args.keep));
            }
        }
    }
    if interrupted {
        sink.finish();
        end_by_signal();
    }
    Ok(exit)
}

/// Shows the result, and only then works on the file, which nobody waits for.
fn show(sink: &mut Sink, finished: Finished, keep: Keep) -> Exit {
    let Finished {
        judged,
        savefile,
        classic,
        _lock,
    } = finished;
    sink.show(&judged.report);
    if keep == Keep::Failed && judged.exit == Exit::Passed {
        for path in savefile.iter().chain(&classic) {
            if let Err(error) = savefile::remove(path) {
                sink.warn(&format!("{}: not removed: {error}", path.display()));
            }
        }
    } else if let Some(path) = savefile
        && let Err(error) = savefile::write_comments(&path, &judged.report)
    {
        sink.warn(&format!(
            "{}: comments not written: {error}",
            path.display()
        ));
    }
    sink.keep(judged.report);
    judged.exit
}

/// Waits for a recorder's last word or a signal: the positions of those done,
/// and whether a signal arrived.
pub(super) fn wait(running: &[&Recorder], signals: &mut Signals) -> io::Result<(Vec<usize>, bool)> {
    if running.is_empty() {
        return Ok((Vec::new(), false));
    }
    let mut fds: Vec<PollFd<'_>> = running
        .iter()
        .map(|recorder| PollFd::from_borrowed_fd(recorder.descriptor(), PollFlags::IN))
        .collect();
    fds.push(PollFd::from_borrowed_fd(
        signals.descriptor(),
        PollFlags::IN,
    ));
    match rustix::event::poll(&mut fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let done = fds
        .iter()
        .take(running.len())
        .enumerate()
        .filter(|(_, fd)| !fd.revents().is_empty())
        .map(|(position, _)| position)
        .collect();
    drop(fds);
    Ok((done, signals.arrived()))
}

/// Opens the savefile first, so that a bad path fails before anything runs. The
/// file that is returned with the recorder holds the savefile's lock.
fn launch(
    loaded: &Loaded,
    path: &Path,
    wishes: &Wishes,
    args: &Args,
) -> io::Result<(Recorder, File)> {
    let savefile = savefile::open(path)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    let mut plan = plan(&loaded.scenario, loaded.base_dir.as_deref(), wishes);
    args.contain.apply(&mut plan)?;
    let recorded = RecordedScenario {
        name: loaded.scenario.name.clone(),
        source: loaded.scenario.source.name.clone(),
        text: loaded.scenario.source.text.clone(),
        address: wishes.address().to_string(),
        files: loaded.files.clone(),
        overrides: args.own.overrides(),
    };
    let lock = savefile.try_clone()?;
    let recorder = Recorder::launch(&plan, recorded, savefile, false)?;
    Ok((recorder, lock))
}

fn refused(loaded: &Loaded, code: ErrorCode, message: String) -> Finished {
    Finished {
        judged: Judged::of_report(Report::error(&loaded.scenario.name, code, message)),
        savefile: None,
        classic: None,
        _lock: None,
    }
}

pub(super) fn judge_recorded(
    loaded: &Loaded,
    path: &Path,
    recorded: Result<(), RecordError>,
    classic: bool,
    options: &Options,
) -> Finished {
    match recorded {
        Err(RecordError::Environment(error)) => {
            refused(loaded, ErrorCode::Environment, with_ways_out(&error))
        }
        Err(error @ RecordError::Internal(_)) => {
            refused(loaded, ErrorCode::Internal, error.to_string())
        }
        Ok(()) => {
            let yardstick = Yardstick {
                scenario: Some(&loaded.scenario),
                expectations: &loaded.expectations,
                files: &loaded.files,
            };
            if !classic {
                return Finished {
                    judged: savefile::judge(path, &yardstick, options),
                    savefile: Some(path.to_owned()),
                    classic: None,
                    _lock: None,
                };
            }
            match savefile::to_classic_pcap(path) {
                Ok(path) => Finished {
                    judged: savefile::judge(&path, &yardstick, options),
                    savefile: None,
                    classic: Some(path),
                    _lock: None,
                },
                Err(error) => {
                    let message = format!("cannot write the .pcap: {error}");
                    refused(loaded, ErrorCode::Environment, message)
                }
            }
        }
    }
}

/// What was refused, and below it each way out.
pub(super) fn with_ways_out(error: &EnvironmentError) -> String {
    let ways = error.ways_out.iter().map(|way| format!("\n  {way}"));
    ways.fold(error.to_string(), |text, way| text + &way)
}

/// A name for each scenario's files; one that comes twice gets a number.
fn savefile_names(loaded: &[Loaded]) -> Vec<String> {
    let mut taken = std::collections::BTreeSet::new();
    loaded
        .iter()
        .map(|load| {
            let name = &load.scenario.name;
            let mut candidate = name.clone();
            let mut number = 2;
            while !taken.insert(candidate.clone()) {
                candidate = format!("{name}-{number}");
                number += 1;
            }
            candidate
        })
        .collect()
}

/// `5s`, `500ms`: as scenario files write times.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    crate::scenario::parse_duration(text).map_err(|wrong| wrong.message)
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A shell that waits for us must see that its user's Ctrl-C ended us.
fn end_by_signal() -> ! {
    let _ = io::stdout().flush();
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
    std::process::exit(130)
}
