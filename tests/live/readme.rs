//! The README's commands work, and what it shows is what they print.
//!
//! A ```` ```sh ```` block holds commands, each on one line, with or without
//! `$ ` before it; `# exits N` behind a command says that it ends with N. A
//! ```` ```console ```` block holds `$ COMMAND` and then what it prints. Before
//! a block, `<!-- not run: REASON -->` leaves it out.
//!
//! The commands run one after another, in one folder that has what the
//! repository has: `lab` (which is here the binary under test), `scenarios/`
//! and `www/`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use regex::Regex;

use crate::record::Folder;

/// One command of the text.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    exit: i32,
    /// What it prints, where the text shows that.
    output: Option<String>,
    /// Why it is not run.
    skipped: Option<String>,
}

/// The commands of a text in Markdown, in order.
fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines();
    let mut before = "";
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let reason = before.strip_prefix("<!-- not run: ");
            let reason = reason.and_then(|rest| rest.strip_suffix(" -->"));
            match language {
                "sh" => steps.extend(commands(&block, reason)),
                "console" => steps.extend(session(&block, reason)),
                _ => {}
            }
        }
        before = line;
    }
    steps
}

fn commands(block: &[&str], reason: Option<&str>) -> Vec<Step> {
    let lines = block.iter().filter(|line| !line.is_empty());
    lines.map(|line| step(line, reason)).collect()
}

fn session(block: &[&str], reason: Option<&str>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block {
        if line.starts_with("$ ") {
            let mut step = step(line, reason);
            step.output = Some(String::new());
            steps.push(step);
        } else {
            let output = steps.last_mut().and_then(|step| step.output.as_mut());
            let output = output.expect("a console block begins with `$ COMMAND`");
            output.push_str(line);
            output.push('\n');
        }
    }
    steps
}

fn step(line: &str, reason: Option<&str>) -> Step {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let (command, exit) = match line.split_once("# exits ") {
        Some((command, exit)) => (command, exit.trim().parse().unwrap()),
        None => (line, 0),
    };
    let command = command.trim_end();
    let tests = "the tests are what runs this";
    let installs = "it may install packages";
    let never = [("./lab test", tests), ("./lab prepare", installs)];
    let never = never.iter().find(|(words, _)| command.starts_with(words));
    Step {
        command: command.to_owned(),
        exit,
        output: None,
        skipped: reason.or(never.map(|(_, why)| *why)).map(str::to_owned),
    }
}

/// A folder in which `./lab` and `netlab-capture` are the binary under test.
fn workplace() -> Folder {
    let folder = Folder::new();
    let binary = env!("CARGO_BIN_EXE_netlab-capture");
    // As the real script does behind the build.
    let lab = format!(
        "#!/bin/sh\n[ \"$#\" -ne 1 ] || [ \"$1\" != run ] || set -- run --all\nexec '{binary}' \"$@\"\n"
    );
    let lab = folder.file("lab", &lab);
    fs::set_permissions(lab, fs::Permissions::from_mode(0o755)).unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["scenarios", "www"] {
        symlink(repository.join(name), folder.path().join(name)).unwrap();
    }
    fs::create_dir(folder.path().join("bin")).unwrap();
    symlink(binary, folder.path().join("bin/netlab-capture")).unwrap();
    folder
}

fn run(command: &str, folder: &Path) -> Output {
    let path = std::env::var("PATH").unwrap();
    Command::new("timeout")
        .args(["60", "sh", "-c", command])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .env("LC_ALL", "C.UTF-8")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Without what differs from run to run: times, dates and ephemeral ports.
fn steady(text: &str) -> String {
    let rules = [
        // The ladder's time column.
        (r"(?m)^ +\d+\.\d{3}  ", "TIME  "),
        (r"\b\d+(\.\d+)? (ms|s)\b", "TIME"),
        // Linux's ephemeral ports, 32768 to 60999.
        (r":(3[2-9]|4\d|5\d|60)\d{3}\b", ":PORT"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "DATE"),
        // How wide a column is depends on its times.
        (" {2,}", "  "),
    ];
    rules.iter().fold(text.to_owned(), |text, (rule, name)| {
        let rule = Regex::new(rule).unwrap();
        rule.replace_all(&text, *name).into_owned()
    })
}

/// What is wrong with the commands of a text.
fn mistakes(text: &str) -> Vec<String> {
    let folder = workplace();
    let mut mistakes = Vec::new();
    for step in steps(text) {
        let command = &step.command;
        if let Some(reason) = &step.skipped {
            eprintln!("not run: {command}: {reason}");
            continue;
        }
        if !command.starts_with("./lab ") && !command.starts_with("netlab-capture ") {
            mistakes.push(format!(
                "{command}: not a command of ours; mark it <!-- not run: REASON -->"
            ));
            continue;
        }
        let output = run(command, folder.path());
        if output.status.code() != Some(step.exit) {
            mistakes.push(format!(
                "{command}: {}, expected exit code {}\n{}{}",
                output.status,
                step.exit,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        if step
            .output
            .is_some_and(|shown| steady(&shown) != steady(&printed))
        {
            mistakes.push(format!("{command}: prints something else now:\n{printed}"));
        }
    }
    mistakes
}

#[test]
fn the_commands_of_the_readme_work_and_print_what_it_shows() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let steps = steps(&readme);
    assert!(steps.len() >= 10, "{steps:#?}");
    assert!(steps.iter().any(|step| step.output.is_some()), "{steps:#?}");
    let mistakes = mistakes(&readme);
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn steps_are_found_in_markdown() {
    let text = "\
```sh
./lab run
$ ./lab check x # exits 2
./lab test
```

<!-- not run: needs sudo -->
```sh
./lab doctor
```

```toml
title = 'none'
```

```console
$ ./lab list
a
b
```
";
    let of = |command: &str, exit, output: Option<&str>, skipped: Option<&str>| Step {
        command: command.to_owned(),
        exit,
        output: output.map(str::to_owned),
        skipped: skipped.map(str::to_owned),
    };
    let expected = [
        of("./lab run", 0, None, None),
        of("./lab check x", 2, None, None),
        of("./lab test", 0, None, Some("the tests are what runs this")),
        of("./lab doctor", 0, None, Some("needs sudo")),
        of("./lab list", 0, Some("a\nb\n"), None),
    ];
    assert_eq!(steps(text), expected);
}

/// The test of the README can fail.
#[test]
fn mistakes_are_told() {
    let text = "\
```sh
./lab show tcp-refused
./lab show nothing-of-this-name
./lab show nothing-of-this-name  # exits 2
echo hello
```

```console
$ netlab-capture show tcp-refused --answer
An answer that was true once
```
";
    let mistakes = mistakes(text);
    assert_eq!(mistakes.len(), 3, "{mistakes:#?}");
    assert!(mistakes[0].contains("expected exit code 0"));
    assert!(mistakes[1].contains("not a command of ours"));
    assert!(mistakes[2].contains("prints something else now"));
}

#[test]
fn only_times_and_ephemeral_ports_may_differ() {
    let one = "  0.009  2  RST,ACK\n127.0.0.1:48396  127.0.0.1:12000\n2 packets · 13 ms\n";
    let other = "  0.013  2  RST,ACK\n127.0.0.1:60999  127.0.0.1:12000\n2 packets · 4.9 ms\n";
    assert_eq!(steady(one), steady(other));
    for (from, to) in [
        ("12000", "12001"),
        ("2 packets", "3 packets"),
        ("  2  ", "  3  "),
    ] {
        assert_ne!(steady(&one.replace(from, to)), steady(one));
    }
}
