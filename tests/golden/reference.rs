//! The reference captures, read again: the JSON and the comments that they were
//! committed with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use netlab_capture::render::comments::comments;
use netlab_capture::report::{Options, Report};
use netlab_capture::savefile::annotate;
use netlab_capture::{expect, scenario, trace};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference")
}

/// Each scenario's captures, over IPv4 and IPv6.
fn names() -> Vec<String> {
    let of_scenario = |name: &str| [name.to_owned(), format!("{name}-ipv6")];
    scenario::catalogue()
        .into_iter()
        .flat_map(of_scenario)
        .collect()
}

#[test]
fn there_is_a_capture_of_each_scenario_and_no_other_file() {
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let others = ["README.md", "make"].map(str::to_owned);
    let expected: BTreeSet<String> = names()
        .iter()
        .flat_map(|name| [format!("{name}.pcapng"), format!("{name}.json")])
        .chain(others)
        .collect();
    assert_eq!(files, expected);
}

#[test]
fn each_capture_gives_its_json_byte_for_byte() {
    for name in names() {
        let output = Command::new(env!("CARGO_BIN_EXE_netlab-capture"))
            .args(["check", "--json", "--stable", &format!("{name}.pcapng")])
            .current_dir(folder())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let committed = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        similar(&name, &committed, &printed);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert_eq!(output.stderr, b"", "{name}");
    }
}

/// Says where two long lines part; a whole one is too much to read.
fn similar(name: &str, committed: &str, printed: &str) {
    if committed == printed {
        return;
    }
    let same = committed.bytes().zip(printed.bytes());
    let at = same.take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let bytes = text.as_bytes();
        let shown = &bytes[at.saturating_sub(80)..bytes.len().min(at + 80)];
        String::from_utf8_lossy(shown).into_owned()
    };
    panic!(
        "{name}.json differs at byte {at} (captures/reference/make makes it anew):\n\
         committed: {}\n  printed: {}",
        around(committed),
        around(printed)
    );
}

/// The comments are what judging again would write, and writing them again
/// changes not one byte.
#[test]
fn annotating_again_changes_nothing() {
    for name in names() {
        let bytes = fs::read(folder().join(format!("{name}.pcapng"))).unwrap();
        let trace = trace::read(bytes.as_slice(), &name, None).unwrap();
        let recorded = trace.recording.as_ref().unwrap();
        let recorded = recorded.scenario.as_ref().unwrap();
        let builtin = scenario::builtin(&recorded.name).unwrap();
        assert!(
            recorded.text == builtin.text,
            "{name}: the scenario was changed; captures/reference/make makes its capture anew"
        );
        let scenario = scenario::parse(builtin).unwrap();
        let expectations = expect::compile(&scenario).unwrap();
        let programs = &scenario.programs;
        let outcomes = expect::judge(&trace, &expectations, programs, &recorded.files);
        let options = Options::default();
        let packets = trace.packets.len();
        let report = Report::with_packets(trace, Some(&scenario), &outcomes, &options);
        let comments = comments(&report);
        assert_eq!(comments.len(), packets, "{name}");

        let mut again = Vec::new();
        annotate(bytes.as_slice(), &mut again, &comments).unwrap();
        assert!(again == bytes, "{name}: other bytes");
    }
}

/// They were made on somebody's machine, which they say nothing of.
#[test]
fn no_path_of_a_machine_is_in_them() {
    let own = env!("CARGO_MANIFEST_DIR");
    let roots = [
        own, "/home/", "/root/", "/Users/", "/tmp/", "/usr/", "/var/",
    ];
    for name in names() {
        for file in [format!("{name}.pcapng"), format!("{name}.json")] {
            let bytes = fs::read(folder().join(&file)).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            for root in roots {
                assert!(!text.contains(root), "{file}: {root}");
            }
        }
    }
}
