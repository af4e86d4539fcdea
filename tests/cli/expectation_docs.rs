//! docs/expectations.md: its commands say what stands there, what is compared with
//! other tools is sound, and its grammar is the parser's.

use std::path::Path;

use assert_cmd::Command;
use netlab_capture::expect;

use crate::grammar::{Grammar, Writer};

const DOCS: &str = include_str!("../../docs/expectations.md");

fn parse(text: &str) -> Result<(), String> {
    let roles = ["client", "server"].map(str::to_owned);
    match expect::parse("docs", text, &roles) {
        Ok(_) => Ok(()),
        Err(mistakes) => Err(format!("{text}\n{mistakes:#?}")),
    }
}

/// The blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = DOCS.split(fence.as_str()).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Each line below a command is in what the command says.
#[test]
fn the_tutorials_commands_say_what_stands_below_them() {
    let folder = tempfile::tempdir().unwrap();
    let captures = folder.path().join("captures");
    std::fs::create_dir(&captures).unwrap();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let name = "tcp-upper.pcapng";
    std::fs::copy(reference.join(name), captures.join(name)).unwrap();
    let mut tried = 0;
    for block in blocks("console") {
        let mut said = String::new();
        for line in block.lines() {
            let Some(command) = line.strip_prefix("$ netlab-capture ") else {
                assert!(said.contains(line), "{line}\n{said}");
                continue;
            };
            let words = shlex::split(command).unwrap();
            // Runs need namespaces; tests/live has them.
            if words.first().is_some_and(|first| first == "run") {
                continue;
            }
            let output = Command::cargo_bin("netlab-capture")
                .unwrap()
                .current_dir(folder.path())
                .args(&words)
                .output()
                .unwrap();
            assert!(matches!(output.status.code(), Some(0 | 1)), "{line}");
            said = String::from_utf8(output.stdout).unwrap();
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried}");
}

#[test]
fn what_you_would_do_elsewhere_is_written_soundly() {
    let (_, table) = DOCS.split_once("| here you write |").unwrap();
    let rows: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() >= 10);
    for row in rows {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let statement = cell.trim_matches('`');
        parse(statement).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

/// Is the only mistake that there is a statement which holds of every capture?
fn demands_nothing(text: &str) -> bool {
    let roles = ["client", "server"].map(str::to_owned);
    let found = expect::parse("docs", text, &roles).err();
    found.is_some_and(|mistakes| mistakes.iter().all(|mistake| mistake.code == "E032"))
}

#[test]
fn what_the_grammar_writes_the_parser_reads() {
    let grammar = Grammar::read(DOCS);
    let mut writer = Writer::new(&grammar, 1, |_, _| None);
    let (mut statements, mut with_names) = (0, 0);
    while statements < 5000 {
        // Several, so that later ones speak of an earlier one's steps.
        let production = if statements % 2 == 0 {
            "statement"
        } else {
            "text"
        };
        let Some(text) = writer.text(production) else {
            continue;
        };
        if demands_nothing(&text) {
            continue;
        }
        parse(&text).unwrap_or_else(|wrong| panic!("{wrong}"));
        statements += 1;
        with_names += usize::from(writer.speaks_of_names());
    }
    assert!(with_names > 200, "{with_names}");
    assert_eq!(writer.unused(), [""; 0]);
}
