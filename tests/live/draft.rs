//! What `record` drafts from some runs holds in the next ones too, on a quiet
//! machine and beside a process that keeps a core busy.

use std::path::Path;

use crate::programs::{netlab, stderr};
use crate::record::{Folder, assert_complete, reports, verdict};
use crate::soak::Busy;

/// How often each draft is tried, in each half.
const RUNS: usize = 20;

/// The scenario's programs, with expectations drafted from its runs.
fn drafted(name: &str) -> String {
    let shown = netlab(&["show", name]).output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    let (programs, _) = text.split_once("[expect]").unwrap();
    let output = netlab(&["record", name]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let draft = String::from_utf8(output.stdout).unwrap();
    assert!(draft.contains("exactly {"), "{draft}");
    format!("{programs}\n{draft}")
}

fn holds(scenarios: &Path, runs: usize) {
    let captures = Folder::new();
    let output = netlab(&["run", "--json", "--out"])
        .arg(captures.path())
        .arg(scenarios)
        .output()
        .unwrap();
    let reports = reports(&output);
    assert_eq!(reports.len(), runs, "{}", stderr(&output));
    for report in &reports {
        assert_eq!(verdict(report), "pass", "{}", report["scenario"]["name"]);
        assert_complete(report);
    }
}

#[test]
fn a_draft_passes_the_next_runs() {
    let scenarios = Folder::new();
    let names = ["tcp-upper", "http-ok", "udp-no-server", "tcp-refused"];
    for name in names {
        let text = drafted(name);
        for run in 0..RUNS {
            scenarios.file(&format!("{name}-{run:02}.toml"), &text);
        }
    }
    holds(scenarios.path(), names.len() * RUNS);
    let _busy = Busy::start();
    holds(scenarios.path(), names.len() * RUNS);
}
