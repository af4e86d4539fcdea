//! The implied expectations: every program starts, neither crashes nor hangs,
//! and ends as its scenario says.
//!
//! A program that we ended by its `stop` signal did not fail. One with
//! `ends = "waiting"` must still have been waiting for data when all else was
//! over.

use regex::bytes::Regex;

use super::claim_value::{first_difference, signal_name};
use super::notation::{duration, quoted, visible};
use super::outcome::{Failure, Outcome, Verdict};
use crate::savefile::{Ended, Exit, Program, Recording};
use crate::scenario::{OutputPattern, ProgramSpec, StopSignal};

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
        format!("{role} runs and ends with exit code {}", exit_code(spec))
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
        format!(
            "{role} starts, does not crash or hang, and ends with exit code {}",
            exit_code(spec)
        )
    };
    for (stream, pattern) in outputs(spec) {
        text.push_str(&format!("; its {stream} {}", demand(pattern)));
    }
    text
}

fn exit_code(spec: &ProgramSpec) -> i32 {
    spec.exit.unwrap_or(0)
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
        let failure = Failure {
            message,
            ..Failure::default()
        };
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
    faults.extend(
        outputs(spec).filter_map(|(stream, pattern)| output_fault(role, program, stream, pattern)),
    );
    let mut faults = faults.into_iter();
    let Some(mut failure) = faults.next() else {
        return (Verdict::Pass, None);
    };
    failure.notes.extend(faults.map(|also| also.message));
    failure.notes.extend(program.note.as_deref().map(visible));
    failure.notes.extend(last_lines(role, program));
    (Verdict::Fail, Some(failure))
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
            message: format!("{role} could not be started: {}.", visible(reason)),
            notes: vec![
                format!("The command was: {}", command()),
                "Is the program there, is it executable, is its name spelled right?".to_owned(),
            ],
            ..Failure::default()
        });
    }
    let Some(exit) = program.exit else {
        return Some(Failure {
            message: format!("{role} was never started."),
            ..Failure::default()
        });
    };
    match (program.ended, spec.ends_waiting, spec.stop.is_some()) {
        (Some(Ended::Waiting), true, _) => None,
        (Some(Ended::Stopped), _, true) => stopped_fault(spec, exit),
        (Some(Ended::Timeout), ..) => Some(timeout_fault(role, program)),
        (Some(Ended::Waiting), false, _) => Some(Failure {
            message: format!("{role} hung: it was still waiting for data when everything else was over."),
            notes: vec![
                "It was blocked in a receive and the wire was quiet, so nothing could ever have arrived.".to_owned(),
                format!("If that is what {role} should do, write ends = \"waiting\" for it."),
            ],
            ..Failure::default()
        }),
        (Some(Ended::Stopped), ..) => Some(Failure {
            message: format!("{role} did not end by itself: it had to be stopped."),
            notes: vec![format!("If {role} never ends by itself, write stop = \"TERM\" for it.")],
            ..Failure::default()
        }),
        (_, true, _) => Some(Failure {
            message: format!(
                "{role} ended by itself ({}); it should still have been waiting for data.",
                exit_words(exit)
            ),
            ..Failure::default()
        }),
        _ => exit_fault(spec, exit),
    }
}

/// Our own signal is no failure; a crash on the way out is one.
fn stopped_fault(spec: &ProgramSpec, exit: Exit) -> Option<Failure> {
    match exit {
        Exit::Signal(signal) if is_crash(signal) => Some(crash(&spec.role, signal)),
        Exit::Code(code) if spec.exit.is_some_and(|wanted| wanted != code) => {
            exit_fault(spec, exit)
        }
        _ => None,
    }
}

fn exit_fault(spec: &ProgramSpec, exit: Exit) -> Option<Failure> {
    let role = &spec.role;
    let wanted = exit_code(spec);
    match exit {
        Exit::Code(code) if code == wanted => None,
        Exit::Code(code) => Some(Failure {
            message: format!("{role} ended with exit code {code}, not {wanted}."),
            expected: Some(format!("{role}.exit == {wanted}")),
            actual: Some(format!("{role}.exit is {code}")),
            notes: code_meaning(code).map(str::to_owned).into_iter().collect(),
            ..Failure::default()
        }),
        Exit::Signal(signal) => Some(crash(role, signal)),
    }
}

fn crash(role: &str, signal: i32) -> Failure {
    let notes = match signal {
        11 | 7 => vec!["It touched memory that is not its own.".to_owned()],
        6 => vec!["It gave up by itself: an assertion or an unhandled error.".to_owned()],
        13 => vec![
            "It wrote to a connection (or pipe) that the other side had closed already.".to_owned(),
        ],
        _ => Vec::new(),
    };
    Failure {
        message: format!("{role} crashed: it was ended by {}.", signal_name(signal)),
        notes,
        ..Failure::default()
    }
}

fn timeout_fault(role: &str, program: &Program) -> Failure {
    let after = program
        .duration
        .and_then(|d| i64::try_from(d).ok())
        .map(|d| format!(" after {}", duration(d)))
        .unwrap_or_default();
    Failure {
        message: format!("{role} hung: it had not ended{after}, when its time was up."),
        notes: vec![
            "A program that hangs usually waits for something that never comes: data that was never sent, a connection that was never closed, a line on its standard input.".to_owned(),
        ],
        ..Failure::default()
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
        127 => "127 means: the command was not found.",
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
        message: format!("The {stream} of {role} {not} {wanted}."),
        expected: Some(demand(pattern)),
        actual: Some(if output.is_empty() {
            "nothing was written".to_owned()
        } else {
            quoted(output)
        }),
        difference,
        ..Failure::default()
    })
}

/// The last lines of what the program said about its trouble.
pub fn last_lines(role: &str, program: &Program) -> Vec<String> {
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
