//! `netlab-capture exec`: one command under capture, with the terminal, the
//! streams and the exit code its own.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::run::{duration, with_ways_out};
use super::savefile;
use crate::capture::{RecordError, Recorder};
use crate::cli::judge::Yardstick;
use crate::cli::load::{self, Loaded, Mistakes};
use crate::cli::pages::{self, CaptureFile, Pages};
use crate::cli::{EXEC_FAULT, output, overwrite, sink};
use crate::diagnostic::{Diagnostic, Severity, Source};
use crate::expect;
use crate::render::text::visible;
use crate::render::{json, junit, terminal};
use crate::report::{Options, Report, Verdict};
use crate::sandbox::{Plan, Streams, WHOLE_PACKETS, sys};
use crate::savefile::{Exit, Program, Reader, RecordedScenario, Recording};
use crate::scenario::{self, ProgramSpec, codes};

/// Run any command in a private network, every packet captured.
///
/// The command keeps its streams, its terminal and its exit code; what
/// netlab-capture has to say comes on standard error after it has ended. The
/// network is empty but for loopback: a command that downloads must have done so
/// before.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// What the wire must show: -e 'no RST'. May be given several times. The
    /// command's sockets are those of the role `command`
    #[arg(short = 'e', value_name = "STATEMENT")]
    statements: Vec<String>,
    /// A file of statements (.expect), or with an [expect] table as in a scenario,
    /// but without programs
    #[arg(long, value_name = "FILE", conflicts_with = "statements")]
    expect: Option<PathBuf>,
    /// Write the report as one line of JSON to FILE; without FILE, to standard
    /// output behind the command's own
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Write a JUnit XML file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a page that shows everything: one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Keep the capture: pcapng, or classic pcap where FILE ends in .pcap
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Bytes of each packet that are kept; fewer let a faster transfer be
    /// captured without loss
    #[arg(long, value_name = "BYTES", default_value_t = WHOLE_PACKETS,
          value_parser = clap::value_parser!(u32).range(64..=i64::from(WHOLE_PACKETS)))]
    snaplen: u32,
    /// End the command after this time: 5s, 2m [default: never]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Say nothing unless something is wrong
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    contain: super::contain::ContainArgs,
    /// The command and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

const EXIT_CODES: &str = "Exit codes: the command's own; 128 + n where signal n ended it; 126 and 127 where it \
cannot be executed or found; 1 where it succeeded and an expectation failed, 5 where it succeeded and an \
expectation is inconclusive; 125 where netlab-capture itself could not do its part.";

/// The role of the command.
const COMMAND: &str = "command";

/// What ends `exec` before, or in place of, the command's own exit code.
enum Fault {
    /// Told already.
    Told,
    Untold(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Untold(output::without_number(&error.to_string()).to_owned())
    }
}

pub fn main(args: &Args) -> ExitCode {
    match exec(args) {
        Ok(code) => code,
        Err(fault) => {
            if let Fault::Untold(message) = fault {
                output::tell(&message);
            }
            ExitCode::from(EXEC_FAULT)
        }
    }
}

fn exec(args: &Args) -> Result<ExitCode, Fault> {
    // First of all, while every other descriptor is one that we were given.
    let descriptors = given_descriptors();
    let loaded = scenario(
        &title(&args.command),
        args.expect.as_deref(),
        &args.statements,
    )
    .map_err(|mistakes| {
        load::complain(&mistakes);
        Fault::Told
    })?;
    load::warn(std::slice::from_ref(&loaded));
    let mut results = Results::open(args)?;
    let savefile = results.savefile.try_clone()?;
    let signals = sys::forwarded_signals()?;
    let terminal = Terminal::ours();
    let recorded = RecordedScenario {
        name: loaded.scenario.name.clone(),
        source: loaded.scenario.source.name.clone(),
        text: loaded.scenario.source.text.clone(),
        files: loaded.files.clone(),
        ..RecordedScenario::default()
    };
    let mut plan = plan(args, descriptors);
    args.contain.apply(&mut plan)?;
    let mut recorder = Recorder::launch(&plan, recorded, savefile, false)?;
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(recorder.descriptor(), PollFlags::IN),
            PollFd::new(&signals, PollFlags::IN),
        ];
        match rustix::event::poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
        let ended = !fds[0].revents().is_empty();
        while let Some(signal) = sys::next_forwarded_signal(&signals) {
            recorder.signal(signal);
        }
        if ended {
            break;
        }
    }
    let (recorded, _gone) = recorder.finish();
    terminal.take_back();
    match recorded {
        Ok(()) => results.show(args, &loaded),
        Err(RecordError::Environment(error)) => Err(Fault::Untold(with_ways_out(&error))),
        Err(error @ RecordError::Internal(_)) => Err(Fault::Untold(error.to_string())),
    }
}

/// The expectations of a file that names no programs, or of statements, for a
/// command of the command line: a scenario with one program, [`COMMAND`].
fn scenario(
    title: &str,
    expect: Option<&Path>,
    statements: &[String],
) -> Result<Loaded, Vec<Mistakes>> {
    let (mut source, base_dir) = match expect {
        Some(path) if path.extension().is_some_and(|e| e == expect::EXTENSION) => {
            let source = load::read_source(path).map_err(|mistakes| vec![mistakes])?;
            let (read, _) = expect::read_file(source.clone(), &[COMMAND.to_owned()]).map_err(
                |diagnostics| {
                    vec![Mistakes {
                        source,
                        diagnostics,
                    }]
                },
            )?;
            let each = read.expectations.into_iter().map(|e| (e.name, e.text));
            (written(title, each), load::base_dir(path))
        }
        Some(path) => {
            let source = load::read_source(path).map_err(|mistakes| vec![mistakes])?;
            (source, load::base_dir(path))
        }
        None => {
            load::parse_statements(statements, &[COMMAND.to_owned()])?;
            let each = statements.iter().map(|s| (s.clone(), s.clone()));
            (written(title, each), PathBuf::from("."))
        }
    };
    // The command itself is in the recording.
    source.text += &format!("\n[program.{COMMAND}]\nrun = \"{COMMAND}\"\n");
    let loaded = load::understand(source, Some(base_dir)).map_err(|mistakes| vec![mistakes])?;
    let others = loaded
        .scenario
        .programs
        .iter()
        .filter(|p| p.role != COMMAND);
    let diagnostics: Vec<Diagnostic> = others.map(program_of_a_scenario).collect();
    match diagnostics.is_empty() {
        true => Ok(loaded),
        false => Err(vec![Mistakes {
            source: loaded.scenario.source,
            diagnostics,
        }]),
    }
}

/// Expectations by name as a scenario file, so that the recording holds them.
fn written(title: &str, expectations: impl Iterator<Item = (String, String)>) -> Source {
    let each: toml::Table = expectations
        .map(|(name, text)| (name, text.into()))
        .collect();
    let mut file = toml::Table::new();
    file.insert("title".into(), title.into());
    if !each.is_empty() {
        file.insert("expect".into(), each.into());
    }
    Source {
        name: scenario::COMMAND_LINE.to_owned(),
        text: file.to_string(),
    }
}

fn program_of_a_scenario(spec: &ProgramSpec) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: codes::CONTRADICTION,
        message: "the only program of `exec` is its command".to_owned(),
        span: spec.span.clone(),
        label: "would never be started".to_owned(),
        help: Some(format!(
            "leave only [expect] in the file, with the role `{COMMAND}`; or start all programs with `netlab-capture run FILE`"
        )),
    }
}

/// The command as its user typed it, as far as a line can hold it.
fn title(command: &[OsString]) -> String {
    const MOST: usize = 200;
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let line = shlex::try_join(words.iter().map(AsRef::as_ref)).unwrap_or_else(|_| words.join(" "));
    match line.char_indices().nth(MOST) {
        Some((at, _)) => line.get(..at).unwrap_or_default().to_owned() + "…",
        None => line,
    }
}

fn plan(args: &Args, descriptors: Vec<RawFd>) -> Plan {
    // A hundred years.
    const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let timeout = args.timeout.unwrap_or(NEVER);
    let streams = Streams::Inherited { descriptors };
    Plan {
        snaplen: args.snaplen,
        ..Plan::of_command(COMMAND, args.command.clone(), streams, timeout)
    }
}

/// The descriptors beside the standard streams that were given to us to hand on:
/// a make's job server, a shell's `<(…)`. Ours are all closed on exec.
fn given_descriptors() -> Vec<RawFd> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let numbers = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    numbers
        .filter(|fd| *fd > 2 && !sys::closes_on_exec(*fd))
        .collect()
}

/// The terminal, where we are in its foreground.
struct Terminal {
    ours: Option<rustix::process::Pid>,
}

impl Terminal {
    fn ours() -> Terminal {
        let group = rustix::process::getpgrp();
        let foreground = rustix::termios::tcgetpgrp(io::stdin());
        Terminal {
            ours: (foreground == Ok(group)).then_some(group),
        }
    }

    /// A shell that ran as the command made itself the foreground, and is gone.
    fn take_back(&self) {
        if let Some(group) = self.ours
            && rustix::termios::tcgetpgrp(io::stdin()) != Ok(group)
        {
            sys::block_job_control();
            let _ = rustix::termios::tcsetpgrp(io::stdin(), group);
        }
    }
}

/// Where everything goes that is asked for.
struct Results {
    savefile: File,
    json: Option<Box<dyn Write>>,
    junit: Option<File>,
    pages: Option<Pages>,
}

impl Results {
    /// Opens every file, so that a bad path fails before anything runs.
    fn open(args: &Args) -> Result<Results, Fault> {
        let create =
            |path: &Path| overwrite::create(path).map_err(|error| cannot("write", path, &error));
        let json: Option<Box<dyn Write>> = match &args.json {
            None => None,
            Some(path) if path == Path::new("-") => Some(Box::new(io::stdout())),
            Some(path) => Some(Box::new(create(path)?)),
        };
        let junit = args.junit.as_deref().map(create).transpose()?;
        let pages = match &args.html {
            None => None,
            Some(path) => Some(Pages::open(path).map_err(|e| cannot("write", path, &e))?),
        };
        // Last, as a capture that is there is emptied.
        let savefile = match &args.pcap {
            Some(path) if !is_classic(path) => {
                savefile::open(path).map_err(|error| cannot("write", path, &error))?
            }
            other => {
                if let Some(classic) = other {
                    File::create(classic).map_err(|e| cannot("write", classic, &e))?;
                }
                let folder = std::env::temp_dir();
                tempfile::tempfile_in(&folder).map_err(|e| cannot("write to", &folder, &e))?
            }
        };
        Ok(Results {
            savefile,
            json,
            junit,
            pages,
        })
    }

    fn show(&mut self, args: &Args, loaded: &Loaded) -> Result<ExitCode, Fault> {
        let recording = self.recording()?;
        let Some(program) = recording.programs.first() else {
            return Err(Fault::Untold("the recording tells of no command".into()));
        };
        let asked = !loaded.expectations.is_empty()
            || self.json.is_some()
            || self.junit.is_some()
            || self.pages.is_some();
        // Packets are read only where somebody wants to know of them.
        let report = if asked {
            Some(self.judge(args, loaded)?)
        } else {
            None
        };
        if let (Some(path), Some(report)) = (&args.pcap, &report)
            && !is_classic(path)
        {
            savefile::write_comments(path, report).map_err(|e| cannot("write", path, &e))?;
        } else if let Some(path) = args.pcap.as_deref().filter(|path| is_classic(path)) {
            let copied = self
                .rewound()
                .and_then(|f| savefile::copy_as_classic_pcap(f, path));
            copied.map_err(|error| cannot("write", path, &error))?;
        }
        let own_code = exit_code(program);
        let verdict = report.as_ref().and_then(|report| report.verdict);
        self.tell(args, &recording, report.as_ref(), own_code);
        if let Some(report) = report {
            self.write(args, report)?;
        }
        Ok(match (own_code, verdict) {
            (0, Some(Verdict::Fail)) => crate::cli::Exit::Failed.into(),
            (0, Some(Verdict::Inconclusive)) if !loaded.expectations.is_empty() => {
                crate::cli::Exit::Inconclusive.into()
            }
            (0, Some(Verdict::Error)) => ExitCode::from(EXEC_FAULT),
            (code, _) => ExitCode::from(code),
        })
    }

    fn rewound(&self) -> io::Result<File> {
        let mut file = self.savefile.try_clone()?;
        file.rewind()?;
        Ok(file)
    }

    /// The capture for a page: always with its recording in it, which a classic
    /// `.pcap` cannot hold.
    fn capture(&self, args: &Args) -> io::Result<CaptureFile> {
        let path = args.pcap.as_deref().unwrap_or(Path::new("command"));
        let name = path.with_extension("pcapng").display().to_string();
        pages::read_open(self.rewound()?, name)
    }

    /// What stands behind the packets.
    fn recording(&self) -> Result<Recording, Fault> {
        let damaged = |error| Fault::Untold(format!("the capture cannot be read: {error}"));
        let mut reader = Reader::new(self.rewound()?, "the capture").map_err(damaged)?;
        while reader.next_frame().map_err(damaged)?.is_some() {}
        let (_, recording) = reader.finish();
        recording.ok_or_else(|| Fault::Untold("the capture holds no recording".into()))
    }

    fn judge(&self, args: &Args, loaded: &Loaded) -> Result<Report, Fault> {
        let yardstick = Yardstick {
            scenario: Some(&loaded.scenario),
            expectations: &loaded.expectations,
            files: &loaded.files,
        };
        let options = Options::default();
        let name = args.pcap.clone().unwrap_or_else(|| "(not kept)".into());
        Ok(savefile::judge_open(self.rewound()?, &name, &yardstick, &options).report)
    }

    /// Says what there is to say, on standard error.
    fn tell(&self, args: &Args, recording: &Recording, report: Option<&Report>, own_code: u8) {
        let program = recording.programs.first();
        let mut text = String::new();
        if let Some(reason) = program.and_then(|p| p.start_error.as_ref()) {
            let word = args
                .command
                .first()
                .map(|w| w.to_string_lossy().into_owned());
            let word = word.unwrap_or_default();
            text += &format!(
                "netlab-capture: cannot run {}: {reason}\n",
                word.escape_debug()
            );
            return output::complain(&text);
        }
        let complete = recording.proof.is_complete();
        let own = report.filter(|report| report.expectations.iter().any(|e| !e.implied));
        let bad = own.filter(|report| report.verdict != Some(Verdict::Pass) && own_code == 0);
        if let Some(report) = bad {
            let mut screen = sink::screen();
            screen.width = output::columns();
            text += &terminal::verdicts(report, &screen);
            if args.pcap.is_none() && args.html.is_none() {
                text += "netlab-capture: to look at the packets, keep them: --pcap FILE\n";
            }
        } else if !args.quiet || !complete {
            text += &summary(recording, own, args);
        }
        if own_code != 0 && recording.unrouted > 0 {
            text += &unrouted(&args.command, recording.unrouted);
        }
        output::complain(&text);
    }

    fn write(&mut self, args: &Args, mut report: Report) -> Result<(), Fault> {
        let failed = |what: &str, error: io::Error| {
            Fault::Untold(format!("cannot write the {what}: {error}"))
        };
        if let Some(mut json) = self.json.take() {
            let written = json::write(&report, &mut json).and_then(|()| json.flush());
            written.map_err(|error| failed("report", error))?;
        }
        report.packets = None;
        if let Some(mut pages) = self.pages.take() {
            let capture = self.capture(args);
            if let Err(error) = &capture {
                output::tell(&format!("the page is without its packets: {error}"));
            }
            let written = pages.put(&report, capture.ok().as_ref());
            written.map_err(|error| cannot("write", pages.path(), &error))?;
        }
        if let Some(junit) = self.junit.take() {
            let mut buffered = io::BufWriter::new(junit);
            let written = junit::write(&[report], &mut buffered).and_then(|()| buffered.flush());
            written.map_err(|error| failed("JUnit file", error))?;
        }
        Ok(())
    }
}

fn is_classic(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "pcap")
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Fault {
    let words = error.to_string();
    let words = output::without_number(&words);
    Fault::Untold(format!("cannot {what} {}: {words}", path.display()))
}

/// As shells tell it.
fn exit_code(program: &Program) -> u8 {
    match (program.exit, &program.start_error) {
        (Some(Exit::Code(code)), _) => u8::try_from(code & 0xff).unwrap_or(u8::MAX),
        (Some(Exit::Signal(signal)), _) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        (None, Some(reason)) => {
            let not_found = io::Error::from(rustix::io::Errno::NOENT).to_string();
            match output::without_number(&not_found) == reason {
                true => 127,
                false => 126,
            }
        }
        (None, None) => EXEC_FAULT,
    }
}

/// `netlab-capture: ✓ 2 expectations · 14 packets, none missing · x.pcapng`
fn summary(recording: &Recording, judged: Option<&Report>, args: &Args) -> String {
    let proof = &recording.proof;
    let count = |n: u64, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    let mut parts = Vec::new();
    if let Some(report) = judged {
        let own = report.expectations.iter().filter(|e| !e.implied);
        let (passed, all) = own.fold((0, 0), |(passed, all), expectation| {
            (
                passed + u64::from(expectation.verdict == Verdict::Pass),
                all + 1,
            )
        });
        parts.push(match passed == all {
            true => format!("{} passed", count(all, "expectation")),
            false => format!("{passed} of {} passed", count(all, "expectation")),
        });
    }
    let packets = count(proof.captured, "packet");
    parts.push(if proof.is_complete() {
        format!("{packets}, none missing")
    } else if proof.dropped > 0 && proof.dropped < u64::MAX {
        format!(
            "{packets}, {} DROPPED: more than the capture could take. {}",
            proof.dropped,
            match args.snaplen < WHOLE_PACKETS {
                true => "It takes more on a machine that is less busy",
                false => "With --snaplen 128 it takes more",
            }
        )
    } else {
        format!("{packets}; that none is missing could not be proven")
    });
    let files = args.pcap.iter().chain(&args.html);
    parts.extend(files.map(|path| visible(&path.display().to_string())));
    format!("netlab-capture: {}\n", parts.join(" · "))
}

/// What failed for want of the outside world, and what to do about it.
fn unrouted(command: &[OsString], times: u64) -> String {
    let name = command.first().map(Path::new).and_then(Path::file_name);
    let before = match name.and_then(|name| name.to_str()) {
        Some("cargo") => "cargo test --no-run (or: cargo fetch)",
        Some("go") => "go mod download && go vet ./...",
        Some("npm" | "npx" | "yarn" | "pnpm") => "npm ci",
        Some("pip" | "pip3" | "python" | "python3" | "pytest" | "tox" | "uv" | "poetry") => {
            "pip install -r requirements.txt"
        }
        Some("mvn" | "mvnw") => "mvn dependency:go-offline",
        Some("gradle" | "gradlew") => "gradle testClasses",
        Some("bundle" | "rake") => "bundle install",
        _ => "",
    };
    let before = match before {
        "" => String::new(),
        command => format!(": {command}"),
    };
    let attempts = match times {
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    };
    format!(
        "netlab-capture: {attempts} to reach an address outside failed (ENETUNREACH): this network has only loopback.\n  \
         If that is why the command failed, build and download first, outside of exec{before}\n"
    )
}
