//! A run of today against the reference captures: the same verdicts, events
//! and messages. How often TCP acknowledges, and so how many packets there are,
//! is the kernel's affair.

use std::fs::File;
use std::path::Path;

use netlab_capture::expect::notation;
use netlab_capture::{scenario, trace};
use serde_json::{Value, json};

use crate::programs::{netlab, stderr};
use crate::record::{Folder, reports};

/// What two runs have in common.
#[derive(Debug, PartialEq)]
struct Essence {
    verdicts: Value,
    /// In the language's notation.
    events: Vec<String>,
    messages: Value,
    /// How each program ended, and what it said.
    programs: Value,
}

fn essence(capture: &Path) -> Essence {
    let output = netlab(&["check", "--json", "--stable"])
        .arg(capture)
        .output()
        .unwrap();
    let mut report = match reports(&output).as_slice() {
        [report] => report.clone(),
        _ => panic!("{}: {}", capture.display(), stderr(&output)),
    };
    let trace = trace::read(File::open(capture).unwrap(), "capture", None).unwrap();
    Essence {
        verdicts: json!([
            report["verdict"],
            only(&report["expectations"], &["name", "text", "verdict"])
        ]),
        events: notation::events(&trace),
        programs: only(
            &report["programs"],
            &["role", "argv", "exit", "ended", "stdout", "stderr"],
        ),
        messages: without_frames(report["messages"].take()),
    }
}

/// The objects of a list, with nothing but these keys.
fn only(list: &Value, keys: &[&str]) -> Value {
    let list = list.as_array().unwrap().iter();
    list.map(|object| {
        let values = keys.iter().map(|key| (*key, object[key].clone()));
        json!(values.collect::<std::collections::BTreeMap<_, _>>())
    })
    .collect()
}

/// Which packets they came in depends on how many there were.
fn without_frames(mut messages: Value) -> Value {
    for message in messages.as_array_mut().unwrap() {
        message.as_object_mut().unwrap().remove("frames").unwrap();
    }
    messages
}

fn a_run_agrees_with_the_reference(options: &[&str], suffix: &str) {
    let references = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let folder = Folder::new();
    let (output, _) = folder.run(options);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for name in scenario::catalogue() {
        let reference = essence(&references.join(format!("{name}{suffix}.pcapng")));
        let today = essence(&folder.path().join(format!("{name}.pcapng")));
        assert!(reference.events.len() >= 2, "{name}: {reference:?}");
        assert_eq!(today, reference, "{name} {options:?}");
    }
}

#[test]
fn a_run_over_ipv4_agrees_with_the_reference() {
    a_run_agrees_with_the_reference(&["--all"], "");
}

#[test]
fn a_run_over_ipv6_agrees_with_the_reference() {
    a_run_agrees_with_the_reference(&["--all", "--ipv6"], "-ipv6");
}
