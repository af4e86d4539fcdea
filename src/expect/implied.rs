//! The implied expectations: every program starts, neither crashes nor hangs,
//! and ends as its scenario says.
//!
//! A program that we ended by its `stop` signal did not fail. One with
//! `ends = "waiting"` must still have been waiting for data when all else was
//! over.

use regex::bytes::Regex;

use super::claim::value::{first_difference, signal_name};
use super::failures;
use super::notation::{duration, quoted, visible};
use super::outcome::{Failure, Outcome, Verdict};
use super::trouble;
use crate::savefile::{Ended, Exit, Program, Recording};
use crate::scenario::{After, OutputPattern, ProgramSpec, RightExit, StopSignal};

/// So many lines of a program's output are shown beside its failure.
const LINES: usize = 6;

/// The outcome of every program. None of a capture that tells of no programs.
pub fn judge(recording: Option<&Recording>, programs: &[ProgramSpec]) -> Vec<Outcome> {
    let Some(recording) = recording else {
        return Vec::new();
    };
    programs
        .iter()
        .map(|spec| outcome(recording, spec))
        .collect()
}

fn outcome(recording: &Recording, spec: &ProgramSpec) -> Outcome {
    let (verdict, failure) = verdict(recording, spec);
    Outcome {
        name: name(spec),
        text: text(spec),
        implied: true,
        verdict,
        evidence: Vec::new(),
        failure,
        hint: None,
        points: None,
    }
}

/// Short, as a line of a report.
fn name(spec: &ProgramSpec) -> String {
    let role = &spec.role;
    if spec.ends_waiting {
        format!("{role} starts and keeps waiting")
    } else if spec.stop.is_some() {
        format!("{role} starts and runs until it is stopped")
    } else {
        match right_exit(spec) {
            RightExit::Code(code) => format!("{role} runs and ends with exit code {code}"),
            RightExit::Any => format!("{role} runs and ends by itself"),
        }
    }
}

/// What is demanded, in words.
fn text(spec: &ProgramSpec) -> String {
    let role = &spec.role;
    let mut text = if spec.ends_waiting {
        format!(
            "{role} starts, does not crash, and is still waiting for data when all else is over"
        )
    } else if let Some(stop) = spec.stop {
        format!(
            "{role} starts, does not crash, and runs until it is stopped by {}",
            signal(stop)
        )
    } else {
        match right_exit(spec) {
            RightExit::Code(code) => {
                format!("{role} starts, does not crash or hang, and ends with exit code {code}")
            }
            RightExit::Any => {
                format!("{role} starts, does not crash or hang, and ends with any exit code")
            }
        }
    };
    for (stream, pattern) in outputs(spec) {
        text.push_str(&format!("; its {stream} {}", demand(pattern)));
    }
    text
}

fn right_exit(spec: &ProgramSpec) -> RightExit {
    spec.exit.unwrap_or(RightExit::Code(0))
}

fn signal(stop: StopSignal) -> &'static str {
    match stop {
        StopSignal::Term => "SIGTERM",
        StopSignal::Int => "SIGINT",
        StopSignal::Hup => "SIGHUP",
        StopSignal::Quit => "SIGQUIT",
        StopSignal::Kill => "SIGKILL",
    }
}

fn outputs(spec: &ProgramSpec) -> impl Iterator<Item = (&'static str, &OutputPattern)> {
    let stdout = spec.stdout.iter().map(|p| ("standard output", p));
    stdout.chain(spec.stderr.iter().map(|p| ("standard error", p)))
}

fn demand(pattern: &OutputPattern) -> String {
    match pattern {
        OutputPattern::Equals(text) => format!("is {}", quoted(text.as_bytes())),
        OutputPattern::Contains(text) => format!("contains {}", quoted(text.as_bytes())),
        OutputPattern::Matches(regex) => format!("matches /{}/", visible(regex)),
    }
}

fn verdict(recording: &Recording, spec: &ProgramSpec) -> (Verdict, Option<Failure>) {
    let role = &spec.role;
    let no_evidence = |message: String| {
        let failure = Failure::new(failures::NO_RESULT, message);
        (Verdict::Inconclusive, Some(failure))
    };
    let Some(program) = recording.programs.iter().find(|p| p.role == *role) else {
        return no_evidence(format!(
            "The capture holds no result of a program called {role}."
        ));
    };
    if program.ended == Some(Ended::Interrupted) {
        return no_evidence(format!("The run was interrupted before {role} had ended."));
    }
    let mut faults = Vec::new();
    faults.extend(ending_fault(spec, program));
    // What never ran cannot have written anything.
    if program.exit.is_some() {
        let outputs = outputs(spec);
        faults.extend(
            outputs.filter_map(|(stream, pattern)| output_fault(role, program, stream, pattern)),
        );
    }
    let mut faults = faults.into_iter();
    let Some(mut failure) = faults.next() else {
        return (Verdict::Pass, None);
    };
    failure.notes.extend(faults.map(|also| also.message));
    failure.notes.extend(program.note.as_deref().map(visible));
    failure.notes.extend(last_lines(role, program));
    failure.notes.extend(trouble::advise(program));
    failure.notes.extend(waited_for(recording, spec, program));
    (Verdict::Fail, Some(failure))
}

/// What a program that another one waited for in vain said of its trouble, where
/// it had not ended: it fails no expectation itself.
fn waited_for(recording: &Recording, spec: &ProgramSpec, program: &Program) -> Vec<String> {
    let (None, Some(After::Ready(other))) = (program.exit, &spec.after) else {
        return Vec::new();
    };
    let other = recording.programs.iter().find(|p| p.role == *other);
    let Some(other) = other.filter(|p| p.ended != Some(Ended::ByItself)) else {
        return Vec::new();
    };
    let advice = trouble::advise(other).into_iter();
    advice
        .map(|advice| format!("{}: {advice}", other.role))
        .collect()
}

/// Could the program's fault be why a packet is missing or wrong? Not where it
/// ended well and only its output is wrong: that follows from the packets; nor
/// where it was never started for want of another program. Where a wrong packet
/// is there to look at, only a program that broke down can be: a client's
/// "Connection refused" follows from the packets, too.
pub fn is_reason(spec: &ProgramSpec, program: &Program, nothing_came: bool) -> bool {
    let started = program.exit.is_some() || program.start_error.is_some();
    if !started || ending_fault(spec, program).is_none() {
        return false;
    }
    let by_itself = program.ended == Some(Ended::ByItself);
    let goes_on = spec.stop.is_some() || spec.ends_waiting;
    let broke_down = match program.exit {
        // It may have been stopped while the kernel still cleared it away.
        Some(Exit::Signal(signal)) => by_itself || is_crash(signal),
        _ => by_itself && goes_on,
    };
    nothing_came || program.start_error.is_some() || broke_down
}

/// It ran and ended as it should have; its output may be wrong.
pub fn ended_well(spec: &ProgramSpec, program: &Program) -> bool {
    program.exit.is_some() && ending_fault(spec, program).is_none()
}

/// How the program's end differs from what was demanded.
fn ending_fault(spec: &ProgramSpec, program: &Program) -> Option<Failure> {
    let role = &spec.role;
    let command = || {
        let words: Vec<String> = program.argv.iter().map(|w| visible(w)).collect();
        words.join(" ")
    };
    if let Some(reason) = &program.start_error {
        return Some(Failure {
            notes: vec![
                format!("The command was: {}", command()),
                "Is the program there, is it executable, is its name spelled right?".to_owned(),
            ],
            ..Failure::new(
                failures::NOT_STARTED,
                format!("{role} could not be started: {}.", visible(reason)),
            )
        });
    }
    let Some(exit) = program.exit else {
        let waited = spec.after.as_ref().map(|after| match after {
            After::Ready(other) => {
                format!("It starts when {other} is ready, and that did not happen.")
            }
            After::Exit(other) => {
                format!("It starts when {other} has ended, and that did not happen.")
            }
        });
        return Some(Failure {
            notes: waited.into_iter().collect(),
            ..Failure::new(
                failures::NEVER_STARTED,
                format!("{role} was never started."),
            )
        });
    };
    if let Exit::Signal(signal) = exit
        && is_crash(signal)
    {
        return Some(crash(role, signal));
    }
    match (program.ended, spec.ends_waiting, spec.stop.is_some()) {
        (Some(Ended::Waiting), true, _) => None,
        (Some(Ended::Stopped), _, true) => stopped_fault(spec, exit),
        (Some(Ended::Timeout), ..) => Some(timeout_fault(role, program)),
        (Some(Ended::Waiting), false, _) => Some(Failure {
            notes: vec![
                "It was blocked in a receive and the wire was quiet, so nothing could ever have arrived.".to_owned(),
                format!("If that is what {role} should do, write ends = \"waiting\" for it."),
            ],
            ..Failure::new(failures::KEPT_WAITING, format!("{role} hung: it was still waiting for data when everything else was over."))
        }),
        (Some(Ended::Stopped), ..) => Some(Failure {
            notes: vec![format!("If {role} never ends by itself, write stop = \"TERM\" for it.")],
            ..Failure::new(failures::NEVER_ENDED, format!("{role} did not end by itself: it had to be stopped."))
        }),
        (_, true, _) => Some(Failure {
            notes: vec![format!(
                "If {role} should end by itself, leave out ends = \"waiting\" in its table."
            )],
            ..Failure::new(
                failures::ENDED_EARLY,
                format!(
                    "{role} ended by itself ({}); it should still have been waiting for data.",
                    exit_words(exit)
                ),
            )
        }),
        (Some(Ended::ByItself), _, true) => exit_fault(spec, exit).map(|fault| Failure {
            message: format!(
                "{role} ended by itself ({}); it should have run until it was stopped.",
                exit_words(exit)
            ),
            code: failures::ENDED_EARLY,
            expected: None,
            actual: None,
            ..fault
        }),
        _ => exit_fault(spec, exit),
    }
}

/// Our own signal is no failure.
fn stopped_fault(spec: &ProgramSpec, exit: Exit) -> Option<Failure> {
    match exit {
        Exit::Code(_) if spec.exit.is_some() => exit_fault(spec, exit),
        _ => None,
    }
}

fn exit_fault(spec: &ProgramSpec, exit: Exit) -> Option<Failure> {
    let role = &spec.role;
    match (exit, right_exit(spec)) {
        (Exit::Code(_), RightExit::Any) => None,
        (Exit::Code(code), RightExit::Code(wanted)) if code == wanted => None,
        (Exit::Code(code), RightExit::Code(wanted)) => Some(Failure {
            expected: Some(format!("{role}.exit == {wanted}")),
            actual: Some(format!("{role}.exit is {code}")),
            notes: code_meaning(code).map(str::to_owned).into_iter().collect(),
            ..Failure::new(
                failures::EXIT_CODE,
                format!("{role} ended with exit code {code}, not {wanted}."),
            )
        }),
        (Exit::Signal(signal), _) => Some(crash(role, signal)),
    }
}

fn crash(role: &str, signal: i32) -> Failure {
    let notes = match signal {
        11 | 7 => vec!["It touched memory that is not its own.".to_owned()],
        6 => vec!["It gave up by itself: an assertion or an unhandled error.".to_owned()],
        13 => vec![
            "It wrote to a connection (or pipe) that the other side had closed already, or that never came about: is the result of connect() looked at?".to_owned(),
        ],
        _ => Vec::new(),
    };
    Failure {
        notes,
        ..Failure::new(
            failures::CRASHED,
            format!("{role} crashed: it was ended by {}.", signal_name(signal)),
        )
    }
}

fn timeout_fault(role: &str, program: &Program) -> Failure {
    let after = program
        .duration
        .and_then(|d| i64::try_from(d).ok())
        .map(|d| format!(" after {}", duration(d)))
        .unwrap_or_default();
    // What it was doing is known of most, and comes behind this.
    let usual = "A program that hangs usually waits for something that never comes: data that was never sent, a connection that was never closed, a line on its standard input.";
    Failure {
        notes: program
            .note
            .is_none()
            .then(|| usual.to_owned())
            .into_iter()
            .collect(),
        ..Failure::new(
            failures::HUNG,
            format!("{role} hung: it had not ended{after}, when its time was up."),
        )
    }
}

/// Signals that only a fault of the program raises.
fn is_crash(signal: i32) -> bool {
    matches!(signal, 4 | 6 | 7 | 8 | 11 | 31)
}

fn exit_words(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => signal_name(signal),
    }
}

/// What shells and languages mean by a code.
fn code_meaning(code: i32) -> Option<&'static str> {
    Some(match code {
        2 => "Many programs end with 2 when they do not understand their command line.",
        101 => "101 is how a Rust program ends after a panic.",
        126 => "126 means: found, but it cannot be executed.",
        127 => "127 means: the command, or a library that it needs, was not found.",
        _ => return None,
    })
}

fn output_fault(
    role: &str,
    program: &Program,
    stream: &str,
    pattern: &OutputPattern,
) -> Option<Failure> {
    let output = if stream == "standard output" {
        &program.stdout.0
    } else {
        &program.stderr.0
    };
    let (holds, not, difference) = match pattern {
        OutputPattern::Equals(text) => (
            output == text.as_bytes(),
            "is not",
            Some(first_difference(text.as_bytes(), output)),
        ),
        OutputPattern::Contains(text) => {
            let lossy = String::from_utf8_lossy(output);
            (lossy.contains(text.as_str()), "does not contain", None)
        }
        // A regex that cannot be read is refused when the scenario is.
        OutputPattern::Matches(regex) => (
            Regex::new(regex).is_ok_and(|r| r.is_match(output)),
            "does not match",
            None,
        ),
    };
    let wanted = match pattern {
        OutputPattern::Equals(text) | OutputPattern::Contains(text) => quoted(text.as_bytes()),
        OutputPattern::Matches(regex) => format!("/{}/", visible(regex)),
    };
    (!holds).then(|| Failure {
        expected: Some(demand(pattern)),
        actual: Some(if output.is_empty() {
            "nothing was written".to_owned()
        } else {
            quoted(output)
        }),
        difference,
        ..Failure::new(
            failures::OUTPUT,
            format!("The {stream} of {role} {not} {wanted}."),
        )
    })
}

/// The last lines of what the program said about its trouble.
fn last_lines(role: &str, program: &Program) -> Vec<String> {
    let text = program.stderr.lossy();
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let first = lines.len().saturating_sub(LINES);
    let mut notes = vec![if first > 0 {
        format!("The last lines that {role} wrote to standard error:")
    } else {
        format!("What {role} wrote to standard error:")
    }];
    notes.extend(
        lines
            .iter()
            .skip(first)
            .map(|l| format!("  {}", visible(l))),
    );
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::savefile::Bytes;
    use crate::scenario::Scenario;

    fn specs(toml: &str) -> Vec<ProgramSpec> {
        let source = crate::diagnostic::Source {
            name: "test".to_owned(),
            text: format!("{toml}\n[expect]\na = \"no udp\"\n"),
        };
        let scenario: Scenario = crate::scenario::parse(source).unwrap();
        scenario.programs
    }

    fn program(exit: Option<Exit>, ended: Ended) -> Program {
        Program {
            role: "client".to_owned(),
            argv: vec!["./client".to_owned(), "127.0.0.1".to_owned()],
            exit,
            ended: Some(ended),
            ..Program::default()
        }
    }

    fn judged(spec: &str, program: Program) -> Outcome {
        let specs = specs(&format!("[program.client]\nrun = \"x\"\n{spec}"));
        let recording = Recording {
            programs: vec![program],
            ..Recording::default()
        };
        judge(Some(&recording), &specs).pop().unwrap()
    }

    fn message(outcome: Outcome) -> String {
        let failure = outcome.failure.map(|f| f.message).unwrap_or_default();
        format!("{:?}: {failure}", outcome.verdict)
    }

    const BY_ITSELF: Ended = Ended::ByItself;

    #[test]
    fn how_it_must_end() {
        let code = |n| Some(Exit::Code(n));
        let signal = |n| Some(Exit::Signal(n));
        for (spec, exit, ended, expected) in [
            ("", code(0), BY_ITSELF, "Pass: "),
            ("exit = 1", code(1), BY_ITSELF, "Pass: "),
            (
                "",
                code(1),
                BY_ITSELF,
                "Fail: client ended with exit code 1, not 0.",
            ),
            (
                "exit = 1",
                code(0),
                BY_ITSELF,
                "Fail: client ended with exit code 0, not 1.",
            ),
            (
                "",
                signal(11),
                BY_ITSELF,
                "Fail: client crashed: it was ended by signal 11 (SIGSEGV).",
            ),
            ("stop = \"TERM\"", signal(15), Ended::Stopped, "Pass: "),
            ("stop = \"TERM\"", signal(9), Ended::Stopped, "Pass: "),
            ("stop = \"TERM\"", code(143), Ended::Stopped, "Pass: "),
            ("exit = \"any\"", code(7), BY_ITSELF, "Pass: "),
            (
                "exit = \"any\"",
                signal(13),
                BY_ITSELF,
                "Fail: client crashed: it was ended by signal 13 (SIGPIPE).",
            ),
            (
                "stop = \"TERM\"\nexit = 0",
                code(3),
                Ended::Stopped,
                "Fail: client ended with exit code 3, not 0.",
            ),
            (
                "stop = \"TERM\"",
                signal(11),
                Ended::Stopped,
                "Fail: client crashed: it was ended by signal 11 (SIGSEGV).",
            ),
            (
                "stop = \"TERM\"",
                signal(11),
                BY_ITSELF,
                "Fail: client crashed: it was ended by signal 11 (SIGSEGV).",
            ),
            (
                "stop = \"TERM\"",
                code(1),
                BY_ITSELF,
                "Fail: client ended by itself (exit code 1); it should have run until it was stopped.",
            ),
            (
                "",
                signal(15),
                Ended::Stopped,
                "Fail: client did not end by itself: it had to be stopped.",
            ),
            ("ends = \"waiting\"", signal(15), Ended::Waiting, "Pass: "),
            (
                "ends = \"waiting\"",
                code(0),
                BY_ITSELF,
                "Fail: client ended by itself (exit code 0); it should still have been waiting for data.",
            ),
            (
                "",
                signal(15),
                Ended::Waiting,
                "Fail: client hung: it was still waiting for data when everything else was over.",
            ),
            (
                "",
                signal(9),
                Ended::Timeout,
                "Fail: client hung: it had not ended, when its time was up.",
            ),
            (
                "",
                signal(2),
                Ended::Interrupted,
                "Inconclusive: The run was interrupted before client had ended.",
            ),
        ] {
            assert_eq!(
                message(judged(spec, program(exit, ended))),
                expected,
                "{spec}"
            );
        }
    }

    #[test]
    fn it_must_have_started() {
        let failed = Program {
            start_error: Some("No such file or directory".to_owned()),
            ended: None,
            ..program(None, BY_ITSELF)
        };
        let outcome = judged("", failed);
        let failure = outcome.failure.unwrap();
        assert_eq!(
            failure.message,
            "client could not be started: No such file or directory."
        );
        assert_eq!(failure.notes[0], "The command was: ./client 127.0.0.1");
        let other = Program {
            role: "other".to_owned(),
            ..Program::default()
        };
        assert_eq!(judged("", other).verdict, Verdict::Inconclusive);
        assert!(judge(None, &specs("[program.a]\nrun = \"x\"")).is_empty());
    }

    #[test]
    fn what_it_must_write() {
        let wrote = |stdout: &str| Program {
            stdout: Bytes(stdout.as_bytes().to_vec()),
            ..program(Some(Exit::Code(0)), BY_ITSELF)
        };
        for (spec, stdout, expected) in [
            ("stdout = \"HELLO\\n\"", "HELLO\n", "Pass: "),
            ("stdout = { contains = \"ELL\" }", "HELLO\n", "Pass: "),
            ("stdout = { matches = \"^H\" }", "HELLO\n", "Pass: "),
            (
                "stdout = \"HELLO\\n\"",
                "HELLO",
                "Fail: The standard output of client is not \"HELLO\\n\".",
            ),
            (
                "stdout = { contains = \"x\" }",
                "",
                "Fail: The standard output of client does not contain \"x\".",
            ),
            (
                "stdout = { matches = \"^E\" }",
                "HELLO",
                "Fail: The standard output of client does not match /^E/.",
            ),
        ] {
            assert_eq!(message(judged(spec, wrote(stdout))), expected, "{spec}");
        }
    }

    #[test]
    fn a_failure_shows_the_last_lines_of_standard_error() {
        let text: String = (1..=9).map(|n| format!("line {n}\n")).collect();
        let failed = Program {
            stderr: Bytes(text.into_bytes()),
            ..program(Some(Exit::Code(1)), BY_ITSELF)
        };
        let notes = judged("", failed).failure.unwrap().notes;
        assert_eq!(notes.len(), 7);
        assert_eq!(
            notes[0],
            "The last lines that client wrote to standard error:"
        );
        assert_eq!(notes[1], "  line 4");
    }
}
