//! `netlab-capture record`: drafts expectations from runs or a capture.

use std::hint::spin_loop;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::cli::{Exit, code_of, judge, load, output};
use crate::expect::{self, Draft, Kept};
use crate::render::text::visible;
use crate::scenario::ProgramSpec;
use crate::trace::Trace;

/// Draft expectations: what a scenario's runs, or captures, have in common.
///
/// A scenario is run several times, every second time with all processors busy,
/// and what is the same each time is written to standard output, ready to be put
/// into the scenario's file and edited. Of capture files, an expectation file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A scenario (built-in name or .toml), or captures of the same thing
    #[arg(value_name = "SCENARIO|CAPTURE", required = true)]
    words: Vec<PathBuf>,
    /// How often a scenario is run
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=50))]
    runs: u8,
    /// Over ::1 in place of 127.0.0.1
    #[arg(long)]
    ipv6: bool,
}

pub fn main(args: &Args) -> Exit {
    let is_scenario =
        |path: &Path| path.extension().is_some_and(|e| e == "toml") || !path.is_file();
    match args.words.as_slice() {
        [one] if is_scenario(one) => of_scenario(&one.display().to_string(), args),
        captures => of_captures(captures),
    }
}

fn of_captures(paths: &[PathBuf]) -> Exit {
    let mut runs = Vec::new();
    for path in paths {
        match judge::read(path) {
            Ok(trace) => runs.push(trace),
            Err(error) => {
                let message = error.to_string();
                output::tell(output::without_number(&message));
                return code_of(&error).into();
            }
        }
    }
    let found = expect::draft(&runs, &[]);
    output::print(&as_file(&found, paths.len()))
}

fn of_scenario(word: &str, args: &Args) -> Exit {
    let loaded = match load::load(&[word.to_owned()], false) {
        Ok(loaded) => loaded,
        Err(mistakes) => return load::complain(&mistakes),
    };
    let [one] = loaded.as_slice() else {
        output::tell("record takes one scenario at a time");
        return Exit::Usage;
    };
    match record(word, &one.scenario.name, args) {
        Ok(runs) => {
            let programs: &[ProgramSpec] = &one.scenario.programs;
            let found = expect::draft(&runs, programs);
            output::print(&as_table(&found, runs.len()))
        }
        Err((exit, message)) => {
            output::tell(&message);
            exit
        }
    }
}

/// Runs the scenario several times, each time by a process of its own.
fn record(word: &str, name: &str, args: &Args) -> Result<Vec<Trace>, (Exit, String)> {
    let environment = |error: std::io::Error| (Exit::Environment, error.to_string());
    let folder = tempfile::tempdir().map_err(environment)?;
    let this_binary = std::env::current_exe().map_err(environment)?;
    let mut runs = Vec::new();
    for number in 0..args.runs {
        let busy = (number % 2 == 1).then(Busy::begin);
        let mut command = Command::new(&this_binary);
        command.arg("run").arg(word).arg("--json").arg("--out");
        command.arg(folder.path());
        if args.ipv6 {
            command.arg("--ipv6");
        }
        let ended = command
            .stdout(Stdio::null())
            .status()
            .map_err(environment)?;
        drop(busy);
        // That expectations failed is no matter: new ones are sought.
        if !matches!(ended.code(), Some(0 | 1 | 5)) {
            let message = format!("run {} did not come to its end: {ended}", number + 1);
            return Err((Exit::Environment, message));
        }
        let path = folder.path().join(format!("{name}.pcapng"));
        let trace = judge::read(&path).map_err(|e| (Exit::Environment, e.to_string()))?;
        runs.push(trace);
    }
    Ok(runs)
}

/// Keeps all processors busy until it is dropped.
struct Busy {
    over: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Busy {
    fn begin() -> Busy {
        let over = Arc::new(AtomicBool::new(false));
        let count = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..count)
            .filter_map(|_| {
                let over = Arc::clone(&over);
                thread::Builder::new()
                    .spawn(move || {
                        while !over.load(Ordering::Relaxed) {
                            spin_loop();
                        }
                    })
                    .ok()
            })
            .collect();
        Busy { over, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn header(runs: usize, what: &str) -> String {
    match runs {
        1 => format!("# A draft, from one {what}: what it shows may be an accident of timing.\n"),
        n => format!("# A draft: what {n} {what}s have in common.\n"),
    }
}

/// What varied, as comments.
fn varied(found: &Kept) -> String {
    if found.varied.is_empty() {
        return String::new();
    }
    let mut out = "\n# Left out, because it was not the same each time:\n".to_owned();
    for draft in &found.varied {
        out.push_str(&format!("#\n#   {}\n", visible(&draft.name)));
        for line in draft.text.lines() {
            out.push_str(&format!("#     {}\n", visible(line)));
        }
    }
    out
}

/// An expectation file.
fn as_file(found: &Kept, runs: usize) -> String {
    let mut out = header(runs, "capture");
    for Draft { name, text } in &found.kept {
        out.push_str(&format!("\n# {}\n{text}\n", visible(name)));
    }
    out + &varied(found)
}

/// The table `[expect]` of a scenario.
fn as_table(found: &Kept, runs: usize) -> String {
    let mut out = header(runs, "run") + "[expect]\n";
    for Draft { name, text } in &found.kept {
        let name = toml::Value::from(name.as_str());
        let text = match text.contains('\n') && !text.contains("'''") {
            true => format!("'''\n{text}\n'''"),
            false => toml::Value::from(text.as_str()).to_string(),
        };
        out.push_str(&format!("{name} = {text}\n"));
    }
    out + &varied(found)
}
