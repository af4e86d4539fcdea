//! What an engineer wants to say about packets, one or two lines each: every
//! `NAME.case` holds a statement, the packets of a capture on which it holds,
//! those of one on which it does not, and what is then said.
//!
//! The captures are made here, packet by packet, from the lines of the file;
//! see [`wire`]. After a wanted change: `BLESS=1 cargo test --test expectations`
//! writes what is said anew.

mod wire;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use netlab_capture::expect::{self, Outcome, Verdict};
use netlab_capture::trace;

/// A file, taken apart at its `---` lines.
struct Case {
    path: PathBuf,
    statement: String,
    holds: String,
    fails: String,
    says: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expectations");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "case"))
        .collect();
    paths.sort();
    paths.into_iter().map(case).collect()
}

fn case(path: PathBuf) -> Case {
    let text = fs::read_to_string(&path).unwrap();
    let (statement, rest) = text.split_once("--- holds\n").expect("--- holds");
    let (holds, rest) = rest.split_once("--- fails\n").expect("--- fails");
    let (fails, says) = rest.split_once("--- says\n").expect("--- says");
    Case {
        statement: statement.to_owned(),
        holds: holds.to_owned(),
        fails: fails.to_owned(),
        says: says.to_owned(),
        path,
    }
}

/// The verdict of the statement on a capture made of these lines.
fn judged(case: &Case, lines: &str) -> Outcome {
    let name = case.path.display();
    let roles = ["client".to_owned(), "server".to_owned()];
    let expectation = expect::parse("it", &case.statement, &roles)
        .unwrap_or_else(|found| panic!("{name}: {found:#?}"));
    let file = wire::capture(lines);
    let trace = trace::read(file.as_slice(), "case.pcap", None).unwrap();
    let mut outcomes = expect::judge(&trace, &[expectation], &[], &BTreeMap::new());
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

/// What is said of a failure: the place in the statement with a caret, what was
/// expected, and what there is.
fn said(case: &Case, outcome: &Outcome) -> String {
    let failure = outcome.failure.as_ref().expect("a failure");
    let mut text = format!("[{}] {}\n", failure.code, failure.message);
    let span = failure.span.clone().expect("a place");
    let start = case.statement[..span.start]
        .rfind('\n')
        .map_or(0, |i| i + 1);
    let line = case.statement[start..].lines().next().unwrap();
    let marked = span.end.min(start + line.len()) - span.start;
    let indent = " ".repeat(span.start - start);
    writeln!(text, "  {line}\n  {indent}{}", "^".repeat(marked.max(1))).unwrap();
    let frame = failure.diverges_at.map(|frame| frame.to_string());
    for (label, value) in [
        ("expected", &failure.expected),
        ("got", &failure.actual),
        ("difference", &failure.difference),
        ("packet", &frame),
        ("wireshark", &failure.wireshark_filter),
    ] {
        if let Some(value) = value {
            writeln!(text, "{label}: {value}").unwrap();
        }
    }
    for note in &failure.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

#[test]
fn each_statement_holds_and_fails_where_it_should() {
    let cases = cases();
    assert!(cases.len() >= 30, "{}", cases.len());
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = String::new();
    for case in &cases {
        let name = case.path.file_stem().unwrap().to_str().unwrap();
        let statements = case.statement.lines();
        let lines = statements.filter(|line| !line.starts_with('#') && !line.is_empty());
        assert!((1..=2).contains(&lines.count()), "{name}: one or two lines");
        let holds = judged(case, &case.holds);
        if holds.verdict != Verdict::Pass {
            let why = holds
                .failure
                .map(|f| (f.message, f.expected, f.actual, f.difference));
            writeln!(wrong, "{name} should hold: {why:?}").unwrap();
        }
        let fails = judged(case, &case.fails);
        if fails.verdict != Verdict::Fail {
            writeln!(wrong, "{name} should fail: {:?}", fails.verdict).unwrap();
            continue;
        }
        let says = said(case, &fails);
        if bless {
            let text = fs::read_to_string(&case.path).unwrap();
            let (before, _) = text.split_once("--- says\n").unwrap();
            fs::write(&case.path, format!("{before}--- says\n{says}")).unwrap();
        } else if says != case.says {
            writeln!(
                wrong,
                "{name} says:\n{says}\nand should say:\n{}",
                case.says
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
