//! The run of a class: submissions opened, built, and each case recorded, so many
//! side by side; each result kept as soon as it is there.
//!
//! What is held in memory is what runs now: a class of any size takes the same.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::load::Ready;
use super::plan::{self, BUILD};
use super::progress::Progress;
use super::submission::{self, Opened, Source};
use super::{Args, Keep};
use crate::capture::{Gone, RecordError, Recorder};
use crate::cli::grading::reports::folder_of;
use crate::cli::grading::results::Log;
use crate::cli::judge::Judged;
use crate::cli::load::Loaded;
use crate::cli::output;
use crate::cli::record::pages;
use crate::cli::record::plan::Wishes;
use crate::cli::record::run::{cores, judge_recorded, wait};
use crate::cli::record::savefile;
use crate::cli::record::signals::Signals;
use crate::grade::{CaseResult, Class, Grade, Gradebook, case_result, file_name, student};
use crate::render::class;
use crate::render::terminal::{self, TerminalOptions};
use crate::render::text::visible_lines;
use crate::report::{ErrorCode, Options, Report};
use crate::sandbox::Budget;
use crate::savefile::{Ended, Exit, RecordedScenario};

/// Bytes of a case's text that are kept.
const TEXT: usize = 64 * 1024;
/// Of a build's output, in its message.
const BUILD_LINES: usize = 40;

/// A submission on its way.
struct Candidate<'a> {
    source: &'a Source,
    /// What is run: as handed in, or as built.
    folder: PathBuf,
    files: Vec<String>,
}

/// What is to be done, in this order.
enum Task<'a> {
    Open(&'a Source, u32),
    Case(Rc<Candidate<'a>>, usize, u32),
}

/// What runs.
enum What<'a> {
    Build(&'a Source, PathBuf, u32),
    Case(Rc<Candidate<'a>>, usize, u32, Box<Loaded>),
}

struct Job<'a> {
    what: What<'a>,
    recorder: Recorder,
    savefile: PathBuf,
    _lock: File,
}

struct Run<'a> {
    args: &'a Args,
    ready: &'a Ready,
    out: &'a Path,
    wishes: Wishes,
    /// What was graded before, and still holds.
    earlier: &'a [CaseResult],
    done: HashSet<(&'a str, &'a str)>,
    class: Class,
    tasks: VecDeque<Task<'a>>,
    /// Results of submissions that are not complete yet, to show them as a whole.
    open: Vec<Gradebook>,
    log: Log,
    progress: Progress,
}

/// Grades what was not graded before. True: it was interrupted.
pub fn run(
    args: &Args,
    ready: &Ready,
    sources: &[Source],
    out: &Path,
    log: Log,
    earlier: &[CaseResult],
) -> io::Result<bool> {
    let done: HashSet<(&str, &str)> = earlier
        .iter()
        .map(|result| (result.submission.as_str(), result.case.as_str()))
        .collect();
    let class = ready.class(Vec::new())?;
    let left = |source: &&Source| {
        let cases = ready.suite.cases.iter();
        cases
            .filter(|case| !done.contains(&(source.submission.key.as_str(), case.name.as_str())))
            .count()
    };
    let total = sources.iter().map(|source| left(&source)).sum();
    let mut run = Run {
        args,
        ready,
        out,
        wishes: Wishes {
            ipv6: false,
            address: None,
            snaplen: crate::sandbox::WHOLE_PACKETS,
            host: false,
            timeout: None,
            this_binary: std::env::current_exe()?,
        },
        earlier,
        class,
        tasks: sources
            .iter()
            .filter(|source| left(source) > 0)
            .map(|source| Task::Open(source, 1))
            .collect(),
        done: done.clone(),
        open: Vec::new(),
        log,
        progress: Progress::new(total),
    };
    let work = out.join(".work");
    // What a killed run left behind.
    let _ = fs::remove_dir_all(&work);
    let interrupted = run.go();
    run.progress.wipe();
    let _ = fs::remove_dir_all(&work);
    interrupted
}

impl<'a> Run<'a> {
    fn go(&mut self) -> io::Result<bool> {
        // Much of a scenario is waiting for the kernel to make and end a network.
        let jobs = self.args.jobs.map_or(cores() * 3, |jobs| jobs.get());
        let mut signals = Signals::watch()?;
        let mut running: Vec<Job<'a>> = Vec::new();
        let mut gone: Vec<Gone> = Vec::new();
        let mut interrupted = false;
        while !running.is_empty() || (!self.tasks.is_empty() && !interrupted) {
            while running.len() < jobs && !interrupted {
                let Some(task) = self.tasks.pop_front() else {
                    break;
                };
                running.extend(self.start(task)?);
            }
            let recorders: Vec<&Recorder> = running.iter().map(|job| &job.recorder).collect();
            let (done, signal) = wait(&recorders, &mut signals)?;
            interrupted |= signal;
            for position in done.into_iter().rev() {
                let job = running.swap_remove(position);
                let (recorded, left) = job.recorder.finish();
                gone.push(left);
                if !interrupted {
                    self.finish(job.what, &job.savefile, recorded)?;
                }
            }
            if interrupted {
                for job in &mut running {
                    job.recorder.interrupt();
                }
            }
            gone.retain(|left| !left.is_reaped());
        }
        Ok(interrupted)
    }

    /// Starts a task. None: it is over already, or has become others.
    fn start(&mut self, task: Task<'a>) -> io::Result<Option<Job<'a>>> {
        match task {
            Task::Open(source, attempt) => self.open(source, attempt),
            Task::Case(candidate, index, attempt) => self.case(candidate, index, attempt),
        }
    }

    fn is_done(&self, key: &str, case: &str) -> bool {
        self.done.contains(&(key, case))
    }

    fn work_of(&self, source: &Source) -> PathBuf {
        self.out.join(".work").join(&source.submission.key)
    }

    fn open(&mut self, source: &'a Source, attempt: u32) -> io::Result<Option<Job<'a>>> {
        let work = self.work_of(source);
        let _ = fs::remove_dir_all(&work);
        fs::create_dir_all(&work)?;
        let budget = Budget {
            bytes: plan::limits(&self.ready.suite).scratch,
            entries: 20_000,
        };
        let folder = match source.open(&work, budget) {
            Ok(Opened::Folder(folder)) => folder,
            Err(error) => {
                let message = format!("The submission could not be opened: {error}");
                self.all_cases(source, Grade::Inconclusive, &message, "", attempt)?;
                return Ok(None);
            }
            Ok(Opened::Refused(message)) => {
                self.all_cases(source, Grade::Fail, &message, "", attempt)?;
                return Ok(None);
            }
        };
        let Some(words) = &self.ready.suite.build else {
            self.built(source, folder);
            return Ok(None);
        };
        let to = work.join("built");
        fs::create_dir(&to)?;
        let plan = plan::build(self.ready, words, &folder, &to);
        let savefile = work.join("build.pcapng");
        let recorded = RecordedScenario {
            name: BUILD.to_owned(),
            ..RecordedScenario::default()
        };
        let what = What::Build(source, to, attempt);
        launch(what, &plan, recorded, savefile).map(Some)
    }

    /// The submission is ready: its cases come next.
    fn built(&mut self, source: &'a Source, folder: PathBuf) {
        let candidate = Rc::new(Candidate {
            source,
            files: submission::files(&folder),
            folder,
        });
        let key = &source.submission.key;
        for (index, case) in self.ready.suite.cases.iter().enumerate().rev() {
            if !self.is_done(key, &case.name) {
                self.tasks
                    .push_front(Task::Case(Rc::clone(&candidate), index, 1));
            }
        }
    }

    fn case(
        &mut self,
        candidate: Rc<Candidate<'a>>,
        index: usize,
        attempt: u32,
    ) -> io::Result<Option<Job<'a>>> {
        let ready = self.ready;
        let (Some(case), Some(loaded)) = (ready.suite.cases.get(index), ready.scenarios.get(index))
        else {
            return Ok(None);
        };
        let mut loaded = loaded.clone();
        let mut overrides = std::collections::BTreeMap::new();
        for (role, commands) in &case.run {
            let words = match submission::choose(commands, &candidate.files) {
                Ok(words) => words,
                Err(message) => {
                    let source = candidate.source;
                    self.without_run(source, index, Grade::Fail, &message, "", attempt)?;
                    return Ok(None);
                }
            };
            let quoted = words.iter().map(|word| quote(word));
            overrides.insert(role.clone(), quoted.collect::<Vec<_>>().join(" "));
            for program in &mut loaded.scenario.programs {
                if program.role == *role {
                    program.run.clone_from(&words);
                    program.cwd = None;
                }
            }
        }
        let roles: Vec<&str> = case.run.keys().map(String::as_str).collect();
        if roles.contains(&"server") {
            for folder in std::iter::once(&candidate.folder).chain(&ready.overlay) {
                pages::take(&mut loaded, folder);
            }
        }
        let plan = plan::case(ready, &loaded, &roles, &candidate.folder, &self.wishes);
        let folder = folder_of(self.out, &candidate.source.submission.key);
        fs::create_dir_all(&folder)?;
        let savefile = folder.join(format!("{}-{}.pcapng", index + 1, file_name(&case.name)));
        let recorded = RecordedScenario {
            name: loaded.scenario.name.clone(),
            source: loaded.scenario.source.name.clone(),
            text: loaded.scenario.source.text.clone(),
            address: self.wishes.address().to_string(),
            files: loaded.files.clone(),
            overrides,
        };
        let what = What::Case(candidate, index, attempt, Box::new(loaded));
        launch(what, &plan, recorded, savefile).map(Some)
    }

    fn finish(
        &mut self,
        what: What<'a>,
        savefile: &Path,
        recorded: Result<(), RecordError>,
    ) -> io::Result<()> {
        match what {
            What::Build(source, to, attempt) => {
                self.finish_build(source, to, attempt, savefile, recorded)
            }
            What::Case(candidate, index, attempt, loaded) => {
                self.finish_case(&candidate, index, attempt, &loaded, savefile, recorded)
            }
        }
    }

    fn finish_build(
        &mut self,
        source: &'a Source,
        to: PathBuf,
        attempt: u32,
        savefile: &Path,
        recorded: Result<(), RecordError>,
    ) -> io::Result<()> {
        let trace = match recorded {
            Ok(()) => crate::cli::judge::read(savefile).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let program = trace.map(|trace| {
            let recording = trace.recording.map(|recording| recording.programs);
            recording.and_then(|programs| programs.into_iter().next())
        });
        let program = match program {
            Ok(Some(program)) => program,
            trouble => {
                if attempt <= self.args.retries {
                    self.tasks.push_back(Task::Open(source, attempt + 1));
                    return Ok(());
                }
                let cause = trouble.err().unwrap_or_else(|| "no result".to_owned());
                let message = format!("The build could not be run: {cause}");
                return self.all_cases(source, Grade::Inconclusive, &message, "", attempt);
            }
        };
        let how = match (program.ended, program.exit, &program.start_error) {
            (Some(Ended::ByItself), Some(Exit::Code(0)), _) => {
                self.built(source, to);
                return Ok(());
            }
            (_, _, Some(error)) => format!("could not be started: {error}"),
            (Some(Ended::Timeout), ..) => {
                format!(
                    "did not end within {} s",
                    self.ready.suite.build_timeout.as_secs()
                )
            }
            (_, Some(Exit::Code(code)), _) => format!("ended with exit code {code}"),
            (_, Some(Exit::Signal(signal)), _) => format!("was ended by signal {signal}"),
            (_, None, _) => "did not end".to_owned(),
        };
        let command = self
            .ready
            .suite
            .build
            .as_deref()
            .unwrap_or_default()
            .join(" ");
        let note = program
            .note
            .map(|note| format!(" ({note})"))
            .unwrap_or_default();
        let output = format!("{}{}", program.stdout.lossy(), program.stderr.lossy());
        let lines: Vec<&str> = output.lines().collect();
        let last = lines.get(lines.len().saturating_sub(BUILD_LINES)..);
        let text = last.unwrap_or_default().join("\n");
        let message = format!("The build ({command}) {how}{note}.");
        self.all_cases(source, Grade::Fail, &message, &text, attempt)
    }

    fn finish_case(
        &mut self,
        candidate: &Rc<Candidate<'a>>,
        index: usize,
        attempt: u32,
        loaded: &Loaded,
        savefile: &Path,
        recorded: Result<(), RecordError>,
    ) -> io::Result<()> {
        let Some(case) = self.ready.suite.cases.get(index) else {
            return Ok(());
        };
        let options = Options::default();
        let judged = judge_recorded(loaded, savefile, recorded, false, &options);
        let Judged { report, .. } = judged.judged;
        let submission = &candidate.source.submission;
        let text = text_of(&report);
        let mut result = case_result(case, submission, &report, attempt, text);
        if result.grade == Grade::Inconclusive && attempt <= self.args.retries {
            // The recorder that is just ending may hold the file's lock.
            let _ = fs::remove_file(savefile);
            // Last of all, when the machine is calmer.
            let again = Task::Case(Rc::clone(candidate), index, attempt + 1);
            self.tasks.push_back(again);
            return Ok(());
        }
        let keep = match self.args.keep {
            Keep::All => true,
            Keep::Failed => result.grade != Grade::Pass,
            Keep::None => false,
        };
        if keep && report.capture.is_some() {
            // Comments are a help for who opens the file, no more.
            let _ = savefile::write_comments(savefile, &report);
            let name = savefile.file_name().map(|name| name.to_string_lossy());
            result.capture = name.map(|name| name.into_owned());
        } else {
            let _ = fs::remove_file(savefile);
        }
        self.keep(candidate.source, result)
    }

    /// The same for each case that was still to come.
    fn all_cases(
        &mut self,
        source: &'a Source,
        grade: Grade,
        message: &str,
        text: &str,
        attempt: u32,
    ) -> io::Result<()> {
        for (index, case) in self.ready.suite.cases.iter().enumerate() {
            if !self.is_done(&source.submission.key, &case.name) {
                self.without_run(source, index, grade, message, text, attempt)?;
            }
        }
        Ok(())
    }

    /// A case that came to its end without being run.
    fn without_run(
        &mut self,
        source: &'a Source,
        index: usize,
        grade: Grade,
        message: &str,
        text: &str,
        attempt: u32,
    ) -> io::Result<()> {
        let Some(case) = self.ready.suite.cases.get(index) else {
            return Ok(());
        };
        let code = match grade {
            Grade::Inconclusive => ErrorCode::Environment,
            _ => ErrorCode::Usage,
        };
        let report = Report::error(&case.name, code, message);
        let text = bounded(visible_lines(text));
        let mut result = case_result(case, &source.submission, &report, attempt, text);
        if grade == Grade::Fail {
            result.grade = Grade::Fail;
            result.score = Some(0.0);
        }
        self.keep(source, result)
    }

    fn keep(&mut self, source: &'a Source, result: CaseResult) -> io::Result<()> {
        self.log.add(&result)?;
        self.progress.advance();
        let key = &source.submission.key;
        let position = self.open.iter().position(|book| {
            let mut submissions = book.class.submissions.iter();
            submissions.any(|submission| submission.key == *key)
        });
        let position = position.unwrap_or_else(|| {
            let mut class = self.class.clone();
            class.submissions.push(source.submission.clone());
            let mut book = Gradebook::new(class);
            for earlier in self.earlier.iter().filter(|e| e.submission == *key) {
                book.add(earlier.clone());
            }
            self.open.push(book);
            self.open.len() - 1
        });
        let Some(book) = self.open.get_mut(position) else {
            return Ok(());
        };
        // Of what is shown here the text is not part.
        book.add(CaseResult {
            text: String::new(),
            ..result
        });
        let whole = book
            .graded()
            .all(|graded| graded.cases().all(|(_, result)| result.is_some()));
        if whole {
            let book = self.open.swap_remove(position);
            if !self.args.reports.json() {
                self.progress.wipe();
                for graded in book.graded() {
                    output::print(&class::text::line(&graded, output::columns()));
                }
            }
            // Unpacked and built files of thousands would fill the disk.
            let _ = fs::remove_dir_all(self.work_of(source));
        }
        Ok(())
    }
}

fn launch<'a>(
    what: What<'a>,
    plan: &crate::sandbox::Plan,
    recorded: RecordedScenario,
    savefile: PathBuf,
) -> io::Result<Job<'a>> {
    let file = savefile::open(&savefile)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", savefile.display())))?;
    let lock = file.try_clone()?;
    let recorder = Recorder::launch(plan, recorded, file, false)?;
    Ok(Job {
        what,
        recorder,
        savefile,
        _lock: lock,
    })
}

/// A word as a shell would need it.
fn quote(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |quoted| quoted.into_owned())
}

/// What a student reads of a case.
fn text_of(report: &Report) -> String {
    let shown = student::report(report.clone());
    let options = TerminalOptions {
        color: false,
        width: 100,
        unicode: true,
    };
    bounded(terminal::full(&shown, &options))
}

fn bounded(mut text: String) -> String {
    if text.len() > TEXT {
        let mut end = TEXT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("\n… (cut)\n");
    }
    text
}
