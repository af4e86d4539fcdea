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
use crate::trace::{RoleAt, Trace};

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
    let mut assumed = Vec::new();
    for path in paths {
        match judge::read(path) {
            Ok(trace) => {
                let roles = expect::assumed_roles(&trace);
                runs.push(match roles.is_empty() {
                    true => trace,
                    false => trace.with_roles(&roles),
                });
                if !roles.is_empty() {
                    assumed.push(check_with(path, &roles));
                }
            }
            Err(error) => {
                let message = error.to_string();
                output::tell(output::without_number(&message));
                return code_of(&error).into();
            }
        }
    }
    let found = expect::draft(&runs, &[]);
    assumed.retain(|_| found.kept.iter().any(names_roles));
    for words in &assumed {
        output::complain(&format!(
            "netlab-capture: the capture does not tell who is `server`; judge it by\n  {words}\n"
        ));
    }
    finish(&found, &as_file(&found, paths.len(), &assumed))
}

/// Writes the draft, and says where it is none.
fn finish(found: &Kept, text: &str) -> Exit {
    let exit = match found.kept.is_empty() {
        true => {
            output::complain(&format!(
                "netlab-capture: nothing can be demanded: {NOTHING}\n"
            ));
            Exit::Inconclusive
        }
        false => Exit::Passed,
    };
    exit.worst(output::print(text))
}

/// `netlab-capture check a.pcapng --expect FILE --role server=10.0.0.1`: how a draft is
/// judged that takes somebody for the server.
fn check_with(path: &Path, roles: &[RoleAt]) -> String {
    let path = path.display().to_string();
    let path = shlex::try_quote(&path).unwrap_or(path.as_str().into());
    let mut words = format!("netlab-capture check {} --expect FILE", visible(&path));
    for at in roles {
        words.push_str(&format!(" --role {}={at}", at.role));
    }
    words
}

fn names_roles(draft: &Draft) -> bool {
    let roles = ["client".to_owned(), "server".to_owned()];
    expect::parse(&draft.name, &draft.text, &roles).is_ok_and(|e| expect::names_implied_roles(&e))
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
            finish(&found, &as_table(&found, runs.len()))
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

const NOTHING: &str = "there is no conversation, no message and no program in it";

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
fn as_file(found: &Kept, runs: usize, assumed: &[String]) -> String {
    let mut out = header(runs, "capture");
    for words in assumed {
        out.push_str(&format!(
            "# Who is `server` was assumed. Judge it by\n#   {words}\n"
        ));
    }
    if found.kept.is_empty() {
        out.push_str(&format!("# Nothing can be demanded: {NOTHING}.\n"));
    }
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
