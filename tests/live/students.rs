//! Programs as students write them, unmodified, in the place of a scenario's:
//! the verdict and the words for each quirk, as snapshots.

use std::path::{Path, PathBuf};
use std::process::Command;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::programs::stderr;
use crate::record::{Folder, assert_complete};

/// The scenario, what stands in for its programs, and further options.
pub struct Case<'a> {
    name: &'a str,
    scenario: &'a str,
    options: &'a [&'a str],
}

pub const fn case<'a>(name: &'a str, scenario: &'a str, options: &'a [&'a str]) -> Case<'a> {
    Case {
        name,
        scenario,
        options,
    }
}

pub fn sources(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(language)
}

/// Is the language there? Without it the test is not made, or fails where it
/// must be made.
pub fn has(command: &str) -> bool {
    let there = Command::new(command).arg("--version").output();
    if there.is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(
        std::env::var_os("NETLAB_REQUIRE_LIVE").is_none_or(|v| v != "1"),
        "{command} is missing: ./lab prepare installs it"
    );
    eprintln!("not tried: {command} is missing (./lab prepare installs it)");
    false
}

/// Runs each case in `folder`; compares what the tool says with its snapshot.
pub fn judge(language: &str, folder: &Path, cases: &[Case<'_>]) {
    let captures = Folder::new();
    let own = folder.to_str().unwrap();
    for case in cases {
        let options = case
            .options
            .iter()
            .map(|option| option.replace("{own}", own));
        let output = Command::new(env!("CARGO_BIN_EXE_netlab-capture"))
            .args(["run", case.scenario, "--json", "--timeout", "5s", "--out"])
            .arg(captures.path())
            .args(options)
            .current_dir(folder)
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout.clone()).unwrap();
        let report: Value = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("{}: {stdout}{}", case.name, stderr(&output)));
        // Whatever they do: the capture is whole, and what they did is judged.
        assert_complete(&report);
        let said = said(&report, own);
        let options = case.options.join(" ");
        let described = options.replace(env!("CARGO_MANIFEST_DIR"), "{project}");
        insta::with_settings!({ description => described, omit_expression => true }, {
            insta::assert_snapshot!(format!("{language}-{}", case.name), said);
        });
    }
}

/// The verdict, and what is said of everything that is not a pass; without what
/// differs from run to run, and of a program's own words only the last line.
fn said(report: &Value, own: &str) -> String {
    let mut text = format!("{}\n", report["verdict"].as_str().unwrap_or("none"));
    for expectation in report["expectations"].as_array().into_iter().flatten() {
        if expectation["verdict"] == "pass" {
            continue;
        }
        let detail = &expectation["detail"];
        let name = expectation["name"].as_str().unwrap_or_default();
        text += &format!(
            "\n{name}\n  {}\n",
            detail["message"].as_str().unwrap_or_default()
        );
        let notes: Vec<&str> = detail["notes"]
            .as_array()
            .map(|notes| notes.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        for (index, note) in notes.iter().enumerate() {
            let quoted = note.starts_with("  ");
            let goes_on = notes
                .get(index + 1)
                .is_some_and(|next| next.starts_with("  "));
            if !(quoted && goes_on) {
                text += &format!("  - {}\n", note.trim());
            }
        }
    }
    let replace = |text: &str, pattern: &str, with: &str| {
        Regex::new(pattern)
            .unwrap()
            .replace_all(text, with)
            .into_owned()
    };
    let text = text.replace(own, "{own}");
    // Some name themselves with their folder.
    let text = replace(&text, r"/\S+/python3: can't open", "python3: can't open");
    let text = replace(&text, r"after [0-9.]+m?s\b", "after TIME");
    let text = replace(&text, r"\b([Pp])ackets? \d+", "${1}acket N");
    // What follows the string in a buffer is whatever was there before.
    let text = replace(&text, r#"\\x00[^\n]*"… \(\d+ bytes\)"#, r#"\x00…""#);
    let ports = Regex::new(r"\b\d{5}\b").unwrap();
    let text = ports.replace_all(&text, |found: &Captures<'_>| match &found[0] {
        // 12000 without htons.
        "57390" => "57390".to_owned(),
        port if port < "32768" => port.to_owned(),
        _ => "PORT".to_owned(),
    });
    text.into_owned()
}

pub const SERVER: &str = "--server";
pub const CLIENT: &str = "--client";

#[test]
fn python_tcp_servers() {
    if !has("python3") {
        return;
    }
    judge(
        "python",
        &sources("python"),
        &[
            case(
                "tcp-pair",
                "tcp-upper",
                &[
                    SERVER,
                    "python3 TCPServer.py",
                    CLIENT,
                    "python3 TCPClient.py 127.0.0.1 12000",
                ],
            ),
            case(
                "tcp-pair-swapped",
                "tcp-upper",
                &[
                    CLIENT,
                    "python3 TCPServer.py",
                    SERVER,
                    "python3 TCPClient.py 127.0.0.1 12000",
                ],
            ),
            case(
                "tcp-server-wrong-port",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_wrong_port.py"],
            ),
            case(
                "tcp-server-serves-once",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_serves_once.py"],
            ),
            case(
                "tcp-server-address-not-here",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_address_not_here.py"],
            ),
            case(
                "tcp-server-address-given",
                "tcp-upper",
                &[
                    SERVER,
                    "python3 tcp_server_address_not_here.py",
                    "--address",
                    "10.0.4.26",
                ],
            ),
            case(
                "tcp-server-ipv6-only",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_ipv6_only.py"],
            ),
            case(
                "tcp-server-ipv6",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_ipv6_only.py", "--ipv6"],
            ),
            case(
                "tcp-server-exits-at-once",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_exits_at_once.py"],
            ),
            case(
                "tcp-server-never-listens",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_never_listens.py"],
            ),
            case(
                "tcp-server-port-in-use",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_port_in_use.py"],
            ),
            case(
                "tcp-server-daemon",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_daemon.py"],
            ),
            case(
                "tcp-server-threads",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_threads.py"],
            ),
            case(
                "tcp-server-forgets-to-close",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_forgets_to_close.py"],
            ),
            case(
                "tcp-server-no-upper-case",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_no_upper_case.py"],
            ),
            case(
                "tcp-server-sleeps-first",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_sleeps_first.py"],
            ),
            case(
                "tcp-server-asks-for-port",
                "tcp-upper",
                &[SERVER, "python3 tcp_server_asks_for_port.py"],
            ),
            case(
                "tcp-server-is-told-port",
                "tcp-upper",
                &[
                    SERVER,
                    "python3 tcp_server_asks_for_port.py",
                    "--stdin",
                    "server=12000",
                ],
            ),
            case(
                "tcp-server-not-there",
                "tcp-upper",
                &[SERVER, "python3 NoSuchServer.py"],
            ),
        ],
    );
}

#[test]
fn python_tcp_clients() {
    if !has("python3") {
        return;
    }
    judge(
        "python",
        &sources("python"),
        &[
            case(
                "tcp-client-host-name",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_host_name.py"],
            ),
            case(
                "tcp-client-host-name-given",
                "tcp-upper",
                &[
                    CLIENT,
                    "python3 tcp_client_host_name.py",
                    "--host-name",
                    "servername=127.0.0.1",
                ],
            ),
            case(
                "tcp-client-hard-coded-address",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_hard_coded_address.py"],
            ),
            case(
                "tcp-client-hard-coded-address-given",
                "tcp-upper",
                &[
                    CLIENT,
                    "python3 tcp_client_hard_coded_address.py",
                    "--address",
                    "10.0.4.26",
                ],
            ),
            case(
                "tcp-client-raw-input",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_raw_input.py"],
            ),
            case(
                "tcp-client-str-not-bytes",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_str_not_bytes.py"],
            ),
            case(
                "tcp-client-asks-twice",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_asks_twice.py"],
            ),
            case(
                "tcp-client-asks-twice-told",
                "tcp-upper",
                &[
                    CLIENT,
                    "python3 tcp_client_asks_twice.py",
                    "--stdin",
                    "me\nhello, world!",
                ],
            ),
            case(
                "tcp-client-loops-for-ever",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_loops_for_ever.py"],
            ),
            case(
                "tcp-client-reads-to-the-end",
                "tcp-upper",
                &[
                    CLIENT,
                    "python3 tcp_client_reads_to_the_end.py",
                    SERVER,
                    "python3 tcp_server_forgets_to_close.py",
                ],
            ),
            case(
                "tcp-client-floods",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_floods.py"],
            ),
            case(
                "tcp-client-in-a-child",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_in_a_child.py"],
            ),
            case(
                "tcp-client-encoding",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_encoding.py", "--stdin", "grüße"],
            ),
            case(
                "tcp-client-needs-a-terminal",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_needs_a_terminal.py"],
            ),
            case(
                "tcp-client-gets-a-terminal",
                "tcp-upper",
                &[CLIENT, "python3 tcp_client_needs_a_terminal.py", "--pty"],
            ),
            case(
                "tcp-client-before-server",
                "tcp-refused",
                &[CLIENT, "python3 TCPClient.py 127.0.0.1 12000"],
            ),
        ],
    );
}

#[test]
fn python_udp_and_web() {
    if !has("python3") {
        return;
    }
    let www = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
    let www = www.to_str().unwrap();
    judge(
        "python",
        &sources("python"),
        &[
            case(
                "udp-pair",
                "udp-upper",
                &[
                    SERVER,
                    "python3 UDPServer.py",
                    CLIENT,
                    "python3 UDPClient.py 127.0.0.1 12000",
                ],
            ),
            case(
                "udp-client-before-server",
                "udp-no-server",
                &[
                    CLIENT,
                    "python3 UDPClient.py 127.0.0.1 12000",
                    SERVER,
                    "python3 UDPServer.py",
                ],
            ),
            case(
                "udp-client-timed-wait",
                "udp-upper",
                &[CLIENT, "python3 udp_client_timed_wait.py"],
            ),
            case(
                "udp-server-wrong-reply-port",
                "udp-upper",
                &[SERVER, "python3 udp_server_wrong_reply_port.py"],
            ),
            case(
                "udp-pair-over-tcp",
                "udp-upper",
                &[
                    SERVER,
                    "python3 TCPServer.py",
                    CLIENT,
                    "python3 TCPClient.py 127.0.0.1 12000",
                ],
            ),
            case(
                "web-server-bare-newlines",
                "http-ok",
                &[
                    SERVER,
                    "python3 {own}/web_server_bare_newlines.py",
                    "--cwd",
                    www,
                ],
            ),
            case(
                "web-server",
                "http-ok",
                &[SERVER, "python3 {own}/WebServer.py", "--cwd", www],
            ),
            case(
                "web-server-not-found",
                "http-not-found",
                &[SERVER, "python3 {own}/WebServer.py", "--cwd", www],
            ),
        ],
    );
}

#[test]
fn c_programs() {
    if !has("cc") {
        return;
    }
    let folder = Folder::new();
    for entry in std::fs::read_dir(sources("c")).unwrap() {
        let source = entry.unwrap().path();
        let program = folder.path().join(source.file_stem().unwrap());
        let output = Command::new("cc")
            .arg("-w")
            .arg("-o")
            .arg(program)
            .arg(&source)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    judge(
        "c",
        folder.path(),
        &[
            case(
                "tcp-pair",
                "tcp-upper",
                &[SERVER, "./tcp_server", CLIENT, "./tcp_client"],
            ),
            case(
                "tcp-server-no-htons",
                "tcp-upper",
                &[SERVER, "./tcp_server_no_htons"],
            ),
            case(
                "tcp-server-crashes",
                "tcp-upper",
                &[SERVER, "./tcp_server_crashes"],
            ),
            case(
                "tcp-client-sends-whole-buffer",
                "tcp-upper",
                &[CLIENT, "./tcp_client_sends_whole_buffer"],
            ),
            case(
                "tcp-client-sends-nul",
                "tcp-upper",
                &[CLIENT, "./tcp_client_sends_nul"],
            ),
        ],
    );
}

#[test]
fn java_programs() {
    if !has("javac") || !has("java") {
        return;
    }
    let folder = Folder::new();
    let mut compiler = Command::new("javac");
    compiler.arg("-d").arg(folder.path());
    for entry in std::fs::read_dir(sources("java")).unwrap() {
        compiler.arg(entry.unwrap().path());
    }
    let output = compiler.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    judge(
        "java",
        folder.path(),
        &[
            case(
                "tcp-pair",
                "tcp-upper",
                &[SERVER, "java TCPServer", CLIENT, "java TCPClient"],
            ),
            case(
                "tcp-client-no-newline",
                "tcp-upper",
                &[SERVER, "java TCPServer", CLIENT, "java TCPClientNoNewline"],
            ),
            case(
                "tcp-client-no-flush",
                "tcp-upper",
                // With our server: theirs ends by an exception when the client is
                // ended, which may or may not come before we stop it.
                &[CLIENT, "java TCPClientNoFlush"],
            ),
        ],
    );
}
