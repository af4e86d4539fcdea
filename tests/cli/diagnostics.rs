//! docs/diagnostics.md: each code with its rule, an example, what is said of it,
//! and the fix. `netlab-capture explain` prints from it.
//!
//! After a wanted change: `BLESS=1 cargo test --test cli diagnostics` writes the
//! page anew; read the difference before it is committed.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use netlab_capture::conversation::Gap;
use netlab_capture::diagnostic::{Code, Diagnostic, Source};
use netlab_capture::render::diagnostic::render;
use netlab_capture::render::terminal::{self, TerminalOptions};
use netlab_capture::report::{Options, Report};
use netlab_capture::savefile::{Bytes, Ended, Exit, Program, Recording};
use netlab_capture::scenario::{self, ProgramSpec};
use netlab_capture::trace::{self, Trace};
use netlab_capture::{expect, expect::Verdict};

const INTRO: &str = "\
# Diagnostics

What netlab-capture says when something is wrong, one section for each code.
`netlab-capture explain E010` prints a section; a code stands in brackets at the
beginning of its message.

- **S…**: mistakes in scenario files and on the command line. Nothing is run.
- **E…**: mistakes in the statements of expectations. Nothing is run.
- **W…**: what is allowed, but probably means something else.
- **L…**: what `netlab-capture lint` warns of: it will fail some day by accident.
- **F…**: an expectation failed.
- **I…**: the evidence does not allow a verdict: neither passed nor failed.

All mistakes of all files are told at once. A test writes this page from what
the program says.
";

const ROLES: [&str; 2] = ["client", "server"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A fence that the text cannot close.
fn fenced(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end_matches('\n'))
}

fn heading(code: &Code) -> String {
    format!(
        "\n## {}: {}\n\n{}\n",
        code.code, code.title, code.explanation
    )
}

fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

/// What is said of statements, as behind `-e`.
fn of_statements(text: &str) -> String {
    let roles = ROLES.map(str::to_owned);
    let found = match expect::parse("example", text, &roles) {
        Ok(expectation) => expectation.warnings,
        Err(mistakes) => mistakes,
    };
    told(&found, &source("-e", text))
}

fn of_scenario(text: &str) -> String {
    let source = source("lab.toml", text);
    let (_, found) = scenario::read(source.clone());
    told(&found, &source)
}

fn told(found: &[Diagnostic], source: &Source) -> String {
    assert!(!found.is_empty(), "{source:?}");
    render(found, source, false, 80)
}

/// What the command says, in a folder with a file that is no scenario.
fn of_command(words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lab.toml"), b"title = \"\xff\"\n").unwrap();
    let bare = without_recording(&["tcp-upper", "http-ok"]);
    std::fs::write(folder.path().join("wireshark.pcap"), bare).unwrap();
    let output = Command::cargo_bin("netlab-capture")
        .unwrap()
        .current_dir(folder.path())
        .args(words)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The packets of reference captures as a classic pcap file.
pub fn without_recording(names: &[&str]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    file.extend([0; 8]);
    file.extend(65535u32.to_le_bytes());
    file.extend(1u32.to_le_bytes());
    for name in names {
        let path = root().join(format!("captures/reference/{name}.pcapng"));
        let trace = trace::read(File::open(path).unwrap(), name, None).unwrap();
        for (index, packet) in trace.packets.iter().enumerate() {
            let micros = packet.time.0 / 1000;
            file.extend(((micros / 1_000_000) as u32).to_le_bytes());
            file.extend(((micros % 1_000_000) as u32).to_le_bytes());
            file.extend(packet.cap_len.to_le_bytes());
            file.extend(packet.len.to_le_bytes());
            file.extend(trace.frame(index));
        }
    }
    file
}

/// A failure, and how it comes about.
struct Case {
    code: &'static str,
    /// What is done to get it.
    how: &'static str,
    /// The reference capture that is judged.
    capture: &'static str,
    statements: &'static str,
    /// Changes what the capture tells.
    change: fn(&mut Trace),
    /// Keys of the client's table in the scenario, for what its program implies.
    client: Option<&'static str>,
}

const fn case(
    code: &'static str,
    how: &'static str,
    capture: &'static str,
    statements: &'static str,
) -> Case {
    Case {
        code,
        how,
        capture,
        statements,
        change: |_| {},
        client: None,
    }
}

const fn program(
    code: &'static str,
    how: &'static str,
    client: &'static str,
    change: fn(&mut Trace),
) -> Case {
    Case {
        client: Some(client),
        change,
        ..case(code, how, "tcp-refused", "")
    }
}

fn recording(trace: &mut Trace) -> &mut Recording {
    trace.recording.as_mut().unwrap()
}

fn client(trace: &mut Trace) -> &mut Program {
    let programs = &mut recording(trace).programs;
    programs.iter_mut().find(|p| p.role == "client").unwrap()
}

fn cases() -> Vec<Case> {
    let upper = "tcp-upper";
    vec![
        case(
            "F001",
            "A client that nobody answers is refused, and the RST is not in the list.",
            "tcp-refused",
            "exactly {\n  client > nobody:12000  SYN\n}",
        ),
        case(
            "F002",
            "The author thought that the client says something before the sentence.",
            upper,
            "in order {\n  client > server  SYN\n  server > client  SYN,ACK\n}\nexactly {\n  client > server  SYN\n  server > client  SYN,ACK\n  client > server  ACK\n  client > server  data \"name\"\n  client > server  data ~ /^hello/\n  server > client  data ~ /^HELLO/\n  client <> server FIN x2\n}",
        ),
        case(
            "F003",
            "Nothing listens on the port, but the author expects an accepted connection.",
            "tcp-refused",
            "exactly {\n  client > nobody:12000  SYN\n  nobody > client        SYN,ACK\n}",
        ),
        case(
            "F004",
            "The reply is expected before the request.",
            upper,
            "in order {\n  server > client  data ~ /^HELLO/\n  client > server  data ~ /^hello/\n}",
        ),
        case(
            "F005",
            "A bound that no kernel keeps.",
            upper,
            "in order {\n  client > server  SYN\n  server > client  SYN,ACK  within 1us\n}",
        ),
        case(
            "F006",
            "One letter of the reply is expected to be small.",
            upper,
            "in order {\n  client > server  data ~ /^hello/\n  server > client  data ~ /^HELLo/\n}",
        ),
        case(
            "F007",
            "A datagram is expected where only TCP was spoken.",
            upper,
            "in order {\n  client > server  udp \"hello\"\n}",
        ),
        case(
            "F010",
            "The connection was closed in order, not refused.",
            upper,
            "tcp[0].state == \"REJ\"",
        ),
        case(
            "F011",
            "There is one connection, `tcp[0]`.",
            upper,
            "tcp[1].state == \"SF\"",
        ),
        case(
            "F012",
            "What must not be so is so.",
            upper,
            "not tcp[0].state == \"SF\"",
        ),
        case(
            "F013",
            "Each side sends a FIN.",
            upper,
            "# hint: Who closes a connection sends a FIN.\nno FIN",
        ),
        case(
            "F014",
            "The reply has the length of the request only in ASCII.",
            "udp-upper",
            "each udp has udp.length < 20",
        ),
        case(
            "F015",
            "A statement about datagrams, where there is none.",
            upper,
            "each udp has udp.length == 13",
        ),
        Case {
            client: Some("exit = 0"),
            ..case(
                "F016",
                "No datagram was sent, but the client did not get to its work either.",
                "tcp-refused",
                "no udp",
            )
        },
        case(
            "F017",
            "Nobody sent a RST, so nothing came after one.",
            upper,
            "no data after RST",
        ),
        program(
            "F020",
            "`run = \"./clinet 127.0.0.1 12000\"`, and there is no such file.",
            "",
            |trace| {
                let client = client(trace);
                client.argv = ["./clinet", "127.0.0.1", "12000"]
                    .map(str::to_owned)
                    .to_vec();
                client.start_error = Some("No such file or directory".to_owned());
                client.exit = None;
                client.ended = None;
                client.stderr = Bytes::default();
            },
        ),
        program(
            "F021",
            "The server never listened.",
            "after = \"server ready\"",
            |trace| {
                let client = client(trace);
                client.exit = None;
                client.ended = None;
                client.stderr = Bytes::default();
            },
        ),
        program(
            "F022",
            "A UDP client waits for a reply that was lost.",
            "",
            |trace| {
                let client = client(trace);
                client.exit = Some(Exit::Signal(15));
                client.ended = Some(Ended::Waiting);
                client.stderr = Bytes::default();
            },
        ),
        program(
            "F023",
            "A server without `stop` serves for ever.",
            "",
            |trace| {
                let client = client(trace);
                client.exit = Some(Exit::Signal(15));
                client.ended = Some(Ended::Stopped);
                client.stderr = Bytes::default();
            },
        ),
        program(
            "F024",
            "With `ends = \"waiting\"` it must still wait at the end.",
            "ends = \"waiting\"",
            |_| {},
        ),
        program(
            "F025",
            "The client is refused and ends with 1; the scenario does not say so.",
            "",
            |_| {},
        ),
        program(
            "F026",
            "A signal that was not ours ended it.",
            "exit = 1",
            |trace| {
                let client = client(trace);
                client.exit = Some(Exit::Signal(11));
                client.stderr = Bytes::default();
            },
        ),
        program(
            "F027",
            "It was still running at `timeout`.",
            "exit = 1",
            |trace| {
                let client = client(trace);
                client.exit = Some(Exit::Signal(9));
                client.ended = Some(Ended::Timeout);
                client.duration = Some(10_000_000_000);
                client.stderr = Bytes::default();
            },
        ),
        program(
            "F028",
            "The scenario asks for another word.",
            "exit = 1\nstderr = { contains = \"timed out\" }",
            |_| {},
        ),
        Case {
            change: |trace| {
                let proof = &mut recording(trace).proof;
                proof.interface_counter = Some(false);
                proof.interface_packets = Some(3);
            },
            ..case(
                "I001",
                "The interface counted three packets, and the file has two.",
                "tcp-refused",
                "no udp",
            )
        },
        Case {
            change: |trace| {
                for ends in &mut trace.ends {
                    ends.from = netlab_capture::trace::Owner::Unknown;
                    ends.to = netlab_capture::trace::Owner::Unknown;
                }
            },
            ..case(
                "I002",
                "A capture that does not tell who owned the sockets.",
                "tcp-refused",
                "exactly {\n  client > any  SYN\n  any > client  RST\n}",
            )
        },
        Case {
            change: |trace| {
                for packet in &mut trace.packets {
                    packet.len += 40;
                }
            },
            ..case(
                "I003",
                "The capture was made with a snapshot length.",
                "udp-upper",
                "in order {\n  client > server  udp \"hello\"\n}",
            )
        },
        Case {
            change: |trace| {
                for ways in &mut trace.streams {
                    ways.to_server.gaps.push(Gap { at: 0, missing: 7 });
                }
            },
            ..case(
                "I004",
                "The capturing program missed a segment.",
                upper,
                "stream(client > server) contains \"hello\"",
            )
        },
        Case {
            change: |trace| {
                trace.recording = None;
                trace.packets.clear();
                trace.frames = Default::default();
                trace.seen.clear();
                trace.ends.clear();
                trace.conversations.clear();
                trace.streams.clear();
            },
            ..case(
                "I005",
                "A file with no packet in it, made by another program.",
                "tcp-refused",
                "no udp",
            )
        },
        Case {
            change: |trace| trace.recording = None,
            ..case(
                "I006",
                "A capture that another program made holds packets, not exit codes.",
                "tcp-refused",
                "client.exit == 1",
            )
        },
        program(
            "I007",
            "Ctrl-C came before the client had ended.",
            "exit = 1",
            |trace| client(trace).ended = Some(Ended::Interrupted),
        ),
    ]
}

/// What the terminal shows of it: the ladder, and the expectation.
fn of_case(case: &Case) -> String {
    let name = case.capture;
    let path = root().join(format!("captures/reference/{name}.pcapng"));
    let mut trace = trace::read(File::open(path).unwrap(), name, None).unwrap();
    (case.change)(&mut trace);
    let mut expectations = Vec::new();
    if !case.statements.is_empty() {
        let parsed = expect::parse(case.statements, case.statements, &trace.roles);
        let mut parsed = parsed.unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        parsed.name = "what must be so".to_owned();
        expectations.push(parsed);
    }
    let programs: Vec<ProgramSpec> = case.client.map_or_else(Vec::new, |keys| {
        let server = "[program.server]\nrun = \"x\"\nstop = \"TERM\"\n";
        let text = format!("[program.client]\nrun = \"x\"\n{keys}\n{server}");
        let mut programs = scenario::parse(source("lab.toml", &text)).unwrap().programs;
        programs.truncate(1);
        programs
    });
    let outcomes = expect::judge(&trace, &expectations, &programs, &BTreeMap::new());
    let failed: Vec<_> = outcomes
        .into_iter()
        .filter(|outcome| outcome.implied == case.statements.is_empty())
        .collect();
    assert!(!failed.is_empty(), "{}", case.code);
    for outcome in &failed {
        let code = outcome.failure.as_ref().map(|f| f.code);
        assert_eq!(code, Some(case.code), "{outcome:#?}");
        let is_failure = outcome.verdict == Verdict::Fail;
        assert_eq!(is_failure, case.code.starts_with('F'), "{outcome:#?}");
    }
    let options = Options {
        stable: true,
        ..Options::default()
    };
    let mut report = Report::with_packets(trace, None, &failed, &options);
    report.programs.clear();
    let screen = TerminalOptions {
        color: false,
        width: 80,
        unicode: true,
    };
    let text = terminal::full(&report, &screen);
    // Between the two stand the facts about the capture.
    let name = &failed[0].name;
    let is_first = |line: &&str| line.ends_with(name) || line.contains(&format!(" {name}  "));
    let first = text.lines().find(is_first).unwrap();
    let (above, below) = text.split_once(first).unwrap();
    let ladder = match above.split_once("\nPackets: ") {
        Some((above, _)) if !case.statements.is_empty() => {
            above.split_once("\n\n").map_or("", |(_, ladder)| ladder)
        }
        _ => "",
    };
    let (below, _) = below.split_once("\nExplain").unwrap();
    let below = format!("{first}{below}");
    format!("{ladder}\n{below}")
        .trim_start_matches('\n')
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

fn document() -> String {
    let mut out = INTRO.to_owned();
    let mut put = |code: &Code, body: String| {
        out.push_str(&heading(code));
        out.push_str(&body);
    };
    for code in scenario::codes::ALL {
        let body = match (code.example, code.fix) {
            (Some(example), Some(fix)) => format!(
                "\n{}\n{}\nRight is:\n\n{}",
                fenced("text", example),
                fenced("text", &of_scenario(example)),
                fenced("text", fix)
            ),
            _ => {
                let words: &[&str] = match code.code {
                    "S002" => &[],
                    "S020" => &["run", "tcp-uper"],
                    "S021" => &["list", "lab.toml"],
                    "S022" => &["check", "wireshark.pcap"],
                    "S023" => &["check", "wireshark.pcap", "-e", "no client > server RST"],
                    "S024" => &[
                        "check",
                        "wireshark.pcap",
                        "--role",
                        "server=:12001",
                        "-e",
                        "no server > any RST",
                    ],
                    other => panic!("{other} has no example"),
                };
                match words {
                    [] => {
                        let text = "#".repeat(scenario::MAX_BYTES + 1);
                        let told = of_scenario(&text);
                        // All of it is the first line.
                        let told = told.lines().map(|l| l.chars().take(80).collect::<String>());
                        let told: Vec<String> = told.collect();
                        format!("\n{}", fenced("text", &told.join("\n")))
                    }
                    words => format!(
                        "\n{}\n{}",
                        fenced(
                            "console",
                            &format!(
                                "$ netlab-capture {}",
                                shlex::try_join(words.iter().copied()).unwrap()
                            )
                        ),
                        fenced("text", &of_command(words))
                    ),
                }
            }
        };
        put(code, body);
    }
    for code in expect::codes::ALL {
        let body = match (code.example, code.fix) {
            (Some(example), Some(fix)) => format!(
                "\n{}\n{}\nRight is:\n\n{}",
                fenced("text", example),
                fenced("text", &of_statements(example)),
                fenced("text", fix)
            ),
            _ => {
                let text = match code.code {
                    "E005" => " ".repeat(100_000),
                    "E006" => format!("no {}tcp{}", "(".repeat(70), ")".repeat(70)),
                    "E009" => "no @\n".repeat(100),
                    other => panic!("{other} has no example"),
                };
                let all = of_statements(&text);
                let at = all.find(&format!("[{}]", code.code)).unwrap();
                let one = &all[at..];
                let one = &one[..one.find("\n\n").unwrap_or(one.len())];
                format!("\n{}", fenced("text", one))
            }
        };
        put(code, body);
    }
    for code in expect::lint::ALL {
        let (example, fix) = code.example.zip(code.fix).unwrap();
        let body = format!(
            "\n{}\n{}\nBetter is:\n\n{}",
            fenced("text", example),
            fenced(
                "text",
                &told(&expect::lint::lint(example), &source("a.expect", example))
            ),
            fenced("text", fix)
        );
        put(code, body);
    }
    let cases = cases();
    for code in expect::failures::ALL {
        let found = cases.iter().find(|case| case.code == code.code);
        let case = found.unwrap_or_else(|| panic!("{} has no example", code.code));
        let mut body = format!("\n{}\n", case.how);
        if !case.statements.is_empty() {
            body.push_str(&format!("\n{}", fenced("text", case.statements)));
        }
        body.push_str(&format!("\n{}", fenced("text", &of_case(case))));
        put(code, body);
    }
    out
}

#[test]
fn every_code_has_its_section() {
    let path: &Path = &root().join("docs/diagnostics.md");
    let expected = document();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/diagnostics.md is not what the program says: BLESS=1 writes it anew"
    );
}

fn explain(words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("netlab-capture")
        .unwrap()
        .arg("explain")
        .args(words)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn every_code_of_the_list_is_explained() {
    let (code, list, _) = explain(&[]);
    assert_eq!(code, Some(0));
    let codes: Vec<&str> = list.lines().map(|line| &line[..4]).collect();
    assert!(codes.len() >= 85, "{}", codes.len());
    let (code, pages, _) = explain(&codes);
    assert_eq!(code, Some(0));
    for (line, code) in list.lines().zip(&codes) {
        let heading = format!("{code}: {}\n", &line[6..]);
        assert!(pages.contains(&heading), "{heading}");
    }
    assert!(!pages.contains("```"));
}

#[test]
fn a_code_in_any_case_and_one_that_is_none() {
    let (code, page, _) = explain(&["e010"]);
    assert_eq!(code, Some(0));
    assert!(page.contains("no client > server SYN"), "{page}");
    let (code, page, told) = explain(&["F0003"]);
    assert_eq!((code, page.as_str()), (Some(2), ""));
    assert!(told.contains("did you mean F003?"), "{told}");
}
