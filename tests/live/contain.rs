//! Hostile programs (`tests/programs/hostile`), each held: what it wants is
//! refused, nothing of it survives, and the run has its verdict and its message.
//! The bombs are small; the limits are smaller.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs::{netlab, stderr};
use crate::record::{Folder, assert_complete, processes_with, reports, verdict};

fn hostile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/hostile")
}

/// A scenario in which a hostile program is the client.
fn client(command: &str, rest: &str) -> String {
    let cwd = hostile();
    format!(
        "timeout = '10s'\n{rest}\n[program.client]\nrun = '''python3 {command}'''\ncwd = '{}'\n",
        cwd.display()
    )
}

fn contained(folder: &Folder, text: &str, options: &[&str]) -> (Output, Value) {
    let path = folder.file("scenario.toml", text);
    let output = netlab(&["run", "--contain", "--json", "--out"])
        .arg(folder.path())
        .arg(path)
        .args(options)
        .env("CI_JOB_TOKEN", "secret-71-terces")
        .output()
        .unwrap();
    let mut reports = reports(&output);
    assert_eq!(reports.len(), 1, "{}", stderr(&output));
    (output, reports.remove(0))
}

fn stdout(report: &Value, program: usize) -> String {
    report["programs"][program]["stdout"]
        .as_str()
        .unwrap_or_else(|| panic!("{report}"))
        .to_owned()
}

#[test]
fn the_catalogue_passes_contained() {
    let folder = Folder::new();
    let (output, reports) = folder.run(&["--all", "--contain"]);
    assert_eq!(reports.len(), 9, "{}", stderr(&output));
    for report in &reports {
        assert_eq!(verdict(report), "pass");
        assert_complete(report);
    }
}

#[test]
fn a_fork_bomb_runs_into_its_limit_and_is_gone_at_the_end() {
    let folder = Folder::new();
    let started = Instant::now();
    let text = client("fork_bomb.py", "").replace("10s", "1s");
    let (output, report) = contained(&folder, &text, &[]);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(verdict(&report).contains("hung"), "{}", verdict(&report));
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(processes_with("fork_bomb.py").is_empty());
}

#[test]
fn a_memory_hog_gets_its_share_and_no_more() {
    let folder = Folder::new();
    // 200 MB in one process, then 3 × 30 MB in three; 64 MB are allowed.
    let text = client("memory_hog.py 200000000 3 30000000", "");
    let (output, report) = contained(&folder, &text, &["--memory", "64M"]);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert_eq!(stdout(&report, 0), "refused\n");
    assert_eq!(report["programs"][0]["exit"]["signal"], 9, "{report}");
    let note = report["programs"][0]["note"].as_str().unwrap();
    assert!(note.contains("61 MiB"), "{note}");
    assert!(
        verdict(&report).contains("used more memory"),
        "{}",
        verdict(&report)
    );
    assert!(processes_with("memory_hog.py").is_empty());
}

#[test]
fn a_disk_filler_fills_its_own_folder_only() {
    let folder = Folder::new();
    let text = client("disk_filler.py", "");
    let (_, report) = contained(&folder, &text, &["--scratch", "8M"]);
    assert_eq!(verdict(&report), "pass");
    let said = stdout(&report, 0);
    assert!(
        said.contains("No space left") || said.contains("File too large"),
        "{said}"
    );
    assert!(
        said.contains("written 7 MiB") || said.contains("written 6 MiB"),
        "{said}"
    );
    assert!(!hostile().join("fill0").exists());
    assert!(!Path::new("/tmp/fill0").exists());
}

#[test]
fn the_tool_cannot_be_traced_signalled_or_seen() {
    let folder = Folder::new();
    let (_, report) = contained(&folder, &client("attack_the_tool.py", ""), &[]);
    assert_eq!(verdict(&report), "pass");
    let said = stdout(&report, 0);
    assert!(said.contains("others 0"), "{said}");
    assert!(said.ends_with("still here\n"), "{said}");
    for refused in [
        "ptrace", "memory", "root", "unshare", "mount", "keyctl", "bpf",
    ] {
        let lines: Vec<&str> = said.lines().filter(|l| l.starts_with(refused)).collect();
        assert!(!lines.is_empty(), "{refused}: {said}");
        for line in lines {
            assert!(
                line.contains("not permitted")
                    || line.contains("denied")
                    || line.contains("No such"),
                "{line}"
            );
        }
    }
    assert_complete(&report);
}

#[test]
fn nothing_can_be_written_outside_and_no_answer_be_found() {
    let folder = Folder::new();
    // The answer stands in the scenario, in the tool's arguments and in its
    // environment; the program gets it spelt backwards.
    let text = client(
        "write_outside.py terces-17-terces",
        "answer = 'secret-71-secret'",
    );
    folder.file("secret-71-secret", "secret-71-secret");
    let (_, report) = contained(&folder, &text, &[]);
    assert_eq!(verdict(&report), "pass");
    let said = stdout(&report, 0);
    assert!(!said.contains("WROTE"), "{said}");
    assert!(said.ends_with("found []\n"), "{said}");
}

#[test]
fn packets_of_the_other_role_cannot_be_forged() {
    let folder = Folder::new();
    let expect = "[expect]\n'the server answers' = 'packets(server > client udp) >= 1'\n";
    let text = format!(
        "{}after = 'server ready'\n[program.server]\nrun = 'netlab-capture udp-server {{address}} 12000'\nready = {{ udp = 12000 }}\nstop = 'TERM'\n{expect}",
        client("forge.py", "")
    );
    let (_, report) = contained(&folder, &text, &[]);
    let said = stdout(&report, 0);
    assert!(said.contains("raw Operation not permitted"), "{said}");
    assert!(said.contains("ip Operation not permitted"), "{said}");
    assert_ne!(report["verdict"], "pass", "{report}");
    assert_complete(&report);
}

#[test]
fn output_cannot_play_with_the_terminal() {
    let folder = Folder::new();
    let path = folder.file("scenario.toml", &client("escapes.py", ""));
    let output = netlab(&["run", "--contain", "--out"])
        .arg(folder.path())
        .arg(path)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains('\x1b') && !text.contains('\u{202e}') && !text.contains('\u{9b}'));
    assert!(text.contains("owned"), "{text}");
}

#[test]
fn a_gigabyte_of_output_is_read_and_counted() {
    let folder = Folder::new();
    let text = client("", "").replace("python3 ", "head -c 1000000000 /dev/zero");
    let (_, report) = contained(&folder, &text.replace("10s", "60s"), &[]);
    let program = &report["programs"][0];
    let kept = stdout(&report, 0).len();
    assert!(kept < 2 << 20, "{kept}");
    assert_eq!(verdict(&report), "pass");
    assert!(program["output_cut"].as_u64().unwrap() > 900_000_000);
}

#[test]
fn nobody_survives_by_leaving_session_and_parent() {
    let folder = Folder::new();
    let token = format!("7.{}", std::process::id());
    let (_, report) = contained(&folder, &client(&format!("survivor.py 99{token}"), ""), &[]);
    assert_eq!(stdout(&report, 0), "left one behind\n", "{report}");
    assert!(processes_with(&token).is_empty());
}

/// The two programs of a run are strangers to each other, also where both are the
/// same user's.
#[test]
fn one_role_cannot_reach_the_other() {
    let folder = Folder::new();
    let text = format!(
        "{}stdin = 'hello'\nafter = 'server ready'\nstdout = 'HELLO'\n[program.server]\nrun = 'netlab-capture tcp-server {{address}} 12000'\nready = {{ tcp = 12000 }}\nstop = 'TERM'\n",
        client("take_over.py", "")
    );
    let (_, report) = contained(&folder, &text, &[]);
    assert_eq!(verdict(&report), "pass");
}
