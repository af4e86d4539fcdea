//! `netlab-capture run`: record scenarios, read the savefiles, judge, show.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use crate::capture::{Gone, RecordError, Recorder};
use crate::report::{ErrorCode, Options, Report};
use crate::sandbox::EnvironmentError;
use crate::savefile::RecordedScenario;

use super::plan::{Wishes, plan};
use super::savefile;
use super::signals::Signals;
use crate::cli::Exit;
use crate::cli::judge::{Judged, Yardstick};
use crate::cli::load::{self, Loaded};
use crate::cli::sink::{self, Sink};

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
    #[arg(long, short, value_name = "N")]
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
    #[command(flatten)]
    contain: super::contain::ContainArgs,
    #[command(flatten)]
    output: sink::OutputArgs,
}

/// One scenario on its way.
struct Job {
    index: usize,
    recorder: Recorder,
    lock: File,
}

/// A scenario whose result is there.
struct Finished {
    judged: Judged,
    /// The savefile that can carry comments.
    savefile: Option<PathBuf>,
    /// Keeps other runs off the savefile until it is finished with.
    _lock: Option<File>,
}

/// Runs what was asked for.
pub fn main(args: &Args) -> Exit {
    let mut sink = match Sink::open(&args.output) {
        Ok(sink) => sink,
        Err(exit) => return exit,
    };
    let loaded = match load::load(&args.scenarios, args.all) {
        Ok(loaded) => loaded,
        Err(mistakes) => return sink.refuse(&mistakes),
    };
    load::warn(&loaded);
    sink.expect(loaded.len());
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
        host: args.host,
        timeout: args.timeout,
        this_binary: std::env::current_exe()?,
    };
    if let Err(error) = fs::create_dir_all(&args.out) {
        let message = format!("cannot create {}: {error}", args.out.display());
        return Err(io::Error::new(error.kind(), message));
    }
    let paths = savefile_paths(&args.out, loaded);
    let jobs = args.jobs.map_or_else(cores, NonZeroUsize::get);
    // On the machine's own network they would see each other's packets.
    let jobs = if args.host { 1 } else { jobs };

    let mut signals = Signals::watch()?;
    let mut waiting: VecDeque<usize> = (0..loaded.len()).collect();
    let mut running: Vec<Job> = Vec::new();
    let mut gone: Vec<Gone> = Vec::new();
    let mut results: Vec<Option<Finished>> = loaded.iter().map(|_| None).collect();
    let mut shown = 0;
    let mut exit = Exit::Passed;
    let mut interrupted = false;
    while !running.is_empty() || (!waiting.is_empty() && !interrupted) {
        while running.len() < jobs && !interrupted {
            let Some(index) = waiting.pop_front() else {
                break;
            };
            let (Some(load), Some(path)) = (loaded.get(index), paths.get(index)) else {
                continue;
            };
            match launch(load, path, &wishes, &args.contain) {
                Ok((recorder, lock)) => running.push(Job {
                    index,
                    recorder,
                    lock,
                }),
                Err(error) => {
                    let refused = refused(load, ErrorCode::Environment, error.to_string());
                    put(&mut results, index, refused);
                }
            }
        }
        let (done, signal) = wait(&running, &mut signals)?;
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
            if let (Some(load), Some(path)) = (loaded.get(job.index), paths.get(job.index)) {
                let mut finished = judge_recorded(load, path, recorded, args.pcap, &sink.options());
                finished._lock = Some(job.lock);
                put(&mut results, job.index, finished);
            }
        }
        if interrupted {
            for job in &mut running {
                job.recorder.interrupt();
            }
        }
        gone.retain(|left| !left.is_reaped());
        // In the order that was asked for, as soon as it can be.
        while let Some(finished) = results.get_mut(shown).and_then(Option::take) {
            exit = exit.worst(show(sink, finished));
            shown += 1;
        }
    }
    // After an interruption there are gaps in the order.
    for finished in results.into_iter().flatten() {
        exit = exit.worst(show(sink, finished));
    }
    if interrupted {
        sink.finish();
        end_by_signal();
    }
    Ok(exit)
}

fn put(results: &mut [Option<Finished>], index: usize, finished: Finished) {
    if let Some(slot) = results.get_mut(index) {
        *slot = Some(finished);
    }
}

/// Shows the result, and only then works on the file, which nobody waits for.
fn show(sink: &mut Sink, finished: Finished) -> Exit {
    let Finished {
        judged,
        savefile,
        _lock,
    } = finished;
    sink.show(&judged.report);
    if let Some(path) = savefile
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
fn wait(running: &[Job], signals: &mut Signals) -> io::Result<(Vec<usize>, bool)> {
    if running.is_empty() {
        return Ok((Vec::new(), false));
    }
    let mut fds: Vec<PollFd<'_>> = running
        .iter()
        .map(|job| PollFd::from_borrowed_fd(job.recorder.descriptor(), PollFlags::IN))
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
    contain: &super::contain::ContainArgs,
) -> io::Result<(Recorder, File)> {
    let savefile = savefile::open(path)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    let mut plan = plan(&loaded.scenario, loaded.base_dir.as_deref(), wishes);
    contain.apply(&mut plan)?;
    let recorded = RecordedScenario {
        name: loaded.scenario.name.clone(),
        source: loaded.scenario.source.name.clone(),
        text: loaded.scenario.source.text.clone(),
        address: wishes.address().to_string(),
        files: loaded.files.clone(),
        ..RecordedScenario::default()
    };
    let lock = savefile.try_clone()?;
    let recorder = Recorder::launch(&plan, recorded, savefile, false)?;
    Ok((recorder, lock))
}

fn refused(loaded: &Loaded, code: ErrorCode, message: String) -> Finished {
    Finished {
        judged: Judged::of_report(Report::error(&loaded.scenario.name, code, message)),
        savefile: None,
        _lock: None,
    }
}

fn judge_recorded(
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
                    _lock: None,
                };
            }
            match savefile::to_classic_pcap(path) {
                Ok(path) => Finished {
                    judged: savefile::judge(&path, &yardstick, options),
                    savefile: None,
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

/// One file for each scenario, named after it; a name that comes twice gets a
/// number.
fn savefile_paths(out: &Path, loaded: &[Loaded]) -> Vec<PathBuf> {
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
            out.join(format!("{candidate}.pcapng"))
        })
        .collect()
}

/// `5s`, `500ms`: as scenario files write times.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    crate::scenario::parse_duration(text).map_err(|wrong| wrong.message)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A shell that waits for us must see that its user's Ctrl-C ended us.
fn end_by_signal() -> ! {
    let _ = io::stdout().flush();
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
    std::process::exit(130)
}
